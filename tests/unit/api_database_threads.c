/* SPDX-License-Identifier: MIT */
/* The database from many threads at once, some of which change it: every entry that is not being changed is
 * always there, and each thread sees its own changes at once. And with forks in between. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/database_kit.h"

#define ROUNDS 15
#define EACH 2 /* threads that write, and that read */

static const BYTE atr[] = {0x3B, 0x94, 0x96, 0x81, 0x31, 0xFE, 0x45, 0x65, 0x63, 0x68, 0x6F, 0x08};
static atomic_uint writers;
static atomic_uint failures;

/* cmocka's assertions are for the test's own thread. */
static void expect(bool right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "%s: %s\n", what, scard_error_detail());
    failures++;
}

static bool has(const char *list, const char *name)
{
    for (; *list; list += strlen(list) + 1)
        if (!strcmp(list, name))
            return true;
    return false;
}

static void see(SCARDCONTEXT context, const char *card, const char *reader, bool there)
{
    char list[2048];
    DWORD length = sizeof list;

    expect(!SCardListCards(context, atr, NULL, 0, list, &length) && has(list, card) == there, "card types");
    length = sizeof list;
    expect(!SCardListReaders(context, NULL, list, &length) && has(list, reader) == there, "readers");
}

static void *change(void *argument)
{
    SCARDCONTEXT context = 0;
    char card[32], reader[32], group[32];

    snprintf(card, sizeof card, "Card %s", (const char *)argument);
    snprintf(reader, sizeof reader, "Desk %s", (const char *)argument);
    snprintf(group, sizeof group, "Group %s", (const char *)argument);
    expect(!SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context), "establish");
    for (unsigned i = 0; i < ROUNDS; i++) {
        expect(!SCardIntroduceCardType(context, card, NULL, NULL, 0, atr, NULL, 0), "introduce a card type");
        expect(!SCardIntroduceReader(context, reader, ECHO), "introduce a reader");
        expect(!SCardAddReaderToGroup(context, reader, group), "add to a group");
        expect(!SCardAddReaderToGroup(context, reader, "All of us"), "add to the common group");
        see(context, card, reader, true);
        expect(!SCardForgetCardType(context, card), "forget a card type");
        expect(!SCardForgetReader(context, reader), "forget a reader");
        see(context, card, reader, false);
    }
    expect(!SCardReleaseContext(context), "release");
    writers--;
    return NULL;
}

static void *look(void *argument)
{
    SCARDCONTEXT context = 0;
    DWORD protocol;

    (void)argument;
    expect(!SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context), "establish");
    while (writers) {
        SCARD_READERSTATE state = {.szReader = "Desk"};
        SCARDHANDLE card;

        see(context, "Card", "Desk", true);
        expect(!SCardLocateCards(context, "Card\0", &state, 1) && state.dwEventState & SCARD_STATE_ATRMATCH,
               "locate");
        expect(!SCardConnect(context, "Desk", SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, &protocol) &&
                   !SCardDisconnect(card, SCARD_LEAVE_CARD),
               "connect");
    }
    expect(!SCardReleaseContext(context), "release");
    return NULL;
}

static void write_constant_entries(void)
{
    kit_clear(NULL);
    kit_write(KIT_SYSTEM "cards.d/card.conf",
              "name = \"Card\"; atr = \"3B 94 96 81 31 FE 45 65 63 68 6F 08\";\n");
    kit_write(KIT_USER "readers.d/desk.conf", "name = \"Desk\"; device = \"sim:echo\";\n");
}

static void readers_and_writers(void **state)
{
    static const char *const names[EACH] = {"one", "two"};
    pthread_t threads[2 * EACH];

    (void)state;
    write_constant_entries();
    writers = EACH;
    for (unsigned i = 0; i < EACH; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, change, (void *)(uintptr_t)names[i]), 0);
        assert_int_equal(pthread_create(&threads[EACH + i], NULL, look, NULL), 0);
    }
    for (unsigned i = 0; i < 2 * EACH; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(failures, 0);
}

/* A child has the database, whatever the other threads were doing with it. */
static void forks_between(void **state)
{
    pthread_t thread;

    (void)state;
    write_constant_entries();
    writers = 1;
    assert_int_equal(pthread_create(&thread, NULL, look, NULL), 0);
    for (unsigned i = 0; i < 20; i++) {
        int status;
        pid_t child = fork();

        assert_true(child >= 0);
        if (!child) {
            char list[256];
            DWORD length = sizeof list;

            alarm(60);
            _exit(SCardListCards(0, atr, NULL, 0, list, &length) || !has(list, "Card"));
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    writers = 0;
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(readers_and_writers),
                                       cmocka_unit_test(forks_between)};

    setenv("SCARD_READERS", "sim:echo", 1);
    return cmocka_run_group_tests(tests, kit_begin, kit_end);
}
