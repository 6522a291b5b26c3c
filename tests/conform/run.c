/* SPDX-License-Identifier: MIT */
/* The table, and how it is run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/conform/cases.h"

/* A case that hangs ends the run; one that is expected to fail has failed then. */
#define CASE_SECONDS 100
#define DIFFERENCE_SECONDS 5
#define BREAKS 3 /* of a service that is not ours, in one case */

static unsigned case_seconds = CASE_SECONDS;

struct entry {
    const struct conform_target *target;
    const struct conform_case *test;
};

static void run_case(void **state)
{
    const struct entry *entry = *state;
    struct bench bench;

    alarm(case_seconds);
    bench_open(&bench, entry->target);
    entry->test->run(&bench);
    bench_close(&bench);
}

static const struct conform_difference *difference(const struct conform_target *target, const char *name)
{
    for (const struct conform_difference *at = target->differences; at && at->name; at++)
        if (!strcmp(at->name, name))
            return at;
    return NULL;
}

/* What a process says of its case by its exit status. */
enum outcome { PASSED, FAILED, PEER_BROKE };

static void __attribute__((noreturn)) run_alone(const struct entry *entry, FILE *said)
{
    struct CMUnitTest test = {
        .name = entry->test->name, .test_func = run_case, .initial_state = (void *)(uintptr_t)entry};

    if (dup2(fileno(said), STDOUT_FILENO) < 0 || dup2(fileno(said), STDERR_FILENO) < 0)
        _exit(FAILED);
    /* Nothing that a failed case left behind, such as threads in calls, may run on. */
    if (_cmocka_run_group_tests("a case", &test, 1, NULL, NULL) != 0) {
        fflush(stdout);
        _exit(entry->target->broke && entry->target->broke() ? PEER_BROKE : FAILED);
    }
    exit(PASSED); /* the leak sanitizer looks */
}

/* To where the run tells its results. */
static void repeat(FILE *said)
{
    char line[512];

    rewind(said);
    while (fgets(line, sizeof line, said))
        printf("             %s", line);
}

/* Runs a case in a process of its own: what it leaves behind when it fails ends with it. Returns how it
 * ended; what it said is of interest when it should have passed. */
static int run_in_child(const struct entry *entry, bool should_pass)
{
    FILE *said = tmpfile();
    pid_t child;
    int status;

    assert_non_null(said);
    fflush(stdout);
    child = fork();
    if (!child)
        run_alone(entry, said);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (entry->target->tidy)
        entry->target->tidy();
    if (status && should_pass)
        repeat(said);
    fclose(said);
    if (WIFSIGNALED(status))
        printf("             ended by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return status;
}

static void run_agreeing_case(void **state)
{
    const struct entry *entry = *state;
    int status;

    case_seconds = CASE_SECONDS;
    for (unsigned again = 0;; again++) {
        status = run_in_child(entry, true);
        if (again == BREAKS || !WIFEXITED(status) || WEXITSTATUS(status) != PEER_BROKE)
            break;
        printf("             the service ended by itself: once more\n");
    }
    assert_int_equal(status, 0);
}

static void run_differing_case(void **state)
{
    const struct entry *entry = *state;
    const struct conform_difference *listed = difference(entry->target, entry->test->name);

    printf("             differs%s: %s\n", listed->sometimes ? " sometimes" : "", listed->reason);
    case_seconds = DIFFERENCE_SECONDS;
    if (!run_in_child(entry, false) && !listed->sometimes)
        fail_msg("%s is listed as a difference, and is none", entry->test->name);
}

int conform_run(const struct conform_target *target)
{
    static const struct conform_case *const chapters[] = {
        connect_cases,  reconnect_cases, disconnect_cases, transaction_cases, queue_cases, event_cases,
        exchange_cases, watch_cases,     plug_cases,       release_cases,     power_cases, fault_cases,
    };
    static struct CMUnitTest tests[256];
    static struct entry entries[256];
    size_t count = 0;

    for (size_t i = 0; i < sizeof chapters / sizeof *chapters; i++) {
        for (const struct conform_case *test = chapters[i]; test->name; test++) {
            if (test->scripted && !(target->readers && target->readers->scripted))
                continue;
            entries[count] = (struct entry){target, test};
            tests[count] = (struct CMUnitTest){
                .name = test->name,
                .test_func = difference(target, test->name) ? run_differing_case : run_agreeing_case,
                .initial_state = &entries[count]};
            count++;
        }
    }
    for (const struct conform_difference *at = target->differences; at && at->name; at++) {
        bool known = false;

        for (size_t i = 0; i < count; i++)
            known |= !strcmp(at->name, tests[i].name);
        if (!known) {
            printf("%s: no case that is run has the name %s\n", target->name, at->name);
            return 1;
        }
    }
    if (getenv("CONFORM_CASES")) /* a pattern, to look at one case */
        cmocka_set_test_filter(getenv("CONFORM_CASES"));
    return _cmocka_run_group_tests(target->name, tests, count, NULL, NULL);
}
