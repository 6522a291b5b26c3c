/* SPDX-License-Identifier: MIT */
/* What a reader is, and how much it has transmitted: with the service in this process, and at a server
 * (KIT_SERVED). */
#include <stdio.h>

#include "tests/unit/database_kit.h"

#define ISO "scard sim:iso 01 00"

static SCARDCONTEXT context;
static const char *device, *reader;
static const WCHAR *wide_device, *wide_reader;

static int begin(void **state)
{
    context = kit_context(SCARD_SCOPE_USER);
    return kit_clear(state);
}

static int end(void **state)
{
    (void)state;
    return SCardReleaseContext(context) != SCARD_S_SUCCESS;
}

static LONG get_icon(void *buffer, DWORD *length)
{
    return SCardGetReaderIcon(context, ECHO, buffer, length);
}

static LONG get_instance(void *buffer, DWORD *length)
{
    return SCardGetReaderDeviceInstanceId(context, reader, buffer, length);
}

static LONG get_instance_wide(void *buffer, DWORD *length)
{
    return SCardGetReaderDeviceInstanceIdW(context, wide_reader, buffer, length);
}

static LONG get_readers(void *buffer, DWORD *length)
{
    return SCardListReadersWithDeviceInstanceId(context, device, buffer, length);
}

static LONG get_readers_wide(void *buffer, DWORD *length)
{
    return SCardListReadersWithDeviceInstanceIdW(context, wide_device, buffer, length);
}

/* The numbers at the head of an .ico file are little-endian; a 0 stands for 256 pixels. */
static void the_icon_is_one(void **state)
{
    DWORD length = SCARD_AUTOALLOCATE, wide_length = 0;
    BYTE *icon = NULL, *wide;
    unsigned pictures;

    (void)state;
    assert_code(get_icon(&icon, &length), SCARD_S_SUCCESS);
    assert_true(length > 22);
    assert_memory_equal(icon, "\0\0\1\0", 4);
    pictures = icon[4] + icon[5] * 256u;
    assert_in_range(pictures, 1, 16);
    for (unsigned i = 0; i < pictures; i++) {
        const BYTE *entry = icon + 6 + 16 * i;
        DWORD size = entry[8] + entry[9] * 256u + entry[10] * 65536u, at = entry[12] + entry[13] * 256u;

        assert_true(at + size <= length);
        if (i == 0)
            assert_true(entry[0] == 0 && entry[1] == 0);
    }
    assert_code(SCardGetReaderIconW(context, u"" ECHO, NULL, &wide_length), SCARD_S_SUCCESS);
    assert_int_equal(wide_length, length);
    wide = malloc(length);
    wide_length--;
    assert_code(SCardGetReaderIconW(context, u"" ECHO, wide, &wide_length), SCARD_E_INSUFFICIENT_BUFFER);
    assert_int_equal(wide_length, length);
    assert_code(SCardGetReaderIconW(context, u"" ECHO, wide, &wide_length), SCARD_S_SUCCESS);
    assert_memory_equal(icon, wide, length);
    free(wide);
    assert_code(SCardFreeMemory(context, icon), SCARD_S_SUCCESS);
}

static void the_device_has_an_id(void **state)
{
    DWORD type = 77;

    (void)state;
    reader = ECHO;
    wide_reader = u"" ECHO;
    assert_list(get_instance, "sim:echo");
    kit_idiom(get_instance, 1, context);
    kit_idiom(get_instance_wide, sizeof(WCHAR), context);
    kit_same_text(get_instance, get_instance_wide);
    reader = ISO;
    assert_list(get_instance, "sim:iso");
    assert_code(SCardGetDeviceTypeId(context, ECHO, &type), SCARD_S_SUCCESS);
    assert_int_equal(type, SCARD_READER_TYPE_VENDOR);
    type = 77;
    assert_code(SCardGetDeviceTypeIdW(context, u"" ECHO, &type), SCARD_S_SUCCESS);
    assert_int_equal(type, SCARD_READER_TYPE_VENDOR);
}

static void devices_have_readers(void **state)
{
    (void)state;
    device = "sim:iso";
    wide_device = u"sim:iso";
    assert_list(get_readers, ISO "\0");
    kit_idiom(get_readers, 1, context);
    kit_idiom(get_readers_wide, sizeof(WCHAR), context);
    kit_same_text(get_readers, get_readers_wide);
    device = "sim:is";
    assert_code(get_readers(NULL, &(DWORD){0}), SCARD_E_NO_READERS_AVAILABLE);
}

/* By each of a reader's names, and the names of a device are all of them. */
static void other_names_are_names(void **state)
{
    DWORD type = 0, length = 0;

    (void)state;
    assert_code(SCardIntroduceReader(context, "Tür", ISO), SCARD_S_SUCCESS);
    reader = "Tür";
    wide_reader = u"Tür";
    assert_list(get_instance, "sim:iso");
    kit_same_text(get_instance, get_instance_wide);
    assert_code(SCardGetDeviceTypeId(context, "Tür", &type), SCARD_S_SUCCESS);
    assert_code(SCardGetReaderIcon(context, "Tür", NULL, &length), SCARD_S_SUCCESS);
    device = "sim:iso";
    wide_device = u"sim:iso";
    assert_list(get_readers, ISO "\0Tür\0");
    kit_same_text(get_readers, get_readers_wide);
    assert_code(SCardForgetReader(context, ISO), SCARD_S_SUCCESS);
    assert_list(get_readers, "Tür\0");
}

static void what_is_refused(void **state)
{
    SCARDCONTEXT gone = kit_context(SCARD_SCOPE_USER);
    DWORD number = 5;

    (void)state;
    SCardReleaseContext(gone);
    for (unsigned i = 0; i < 2; i++) {
        SCARDCONTEXT none = i ? gone : 0;

        assert_code(SCardGetReaderIcon(none, ECHO, NULL, &number), SCARD_E_INVALID_HANDLE);
        assert_code(SCardGetDeviceTypeId(none, ECHO, &number), SCARD_E_INVALID_HANDLE);
        assert_code(SCardGetDeviceTypeIdW(none, u"" ECHO, &number), SCARD_E_INVALID_HANDLE);
        assert_code(SCardGetReaderDeviceInstanceId(none, ECHO, NULL, &number), SCARD_E_INVALID_HANDLE);
        assert_code(SCardListReadersWithDeviceInstanceId(none, "x", NULL, &number), SCARD_E_INVALID_HANDLE);
        assert_code(SCardGetTransmitCount(i ? 99 : 0, &number), SCARD_E_INVALID_HANDLE);
    }
    assert_code(SCardGetReaderIcon(context, "Nobody", NULL, &number), SCARD_E_UNKNOWN_READER);
    assert_detail("'Nobody'");
    assert_code(SCardGetDeviceTypeId(context, "Nobody", &number), SCARD_E_UNKNOWN_READER);
    assert_code(SCardGetDeviceTypeIdW(context, u"Nobody", &number), SCARD_E_UNKNOWN_READER);
    assert_code(SCardGetReaderDeviceInstanceId(context, "", NULL, &number), SCARD_E_UNKNOWN_READER);
    assert_code(SCardGetReaderIcon(context, NULL, NULL, &number), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardGetReaderIcon(context, ECHO, NULL, NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardGetDeviceTypeId(context, NULL, &number), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardGetDeviceTypeId(context, ECHO, NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardGetReaderDeviceInstanceIdW(context, NULL, NULL, &number), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardListReadersWithDeviceInstanceIdW(context, NULL, NULL, &number),
                SCARD_E_INVALID_PARAMETER);
    assert_code(SCardGetReaderIconW(context, u"\xD800", NULL, &number), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardGetDeviceTypeIdW(context, u"\xDC00", &number), SCARD_E_INVALID_PARAMETER);
    assert_int_equal(number, 5);
}

static DWORD count_of(SCARDHANDLE card)
{
    DWORD count = 12345678;

    assert_code(SCardGetTransmitCount(card, &count), SCARD_S_SUCCESS);
    return count;
}

/* Of the reader, not of who asks; what did not reach the card does not count. */
static void exchanges_are_counted(void **state)
{
    SCARDCONTEXT other = kit_context(SCARD_SCOPE_USER);
    SCARDHANDLE mine = connect_shared(context, ECHO), theirs = connect_shared(other, ECHO);
    DWORD before = count_of(mine);
    BYTE response[2];
    DWORD length = sizeof response;

    (void)state;
    assert_int_equal(count_of(theirs), before);
    assert_code(transmit_echo(mine), SCARD_S_SUCCESS);
    assert_code(transmit_echo(theirs), SCARD_S_SUCCESS);
    assert_code(transmit_echo(theirs), SCARD_S_SUCCESS);
    assert_int_equal(count_of(mine), before + 3);
    assert_int_equal(count_of(theirs), before + 3);
    assert_code(SCardTransmit(mine, SCARD_PCI_T0, (LPCBYTE) "\0\0\0\0", 4, NULL, response, &length),
                SCARD_E_PROTO_MISMATCH);
    assert_int_equal(count_of(mine), before + 3);
    assert_code(SCardGetTransmitCount(mine, NULL), SCARD_E_INVALID_PARAMETER);
    /* It outlives its programs. */
    assert_code(SCardReleaseContext(other), SCARD_S_SUCCESS);
    assert_code(SCardDisconnect(mine, SCARD_UNPOWER_CARD), SCARD_S_SUCCESS);
    mine = connect_shared(context, ECHO);
    assert_int_equal(count_of(mine), before + 3);
}

/* It is told at once within another's transaction, and does not take away the news of a reset or removal. */
static void counting_disturbs_nothing(void **state)
{
    SCARDCONTEXT other = kit_context(SCARD_SCOPE_USER);
    SCARDHANDLE mine = connect_shared(context, ECHO), theirs = connect_shared(other, ECHO);
    DWORD before = count_of(mine), length = 0;

    (void)state;
    assert_code(SCardBeginTransaction(theirs), SCARD_S_SUCCESS);
    assert_code(transmit_echo(theirs), SCARD_S_SUCCESS);
    assert_int_equal(count_of(mine), before + 1);
    /* Another attribute would have to wait its turn. */
    assert_code(SCardGetAttrib(mine, SCARD_ATTR_ATR_STRING, NULL, &length), SCARD_E_SHARING_VIOLATION);
    assert_code(SCardEndTransaction(theirs, SCARD_RESET_CARD), SCARD_S_SUCCESS);
    assert_int_equal(count_of(mine), before + 1);
    assert_code(transmit_echo(mine), SCARD_W_RESET_CARD);
    assert_int_equal(count_of(mine), before + 1);
    assert_code(SCardControl(theirs, SCARD_CTL_SIM_REMOVE, NULL, 0, NULL, 0, NULL), SCARD_S_SUCCESS);
    assert_int_equal(count_of(mine), before + 1);
    assert_code(transmit_echo(mine), SCARD_W_REMOVED_CARD);
    assert_code(SCardControl(theirs, SCARD_CTL_SIM_INSERT, NULL, 0, NULL, 0, NULL), SCARD_S_SUCCESS);
    assert_int_equal(count_of(mine), before + 1);
    assert_code(SCardReleaseContext(other), SCARD_S_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_icon_is_one, begin, end),
        cmocka_unit_test_setup_teardown(the_device_has_an_id, begin, end),
        cmocka_unit_test_setup_teardown(devices_have_readers, begin, end),
        cmocka_unit_test_setup_teardown(other_names_are_names, begin, end),
        cmocka_unit_test_setup_teardown(what_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(exchanges_are_counted, begin, end),
        cmocka_unit_test_setup_teardown(counting_disturbs_nothing, begin, end),
    };

    setenv("SCARD_READERS", "sim:echo sim:iso?insert=no", 1);
    return cmocka_run_group_tests(tests, kit_begin, kit_end);
}
