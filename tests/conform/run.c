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

/* In a process of its own, which may fail in any way. */
static void run_differing_case(void **state)
{
    const struct entry *entry = *state;
    struct CMUnitTest test = {.name = entry->test->name, .test_func = run_case, .initial_state = *state};
    const struct conform_difference *listed = difference(entry->target, entry->test->name);
    pid_t child;
    int status;

    printf("             differs%s: %s\n", listed->sometimes ? " sometimes" : "", listed->reason);
    fflush(stdout);
    child = fork();
    if (!child) {
        case_seconds = DIFFERENCE_SECONDS;
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(0);
        _exit(_cmocka_run_group_tests("a difference", &test, 1, NULL, NULL) != 0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (entry->target->tidy)
        entry->target->tidy();
    if (WIFEXITED(status) && !WEXITSTATUS(status) && !listed->sometimes)
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
                .test_func = difference(target, test->name) ? run_differing_case : run_case,
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
