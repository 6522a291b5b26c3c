/* SPDX-License-Identifier: MIT */
/* The conformance table on the local service: with test readers, and with simulated cards. */
#include <string.h>

#include "manager/local.h"
#include "sim/mount.h"
#include "tests/conform/cases.h"

static struct reader *make_scripted(void)
{
    return test_reader_new(0);
}

static struct reader *make_simulated(void)
{
    static const char text[] = "sim:echo?insert=no";
    struct reader *reader;
    struct uri uri;

    assert_rc(uri_parse(text, sizeof text - 1, &uri), RC_OK);
    assert_rc(sim_open(&uri, &reader), RC_OK);
    uri_fini(&uri);
    return reader;
}

static void insert_simulated(struct reader *reader)
{
    sim_set_present(reader, true);
}

static void remove_simulated(struct reader *reader)
{
    sim_set_present(reader, false);
}

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
    static const struct conform_readers scripted = {
        .scripted = true,
        .make = make_scripted,
        .insert = test_reader_insert,
        .remove = test_reader_remove,
    };
    static const struct conform_readers simulated = {
        .make = make_simulated,
        .insert = insert_simulated,
        .remove = remove_simulated,
    };
    static const struct conform_target targets[] = {
        {"local service, test readers", &scripted, open_local, close_local},
        {"local service, simulated cards", &simulated, open_local, close_local},
    };
    int failures = 0;

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        failures += conform_run(&targets[i]);
    return failures;
}
