/* SPDX-License-Identifier: MIT */
/* SCardLocateCards and SCardLocateCardsByATR: SCardGetStatusChange's answers with one bit more. */
#include <stdbool.h>

#include "tests/unit/database_kit.h"

#define ISO "scard sim:iso 01 00"
#define EMPTY "scard sim:echo 02 00"

static const BYTE echo_atr[] = {0x3B, 0x94, 0x96, 0x81, 0x31, 0xFE, 0x45, 0x65, 0x63, 0x68, 0x6F, 0x08};
static SCARDCONTEXT context;
static SCARD_READERSTATE states[4];

static int begin(void **state)
{
    context = kit_context(SCARD_SCOPE_USER);
    states[0] = (SCARD_READERSTATE){.szReader = ECHO};
    states[1] = (SCARD_READERSTATE){.szReader = ISO};
    states[2] = (SCARD_READERSTATE){.szReader = EMPTY};
    return kit_clear(state);
}

static int end(void **state)
{
    (void)state;
    return SCardReleaseContext(context) != SCARD_S_SUCCESS;
}

static void introduce(const char *name, const BYTE *atr, size_t length)
{
    assert_code(SCardIntroduceCardType(context, name, NULL, NULL, 0, atr, NULL, length), SCARD_S_SUCCESS);
}

/* Beside the bit, everything is as SCardGetStatusChange says it. */
static void matches(bool first, bool second)
{
    SCARD_READERSTATE plain[4];

    memcpy(plain, states, sizeof plain);
    assert_true(SCardGetStatusChange(context, 0, plain, 3) == SCARD_S_SUCCESS ||
                SCardGetStatusChange(context, 0, plain, 3) == SCARD_E_TIMEOUT);
    for (unsigned i = 0; i < 3; i++) {
        bool expected = i == 0 ? first : i == 1 ? second : false;

        assert_int_equal(states[i].dwEventState,
                         plain[i].dwEventState | (expected ? SCARD_STATE_ATRMATCH : 0));
        assert_int_equal(states[i].cbAtr, plain[i].cbAtr);
        assert_memory_equal(states[i].rgbAtr, plain[i].rgbAtr, plain[i].cbAtr);
    }
}

static void types_are_found(void **state)
{
    SCARD_READERSTATEW wide[] = {{.szReader = u"Desk"}, {.szReader = u"scard sim:iso 01 00"}};

    (void)state;
    introduce("Echo", echo_atr, sizeof echo_atr);
    introduce("Other", echo_atr, 4);
    assert_code(SCardLocateCards(context, "Other\0", states, 3), SCARD_S_SUCCESS);
    matches(false, false);
    assert_code(SCardLocateCards(context, "Nobody\0Other\0Echo\0", states, 3), SCARD_S_SUCCESS);
    matches(true, false);
    /* Fed back, the bit makes nothing a change: nothing waits, and nothing is a time-out either. */
    for (unsigned i = 0; i < 3; i++)
        states[i].dwCurrentState = states[i].dwEventState;
    assert_code(SCardGetStatusChange(context, 0, states, 3), SCARD_E_TIMEOUT);
    assert_code(SCardLocateCardsA(context, "Echo\0", states, 3), SCARD_S_SUCCESS);
    matches(true, false);
    assert_false(states[0].dwEventState & SCARD_STATE_CHANGED);
    /* By another name, and in UTF-16. */
    assert_code(SCardIntroduceReader(context, "Desk", ECHO), SCARD_S_SUCCESS);
    assert_code(SCardLocateCardsW(context, u"Nobody\0Echo\0", wide, 2), SCARD_S_SUCCESS);
    assert_true(wide[0].dwEventState & SCARD_STATE_ATRMATCH);
    assert_false(wide[1].dwEventState & SCARD_STATE_ATRMATCH);
    assert_int_equal(wide[0].cbAtr, sizeof echo_atr);
    assert_memory_equal(wide[0].rgbAtr, echo_atr, sizeof echo_atr);
}

static void atrs_are_found(void **state)
{
    SCARD_ATRMASK masks[] = {{.cbAtr = 2, .rgbAtr = {0x3B, 0x94}, .rgbMask = {0xFF, 0xFF}},
                             {.cbAtr = 23, .rgbAtr = {0x3B}, .rgbMask = {0xFF}},
                             {.cbAtr = sizeof echo_atr, .rgbAtr = {0x3B, 0x94}, .rgbMask = {0xFF, 0xFF}}};
    SCARD_READERSTATEW wide[] = {{.szReader = u"scard sim:echo 00 00"}, {.szReader = u"scard sim:iso 01 00"}};

    (void)state;
    assert_code(SCardLocateCardsByATR(context, masks, 1, states, 3), SCARD_S_SUCCESS);
    matches(false, false);
    assert_code(SCardLocateCardsByATR(context, masks, 2, states, 3), SCARD_S_SUCCESS);
    matches(false, true);
    assert_code(SCardLocateCardsByATRA(context, masks, 3, states, 3), SCARD_S_SUCCESS);
    matches(true, true);
    assert_code(SCardLocateCardsByATRW(context, masks + 2, 1, wide, 2), SCARD_S_SUCCESS);
    assert_true(wide[0].dwEventState & SCARD_STATE_ATRMATCH);
    assert_false(wide[1].dwEventState & SCARD_STATE_ATRMATCH);
}

static void ignored_readers_are_left_alone(void **state)
{
    (void)state;
    introduce("Echo", echo_atr, sizeof echo_atr);
    for (unsigned i = 0; i < 3; i++) {
        states[i].dwCurrentState = SCARD_STATE_IGNORE;
        states[i].dwEventState = 77;
    }
    assert_code(SCardLocateCards(context, "Echo\0", states, 3), SCARD_S_SUCCESS);
    assert_int_equal(states[0].dwEventState, 77);
    states[1].dwCurrentState = 0;
    assert_code(SCardLocateCards(context, "Echo\0", states, 3), SCARD_S_SUCCESS);
    assert_false(states[0].dwEventState & SCARD_STATE_ATRMATCH);
    assert_code(SCardLocateCards(context, "Echo\0", NULL, 0), SCARD_S_SUCCESS);
}

static void what_is_refused(void **state)
{
    SCARD_ATRMASK mask = {.cbAtr = 37};
    SCARD_READERSTATEW wide[] = {{.szReader = u"\xD800"}, {.szReader = NULL}};

    (void)state;
    introduce("Echo", echo_atr, sizeof echo_atr);
    assert_code(SCardLocateCards(context, NULL, states, 3), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardLocateCards(context, "Echo\0", NULL, 3), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardLocateCards(0, "Nobody\0", NULL, 3), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardLocateCards(0, "Nobody\0", states, 3), SCARD_E_INVALID_HANDLE);
    assert_code(SCardLocateCards(context, "Nobody\0Neither\0", states, 3), SCARD_E_UNKNOWN_CARD);
    assert_detail("'Nobody'");
    assert_code(SCardLocateCards(context, "", states, 3), SCARD_E_UNKNOWN_CARD);
    states[3] = (SCARD_READERSTATE){.szReader = "Nobody"};
    states[0].dwEventState = 77;
    assert_code(SCardLocateCards(context, "Echo\0", states, 4), SCARD_E_UNKNOWN_READER);
    assert_int_equal(states[0].dwEventState, 77);
    states[3].szReader = NULL;
    assert_code(SCardLocateCards(context, "Echo\0", states, 4), SCARD_E_INVALID_VALUE);
    assert_code(SCardLocateCardsByATR(context, &mask, 1, states, 3), SCARD_E_INVALID_VALUE);
    assert_detail("37");
    assert_code(SCardLocateCardsByATR(context, &mask, 0, states, 3), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardLocateCardsByATR(context, NULL, 1, states, 3), SCARD_E_INVALID_PARAMETER);
    mask.cbAtr = 36;
    assert_code(SCardLocateCardsByATR(12345, &mask, 1, states, 3), SCARD_E_INVALID_HANDLE);
    assert_code(SCardLocateCardsW(context, u"Echo\0\xDC00\0", NULL, 0), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardLocateCardsW(context, u"Echo\0", wide, 1), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardLocateCardsW(context, u"Echo\0", wide, 2), SCARD_E_INVALID_VALUE);
    assert_code(SCardLocateCardsByATRW(context, &mask, 1, NULL, 2), SCARD_E_INVALID_PARAMETER);
}

/* No side effect on a transaction: nothing waits for it, and its card stays as it is. */
static void transactions_go_on(void **state)
{
    SCARDHANDLE card = connect_shared(context, ECHO);
    SCARDCONTEXT other = kit_context(SCARD_SCOPE_USER);
    char text[64];
    DWORD length = sizeof text;

    (void)state;
    introduce("Echo", echo_atr, sizeof echo_atr);
    assert_code(SCardBeginTransaction(card), SCARD_S_SUCCESS);
    assert_code(SCardLocateCards(other, "Echo\0", states, 3), SCARD_S_SUCCESS);
    assert_code(SCardLocateCards(context, "Echo\0", states, 3), SCARD_S_SUCCESS);
    assert_code(SCardListCards(context, echo_atr, NULL, 0, text, &length), SCARD_S_SUCCESS);
    assert_code(transmit_echo(card), SCARD_S_SUCCESS);
    assert_code(SCardEndTransaction(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
    assert_code(SCardReleaseContext(other), SCARD_S_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(types_are_found, begin, end),
        cmocka_unit_test_setup_teardown(atrs_are_found, begin, end),
        cmocka_unit_test_setup_teardown(ignored_readers_are_left_alone, begin, end),
        cmocka_unit_test_setup_teardown(what_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(transactions_go_on, begin, end),
    };

    setenv("SCARD_READERS", "sim:echo sim:iso sim:echo?insert=no", 1);
    return cmocka_run_group_tests(tests, kit_begin, kit_end);
}
