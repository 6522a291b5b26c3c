/* SPDX-License-Identifier: MIT */
/* The table, and how it is run. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/conform/cases.h"

/* A case that hangs ends the run. */
#define CASE_SECONDS 100

struct entry {
    const struct conform_target *target;
    const struct conform_case *test;
};

static void run_case(void **state)
{
    const struct entry *entry = *state;
    struct bench bench;

    alarm(CASE_SECONDS);
    bench_open(&bench, entry->target);
    entry->test->run(&bench);
    bench_close(&bench);
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
            if (test->scripted && !target->readers->scripted)
                continue;
            entries[count] = (struct entry){target, test};
            tests[count] = (struct CMUnitTest){
                .name = test->name, .test_func = run_case, .initial_state = &entries[count]};
            count++;
        }
    }
    return _cmocka_run_group_tests(target->name, tests, count, NULL, NULL);
}
