/* SPDX-License-Identifier: MIT */
/* iso/pps: frames, answers, choice of speed, and the way down when a card refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"
#include "iso/pps.h"

#define BOTH 3U

static const struct pps_reader host = {PPS_HOST, BOTH, 4000, 500000, NULL, 0};

static struct atr atr_of(const uint8_t *bytes, size_t length)
{
    struct atr atr;

    assert_int_equal(atr_parse(bytes, length, &atr), RC_OK);
    return atr;
}

#define ATR(...) atr_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* T=0 offered first, T=1 too, with this TA1; no historical bytes. */
static struct atr both_with(uint8_t ta1)
{
    uint8_t bytes[] = {0x3b, 0x90, ta1, 0x80, 0x01, 0x00};

    bytes[5] = bytes[1] ^ bytes[2] ^ bytes[3] ^ bytes[4];
    return atr_of(bytes, sizeof bytes);
}

static void frames(void **state)
{
    static const struct {
        unsigned protocol;
        uint8_t fd;
        uint8_t frame[4];
        size_t length;
    } rows[] = {
        {1, 0x96, {0xff, 0x11, 0x96, 0x78}, 4},
        {0, 0x94, {0xff, 0x10, 0x94, 0x7b}, 4},
        {1, 0x11, {0xff, 0x01, 0xfe}, 3},
        {0, 0x11, {0xff, 0x00, 0xff}, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t frame[PPS_FRAME_MAX], fd = 0;

        assert_int_equal(pps_build(rows[i].protocol, rows[i].fd, frame), rows[i].length);
        assert_memory_equal(frame, rows[i].frame, rows[i].length);
        assert_int_equal(pps_check(frame, rows[i].length, frame, rows[i].length, &fd), RC_OK);
        assert_int_equal(fd, rows[i].fd);
    }
}

static void answers(void **state)
{
    static const struct {
        uint8_t request[6];
        size_t request_length;
        uint8_t answer[7];
        size_t length;
        int rc;
        uint8_t fd;
    } rows[] = {
        {{0xff, 0x11, 0x96, 0x78}, 4, {0xff, 0x01, 0xfe}, 3, RC_OK, 0x11}, /* PPS1 left out */
        {{0xff, 0x11, 0x96, 0x78}, 4, {0xff, 0x11, 0x95, 0x7b}, 4, RC_UNRESPONSIVE, 0},
        {{0xff, 0x11, 0x96, 0x78}, 4, {0xff, 0x10, 0x96, 0x79}, 4, RC_UNRESPONSIVE, 0}, /* other T */
        {{0xff, 0x11, 0x96, 0x78}, 4, {0xff, 0x11, 0x96, 0x79}, 4, RC_UNRESPONSIVE, 0}, /* PCK */
        {{0xff, 0x11, 0x96, 0x78}, 4, {0xff, 0x91, 0x96, 0xf8}, 4, RC_UNRESPONSIVE, 0}, /* reserved bit */
        {{0xff, 0x11, 0x96, 0x78}, 4, {0xff, 0x31, 0x96, 0x00, 0x58}, 5, RC_UNRESPONSIVE, 0},
        {{0xff, 0x11, 0x96, 0x78}, 4, {0xff, 0x11, 0x96, 0x78, 0x00}, 5, RC_UNRESPONSIVE, 0},
        {{0xff, 0x11, 0x96, 0x78}, 4, {0xff, 0x11, 0xee}, 3, RC_UNRESPONSIVE, 0},
        {{0xff, 0x11, 0x96, 0x78}, 4, {0x00, 0x11, 0x11}, 3, RC_UNRESPONSIVE, 0},
        {{0xff, 0x11, 0x96, 0x78}, 4, {0}, 0, RC_UNRESPONSIVE, 0},
        {{0xff, 0x11, 0x96, 0x78}, 4, {0xff, 0xff}, 2, RC_UNRESPONSIVE, 0},
        {{0xff, 0x01, 0xfe}, 3, {0xff, 0x11, 0x11, 0xff}, 4, RC_UNRESPONSIVE, 0}, /* not asked for */
        {{0xff, 0x31, 0x96, 0x41, 0x19}, 5, {0xff, 0x31, 0x96, 0x41, 0x19}, 5, RC_OK, 0x96},
        {{0xff, 0x31, 0x96, 0x41, 0x19}, 5, {0xff, 0x11, 0x96, 0x78}, 4, RC_OK, 0x96}, /* PPS2 left out */
        {{0xff, 0x31, 0x96, 0x41, 0x19}, 5, {0xff, 0x21, 0x41, 0x9f}, 4, RC_OK, 0x11}, /* PPS1 left out */
        {{0xff, 0x31, 0x96, 0x41, 0x19}, 5, {0xff, 0x21, 0x96, 0x48}, 4, RC_UNRESPONSIVE, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *answer = malloc(rows[i].length + 1), fd = 0xee; /* exact size: one byte over is seen */

        assert_non_null(answer);
        answer = realloc(answer, rows[i].length ? rows[i].length : 1);
        assert_non_null(answer);
        memcpy(answer, rows[i].answer, rows[i].length);
        detail_clear();
        assert_int_equal(pps_check(rows[i].request, rows[i].request_length, answer, rows[i].length, &fd),
                         rows[i].rc);
        assert_int_equal(fd, rows[i].rc ? 0xee : rows[i].fd);
        assert_int_equal(*detail_get() != 0, rows[i].rc != 0);
        free(answer);
    }
}

/* No changed byte of a right answer is taken for a right answer. */
static void damaged_answer(void **state)
{
    static const uint8_t request[] = {0xff, 0x11, 0x96, 0x78};
    uint8_t fd;

    (void)state;
    for (unsigned at = 0; at < sizeof request; at++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t answer[sizeof request];

            memcpy(answer, request, sizeof answer);
            answer[at] = (uint8_t)value;
            assert_int_equal(pps_check(request, sizeof request, answer, sizeof answer, &fd) == RC_OK,
                             value == request[at]);
        }
    }
}

static void rates(void **state)
{
    (void)state;
    assert_int_equal(pps_rate(4000, 0x11), 10752);
    assert_int_equal(pps_rate(4000, 0x94), 62500);
    assert_int_equal(pps_rate(4000, 0x13), 43010);
    assert_int_equal(pps_rate(4000, 0x96), 250000);
    assert_int_equal(pps_rate(4000, 0x7f), 0);
    assert_int_equal(pps_rate(UINT32_MAX, 0x97), UINT32_MAX);
    assert_int_equal(pps_rate(0, 0x96), 0);
}

static void speeds(void **state)
{
    static const uint32_t listed[] = {10753, 43011, 62500, 125000};
    static const struct {
        uint8_t ta1;
        uint32_t max_rate;
        size_t listed;
        uint8_t fd;
    } rows[] = {
        {0x96, 500000, 0, 0x96}, {0x96, 250000, 0, 0x96}, {0x96, 249999, 0, 0x95}, {0x97, 500000, 0, 0x97},
        {0x97, 70000, 0, 0x94},  {0x97, 62499, 0, 0x11},  {0x96, 500000, 4, 0x95}, {0x95, 500000, 4, 0x95},
        {0x13, 500000, 4, 0x13},                          /* 43010 against 43011 in the list */
        {0x96, 500000, 3, 0x94}, {0x96, 500000, 2, 0x11}, /* 94 itself is not in the list */
        {0x94, 62499, 0, 0x11},  {0x18, 500000, 4, 0x11}, /* no way down but from 95, 96, 97 */
        {0x11, 500000, 0, 0x11}, {0x21, 500000, 0, 0x11}, /* slower than the default */
        {0x96, 0, 0, 0x11},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pps_reader reader = {PPS_HOST, BOTH, 4000, rows[i].max_rate, listed, rows[i].listed};
        struct atr atr = both_with(rows[i].ta1);

        assert_int_equal(pps_speed(&atr, &reader), rows[i].fd);
    }
}

static void host_plans(void **state)
{
    struct atr sim = ATR(0x3b, 0x16, 0x94, 0x71, 0x01, 0x01, 0x01, 0x02, 0x00);
    struct atr slow = ATR(0x3b, 0x02, 0x14, 0x50);
    struct atr both = both_with(0x96), plain = both_with(0x11);
    struct pps_plan plan;

    (void)state;
    assert_int_equal(pps_plan(&sim, &host, 0, &plan), RC_OK);
    assert_int_equal(plan.request_length, 4);
    assert_memory_equal(plan.request, ((uint8_t[]){0xff, 0x10, 0x94, 0x7b}), 4);
    assert_true(plan.set_parameters && !plan.read_back && plan.fd == 0x94);
    assert_int_equal(pps_plan(&slow, &host, 0, &plan), RC_OK); /* nothing to change: no PPS */
    assert_int_equal(plan.request_length, 0);
    assert_true(plan.set_parameters && plan.fd == 0x11);
    assert_int_equal(pps_plan(&both, &host, 1, &plan), RC_OK);
    assert_memory_equal(plan.request, ((uint8_t[]){0xff, 0x11, 0x96, 0x78}), 4);
    assert_int_equal(pps_plan(&plain, &host, 1, &plan), RC_OK); /* the protocol alone */
    assert_int_equal(plan.request_length, 3);
    assert_memory_equal(plan.request, ((uint8_t[]){0xff, 0x01, 0xfe}), 3);
}

static void mismatches(void **state)
{
    struct atr t0 = ATR(0x3b, 0x02, 0x14, 0x50), both = both_with(0x96);
    struct atr t15 = ATR(0x3b, 0x81, 0x1f, 0x00, 0xcc, 0x52);
    struct pps_reader only_t1 = host, nobody = host;
    struct pps_plan plan = {.fd = 0xee};

    (void)state;
    only_t1.protocols = 2;
    nobody.who = PPS_NOBODY;
    assert_int_equal(pps_plan(&t0, &host, 1, &plan), RC_PROTO_MISMATCH);
    assert_int_equal(pps_plan(&both, &only_t1, 0, &plan), RC_PROTO_MISMATCH);
    assert_int_equal(pps_plan(&both, &host, 2, &plan), RC_PROTO_MISMATCH);
    assert_int_equal(pps_plan(&both, &host, 15, &plan), RC_PROTO_MISMATCH);
    assert_int_equal(pps_plan(&t15, &host, 1, &plan), RC_PROTO_MISMATCH);
    assert_int_equal(pps_plan(&both, &nobody, 1, &plan), RC_PROTO_MISMATCH);
    assert_int_equal(plan.fd, 0xee);
    assert_int_equal(pps_plan(&both, &nobody, 0, &plan), RC_OK);
    assert_true(plan.fd == 0x11 && !plan.request_length && plan.set_parameters);
    assert_int_equal(pps_fall_back(&both, &nobody, &plan), RC_UNRESPONSIVE);
}

static void specific_mode(void **state)
{
    struct atr t1 = ATR(0x3b, 0x90, 0x96, 0x91, 0x81, 0xb1, 0xfe, 0x55, 0x1f, 0xc7, 0xd4);
    struct atr implicit = ATR(0x3b, 0xdf, 0x96, 0x00, 0x90, 0x10, 0x3f, 0x07, 0x00, 0x80, 0x31, 0xe0, 0x67,
                              0x73, 0x77, 0x69, 0x63, 0x63, 0x00, 0x00, 0x73, 0xfe, 0x21, 0x00, 0x06);
    struct pps_reader automatic = host;
    struct pps_plan plan;

    (void)state;
    automatic.who = PPS_READER;
    assert_int_equal(pps_plan(&t1, &host, 1, &plan), RC_OK);
    assert_true(plan.fd == 0x96 && !plan.request_length && plan.set_parameters);
    assert_int_equal(pps_fall_back(&t1, &host, &plan), RC_UNRESPONSIVE);
    assert_int_equal(plan.fd, 0x96);
    assert_int_equal(pps_plan(&t1, &host, 0, &plan), RC_PROTO_MISMATCH);
    assert_int_equal(pps_plan(&implicit, &host, 0, &plan), RC_UNRESPONSIVE);
    assert_int_equal(pps_plan(&implicit, &automatic, 0, &plan), RC_OK);
    assert_true(plan.read_back && !plan.set_parameters);
}

/* Speed, then the protocol alone, then nothing where the card starts in that protocol. */
static void way_down(void **state)
{
    struct atr both = both_with(0x96);
    struct pps_reader parameters = host, automatic = host;
    struct pps_plan plan;

    (void)state;
    parameters.who = PPS_PARAMETERS;
    automatic.who = PPS_READER;

    assert_int_equal(pps_plan(&both, &host, 0, &plan), RC_OK);
    assert_true(plan.step == PPS_SPEED && plan.request_length == 4);
    assert_int_equal(pps_fall_back(&both, &host, &plan), RC_OK);
    assert_true(plan.step == PPS_PROTOCOL && plan.request_length == 3 && plan.fd == 0x11);
    assert_int_equal(pps_fall_back(&both, &host, &plan), RC_OK);
    assert_true(plan.step == PPS_WITHOUT && !plan.request_length && plan.set_parameters);
    assert_int_equal(pps_fall_back(&both, &host, &plan), RC_UNRESPONSIVE);

    assert_int_equal(pps_plan(&both, &host, 1, &plan), RC_OK);
    assert_int_equal(pps_fall_back(&both, &host, &plan), RC_OK);
    assert_int_equal(pps_fall_back(&both, &host, &plan), RC_UNRESPONSIVE); /* it would stay in T=0 */

    assert_int_equal(pps_plan(&both, &parameters, 0, &plan), RC_OK);
    assert_true(plan.fd == 0x96 && !plan.request_length && plan.set_parameters);
    assert_int_equal(pps_fall_back(&both, &parameters, &plan), RC_OK);
    assert_true(plan.fd == 0x11 && plan.set_parameters);
    assert_int_equal(pps_fall_back(&both, &parameters, &plan), RC_OK);
    assert_false(plan.set_parameters);
    assert_int_equal(pps_fall_back(&both, &parameters, &plan), RC_UNRESPONSIVE);

    assert_int_equal(pps_plan(&both, &automatic, 1, &plan), RC_OK);
    assert_true(plan.read_back && !plan.set_parameters && !plan.request_length && plan.fd == 0x96);
    assert_int_equal(pps_fall_back(&both, &automatic, &plan), RC_UNRESPONSIVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames),     cmocka_unit_test(answers),       cmocka_unit_test(damaged_answer),
        cmocka_unit_test(rates),      cmocka_unit_test(speeds),        cmocka_unit_test(host_plans),
        cmocka_unit_test(mismatches), cmocka_unit_test(specific_mode), cmocka_unit_test(way_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
