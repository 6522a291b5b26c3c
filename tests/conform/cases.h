/* SPDX-License-Identifier: MIT */
/* The cases of the conformance table. Each is a property of the service seam (manager/service.h). */
#ifndef CONFORM_CASES_H
#define CONFORM_CASES_H

#include "tests/conform/bench.h"

struct conform_case {
    const char *name;
    void (*run)(struct bench *bench);
    bool scripted; /* needs test readers */
};

#define CASE(function)                                                                                       \
    {                                                                                                        \
#function, function, false                                                                           \
    }
#define SCRIPTED(function)                                                                                   \
    {                                                                                                        \
#function, function, true                                                                            \
    }

/* One table per chapter, ended by an entry without a name. */
extern const struct conform_case connect_cases[], reconnect_cases[], disconnect_cases[], transaction_cases[],
    queue_cases[], event_cases[], exchange_cases[], watch_cases[], plug_cases[], release_cases[],
    power_cases[], fault_cases[];

extern const struct conform_readers conform_scripted, conform_simulated;

/* Runs every case on the target; a listed difference must be one. Returns the number of failures. */
int conform_run(const struct conform_target *target);

#endif
