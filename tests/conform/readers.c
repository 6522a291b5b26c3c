/* SPDX-License-Identifier: MIT */
/* Readers in a machine of the test: scripted ones, and simulated cards. */
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

const struct conform_readers conform_scripted = {
    .scripted = true,
    .make = make_scripted,
    .insert = test_reader_insert,
    .remove = test_reader_remove,
};

const struct conform_readers conform_simulated = {
    .make = make_simulated,
    .insert = insert_simulated,
    .remove = remove_simulated,
};
