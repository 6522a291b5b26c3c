/* SPDX-License-Identifier: MIT */
/* The functions of the database and with W when memory runs out: each says SCARD_E_NO_MEMORY or succeeds, a
 * change is made or not, nothing leaks. */
#include <stdbool.h>

#include "tests/unit/database_kit.h"
#include "tests/unit/failing_alloc.h"

static const BYTE atr[] = {0x3B, 0x94, 0x96, 0x81, 0x31, 0xFE, 0x45, 0x65, 0x63, 0x68, 0x6F, 0x08};
static const GUID id = {1, 2, 3, {4}};
static SCARDCONTEXT context;

static bool passed(LONG code)
{
    if (code != SCARD_S_SUCCESS)
        assert_code(code, SCARD_E_NO_MEMORY);
    return code == SCARD_S_SUCCESS;
}

static void prepare(void)
{
    kit_clear(NULL);
    kit_write(KIT_USER "cards.d/card.conf",
              "name = \"Card\"; atr = \"3B 94 96 81 31 FE 45 65 63 68 6F 08\";\n"
              "interfaces = ( \"{00000001-0002-0003-0400-000000000000}\" );\n"
              "primary = \"{00000001-0002-0003-0400-000000000000}\";\n");
    kit_write(KIT_USER "readers.d/desk.conf", "name = \"Desk\"; device = \"sim:echo\";\n");
    kit_write(KIT_USER "groups.d/group.conf", "name = \"Group\"; readers = ( \"Desk\" );\n");
    kit_write(KIT_USER "cards.d/damaged.conf", "name = \n");
}

static void read_lists(void)
{
    void *block = NULL;
    DWORD length = SCARD_AUTOALLOCATE;

    if (passed(SCardListCardsW(0, atr, &id, 1, (LPWSTR)&block, &length)))
        passed(SCardFreeMemory(0, block));
    length = SCARD_AUTOALLOCATE;
    passed(SCardListInterfacesW(context, u"Card", (LPGUID)&block, &length));
    length = SCARD_AUTOALLOCATE;
    passed(SCardGetCardTypeProviderNameW(context, u"Card", SCARD_PROVIDER_PRIMARY, (LPWSTR)&block, &length));
    length = SCARD_AUTOALLOCATE;
    passed(SCardListReadersW(context, u"Group\0", (LPWSTR)&block, &length));
    length = SCARD_AUTOALLOCATE;
    passed(SCardListReaderGroupsW(context, (LPWSTR)&block, &length));
    length = SCARD_AUTOALLOCATE;
    passed(scard_database_problems(context, (LPSTR)&block, &length));
    length = SCARD_AUTOALLOCATE;
    passed(scard_reader_own_name(context, "Desk", (LPSTR)&block, &length));
    length = SCARD_AUTOALLOCATE;
    passed(scard_reader_fact(context, "Desk", "device", (LPSTR)&block, &length));
}

static void use_reader(void)
{
    SCARD_READERSTATEW states[10];
    SCARDHANDLE card = 77;
    void *block = NULL;
    DWORD length = SCARD_AUTOALLOCATE, protocol;

    for (unsigned i = 0; i < 10; i++)
        states[i] = (SCARD_READERSTATEW){.szReader = u"Desk"};
    passed(SCardGetStatusChangeW(context, 0, states, 10));
    if (passed(SCardLocateCardsW(context, u"Card\0", states, 10)))
        assert_true(states[9].dwEventState & SCARD_STATE_ATRMATCH);
    if (!passed(SCardConnectW(context, u"Desk", SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, &protocol))) {
        assert_int_equal(card, 0);
        return;
    }
    if (!passed(SCardStatusW(card, (LPWSTR)&block, &length, NULL, NULL, NULL, NULL)))
        assert_null(block);
    passed(SCardDisconnect(card, SCARD_LEAVE_CARD));
}

static void reading(void **state)
{
    unsigned n = 0;
    bool hit;

    (void)state;
    do {
        context = kit_context(SCARD_SCOPE_USER);
        prepare();
        failing_alloc_arm(++n);
        read_lists();
        use_reader();
        failing_alloc_arm(0);
        hit = failing_alloc_hit();
        assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
    } while (hit);
    assert_true(n > 40);
}

static LONG introduce_card(void)
{
    return SCardIntroduceCardTypeW(context, u"New", &id, &id, 1, atr, NULL, 0);
}

static LONG forget_card(void)
{
    return SCardForgetCardTypeW(context, u"Card");
}

static LONG set_provider(void)
{
    return SCardSetCardTypeProviderNameW(context, u"Card", SCARD_PROVIDER_CSP, u"Provider");
}

static LONG introduce_reader(void)
{
    return SCardIntroduceReaderW(context, u"New", u"Desk");
}

static LONG forget_reader(void)
{
    return SCardForgetReaderW(context, u"Desk");
}

static LONG hide_reader(void)
{
    return SCardForgetReader(context, ECHO);
}

static LONG add_to_group(void)
{
    return SCardAddReaderToGroupW(context, u"Desk", u"New");
}

static LONG remove_from_group(void)
{
    return SCardRemoveReaderFromGroupW(context, u"Desk", u"Group");
}

static LONG forget_group(void)
{
    return SCardForgetReaderGroupW(context, u"Group");
}

/* What a program sees of the database. */
static void look(char *seen, size_t room)
{
    DWORD lengths[4], used = 0;

    for (unsigned i = 0; i < 4; i++) {
        lengths[i] = room - used;
        assert_code(i == 0   ? SCardListCards(context, NULL, NULL, 0, seen, &lengths[i])
                    : i == 1 ? SCardListReaders(context, NULL, seen + used, &lengths[i])
                    : i == 2 ? SCardListReaderGroups(context, seen + used, &lengths[i])
                             : scard_database_problems(context, seen + used, &lengths[i]),
                    SCARD_S_SUCCESS);
        used += lengths[i];
    }
    memset(seen + used, 0, room - used);
}

static void writing(void **state)
{
    static LONG (*const changes[])(void) = {introduce_card,   forget_card,       set_provider,
                                            introduce_reader, forget_reader,     hide_reader,
                                            add_to_group,     remove_from_group, forget_group};
    char before[1024], after[1024];

    (void)state;
    context = kit_context(SCARD_SCOPE_USER);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        unsigned n = 0;
        bool hit;

        do {
            bool made;

            prepare();
            look(before, sizeof before);
            failing_alloc_arm(++n);
            made = passed(changes[i]());
            failing_alloc_arm(0);
            hit = failing_alloc_hit();
            look(after, sizeof after);
            /* A provider is in none of the lists. */
            if (changes[i] != set_provider)
                assert_int_equal(memcmp(before, after, sizeof before) != 0, made);
        } while (hit);
        assert_true(n > 2);
    }
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reading), cmocka_unit_test(writing)};

    setenv("SCARD_READERS", "sim:echo", 1);
    return cmocka_run_group_tests(tests, kit_begin, kit_end);
}
