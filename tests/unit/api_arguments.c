/* SPDX-License-Identifier: MIT */
/* Public functions: what is refused, and in which order: pointers, then handles, then state. */
#include <limits.h>

#include "tests/unit/api_kit.h"

static const BYTE select_mf[] = {0x00, 0xA4, 0x00, 0x00};

static void pointers_come_before_handles(void **state)
{
    SCARD_READERSTATE nameless = {0};
    BYTE buffer[8];
    DWORD length = sizeof buffer, automatic = SCARD_AUTOALLOCATE;

    (void)state;
    assert_code(SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardListReaders(0, NULL, NULL, NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardListReaders(0, NULL, NULL, &automatic), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardListReaderGroups(0, NULL, NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardConnect(0, "x", SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, NULL, &length),
                SCARD_E_INVALID_PARAMETER);
    assert_code(SCardGetStatusChange(0, 0, NULL, 1), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardGetStatusChange(0, 0, &nameless, 1), SCARD_E_INVALID_VALUE);
    assert_code(SCardTransmit(0, NULL, select_mf, 4, NULL, buffer, &length), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardTransmit(0, SCARD_PCI_T1, NULL, 4, NULL, buffer, &length), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardTransmit(0, SCARD_PCI_T1, select_mf, 4, NULL, NULL, &length), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardTransmit(0, SCARD_PCI_T1, select_mf, 4, NULL, buffer, NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardTransmit(0, SCARD_PCI_T1, select_mf, 4, NULL, buffer, &automatic),
                SCARD_E_INVALID_PARAMETER);
    assert_code(scard_service_socket((LPSTR)buffer, &automatic), SCARD_E_INVALID_PARAMETER);
    assert_int_equal(automatic, SCARD_AUTOALLOCATE);
    assert_code(SCardControl(0, 1, NULL, 1, NULL, 0, &length), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardControl(0, 1, NULL, 0, NULL, 1, &length), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardGetAttrib(0, SCARD_ATTR_ATR_STRING, buffer, NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardGetAttrib(0, SCARD_ATTR_ATR_STRING, NULL, &automatic), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardSetAttrib(0, SCARD_ATTR_ATR_STRING, NULL, 1), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardSetAttrib(0, SCARD_ATTR_ATR_STRING, buffer, 0), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardStatus(0, NULL, &automatic, NULL, NULL, NULL, NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(scard_reader_fact(0, NULL, "device", (LPSTR)buffer, &length), SCARD_E_INVALID_PARAMETER);
}

static void handles_come_before_state(void **state)
{
    SCARDHANDLE card = 77;
    DWORD protocol = 77;

    (void)state;
    assert_code(SCardConnect(0, "Nobody", 9, 0, &card, &protocol), SCARD_E_INVALID_HANDLE);
    assert_int_equal(card, 0);
    assert_int_equal(protocol, 0);
    assert_code(SCardDisconnect(0, 99), SCARD_E_INVALID_HANDLE);
    assert_code(SCardEndTransaction(0, 99), SCARD_E_INVALID_HANDLE);
    assert_code(SCardReconnect(0, 99, 99, 99, NULL), SCARD_E_INVALID_HANDLE);
    assert_code(SCardGetStatusChange(0, 0, NULL, 0), SCARD_E_INVALID_HANDLE);
}

static void values_that_make_no_sense(void **state)
{
    SCARDCONTEXT context = 77;
    SCARDHANDLE card;
    DWORD protocol;
    char long_name[200];
    BYTE response[8];
    DWORD length = sizeof response;
    static const BYTE big[MAX_BUFFER_SIZE_EXTENDED + 1];

    (void)state;
    assert_code(SCardEstablishContext(4, NULL, NULL, &context), SCARD_E_INVALID_VALUE);
    assert_int_equal(context, 0);
    for (DWORD scope = 0; scope <= 3; scope++) {
        assert_code(SCardEstablishContext(scope, "x", "y", &context), SCARD_S_SUCCESS);
        assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
    }
    context = establish();
    assert_code(SCardConnect(context, NULL, 2, 3, &card, &protocol), SCARD_E_UNKNOWN_READER);
    memset(long_name, 'x', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    assert_code(SCardConnect(context, long_name, 2, 3, &card, &protocol), SCARD_E_INVALID_VALUE);
    assert_code(SCardConnect(context, ECHO, 9, 0, &card, &protocol), SCARD_E_PROTO_MISMATCH);
    assert_code(SCardConnect(context, ECHO, 2, SCARD_PROTOCOL_T15, &card, &protocol), SCARD_E_PROTO_MISMATCH);
    assert_code(SCardConnect(context, ECHO, 0, 3, &card, &protocol), SCARD_E_INVALID_VALUE);
    assert_code(SCardConnect(context, ECHO, 4, 3, &card, &protocol), SCARD_E_INVALID_VALUE);
    assert_code(SCardConnect(context, ECHO, 0x100000002, 3, &card, &protocol), SCARD_E_INVALID_VALUE);

    card = connect_shared(context, ECHO);
    assert_code(SCardReconnect(card, 2, 3, SCARD_EJECT_CARD, &protocol), SCARD_E_INVALID_VALUE);
    assert_code(SCardReconnect(card, 0, 3, 0, &protocol), SCARD_E_INVALID_VALUE);
    assert_code(SCardReconnect(card, 2, 0, 0, &protocol), SCARD_E_PROTO_MISMATCH);
    assert_code(SCardEndTransaction(card, 4), SCARD_E_INVALID_VALUE);
    assert_code(SCardDisconnect(card, 4), SCARD_E_INVALID_VALUE); /* and the handle stays */
    assert_code(transmit_echo(card), SCARD_S_SUCCESS);
    assert_code(SCardTransmit(card, SCARD_PCI_T1, big, sizeof big, NULL, response, &length),
                SCARD_E_INSUFFICIENT_BUFFER);
    assert_int_equal(length, sizeof response);
    assert_code(SCardControl(card, 1, big, sizeof big, NULL, 0, NULL), SCARD_E_INSUFFICIENT_BUFFER);
    assert_code(SCardSetAttrib(card, 1, big, 265), SCARD_E_INSUFFICIENT_BUFFER);
    assert_code(SCardSetAttrib(card, 0x100000001, big, 1), SCARD_E_UNSUPPORTED_FEATURE);
    assert_code(SCardControl(card, 0x142000D48, NULL, 0, NULL, 0, NULL), SCARD_E_UNSUPPORTED_FEATURE);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

/* Every function with a value in place of a context; every one with it in place of a card. */
static void assert_no_context(SCARDCONTEXT context)
{
    SCARD_READERSTATE watch = {.szReader = ECHO};
    SCARDHANDLE card;
    char text[64];
    DWORD length = sizeof text;

    assert_code(SCardIsValidContext(context), SCARD_E_INVALID_HANDLE);
    assert_code(SCardCancel(context), SCARD_E_INVALID_HANDLE);
    assert_code(scard_abort(context), SCARD_E_INVALID_HANDLE);
    assert_code(SCardListReaders(context, NULL, text, &length), SCARD_E_INVALID_HANDLE);
    assert_code(SCardListReaderGroups(context, text, &length), SCARD_E_INVALID_HANDLE);
    assert_code(SCardFreeMemory(context, text), SCARD_E_INVALID_HANDLE);
    assert_code(SCardConnect(context, ECHO, 2, 3, &card, NULL), SCARD_E_INVALID_HANDLE);
    assert_code(SCardGetStatusChange(context, INFINITE, &watch, 1), SCARD_E_INVALID_HANDLE);
    assert_code(scard_reader_fact(context, ECHO, "device", text, &length), SCARD_E_INVALID_HANDLE);
    assert_code(SCardReleaseContext(context), SCARD_E_INVALID_HANDLE);
}

static void assert_no_card(SCARDHANDLE card)
{
    BYTE buffer[64];
    DWORD length = sizeof buffer;

    assert_code(transmit_echo(card), SCARD_E_INVALID_HANDLE);
    assert_code(SCardBeginTransaction(card), SCARD_E_INVALID_HANDLE);
    assert_code(SCardEndTransaction(card, SCARD_RESET_CARD), SCARD_E_INVALID_HANDLE);
    assert_code(SCardStatus(card, NULL, NULL, NULL, NULL, NULL, NULL), SCARD_E_INVALID_HANDLE);
    assert_code(SCardReconnect(card, 2, 3, SCARD_RESET_CARD, NULL), SCARD_E_INVALID_HANDLE);
    assert_code(SCardControl(card, SCARD_CTL_SIM_REMOVE, NULL, 0, NULL, 0, NULL), SCARD_E_INVALID_HANDLE);
    assert_code(SCardGetAttrib(card, SCARD_ATTR_ATR_STRING, buffer, &length), SCARD_E_INVALID_HANDLE);
    assert_code(SCardSetAttrib(card, SCARD_ATTR_ATR_STRING, buffer, 1), SCARD_E_INVALID_HANDLE);
    assert_code(SCardDisconnect(card, SCARD_RESET_CARD), SCARD_E_INVALID_HANDLE);
}

static void other_numbers_are_no_handles(void **state)
{
    SCARDCONTEXT context = establish(), released = establish();
    SCARDHANDLE card = connect_shared(context, ECHO), orphan = connect_shared(released, ECHO);
    SCARDHANDLE closed = connect_shared(context, ECHO);
    long strange[] = {0,        1,        -1, INT32_MAX, INT32_MIN, UINT32_MAX, 0x100000000,
                      LONG_MAX, LONG_MIN, 0,  0,         0,         0};

    (void)state;
    assert_code(SCardReleaseContext(released), SCARD_S_SUCCESS);
    assert_code(SCardDisconnect(closed, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
    strange[9] = released;
    strange[10] = orphan;
    strange[11] = closed;
    strange[12] = -context;
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        assert_no_context(strange[i]);
        assert_no_card(strange[i]);
    }
    /* The right number with something above, and one kind in place of the other. */
    assert_no_context(context | 0x100000000);
    assert_no_card(card | 0x100000000);
    assert_no_context(card);
    assert_no_card(context);
    /* Nothing of this has touched the real ones. */
    assert_code(SCardIsValidContext(context), SCARD_S_SUCCESS);
    assert_code(transmit_echo(card), SCARD_S_SUCCESS);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void guessed_numbers_do_not_hit(void **state)
{
    SCARDCONTEXT context = establish();
    uint64_t random = 88172645463325252;
    unsigned hits = 0;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        SCARDCONTEXT guess;

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        guess = (SCARDCONTEXT)(random & INT32_MAX);
        hits += guess != context && SCardIsValidContext(guess) == SCARD_S_SUCCESS;
    }
    assert_int_equal(hits, 0);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void optional_outputs_may_be_missing(void **state)
{
    SCARDCONTEXT context = establish();
    SCARDHANDLE card;
    SCARD_IO_REQUEST received = {77, 77};
    BYTE response[16];
    DWORD length = sizeof response;

    (void)state;
    assert_code(SCardConnect(context, ECHO, 2, 3, &card, NULL), SCARD_S_SUCCESS);
    assert_code(SCardReconnect(card, 2, 3, SCARD_LEAVE_CARD, NULL), SCARD_S_SUCCESS);
    assert_code(SCardStatus(card, NULL, NULL, NULL, NULL, NULL, NULL), SCARD_S_SUCCESS);
    assert_code(SCardControl(card, SCARD_CTL_SIM_INSERT, NULL, 0, NULL, 0, NULL), SCARD_S_SUCCESS);
    /* The protocol that comes back is in the caller's numbering; the length is the caller's. */
    assert_code(SCardTransmit(card, SCARD_PCI_T1, select_mf, 4, &received, response, &length),
                SCARD_S_SUCCESS);
    assert_int_equal(received.dwProtocol, SCARD_PROTOCOL_T1);
    assert_int_equal(received.cbPciLength, 77);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void transmit_lengths(void **state)
{
    static const SCARD_IO_REQUEST any_old = {0x1000, sizeof any_old}, none = {0, sizeof none};
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_shared(context, ECHO);
    BYTE response[4];
    DWORD length = 0;

    (void)state;
    assert_code(SCardTransmit(card, SCARD_PCI_T1, select_mf, 4, NULL, response, &length),
                SCARD_E_INSUFFICIENT_BUFFER);
    assert_int_equal(length, 2);
    assert_code(SCardTransmit(card, SCARD_PCI_T1, select_mf, 4, NULL, response, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, 2);
    length = 4;
    assert_code(SCardTransmit(card, SCARD_PCI_T0, select_mf, 4, NULL, response, &length),
                SCARD_E_PROTO_MISMATCH);
    assert_int_equal(length, 0);
    length = 4;
    assert_code(SCardTransmit(card, &none, select_mf, 4, NULL, response, &length), SCARD_E_PROTO_MISMATCH);
    length = 4;
    assert_code(SCardTransmit(card, &any_old, select_mf, 4, NULL, response, &length), SCARD_S_SUCCESS);
    length = 4;
    assert_code(SCardTransmit(0, SCARD_PCI_T1, select_mf, 4, NULL, response, &length),
                SCARD_E_INVALID_HANDLE);
    assert_int_equal(length, 0);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void feature_request_has_two_numbers(void **state)
{
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_shared(context, ECHO);
    BYTE linux_answer[64], windows_answer[64];
    DWORD length = 0, other = 0;

    (void)state;
    assert_code(SCardControl(card, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, linux_answer, 64, &length),
                SCARD_S_SUCCESS);
    assert_true(length >= 6);
    assert_code(SCardControl(card, 0x00313520, NULL, 0, windows_answer, 64, &other), SCARD_S_SUCCESS);
    assert_int_equal(other, length);
    assert_memory_equal(linux_answer, windows_answer, length);
    assert_code(SCardControl(card, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, linux_answer, 3, &length),
                SCARD_E_INSUFFICIENT_BUFFER);
    assert_int_equal(length, other);
    assert_code(SCardControl(card, 0x42009999, NULL, 0, linux_answer, 3, &length),
                SCARD_E_UNSUPPORTED_FEATURE);
    assert_int_equal(length, 0);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* First: nothing has been established in this process. */
        cmocka_unit_test(handles_come_before_state),  cmocka_unit_test(pointers_come_before_handles),
        cmocka_unit_test(values_that_make_no_sense),  cmocka_unit_test(other_numbers_are_no_handles),
        cmocka_unit_test(guessed_numbers_do_not_hit), cmocka_unit_test(optional_outputs_may_be_missing),
        cmocka_unit_test(transmit_lengths),           cmocka_unit_test(feature_request_has_two_numbers),
    };

    setenv("SCARD_READERS", "sim:echo", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
