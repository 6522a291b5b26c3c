/* SPDX-License-Identifier: MIT */
/* The conformance table on the local service: with test readers, and with simulated cards. */
#include "manager/local.h"
#include "tests/conform/cases.h"

static void open_local(struct bench *bench)
{
    assert_rc(local_new(&bench->service), RC_OK);
    bench->machine = bench->service;
}

static void close_local(struct bench *bench)
{
    local_free(bench->service);
}

int main(void)
{
    static const struct conform_target targets[] = {
        {.name = "local service, test readers",
         .readers = &conform_scripted,
         .open = open_local,
         .close = close_local,
         .blocked = bench_blocked_in_machine},
        {.name = "local service, simulated cards",
         .readers = &conform_simulated,
         .open = open_local,
         .close = close_local,
         .blocked = bench_blocked_in_machine},
    };
    int failures = 0;

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        failures += conform_run(&targets[i]);
    return failures;
}
