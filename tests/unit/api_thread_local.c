/* SPDX-License-Identifier: MIT */
/* A program with much thread-local data: it takes room in the stack of every thread, those of the library
 * too. */
#include "tests/unit/api_kit.h"

static _Thread_local volatile char much[1024 * 1024];

static void library_has_its_threads(void **state)
{
    SCARDCONTEXT context;

    (void)state;
    much[0] = 1;
    context = establish();
    assert_code(transmit_echo(connect_shared(context, ECHO)), SCARD_S_SUCCESS);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(library_has_its_threads)};

    setenv("SCARD_READERS", "sim:echo", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
