/* SPDX-License-Identifier: MIT */
/* Card types through the public functions. */
#include <stdio.h>

#include "tests/unit/database_kit.h"

#define ID_1                                                                                                 \
    {                                                                                                        \
        0x01234567, 0x89AB, 0xCDEF,                                                                          \
        {                                                                                                    \
            0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF                                                   \
        }                                                                                                    \
    }
#define ID_2                                                                                                 \
    {                                                                                                        \
        0xFEDCBA98, 0x7654, 0x3210,                                                                          \
        {                                                                                                    \
            0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10                                                   \
        }                                                                                                    \
    }
#define ID_1_TEXT "{01234567-89AB-CDEF-0123-456789ABCDEF}"

static const GUID ids[] = {ID_1, ID_2};
/* With TCK (T=1), without (T=0), and none of ISO 7816's. */
static const BYTE atr_t1[] = {0x3B, 0x81, 0x01, 0x41, 0xC1}, atr_t0[] = {0x3B, 0x02, 0x14, 0x50},
                  atr_odd[] = {0xAA, 0xBB, 0xCC, 0x00, 0xDD};

static SCARDCONTEXT context;

static LONG introduce(const char *name, const BYTE *atr, const BYTE *mask, DWORD length)
{
    return SCardIntroduceCardType(context, name, &ids[0], ids, 2, atr, mask, length);
}

static LONG get_cards(void *buffer, DWORD *length)
{
    return SCardListCards(context, NULL, NULL, 0, buffer, length);
}

static LONG get_cards_wide(void *buffer, DWORD *length)
{
    return SCardListCardsW(context, NULL, NULL, 0, buffer, length);
}

static LONG get_cards_without_context(void *buffer, DWORD *length)
{
    return SCardListCardsA(0, NULL, NULL, 0, buffer, length);
}

static LONG get_cards_t1(void *buffer, DWORD *length)
{
    return SCardListCards(context, atr_t1, NULL, 0, buffer, length);
}

static LONG get_cards_second(void *buffer, DWORD *length)
{
    return SCardListCards(context, NULL, &ids[1], 1, buffer, length);
}

static LONG get_cards_t1_second(void *buffer, DWORD *length)
{
    return SCardListCards(context, atr_t1, &ids[1], 1, buffer, length);
}

static LONG get_interfaces(void *buffer, DWORD *length)
{
    return SCardListInterfaces(context, "Both", buffer, length);
}

static LONG get_interfaces_wide(void *buffer, DWORD *length)
{
    return SCardListInterfacesW(0, u"Both", buffer, length);
}

static LONG get_provider(void *buffer, DWORD *length)
{
    return SCardGetCardTypeProviderName(context, "Both", SCARD_PROVIDER_PRIMARY, buffer, length);
}

static LONG get_provider_wide(void *buffer, DWORD *length)
{
    return SCardGetCardTypeProviderNameW(0, u"Both", SCARD_PROVIDER_PRIMARY, buffer, length);
}

static LONG get_problems(void *buffer, DWORD *length)
{
    return scard_database_problems(context, buffer, length);
}

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

static void nothing_is_an_empty_list(void **state)
{
    char text[2] = "xx";
    DWORD length = 2;

    (void)state;
    assert_code(get_cards(text, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, 1);
    assert_memory_equal(text, "\0x", 2);
    kit_idiom(get_cards, 1, context);
    kit_idiom(get_cards_wide, 2, context);
    kit_idiom(get_problems, 1, context);
}

static void types_are_listed_by_what_they_are(void **state)
{
    (void)state;
    assert_code(introduce("Both", atr_t1, NULL, sizeof atr_t1), SCARD_S_SUCCESS);
    assert_code(SCardIntroduceCardTypeA(context, "First", NULL, ids, 1, atr_t1, NULL, sizeof atr_t1),
                SCARD_S_SUCCESS);
    assert_code(SCardIntroduceCardTypeW(context, u"Ké\U0001F600", NULL, &ids[1], 1, atr_t0, NULL, 0),
                SCARD_S_SUCCESS);
    /* A count without interfaces is none. */
    assert_code(SCardIntroduceCardType(context, "None", NULL, NULL, 7, atr_odd, NULL, sizeof atr_odd),
                SCARD_S_SUCCESS);
    assert_list(get_cards, "Both\0First\0Ké\U0001F600\0None\0");
    assert_list(get_cards_without_context, "Both\0First\0Ké\U0001F600\0None\0");
    assert_list(get_cards_t1, "Both\0First\0");
    assert_list(get_cards_second, "Both\0Ké\U0001F600\0");
    assert_list(get_cards_t1_second, "Both\0");
    kit_same_text(get_cards, get_cards_wide);
    kit_idiom(get_cards, 1, context);
    kit_idiom(get_cards_wide, 2, context);
    kit_idiom(get_cards_without_context, 1, 0);
    assert_code(SCardForgetCardTypeW(context, u"Ké\U0001F600"), SCARD_S_SUCCESS);
    assert_code(SCardForgetCardTypeA(context, "First"), SCARD_S_SUCCESS);
    assert_list(get_cards, "Both\0None\0");
}

static void what_cannot_be_introduced(void **state)
{
    static const BYTE endless[40] = {0x3B, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                     0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                     0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                     0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
    static const struct {
        const char *name;
        const BYTE *atr;
        DWORD length;
        LONG code;
    } rows[] = {
        {NULL, atr_t1, 5, SCARD_E_INVALID_PARAMETER},
        {"", atr_t1, 5, SCARD_E_INVALID_PARAMETER},
        {"a\nb", atr_t1, 5, SCARD_E_INVALID_PARAMETER},
        {"\xFF", atr_t1, 5, SCARD_E_INVALID_PARAMETER},
        {"\xED\xA0\x80", atr_t1, 5, SCARD_E_INVALID_PARAMETER},
        {"a", NULL, 5, SCARD_E_INVALID_PARAMETER},
        {"a", endless, 37, SCARD_E_INVALID_ATR},
        {"a", endless, 0, SCARD_E_INVALID_ATR},
        {"a", atr_odd, 0, SCARD_E_INVALID_ATR},
        {"a", endless, 36, SCARD_S_SUCCESS},
        {"a", atr_t1, 5, SCARD_E_INVALID_VALUE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_code(introduce(rows[i].name, rows[i].atr, NULL, rows[i].length), rows[i].code);
    assert_detail("a");
    /* Pointers before the handle, and the handle before the rest. */
    for (SCARDCONTEXT bad = 0; bad < 2; bad++) {
        assert_code(SCardIntroduceCardType(bad, NULL, NULL, NULL, 0, atr_t1, NULL, 5),
                    SCARD_E_INVALID_PARAMETER);
        assert_code(SCardIntroduceCardType(bad, "", NULL, NULL, 0, atr_t1, NULL, 5), SCARD_E_INVALID_HANDLE);
        assert_code(SCardForgetCardType(bad, "a"), SCARD_E_INVALID_HANDLE);
    }
    assert_code(SCardIntroduceCardTypeW(context, u"\xD800", NULL, NULL, 0, atr_t1, NULL, 5),
                SCARD_E_INVALID_PARAMETER);
    assert_detail("surrogate");
    assert_code(SCardForgetCardType(context, NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardForgetCardTypeW(context, NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardForgetCardType(context, "b"), SCARD_E_UNKNOWN_CARD);
    assert_detail("'b'");
    assert_list(get_cards, "a\0");
}

/* No byte behind its end is looked at: the sanitizer sees to it. */
static void length_of_an_atr_is_found(void **state)
{
    static const struct {
        BYTE bytes[33];
        size_t length;
    } rows[] = {
        {{0x3B, 0x00}, 2},
        {{0x3F, 0x03, 1, 2, 3}, 5},
        {{0x3B, 0x70, 0x11, 0x00, 0x00}, 5},
        {{0x3B, 0x80, 0x00}, 3},
        {{0x3B, 0x81, 0x01, 0x41, 0xC1}, 5},
        {{0x3B, 0xF0, 0x11, 0, 0, 0x81, 0x11, 0x20, 0}, 9},
        {{0x3B, 0x80, 0x80, 0x01, 0x01}, 5},
    };
    char name[2] = "a";

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++, name[0]++) {
        BYTE *exact = malloc(rows[i].length);
        char text[64];
        DWORD length = sizeof text;

        assert_non_null(exact);
        memcpy(exact, rows[i].bytes, rows[i].length);
        assert_code(introduce(name, exact, NULL, 0), SCARD_S_SUCCESS);
        assert_code(SCardListCards(context, exact, NULL, 0, text, &length), SCARD_S_SUCCESS);
        assert_int_equal(length, 3);
        assert_string_equal(text, name);
        free(exact);
    }
}

static void masks_choose_bits(void **state)
{
    static const BYTE mask[] = {0xFF, 0xFF, 0xFF, 0xF0, 0x00}, stored[] = {0x3B, 0x81, 0x01, 0x40, 0x00},
                      never[] = {0x3B, 0x81, 0x01, 0x41, 0x00}, other[] = {0x3B, 0x81, 0x01, 0x4F, 0xCF},
                      longer[] = {0x3B, 0x82, 0x01, 0x41, 0x41, 0x83};
    char text[64];
    DWORD length = sizeof text;

    (void)state;
    assert_code(introduce("Family", stored, mask, sizeof stored), SCARD_S_SUCCESS);
    /* A bit that the mask takes away never is 1: the stored ATR is as it was given. */
    assert_code(introduce("Never", never, mask, sizeof never), SCARD_S_SUCCESS);
    assert_list(get_cards_t1, "Family\0");
    assert_code(SCardListCards(context, other, NULL, 0, text, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, sizeof "Family\0");
    length = sizeof text;
    assert_code(SCardListCards(context, longer, NULL, 0, text, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, 1);
    assert_code(SCardListCards(context, atr_odd, NULL, 0, text, &length), SCARD_E_INVALID_ATR);
}

static void interfaces(void **state)
{
    GUID found[3];
    DWORD count = 3;

    (void)state;
    assert_code(introduce("Both", atr_t1, NULL, 0), SCARD_S_SUCCESS);
    assert_code(get_interfaces(found, &count), SCARD_S_SUCCESS);
    assert_int_equal(count, 2);
    assert_memory_equal(found, ids, sizeof ids);
    kit_idiom(get_interfaces, sizeof(GUID), context);
    kit_idiom(get_interfaces_wide, sizeof(GUID), 0);
    assert_code(SCardIntroduceCardType(context, "None", NULL, NULL, 0, atr_t1, NULL, 0), SCARD_S_SUCCESS);
    assert_code(SCardListInterfacesA(context, "None", found, &count), SCARD_S_SUCCESS);
    assert_int_equal(count, 0);
    assert_code(SCardListInterfaces(context, "Nobody", found, &count), SCARD_E_UNKNOWN_CARD);
    assert_code(SCardListInterfaces(context, NULL, found, &count), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardListInterfaces(12345, "Both", found, &count), SCARD_E_INVALID_HANDLE);
}

static void providers(void **state)
{
    GUID id = {0};
    char text[64];
    DWORD length = sizeof text;

    (void)state;
    assert_code(introduce("Both", atr_t1, NULL, 0), SCARD_S_SUCCESS);
    assert_code(SCardIntroduceCardType(context, "None", NULL, NULL, 0, atr_t1, NULL, 0), SCARD_S_SUCCESS);
    assert_code(SCardGetProviderId(context, "Both", &id), SCARD_S_SUCCESS);
    assert_memory_equal(&id, &ids[0], sizeof id);
    assert_code(get_provider(text, &length), SCARD_S_SUCCESS);
    assert_string_equal(text, ID_1_TEXT);
    kit_idiom(get_provider, 1, context);
    kit_idiom(get_provider_wide, 2, 0);
    kit_same_text(get_provider, get_provider_wide);
    assert_code(SCardGetProviderIdA(context, "None", &id), SCARD_E_FILE_NOT_FOUND);
    assert_code(SCardGetProviderIdW(context, u"Nobody", &id), SCARD_E_UNKNOWN_CARD);
    assert_code(SCardGetProviderId(context, NULL, &id), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardGetProviderId(context, "Both", NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardGetProviderId(0, "Both", &id), SCARD_E_INVALID_HANDLE);

    /* A GUID as people write it, kept as it is printed. */
    assert_code(SCardSetCardTypeProviderNameW(0, u"None", SCARD_PROVIDER_PRIMARY,
                                              u"fedcba98-7654-3210-fedc-ba9876543210"),
                SCARD_S_SUCCESS);
    assert_code(SCardGetProviderIdW(context, u"None", &id), SCARD_S_SUCCESS);
    assert_memory_equal(&id, &ids[1], sizeof id);
}

static void kinds_of_providers(void **state)
{
    static const DWORD kinds[] = {SCARD_PROVIDER_CSP, SCARD_PROVIDER_KSP, SCARD_PROVIDER_CARD_MODULE};
    char text[64], value[32];
    DWORD length;

    (void)state;
    assert_code(introduce("Card", atr_t1, NULL, 0), SCARD_S_SUCCESS);
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < 3; i++) {
            length = sizeof text;
            if (!round)
                assert_code(SCardGetCardTypeProviderName(context, "Card", kinds[i], text, &length),
                            SCARD_E_FILE_NOT_FOUND);
            snprintf(value, sizeof value, "Provider %zu/%u", i, round);
            assert_code(SCardSetCardTypeProviderNameA(context, "Card", kinds[i], value), SCARD_S_SUCCESS);
        }
        for (size_t i = 0; i < 3; i++) {
            length = sizeof text;
            snprintf(value, sizeof value, "Provider %zu/%u", i, round);
            /* As a program has it that keeps the number in an int. */
            assert_code(SCardGetCardTypeProviderNameA(context, "Card", (DWORD)(int)kinds[i], text, &length),
                        SCARD_S_SUCCESS);
            assert_string_equal(text, value);
        }
    }
    length = sizeof text;
    assert_code(SCardGetCardTypeProviderName(context, "Card", 4, text, &length), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardSetCardTypeProviderName(context, "Card", 0, "a"), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardSetCardTypeProviderName(context, "Card", 2, NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardSetCardTypeProviderName(context, "Card", 2, ""), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardSetCardTypeProviderName(context, "Card", 1, "not a GUID"), SCARD_E_INVALID_VALUE);
    assert_detail("GUID");
    assert_code(SCardSetCardTypeProviderName(context, "Nobody", 2, "a"), SCARD_E_UNKNOWN_CARD);
    assert_code(SCardSetCardTypeProviderName(12345, "Card", 2, "a"), SCARD_E_INVALID_HANDLE);
    assert_code(SCardGetCardTypeProviderName(12345, "Card", 2, text, &length), SCARD_E_INVALID_HANDLE);
}

static void scopes(void **state)
{
    SCARDCONTEXT system = kit_context(SCARD_SCOPE_SYSTEM), global = kit_context(SCARD_SCOPE_GLOBAL);
    GUID id;

    (void)state;
    assert_code(SCardIntroduceCardType(system, "Shared", &ids[0], NULL, 0, atr_t1, NULL, 0), SCARD_S_SUCCESS);
    assert_code(SCardIntroduceCardType(global, "Also", NULL, NULL, 0, atr_t0, NULL, 0), SCARD_S_SUCCESS);
    assert_list(get_cards, "Also\0Shared\0");
    assert_code(SCardForgetCardType(context, "Shared"), SCARD_E_UNKNOWN_CARD);
    assert_detail("SCARD_SCOPE_SYSTEM");
    assert_code(SCardSetCardTypeProviderName(0, "Shared", 2, "a"), SCARD_E_UNKNOWN_CARD);
    assert_detail("SCARD_SCOPE_SYSTEM");
    /* The user's of the same name stands in front of it, and is found alone. */
    assert_code(SCardIntroduceCardType(context, "Shared", &ids[1], NULL, 0, atr_t0, NULL, 0),
                SCARD_S_SUCCESS);
    assert_list(get_cards, "Shared\0Also\0");
    assert_list(get_cards_t1, "");
    assert_code(SCardGetProviderId(system, "Shared", &id), SCARD_S_SUCCESS);
    assert_memory_equal(&id, &ids[1], sizeof id);
    assert_code(SCardForgetCardType(system, "Shared"), SCARD_S_SUCCESS);
    assert_code(SCardForgetCardType(system, "Shared"), SCARD_E_UNKNOWN_CARD);
    assert_detail("SCARD_SCOPE_USER");
    assert_code(SCardForgetCardType(context, "Shared"), SCARD_S_SUCCESS);
    assert_list(get_cards, "Also\0");
    assert_code(SCardReleaseContext(system), SCARD_S_SUCCESS);
    assert_code(SCardReleaseContext(global), SCARD_S_SUCCESS);
}

static void files_that_others_write_are_seen(void **state)
{
    char text[1024];
    DWORD length = sizeof text;
    char *kept;

    (void)state;
    kit_write(KIT_SYSTEM "cards.d/one.conf", "name = \"One\"; atr = \"3B 81 01 41 C1\";\n");
    assert_list(get_cards, "One\0");
    kit_write(KIT_USER "cards.d/two.conf", "name = \"Two\"; atr = \"3B 81 01 41 C1\";\n");
    assert_list(get_cards, "Two\0One\0");
    /* A damaged one is told with its line, hides no other and is left alone. */
    kit_write(KIT_USER "cards.d/bad.conf", "# Mine\nname = \"Bad\";\natr = ;\n");
    assert_list(get_cards_t1, "Two\0One\0");
    assert_code(get_problems(text, &length), SCARD_S_SUCCESS);
    assert_non_null(strstr(text, "user/scard/cards.d/bad.conf:3: "));
    assert_int_equal(text[length - 2], '\n');
    kit_idiom(get_problems, 1, context);
    assert_code(scard_database_problems(0, NULL, &length), SCARD_S_SUCCESS);
    assert_code(introduce("Three", atr_t1, NULL, 0), SCARD_S_SUCCESS);
    assert_code(SCardForgetCardType(context, "Two"), SCARD_S_SUCCESS);
    assert_list(get_cards_t1, "Three\0One\0");
    kept = kit_read(KIT_USER "cards.d/bad.conf");
    assert_string_equal(kept, "# Mine\nname = \"Bad\";\natr = ;\n");
    free(kept);
}

static void without_a_home(void **state)
{
    DWORD length;

    (void)state;
    assert_code(introduce("One", atr_t1, NULL, 0), SCARD_E_NO_ACCESS);
    assert_string_not_equal(scard_error_detail(), "");
    assert_code(SCardForgetCardType(context, "One"), SCARD_E_NO_ACCESS);
    assert_code(SCardSetCardTypeProviderName(0, "One", 2, "a"), SCARD_E_NO_ACCESS);
    assert_code(get_cards(NULL, &length), SCARD_S_SUCCESS);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_an_empty_list, begin, end),
        cmocka_unit_test_setup_teardown(types_are_listed_by_what_they_are, begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_introduced, begin, end),
        cmocka_unit_test_setup_teardown(length_of_an_atr_is_found, begin, end),
        cmocka_unit_test_setup_teardown(masks_choose_bits, begin, end),
        cmocka_unit_test_setup_teardown(interfaces, begin, end),
        cmocka_unit_test_setup_teardown(providers, begin, end),
        cmocka_unit_test_setup_teardown(kinds_of_providers, begin, end),
        cmocka_unit_test_setup_teardown(scopes, begin, end),
        cmocka_unit_test_setup_teardown(files_that_others_write_are_seen, begin, end),
    };
    const struct CMUnitTest homeless[] = {cmocka_unit_test_setup_teardown(without_a_home, begin, end)};

    (void)argv;
    setenv("SCARD_READERS", "sim:echo", 1);
    /* The place is looked for once in a process. */
    if (argc > 1) {
        setenv("KIT_NO_HOME", "1", 1);
        return cmocka_run_group_tests(homeless, kit_begin, kit_end);
    }
    return cmocka_run_group_tests(tests, kit_begin, kit_end);
}
