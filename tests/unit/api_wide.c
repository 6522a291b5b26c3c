/* SPDX-License-Identifier: MIT */
/* The core functions with W, and their second names with A; text between UTF-8 and UTF-16. */
#include "api/text.h"
#include "tests/unit/database_kit.h"

static SCARDCONTEXT context;
static SCARDHANDLE card;

static int begin(void **state)
{
    context = kit_context(SCARD_SCOPE_USER);
    card = connect_shared(context, ECHO);
    return kit_clear(state);
}

static int end(void **state)
{
    (void)state;
    return SCardReleaseContext(context) != SCARD_S_SUCCESS;
}

static void a_is_the_same_function(void **state)
{
    (void)state;
    assert_ptr_equal(SCardListReaders, SCardListReadersA);
    assert_ptr_equal(SCardListReaderGroups, SCardListReaderGroupsA);
    assert_ptr_equal(SCardConnect, SCardConnectA);
    assert_ptr_equal(SCardStatus, SCardStatusA);
    assert_ptr_equal(SCardGetStatusChange, SCardGetStatusChangeA);
    assert_ptr_equal(SCardListCards, SCardListCardsA);
    assert_ptr_equal(SCardLocateCardsByATR, SCardLocateCardsByATRA);
}

static LONG get_readers(void *buffer, DWORD *length)
{
    return SCardListReadersW(context, NULL, buffer, length);
}

static LONG get_readers_without_context(void *buffer, DWORD *length)
{
    return SCardListReadersW(0, u"SCard$AllReaders\0", buffer, length);
}

static LONG get_readers_narrow(void *buffer, DWORD *length)
{
    return SCardListReaders(context, NULL, buffer, length);
}

static LONG get_groups(void *buffer, DWORD *length)
{
    return SCardListReaderGroupsW(context, buffer, length);
}

static LONG get_groups_without_context(void *buffer, DWORD *length)
{
    return SCardListReaderGroupsW(0, buffer, length);
}

static LONG get_groups_narrow(void *buffer, DWORD *length)
{
    return SCardListReaderGroups(context, buffer, length);
}

static void lists_count_code_units(void **state)
{
    WCHAR names[64];
    DWORD length = 64;

    (void)state;
    assert_code(SCardAddReaderToGroup(context, ECHO, "Grün\U0001F600"), SCARD_S_SUCCESS);
    kit_idiom(get_readers, 2, context);
    kit_idiom(get_readers_without_context, 2, 0);
    kit_idiom(get_groups, 2, context);
    kit_idiom(get_groups_without_context, 2, 0);
    kit_same_text(get_readers_narrow, get_readers);
    kit_same_text(get_readers_narrow, get_readers_without_context);
    kit_same_text(get_groups_narrow, get_groups);
    assert_code(SCardListReadersW(context, u"Grün\U0001F600\0", names, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, sizeof ECHO + 1);
    assert_code(SCardListReadersW(context, u"Rot\0", names, &length), SCARD_E_NO_READERS_AVAILABLE);
    assert_int_equal(length, 1);
    assert_code(SCardListReadersW(context, u"\xD83D\0", names, &length), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardListReadersW(12345, NULL, names, &length), SCARD_E_INVALID_HANDLE);
    assert_code(SCardListReaderGroupsW(12345, names, &length), SCARD_E_INVALID_HANDLE);
    /* Without a context there is nothing for the others. */
    assert_code(SCardListReadersA(0, NULL, NULL, &length), SCARD_E_INVALID_HANDLE);
    assert_code(SCardListReaderGroupsA(0, NULL, &length), SCARD_E_INVALID_HANDLE);
}

/* A block that belongs to no context is freed without one, and only so. */
static void blocks_without_a_context(void **state)
{
    WCHAR *block = NULL;
    DWORD length = SCARD_AUTOALLOCATE;

    (void)state;
    assert_code(SCardListReaderGroupsW(0, (LPWSTR)&block, &length), SCARD_S_SUCCESS);
    assert_code(SCardFreeMemory(context, block), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardFreeMemory(12345, block), SCARD_E_INVALID_HANDLE);
    assert_code(SCardFreeMemory(0, block + 1), SCARD_E_INVALID_HANDLE);
    assert_memory_equal(block, u"SCard$DefaultReaders\0", 2 * length);
    assert_code(SCardFreeMemory(0, block), SCARD_S_SUCCESS);
    assert_code(SCardFreeMemory(0, block), SCARD_E_INVALID_HANDLE);
    assert_code(SCardFreeMemory(0, NULL), SCARD_E_INVALID_HANDLE);
    length = SCARD_AUTOALLOCATE;
    assert_code(SCardListReaderGroupsW(context, (LPWSTR)&block, &length), SCARD_S_SUCCESS);
    assert_code(SCardFreeMemory(0, block), SCARD_E_INVALID_HANDLE);
    assert_code(SCardFreeMemory(context, block), SCARD_S_SUCCESS);
}

static void connect(void **state)
{
    SCARDHANDLE other = 77;
    DWORD protocol = 77;

    (void)state;
    assert_code(SCardConnectW(context, u"scard sim:echo 00 00", SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY,
                              &other, &protocol),
                SCARD_S_SUCCESS);
    assert_int_equal(protocol, SCARD_PROTOCOL_T1);
    assert_code(transmit_echo(other), SCARD_S_SUCCESS);
    for (unsigned i = 0; i < 4; i++) {
        static const WCHAR *const names[] = {NULL, u"Nobody", u"\xDC00", u"scard sim:echo 00 00"};
        static const LONG codes[] = {SCARD_E_UNKNOWN_READER, SCARD_E_UNKNOWN_READER,
                                     SCARD_E_INVALID_PARAMETER, SCARD_E_INVALID_HANDLE};

        other = 77;
        protocol = 77;
        assert_code(SCardConnectW(i == 3 ? 0 : context, names[i], SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY,
                                  &other, &protocol),
                    codes[i]);
        assert_int_equal((DWORD)other | protocol, 0);
    }
    assert_code(SCardConnectW(context, u"scard sim:echo 00 00", SCARD_SHARE_SHARED, 3, NULL, &protocol),
                SCARD_E_INVALID_PARAMETER);
}

static LONG get_name(void *buffer, DWORD *length)
{
    return SCardStatusW(card, buffer, length, NULL, NULL, NULL, NULL);
}

static void status(void **state)
{
    WCHAR names[64], *block = NULL;
    DWORD length = 3, atr_length = 33, card_state = 77, protocol = 77, need = 0;
    BYTE atr[33];

    (void)state;
    assert_code(SCardStatusW(card, NULL, NULL, NULL, NULL, NULL, NULL), SCARD_S_SUCCESS);
    assert_code(get_name(NULL, &need), SCARD_S_SUCCESS);
    assert_int_equal(need, sizeof ECHO + 1);
    assert_code(get_name(names, NULL), SCARD_E_INSUFFICIENT_BUFFER);
    assert_code(SCardStatusW(card, names, &length, &card_state, &protocol, atr, &atr_length),
                SCARD_E_INSUFFICIENT_BUFFER);
    assert_int_equal(length, need);
    assert_in_range(atr_length, 2, 33);
    assert_int_equal(protocol, SCARD_PROTOCOL_T1);
    assert_int_equal(card_state & 0xFFFF, SCARD_PRESENT | SCARD_POWERED | SCARD_NEGOTIABLE);
    assert_code(SCardStatusW(card, names, &length, NULL, NULL, atr, &atr_length), SCARD_S_SUCCESS);
    assert_memory_equal(names, u"scard sim:echo 00 00\0", 2 * need);
    length = SCARD_AUTOALLOCATE;
    assert_code(get_name(&block, &length), SCARD_S_SUCCESS);
    assert_memory_equal(names, block, 2 * need);
    assert_code(SCardFreeMemory(context, block), SCARD_S_SUCCESS);
    /* A call that fails has given nothing away. */
    block = NULL;
    length = SCARD_AUTOALLOCATE;
    atr_length = 1;
    assert_code(SCardStatusW(card, (LPWSTR)&block, &length, NULL, NULL, atr, &atr_length),
                SCARD_E_INSUFFICIENT_BUFFER);
    assert_null(block);
    length = protocol = 77;
    assert_code(SCardStatusW(0, names, &length, NULL, &protocol, NULL, NULL), SCARD_E_INVALID_HANDLE);
    assert_int_equal(length | protocol, 0);
}

static void status_change(void **state)
{
    SCARD_READERSTATEW states[] = {{.szReader = u"scard sim:echo 00 00", .pvUserData = &context},
                                   {.szReader = u"\\\\?PnP?\\Notification"}};
    SCARD_READERSTATE plain = {.szReader = ECHO};

    (void)state;
    _Static_assert(sizeof *states == sizeof plain, "as SCARD_READERSTATE");
    assert_code(SCardGetStatusChange(context, 0, &plain, 1), SCARD_S_SUCCESS);
    assert_code(SCardGetStatusChangeW(context, 0, states, 2), SCARD_S_SUCCESS);
    assert_int_equal(states[0].dwEventState, plain.dwEventState);
    assert_int_equal(states[0].cbAtr, plain.cbAtr);
    assert_memory_equal(states[0].rgbAtr, plain.rgbAtr, plain.cbAtr);
    assert_ptr_equal(states[0].pvUserData, &context);
    states[0].dwCurrentState = states[0].dwEventState;
    states[1].dwCurrentState = states[1].dwEventState;
    assert_code(SCardGetStatusChangeW(context, 0, states, 2), SCARD_E_TIMEOUT);
    assert_false(states[0].dwEventState & SCARD_STATE_CHANGED);
    states[1].szReader = u"Nobody";
    states[1].dwEventState = 77;
    assert_code(SCardGetStatusChangeW(context, 0, states, 2), SCARD_E_UNKNOWN_READER);
    assert_int_equal(states[1].dwEventState, 77);
    states[1].szReader = NULL;
    assert_code(SCardGetStatusChangeW(0, 0, states, 2), SCARD_E_INVALID_VALUE);
    states[1].szReader = u"a\xD800";
    assert_code(SCardGetStatusChangeW(0, 0, states, 2), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardGetStatusChangeW(0, 0, states, 1), SCARD_E_INVALID_HANDLE);
    assert_code(SCardGetStatusChangeW(context, 0, NULL, 1), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardGetStatusChangeW(context, 0, NULL, 0), SCARD_S_SUCCESS);
}

/* There and back, every code point that is one. */
static void text_is_kept(void **state)
{
    WCHAR wide[3], *back;
    char *text;
    size_t count;

    (void)state;
    for (uint32_t code = 1; code <= 0x10FFFF; code += code < 0x11000 ? 1 : 0x101) {
        bool surrogate = code >= 0xD800 && code <= 0xDFFF;

        wide[0] = (WCHAR)(code < 0x10000 ? code : 0xD800 + ((code - 0x10000) >> 10));
        wide[1] = (WCHAR)(code < 0x10000 ? 0 : 0xDC00 + ((code - 0x10000) & 0x3FF));
        wide[2] = 0;
        assert_int_equal(text_from_wide(wide, &text) != 0, surrogate);
        if (surrogate)
            continue;
        assert_int_equal(text_to_wide(text, strlen(text) + 1, &back, &count), 0);
        assert_int_equal(count, code < 0x10000 ? 2 : 3);
        assert_memory_equal(back, wide, 2 * count);
        free(back);
        free(text);
    }
}

static void text_that_is_none(void **state)
{
    static const WCHAR bad[][4] = {u"\xD800",       u"\xDC00",  u"\xDC00\xD800",
                                   u"\xD800\xD800", u"a\xD800", u"\xD800z"};
    static const struct {
        const char *text;
        size_t length;
        const WCHAR *wide;
    } rows[] = {
        {"\x80", 1, u"\xFFFD"},
        {"\xC0\x80", 2, u"\xFFFD\xFFFD"},
        {"\xC3", 1, u"\xFFFD"},
        {"\xC3z", 2, u"\xFFFDz"},
        {"\xE0\x80\x80", 3, u"\xFFFD\xFFFD\xFFFD"},
        {"\xED\xA0\x80", 3, u"\xFFFD\xFFFD\xFFFD"},
        {"\xF4\x90\x80\x80", 4, u"\xFFFD\xFFFD\xFFFD\xFFFD"},
        {"\xF8\x80", 2, u"\xFFFD\xFFFD"},
        {"\xEF\xBF\xBD", 3, u"\xFFFD"},
        {"a\0b\0", 4, u"a\0b\0"},
        {"", 0, u""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text = NULL;

        assert_int_not_equal(text_from_wide(bad[i], &text), 0);
        assert_null(text);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *exact = malloc(rows[i].length + !rows[i].length);
        WCHAR *wide;
        size_t count;

        memcpy(exact, rows[i].text, rows[i].length);
        assert_int_equal(text_to_wide(exact, rows[i].length, &wide, &count), 0);
        for (size_t j = 0; j < count; j++)
            assert_int_equal(wide[j], rows[i].wide[j]);
        free(wide);
        free(exact);
    }
}

static void lists_are_kept_whole(void **state)
{
    static const struct {
        const WCHAR *wide;
        const char *list;
        size_t size;
    } rows[] = {{u"", "", 1}, {u"\0", "", 1}, {u"a\0", "a\0", 3}, {u"a\0bü\0", "a\0bü\0", 6}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *list;

        assert_int_equal(text_from_wide_list(rows[i].wide, &list), 0);
        assert_memory_equal(list, rows[i].list, rows[i].size);
        free(list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_is_the_same_function),
        cmocka_unit_test_setup_teardown(lists_count_code_units, begin, end),
        cmocka_unit_test_setup_teardown(blocks_without_a_context, begin, end),
        cmocka_unit_test_setup_teardown(connect, begin, end),
        cmocka_unit_test_setup_teardown(status, begin, end),
        cmocka_unit_test_setup_teardown(status_change, begin, end),
        cmocka_unit_test(text_is_kept),
        cmocka_unit_test(text_that_is_none),
        cmocka_unit_test(lists_are_kept_whole),
    };

    setenv("SCARD_READERS", "sim:echo", 1);
    return cmocka_run_group_tests(tests, kit_begin, kit_end);
}
