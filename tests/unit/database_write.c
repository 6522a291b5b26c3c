/* SPDX-License-Identifier: MIT */
/* Changes of the database that are cut short at each of their steps, and many at once. */
#include "tests/unit/store_kit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int add_card(void)
{
    struct database_card card = {.name = TEXT("New"), .atr = {0x3B, 0}, .atr_length = 2};

    return database_card_add(&store_place, &card);
}

static int add_system_card(void)
{
    struct database_card card = {
        .scope = DATABASE_SYSTEM, .name = TEXT("New"), .atr = {0x3B, 0}, .atr_length = 2};

    return database_card_add(&store_place, &card);
}

static int add_reader(void)
{
    struct database_reader reader = {.name = TEXT("New"), .device = TEXT("usb:1-1:1.0")};

    return database_reader_add(&store_place, &reader);
}

static int remove_card(void)
{
    return database_card_remove(&store_place, DATABASE_USER, "Old");
}

static int change_card(void)
{
    return database_card_set_provider(&store_place, DATABASE_USER, "Old", PROVIDER_CSP, "Changed");
}

static int add_member(void)
{
    return database_group_add(&store_place, DATABASE_USER, "Group", "New");
}

static int remove_member(void)
{
    return database_group_remove(&store_place, DATABASE_USER, "Group", "Desk");
}

static int remove_reader(void)
{
    return database_reader_remove(&store_place, DATABASE_USER, "Desk");
}

static int forget_group(void)
{
    return database_group_forget(&store_place, DATABASE_USER, "Group");
}

static const struct {
    const char *name;
    int (*change)(void);
    unsigned files; /* it changes so many */
} changes[] = {{"add a card", add_card, 1},           {"add a card of the system", add_system_card, 1},
               {"add a reader", add_reader, 1},       {"remove a card", remove_card, 1},
               {"change a card", change_card, 1},     {"add a member", add_member, 1},
               {"remove a member", remove_member, 1}, {"remove a reader", remove_reader, 2},
               {"forget a group", forget_group, 1}};
#define CHANGES (sizeof changes / sizeof *changes)

/* Long enough for more than one write. */
#define LONG_HEAD                                                                                            \
    "# A comment that is longer than what one call writes, by far, so that there are more of them\n"

static void begin(void)
{
    store_clear(NULL);
    store_put("user/cards.d/old.conf", LONG_HEAD "name = \"Old\";\natr = \"3B 00\";\n");
    store_put("user/readers.d/desk.conf", "name = \"Desk\"; device = \"usb:1-1:1.0\";");
    store_put("user/groups.d/group.conf", LONG_HEAD "name = \"Group\"; readers = ( \"Desk\", \"Other\" );");
}

static char *state_after(int (*change)(void))
{
    char *state;

    begin();
    assert_rc(change(), RC_OK);
    state = store_state();
    begin();
    return state;
}

/* In a child that ends at the n-th call. Returns 0 if it came to its end. */
static int killed_at(int (*change)(void), enum store_fault fault, unsigned n)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (!child) {
        store_fault_arm(fault, n, 0);
        _exit(change() ? 2 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return 1;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    return 0;
}

/* The file before it gets its name, and the name after that. */
static void what_was_changed_is_on_disk(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHANGES; i++) {
        begin();
        (void)store_unsynced();
        assert_rc(changes[i].change(), RC_OK);
        assert_false(store_unsynced());
    }
}

static void a_killed_writer_leaves_the_old_or_the_new(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHANGES; i++) {
        char *new = state_after(changes[i].change), *old = store_state();

        for (enum store_fault fault = STORE_KILLS; fault <= STORE_KILLS_AFTER; fault++)
            for (unsigned n = 1; begin(), killed_at(changes[i].change, fault, n); n++) {
                char *left = store_state();

                if (strcmp(left, old) != 0 && strcmp(left, new) != 0 &&
                    (changes[i].files == 1 || strstr(left, "problem")))
                    fail_msg("%s, call %u: %s", changes[i].name, n, left);
                /* The lock is free, and what was left is not in the way of the next. */
                alarm(30);
                if (strcmp(left, new) != 0)
                    assert_rc(changes[i].change(), RC_OK);
                alarm(0);
                free(left);
                left = store_state();
                assert_string_equal(left, new);
                free(left);
            }
        free(old);
        free(new);
    }
}

static void a_failing_writer_changes_nothing(void **state)
{
    static const int errors[] = {EROFS, EACCES, ENOSPC, EIO, ENOMEM};

    (void)state;
    for (size_t i = 0; i < CHANGES; i++) {
        char *new = state_after(changes[i].change), *old = store_state();
        unsigned failed = 0;

        for (size_t e = 0; e < sizeof errors / sizeof *errors; e++)
            for (unsigned n = 1, hit = 1; hit; n++) {
                int error = errors[e], rc;
                char *left;

                begin();
                store_fault_arm(STORE_FAILS, n, error);
                detail_clear();
                rc = changes[i].change();
                hit = (unsigned)store_fault_hit();
                store_fault_arm(STORE_NO_FAULT, 0, 0);
                left = store_state();
                if (rc && strcmp(left, old) != 0 && changes[i].files == 1)
                    fail_msg("%s, call %u: %s", changes[i].name, n, left);
                if (!rc)
                    assert_string_equal(left, new);
                free(left);
                if (rc) {
                    assert_rc(rc, error == ENOMEM                   ? RC_NO_MEMORY
                                  : error == ENOSPC || error == EIO ? RC_IO
                                                                    : RC_NO_ACCESS);
                    if (error != ENOMEM)
                        assert_words(detail_get(), store_root());
                    assert_int_not_equal(access(store_path("user/cards.d/.new"), F_OK), 0);
                    failed++;
                }
            }
        assert_true(failed > 5);
        free(old);
        free(new);
    }
}

#define PROCESSES 3
#define THREADS 2
#define EACH 4

static unsigned process;

static void *write_some(void *number)
{
    unsigned thread = (unsigned)(uintptr_t)number;
    char name[64];

    for (unsigned i = 0; i < EACH; i++) {
        struct database_reader reader = {.name = name, .device = TEXT("usb:1-1:1.0")};

        snprintf(name, sizeof name, "%u %u %u", process, thread, i);
        if (database_reader_add(&store_place, &reader) ||
            database_group_add(&store_place, DATABASE_USER, "All", name) ||
            database_group_add(&store_place, DATABASE_USER, "Some", name) ||
            (i % 2 && database_group_remove(&store_place, DATABASE_USER, "Some", name)))
            return TEXT("failed");
    }
    return NULL;
}

static int run_process(void)
{
    pthread_t threads[THREADS];
    int failed = 0;

    for (uintptr_t i = 0; i < THREADS; i++)
        failed |= pthread_create(&threads[i], NULL, write_some, (void *)i);
    for (unsigned i = 0; i < THREADS && !failed; i++) {
        void *result;

        pthread_join(threads[i], &result);
        failed |= result != NULL;
    }
    return failed;
}

/* What readers see meanwhile is whole, and never less than before. */
static void many_writers_lose_nothing(void **state)
{
    struct database database;
    size_t count = 0, expected = PROCESSES * THREADS * EACH;
    pid_t children[PROCESSES];

    (void)state;
    store_clear(NULL);
    for (process = 0; process < PROCESSES; process++) {
        children[process] = fork();
        assert_true(children[process] >= 0);
        if (!children[process])
            _exit(run_process());
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        int status, rc;

        while (!(rc = waitpid(children[i], &status, WNOHANG))) {
            assert_rc(database_load(&store_place, &database), RC_OK);
            assert_int_equal(database.problem_count, 0);
            assert_true(database.reader_count >= count);
            count = database.reader_count;
            database_fini(&database);
        }
        assert_int_equal(rc, children[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    assert_rc(database_load(&store_place, &database), RC_OK);
    assert_int_equal(database.problem_count, 0);
    assert_int_equal(database.reader_count, expected);
    assert_int_equal(database.group_count, 2);
    assert_int_equal(database.groups[0].reader_count, expected);
    assert_int_equal(database.groups[1].reader_count, expected / 2);
    database_fini(&database);
}

static void a_lock_file_that_is_taken_away_is_made_again(void **state)
{
    (void)state;
    begin();
    assert_rc(add_card(), RC_OK);
    assert_int_equal(unlink(store_path("user/.lock")), 0);
    assert_rc(change_card(), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(many_writers_lose_nothing, store_clear),
        cmocka_unit_test_teardown(what_was_changed_is_on_disk, store_clear),
        cmocka_unit_test_teardown(a_killed_writer_leaves_the_old_or_the_new, store_clear),
        cmocka_unit_test_teardown(a_failing_writer_changes_nothing, store_clear),
        cmocka_unit_test_teardown(a_lock_file_that_is_taken_away_is_made_again, store_clear),
    };

    return cmocka_run_group_tests(tests, store_begin, store_end);
}
