/* SPDX-License-Identifier: MIT */
/*
 * A script as a test: the Test Anything Protocol, version 13. One test for each APDU with an expectation and
 * for each assert; what a command writes besides is dropped, its errors are on stderr. The plan stands at the
 * end.
 */
#ifndef CLI_TAP_H
#define CLI_TAP_H

#include "cli/call.h"
#include "cli/exchange.h"

struct tap {
    struct output *output; /* where the tests go; borrowed */
    const char *file;      /* of the line that runs */
    size_t line;
    unsigned count, failed;
};

void tap_begin(struct tap *tap, struct output *output);

/* front->judge: a test. STATUS_DONE, also for one that fails: a script goes on with the next. */
int tap_judge(struct call *call, const struct apdu_text *apdu, const struct exchange_result *result);

/* An assert with the texts that it compared: a test. STATUS_DONE, also when it does not hold. */
int tap_assert(struct call *call, bool holds, const char *left, const char *how, const char *right);

/* The plan. status: what ended the script, STATUS_DONE if nothing did; told as a bail-out. Returns the status
 * of all. */
int tap_end(struct tap *tap, int status);

#endif
