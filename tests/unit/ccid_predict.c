/* SPDX-License-Identifier: MIT */
/* driver/ccid_predict: what a reader can carry, by level, protocol and message length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_predict.h"

static struct ccid_descriptor reader(enum ccid_level level)
{
    return (struct ccid_descriptor){
        .level = level, .max_message = 271, .protocols = 3, .slots = 1, .busy_slots = 1, .voltages = 7};
}

static int predict(enum ccid_level level, enum protocol protocol, size_t length, size_t le)
{
    struct ccid_descriptor descriptor = reader(level);
    int rc;

    detail_clear();
    rc = ccid_predict(&descriptor, protocol, length, le);
    assert_int_equal(*detail_get() != 0, rc != 0);
    return rc;
}

static void by_level(void **state)
{
    static const struct {
        enum ccid_level level;
        enum protocol protocol;
        size_t length, le;
        int rc;
    } cases[] = {
        {CCID_SHORT_APDU, PROTOCOL_T1, 261, 256, RC_OK},
        {CCID_SHORT_APDU, PROTOCOL_T1, 262, 0, RC_UNSUPPORTED},
        {CCID_SHORT_APDU, PROTOCOL_T0, 7, 257, RC_UNSUPPORTED},
        {CCID_SHORT_APDU, PROTOCOL_T1, 7, 65536, RC_UNSUPPORTED},
        {CCID_EXTENDED_APDU, PROTOCOL_T0, 65544, 65536, RC_OK},
        {CCID_EXTENDED_APDU, PROTOCOL_T1, 65544, 65536, RC_OK},
        {CCID_EXTENDED_APDU, PROTOCOL_T1, 65545, 0, RC_UNSUPPORTED},
        {CCID_TPDU, PROTOCOL_T0, 261, 256, RC_OK},
        {CCID_TPDU, PROTOCOL_T0, 262, 0, RC_UNSUPPORTED},
        {CCID_TPDU, PROTOCOL_T0, 7, 257, RC_UNSUPPORTED},
        {CCID_TPDU, PROTOCOL_T1, 65544, 65536, RC_OK},
        {CCID_TPDU, PROTOCOL_T1, 100000, 0, RC_OK},
        {CCID_CHARACTER, PROTOCOL_T0, 261, 256, RC_OK},
        {CCID_CHARACTER, PROTOCOL_T0, 300, 0, RC_UNSUPPORTED},
        {CCID_CHARACTER, PROTOCOL_T1, 65544, 65536, RC_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(predict(cases[i].level, cases[i].protocol, cases[i].length, cases[i].le),
                         cases[i].rc);
}

/* What must be one message cannot be longer than messages are, whatever the level promises. */
static void by_message(void **state)
{
    struct ccid_descriptor descriptor = reader(CCID_SHORT_APDU);

    (void)state;
    descriptor.max_message = 263;
    assert_int_equal(ccid_predict(&descriptor, PROTOCOL_T1, 253, 0), RC_OK);
    assert_int_equal(ccid_predict(&descriptor, PROTOCOL_T1, 254, 0), RC_UNSUPPORTED);
    descriptor.level = CCID_TPDU; /* Le of case 4 is not in the TPDU */
    assert_int_equal(ccid_predict(&descriptor, PROTOCOL_T0, 253, 0), RC_OK);
    assert_int_equal(ccid_predict(&descriptor, PROTOCOL_T0, 254, 256), RC_OK);
    assert_int_equal(ccid_predict(&descriptor, PROTOCOL_T0, 254, 0), RC_UNSUPPORTED);
    assert_int_equal(ccid_predict(&descriptor, PROTOCOL_T0, 255, 256), RC_UNSUPPORTED);
    assert_int_equal(ccid_predict(&descriptor, PROTOCOL_T1, 255, 256), RC_OK);
    descriptor.level = CCID_CHARACTER;
    descriptor.max_message = 10;
    assert_int_equal(ccid_predict(&descriptor, PROTOCOL_T0, 261, 0), RC_OK);
    descriptor.level = CCID_EXTENDED_APDU;
    assert_int_equal(ccid_predict(&descriptor, PROTOCOL_T0, 65544, 0), RC_OK);
}

static void in_words(void **state)
{
    (void)state;
    (void)predict(CCID_SHORT_APDU, PROTOCOL_T1, 300, 0);
    assert_string_equal(detail_get(),
                        "this reader takes short APDUs only (at most 261 bytes; dwMaxCCIDMessageLength 271): "
                        "the command has 300 bytes; use command chaining or a reader of extended APDU level");
    (void)predict(CCID_SHORT_APDU, PROTOCOL_T1, 7, 4096);
    assert_non_null(strstr(detail_get(), "Le is 4096"));
    (void)predict(CCID_TPDU, PROTOCOL_T0, 300, 0);
    assert_non_null(strstr(detail_get(), "T=1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_level),
        cmocka_unit_test(by_message),
        cmocka_unit_test(in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
