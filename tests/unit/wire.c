/* SPDX-License-Identifier: MIT */
/* Codes and sizes on the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rc.h"
#include "ipc/wire.h"

static void codes_come_back_as_they_went(void **state)
{
    (void)state;
    for (int rc = RC_NO_ACCESS; rc <= RC_OK; rc++)
        assert_int_equal(wire_rc(wire_code(rc)), rc);
}

static void codes_are_those_of_pcsc(void **state)
{
    (void)state;
    assert_int_equal(wire_code(RC_OK), 0);
    assert_int_equal(wire_code(RC_SHARING), 0x8010000B);
    assert_int_equal(wire_code(RC_CARD_REMOVED), 0x80100069);
    assert_int_equal(wire_code(RC_MUTE), 0x80100067);
    assert_int_equal(wire_code(-1000), 0x80100001);
    assert_int_equal(wire_rc(0x80100066), RC_UNRESPONSIVE);
    assert_int_equal(wire_rc(0x8010FFFF), RC_INTERNAL);
    assert_int_equal(wire_rc(1), RC_INTERNAL);
}

static void sizes_are_those_of_pcscd(void **state)
{
    static const int sizes[] = {
        -1, 12, 8, -1, 152, 24, 12, 8, 12, 32, 24, 8, -1, 8, -1, 280, 280, 12, 0, 0, 0, 0, 0, 0, -1,
    };

    (void)state;
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_int_equal(wire_body_size(i), sizes[i]);
    assert_int_equal(wire_body_size(UINT32_MAX), -1);
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        bool with_body = i == WIRE_WAIT || i == WIRE_STOP_WAITING;

        assert_int_equal(wire_request_size(i, 3), with_body ? 8 : sizes[i]);
        assert_int_equal(wire_request_size(i, 4), sizes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_come_back_as_they_went),
        cmocka_unit_test(codes_are_those_of_pcsc),
        cmocka_unit_test(sizes_are_those_of_pcscd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
