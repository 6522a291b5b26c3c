/* SPDX-License-Identifier: MIT */
/* Other names of readers, and groups, through the public functions: everywhere a reader is named. */
#include <stdio.h>

#include "tests/unit/database_kit.h"

#define ISO "scard sim:iso 01 00"
#define NEWS "\\\\?PnP?\\Notification"

static SCARDCONTEXT context;
static const char *groups;

static LONG get_readers(void *buffer, DWORD *length)
{
    return SCardListReaders(context, groups, buffer, length);
}

static LONG get_readers_wide(void *buffer, DWORD *length)
{
    return SCardListReadersW(context, NULL, buffer, length);
}

static LONG get_groups(void *buffer, DWORD *length)
{
    return SCardListReaderGroups(context, buffer, length);
}

static LONG get_own_name(void *buffer, DWORD *length)
{
    return scard_reader_own_name(context, "Desk", buffer, length);
}

static int begin(void **state)
{
    context = kit_context(SCARD_SCOPE_USER);
    groups = NULL;
    return kit_clear(state);
}

static int end(void **state)
{
    (void)state;
    return SCardReleaseContext(context) != SCARD_S_SUCCESS;
}

static void own_name_is(const char *name, const char *own)
{
    char text[128];
    DWORD length = sizeof text;

    assert_code(scard_reader_own_name(context, name, text, &length), SCARD_S_SUCCESS);
    assert_string_equal(text, own);
    assert_int_equal(length, strlen(own) + 1);
}

static void names_are_listed_behind_the_own_one(void **state)
{
    (void)state;
    assert_list(get_readers, ECHO "\0" ISO "\0");
    assert_code(SCardIntroduceReader(context, "Desk", ECHO), SCARD_S_SUCCESS);
    assert_code(SCardIntroduceReaderA(context, "By device", "sim:iso"), SCARD_S_SUCCESS);
    assert_code(SCardIntroduceReaderW(context, u"Bänk", u"Desk"), SCARD_S_SUCCESS);
    /* Not there now. */
    assert_code(SCardIntroduceReader(context, "Later", "usb:1-2.3:1.0"), SCARD_S_SUCCESS);
    assert_code(SCardIntroduceReader(context, "Too", "Model (12) 00 0A"), SCARD_S_SUCCESS);
    assert_list(get_readers, ECHO "\0Bänk\0Desk\0" ISO "\0By device\0");
    kit_idiom(get_readers, 1, context);
    kit_idiom(get_readers_wide, 2, context);
    kit_same_text(get_readers, get_readers_wide);
    own_name_is("Desk", ECHO);
    own_name_is("Bänk", ECHO);
    own_name_is("By device", ISO);
    own_name_is(ISO, ISO);
    kit_idiom(get_own_name, 1, context);
    assert_code(scard_reader_own_name(context, "Later", NULL, &(DWORD){0}), SCARD_E_UNKNOWN_READER);
    assert_detail("usb:1-2.3:1.0");
    assert_code(scard_reader_own_name(context, "Nobody", NULL, &(DWORD){0}), SCARD_E_UNKNOWN_READER);
    assert_code(scard_reader_own_name(context, NULL, NULL, &(DWORD){0}), SCARD_E_INVALID_PARAMETER);
    assert_code(scard_reader_own_name(0, "Desk", NULL, &(DWORD){0}), SCARD_E_INVALID_HANDLE);
}

static void names_that_cannot_be_introduced(void **state)
{
    static char longest[128], too_long[129];
    struct {
        const char *name, *device;
        LONG code;
    } rows[] = {
        {NULL, ECHO, SCARD_E_INVALID_PARAMETER},
        {"a", NULL, SCARD_E_INVALID_PARAMETER},
        {"", ECHO, SCARD_E_INVALID_PARAMETER},
        {"a\tb", ECHO, SCARD_E_INVALID_PARAMETER},
        {"\xC0\x80", ECHO, SCARD_E_INVALID_PARAMETER},
        {too_long, ECHO, SCARD_E_INVALID_PARAMETER},
        {longest, ECHO, SCARD_S_SUCCESS},
        {longest, ECHO, SCARD_E_DUPLICATE_READER},
        {ECHO, ECHO, SCARD_E_DUPLICATE_READER},
        {ISO, ECHO, SCARD_E_DUPLICATE_READER},
        {NEWS, ECHO, SCARD_E_DUPLICATE_READER},
        {"a", "Nobody", SCARD_E_UNKNOWN_READER},
        {"a", "", SCARD_E_UNKNOWN_READER},
        {"a", "Nobody 00 0x", SCARD_E_UNKNOWN_READER},
    };

    (void)state;
    memset(longest, 'x', 127);
    memset(too_long, 'x', 128);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_code(SCardIntroduceReader(context, rows[i].name, rows[i].device), rows[i].code);
        if (rows[i].code != SCARD_S_SUCCESS && rows[i].name && rows[i].device)
            assert_string_not_equal(scard_error_detail(), "");
        else
            assert_string_equal(scard_error_detail(), "");
    }
    for (SCARDCONTEXT bad = 0; bad < 2; bad++) {
        assert_code(SCardIntroduceReader(bad, NULL, ECHO), SCARD_E_INVALID_PARAMETER);
        assert_code(SCardIntroduceReader(bad, "a", ECHO), SCARD_E_INVALID_HANDLE);
        assert_code(SCardForgetReader(bad, NULL), SCARD_E_INVALID_PARAMETER);
        assert_code(SCardForgetReader(bad, "a"), SCARD_E_INVALID_HANDLE);
    }
    assert_code(SCardIntroduceReaderW(context, u"a\xDC00", u"b"), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardIntroduceReaderW(context, u"a", u"\xDC00"), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardForgetReaderW(context, u"\xD800\xD800"), SCARD_E_INVALID_PARAMETER);
}

static void cards_are_reached_by_any_name(void **state)
{
    char text[128];
    DWORD length = sizeof text, protocol;
    SCARDHANDLE card;
    WCHAR wide[128];

    (void)state;
    assert_code(SCardIntroduceReader(context, "Desk", "sim:echo"), SCARD_S_SUCCESS);
    card = connect_shared(context, "Desk");
    assert_string_equal(scard_error_detail(), "");
    assert_code(transmit_echo(card), SCARD_S_SUCCESS);
    /* By the name that it was connected with: one here, all of them with W. */
    assert_code(SCardStatusA(card, text, &length, NULL, NULL, NULL, NULL), SCARD_S_SUCCESS);
    assert_int_equal(length, 5);
    assert_memory_equal(text, "Desk\0", 6);
    length = 128;
    assert_code(SCardStatusW(card, wide, &length, NULL, NULL, NULL, NULL), SCARD_S_SUCCESS);
    assert_int_equal(length, sizeof "Desk\0" ECHO "\0");
    assert_memory_equal(wide, u"Desk\0scard sim:echo 00 00\0", 2 * length);
    assert_code(SCardDisconnect(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
    card = connect_shared(context, ECHO);
    length = 128;
    assert_code(SCardStatusW(card, wide, &length, NULL, NULL, NULL, NULL), SCARD_S_SUCCESS);
    assert_memory_equal(wide, u"scard sim:echo 00 00\0Desk\0", 2 * length);
    assert_code(SCardDisconnect(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
    length = sizeof text;
    assert_code(scard_reader_fact(context, "Desk", "device", text, &length), SCARD_S_SUCCESS);
    assert_string_equal(text, "sim:echo");
    assert_code(SCardConnect(context, "Nobody", SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, &protocol),
                SCARD_E_UNKNOWN_READER);
    assert_detail("'Nobody'");
}

static void changes_are_seen_by_any_name(void **state)
{
    SCARD_READERSTATE states[10] = {{.szReader = "Desk"}, {.szReader = NEWS}, {.szReader = ISO}};

    (void)state;
    assert_code(SCardIntroduceReader(context, "Desk", ECHO), SCARD_S_SUCCESS);
    assert_code(SCardGetStatusChange(context, 0, states, 3), SCARD_S_SUCCESS);
    assert_string_equal(scard_error_detail(), "");
    assert_int_equal(states[0].dwEventState & 0xFFFF, SCARD_STATE_CHANGED | SCARD_STATE_PRESENT);
    assert_memory_equal(states[0].rgbAtr, "\x3B\x94", 2);
    assert_memory_equal(states[2].rgbAtr, "\x3B\x9F", 2);
    assert_string_equal(states[0].szReader, "Desk");
    for (unsigned i = 0; i < 3; i++)
        states[i].dwCurrentState = states[i].dwEventState;
    assert_code(SCardGetStatusChange(context, 0, states, 3), SCARD_E_TIMEOUT);
    /* What is ignored need not be there; all else must. */
    states[3] = (SCARD_READERSTATE){.szReader = "Nobody", .dwCurrentState = SCARD_STATE_IGNORE};
    assert_code(SCardGetStatusChange(context, 0, states, 4), SCARD_E_TIMEOUT);
    states[3].dwCurrentState = 0;
    states[3].dwEventState = 77;
    assert_code(SCardGetStatusChange(context, 0, states, 4), SCARD_E_UNKNOWN_READER);
    assert_int_equal(states[3].dwEventState, 77);
    /* More than fit without memory. */
    for (unsigned i = 3; i < 10; i++)
        states[i] = states[0];
    assert_code(SCardGetStatusChange(context, 0, states, 10), SCARD_E_TIMEOUT);
}

static void own_names_are_hidden(void **state)
{
    (void)state;
    assert_code(SCardForgetReader(context, ECHO), SCARD_E_INVALID_PARAMETER);
    assert_detail("only name");
    assert_code(SCardForgetReader(context, "Nobody"), SCARD_E_UNKNOWN_READER);
    assert_code(SCardIntroduceReader(context, "Desk", ECHO), SCARD_S_SUCCESS);
    assert_code(SCardAddReaderToGroup(context, ECHO, "Group"), SCARD_S_SUCCESS);
    assert_code(SCardAddReaderToGroup(context, "Desk", "Other"), SCARD_S_SUCCESS);
    assert_code(SCardForgetReaderA(context, ECHO), SCARD_S_SUCCESS);
    assert_list(get_readers, "Desk\0" ISO "\0");
    assert_list(get_groups, "SCard$DefaultReaders\0Other\0");
    assert_code(SCardForgetReader(context, ECHO), SCARD_E_UNKNOWN_READER);
    /* Hidden is not gone. */
    own_name_is(ECHO, ECHO);
    own_name_is("Desk", ECHO);
    assert_code(SCardDisconnect(connect_shared(context, ECHO), SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
    /* Introduced again, it is shown. */
    assert_code(SCardIntroduceReader(context, ECHO, ISO), SCARD_E_DUPLICATE_READER);
    assert_code(SCardIntroduceReader(context, ECHO, "sim:echo"), SCARD_S_SUCCESS);
    assert_list(get_readers, ECHO "\0Desk\0" ISO "\0");
    assert_code(SCardForgetReader(context, ECHO), SCARD_S_SUCCESS);
    /* Whose only name is hidden is shown. */
    assert_code(SCardForgetReaderW(context, u"Desk"), SCARD_S_SUCCESS);
    assert_list(get_readers, ECHO "\0" ISO "\0");
    assert_list(get_groups, "SCard$DefaultReaders\0");
    assert_code(SCardConnect(context, "Desk", SCARD_SHARE_SHARED, 3, &(SCARDHANDLE){0}, NULL),
                SCARD_E_UNKNOWN_READER);
}

static void scopes(void **state)
{
    SCARDCONTEXT system = kit_context(SCARD_SCOPE_SYSTEM);

    (void)state;
    assert_code(SCardIntroduceReader(system, "Desk", ECHO), SCARD_S_SUCCESS);
    own_name_is("Desk", ECHO);
    assert_code(SCardForgetReader(context, "Desk"), SCARD_E_UNKNOWN_READER);
    assert_detail("SCARD_SCOPE_SYSTEM");
    /* The user's comes first. */
    assert_code(SCardIntroduceReader(context, "Desk", ISO), SCARD_S_SUCCESS);
    own_name_is("Desk", ISO);
    assert_list(get_readers, ECHO "\0" ISO "\0Desk\0");
    assert_code(SCardAddReaderToGroup(context, "Desk", "Mine"), SCARD_S_SUCCESS);
    assert_code(SCardAddReaderToGroup(system, ECHO, "Mine"), SCARD_S_SUCCESS);
    assert_list(get_groups, "SCard$DefaultReaders\0Mine\0");
    groups = "Mine\0";
    assert_list(get_readers, ECHO "\0Desk\0");
    assert_code(SCardForgetReaderGroup(context, "Mine"), SCARD_S_SUCCESS);
    assert_list(get_readers, ECHO "\0");
    assert_code(SCardForgetReaderGroup(context, "Mine"), SCARD_E_INVALID_PARAMETER);
    assert_detail("SCARD_SCOPE_SYSTEM");
    assert_code(SCardRemoveReaderFromGroup(context, ECHO, "Mine"), SCARD_E_UNKNOWN_READER);
    assert_detail("SCARD_SCOPE_SYSTEM");
    assert_code(SCardReleaseContext(system), SCARD_S_SUCCESS);
}

static void groups_choose_readers(void **state)
{
    DWORD length;
    char text[64];

    (void)state;
    assert_code(SCardIntroduceReader(context, "Desk", ECHO), SCARD_S_SUCCESS);
    assert_code(SCardIntroduceReader(context, "Later", "usb:1-1:1.0"), SCARD_S_SUCCESS);
    assert_code(SCardIntroduceReaderGroup(context, "New"), SCARD_S_SUCCESS);
    assert_list(get_groups, "SCard$DefaultReaders\0");
    assert_code(SCardAddReaderToGroup(context, "Desk", "Counters"), SCARD_S_SUCCESS);
    assert_code(SCardAddReaderToGroupA(context, "Desk", "Counters"), SCARD_S_SUCCESS);
    assert_code(SCardAddReaderToGroupW(context, u"scard sim:iso 01 00", u"Büro"), SCARD_S_SUCCESS);
    assert_code(SCardAddReaderToGroup(context, "Later", "Away"), SCARD_S_SUCCESS);
    assert_list(get_groups, "SCard$DefaultReaders\0Away\0Büro\0Counters\0");
    kit_idiom(get_groups, 1, context);
    groups = "Counters\0";
    assert_list(get_readers, "Desk\0");
    groups = "Nobody\0Büro\0Counters\0Büro\0";
    assert_list(get_readers, "Desk\0" ISO "\0");
    groups = "Nobody\0SCard$DefaultReaders\0";
    assert_list(get_readers, ECHO "\0Desk\0" ISO "\0");
    groups = SCARD_LOCAL_READERS_A;
    assert_list(get_readers, ECHO "\0Desk\0" ISO "\0");
    groups = "Away\0";
    length = sizeof text;
    assert_code(get_readers(text, &length), SCARD_E_NO_READERS_AVAILABLE);
    assert_int_equal(length, 1);
    /* The last one takes the group with it; the name's end takes it out. */
    assert_code(SCardRemoveReaderFromGroupA(context, "Desk", "Counters"), SCARD_S_SUCCESS);
    assert_code(SCardForgetReader(context, "Later"), SCARD_S_SUCCESS);
    assert_list(get_groups, "SCard$DefaultReaders\0Büro\0");
    assert_code(SCardRemoveReaderFromGroupW(context, u"scard sim:iso 01 00", u"Büro"), SCARD_S_SUCCESS);
    assert_list(get_groups, "SCard$DefaultReaders\0");
}

static void what_groups_refuse(void **state)
{
    static const char *const system[] = {"SCard$AllReaders", "SCard$DefaultReaders", "SCard$LocalReaders",
                                         "SCard$SystemReaders", "SCard$Mine"};

    (void)state;
    for (size_t i = 0; i < sizeof system / sizeof *system; i++) {
        assert_code(SCardAddReaderToGroup(context, ECHO, system[i]), SCARD_E_INVALID_PARAMETER);
        assert_code(SCardRemoveReaderFromGroup(context, ECHO, system[i]), SCARD_E_INVALID_PARAMETER);
        assert_code(SCardForgetReaderGroup(context, system[i]), SCARD_E_INVALID_PARAMETER);
        assert_code(SCardIntroduceReaderGroup(context, system[i]), SCARD_E_INVALID_PARAMETER);
    }
    assert_code(SCardIntroduceReaderGroupA(0, "New"), SCARD_S_SUCCESS);
    assert_code(SCardIntroduceReaderGroupW(0, u"New"), SCARD_S_SUCCESS);
    assert_code(SCardIntroduceReaderGroupW(0, u"\xDFFF"), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardIntroduceReaderGroup(12345, "New"), SCARD_E_INVALID_HANDLE);
    assert_code(SCardIntroduceReaderGroup(context, ""), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardIntroduceReaderGroup(context, NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardAddReaderToGroup(context, "Nobody", "New"), SCARD_E_UNKNOWN_READER);
    assert_code(SCardAddReaderToGroup(context, ECHO, ""), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardAddReaderToGroup(context, ECHO, NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardAddReaderToGroup(context, NULL, "New"), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardAddReaderToGroup(0, ECHO, "New"), SCARD_E_INVALID_HANDLE);
    assert_code(SCardForgetReaderGroup(context, "New"), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardForgetReaderGroupA(0, "New"), SCARD_E_INVALID_HANDLE);
    assert_code(SCardForgetReaderGroupW(context, u"New"), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardAddReaderToGroup(context, ECHO, "New"), SCARD_S_SUCCESS);
    assert_code(SCardRemoveReaderFromGroup(context, ISO, "New"), SCARD_E_UNKNOWN_READER);
    assert_detail("not in the group");
    assert_code(SCardRemoveReaderFromGroup(context, ISO, "Old"), SCARD_E_UNKNOWN_READER);
    assert_code(SCardRemoveReaderFromGroup(0, ECHO, "New"), SCARD_E_INVALID_HANDLE);
    assert_list(get_groups, "SCard$DefaultReaders\0New\0");
}

/* What an administrator's files can hold, and no function would write. */
static void odd_entries_do_no_harm(void **state)
{
    (void)state;
    kit_write(KIT_SYSTEM "readers.d/1.conf", "name = \"" ECHO "\"; device = \"" ISO "\";\n");
    kit_write(KIT_SYSTEM "readers.d/2.conf", "name = \"Self\"; device = \"Self\";\n");
    kit_write(KIT_SYSTEM "readers.d/3.conf", "name = \"Ring\"; device = \"Other\";\n");
    kit_write(KIT_SYSTEM "readers.d/4.conf", "name = \"Other\"; device = \"Ring\";\n");
    kit_write(KIT_SYSTEM "readers.d/5.conf", "name = \"" ISO "\"; hidden = true;\n");
    kit_write(KIT_SYSTEM "groups.d/1.conf", "name = \"SCard$AllReaders\"; readers = ( \"" ECHO "\" );\n");
    assert_list(get_readers, ECHO "\0" ISO "\0");
    assert_list(get_groups, "SCard$DefaultReaders\0");
    own_name_is(ECHO, ECHO);
    assert_code(scard_reader_own_name(context, "Self", NULL, &(DWORD){0}), SCARD_E_UNKNOWN_READER);
    assert_code(scard_reader_own_name(context, "Ring", NULL, &(DWORD){0}), SCARD_E_UNKNOWN_READER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_listed_behind_the_own_one, begin, end),
        cmocka_unit_test_setup_teardown(names_that_cannot_be_introduced, begin, end),
        cmocka_unit_test_setup_teardown(cards_are_reached_by_any_name, begin, end),
        cmocka_unit_test_setup_teardown(changes_are_seen_by_any_name, begin, end),
        cmocka_unit_test_setup_teardown(own_names_are_hidden, begin, end),
        cmocka_unit_test_setup_teardown(scopes, begin, end),
        cmocka_unit_test_setup_teardown(groups_choose_readers, begin, end),
        cmocka_unit_test_setup_teardown(what_groups_refuse, begin, end),
        cmocka_unit_test_setup_teardown(odd_entries_do_no_harm, begin, end),
    };

    setenv("SCARD_READERS", "sim:echo sim:iso", 1);
    return cmocka_run_group_tests(tests, kit_begin, kit_end);
}
