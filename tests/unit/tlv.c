/* SPDX-License-Identifier: MIT */
/* iso/tlv: real templates, all length forms, malformed objects, writing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"
#include "iso/tlv.h"

/* FCI of a payment application, with padding between the objects. */
static const uint8_t fci[] = {0x00, 0x6f, 0x14, 0x84, 0x07, 0xa0, 0x00, 0x00, 0x00, 0x03, 0x10, 0x10,
                              0xff, 0x00, 0xa5, 0x06, 0x9f, 0x38, 0x03, 0x9f, 0x1a, 0x02, 0xff, 0x00};

static void nested_objects(void **state)
{
    struct bytes in = bytes_of(fci, sizeof fci);
    struct tlv tlv, inner;

    (void)state;
    assert_int_equal(tlv_next(&in, &tlv), 1);
    assert_int_equal(tlv.tag, 0x6f);
    assert_true(tlv.constructed);
    assert_int_equal(tlv.length, 20);
    assert_ptr_equal(tlv.value, fci + 3);
    assert_int_equal(tlv_find(tlv.value, tlv.length, 0x84, &inner), 1);
    assert_false(inner.constructed);
    assert_int_equal(inner.length, 7);
    assert_int_equal(tlv_find(tlv.value, tlv.length, 0x9f38, &inner), 0); /* one level further down */
    assert_int_equal(tlv_find(tlv.value, tlv.length, 0xa5, &inner), 1);
    assert_int_equal(tlv_find(inner.value, inner.length, 0x9f38, &inner), 1);
    assert_int_equal(inner.length, 3);
    assert_int_equal(tlv_next(&in, &tlv), 0);
    assert_int_equal(tlv_next(&in, &tlv), 0);
    assert_true(bytes_ok(&in));
}

static void length_forms(void **state)
{
    static const uint8_t forms[] = {0x53, 0x81, 0x01, 0xaa, 0x53, 0x82, 0x00, 0x01, 0xbb,
                                    0x53, 0x83, 0x00, 0x00, 0x01, 0xcc, 0x53, 0x84, 0x00,
                                    0x00, 0x00, 0x01, 0xdd, 0x5f, 0xc1, 0x02, 0x00};
    struct bytes in = bytes_of(forms, sizeof forms);
    struct tlv tlv;

    (void)state;
    for (uint8_t value = 0xaa; value <= 0xdd; value += 0x11) {
        assert_int_equal(tlv_next(&in, &tlv), 1);
        assert_int_equal(tlv.length, 1);
        assert_int_equal(tlv.value[0], value);
    }
    assert_int_equal(tlv_next(&in, &tlv), 1);
    assert_int_equal(tlv.tag, 0x5fc102);
    assert_int_equal(tlv.length, 0);
    assert_int_equal(tlv_next(&in, &tlv), 0);
}

static void malformed_objects_are_refused_for_good(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } bad[] = {
        {"\x6f", 1},                             /* no length */
        {"\x9f", 1},                             /* tag cut off */
        {"\x5f\x81", 2},                         /* tag cut off */
        {"\x5f\x81\x82\x03\x00", 5},             /* four bytes of tag */
        {"\x6f\x80\x00\x00", 4},                 /* indefinite */
        {"\x6f\x85\x00\x00\x00\x00\x01\xaa", 8}, /* five bytes of length */
        {"\x6f\xff\x00", 3},                     /* reserved */
        {"\x6f\x82\x01", 3},                     /* length cut off */
        {"\x6f\x02\xaa", 3},                     /* value cut off */
        {"\x6f\x84\xff\xff\xff\xff\xaa", 7},     /* 4 GiB */
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t *copy = malloc(bad[i].length);
        struct bytes in = bytes_of(copy, bad[i].length);
        struct tlv tlv = {.tag = 77};

        assert_non_null(copy);
        memcpy(copy, bad[i].bytes, bad[i].length);
        detail_clear();
        assert_int_equal(tlv_next(&in, &tlv), RC_INVALID_VALUE);
        assert_true(detail_get()[0]);
        assert_int_equal(tlv_next(&in, &tlv), RC_INVALID_VALUE);
        assert_int_equal(tlv_find(copy, bad[i].length, 0x84, &tlv), RC_INVALID_VALUE);
        assert_int_equal(tlv.tag, 77);
        free(copy);
    }
}

static void find_stops_before_what_is_malformed_later(void **state)
{
    static const uint8_t bytes[] = {0x80, 0x01, 0x05, 0x81, 0x09};
    struct tlv tlv;

    (void)state;
    assert_int_equal(tlv_find(bytes, sizeof bytes, 0x80, &tlv), 1);
    assert_int_equal(tlv_find(bytes, sizeof bytes, 0x81, &tlv), RC_INVALID_VALUE);
    assert_int_equal(tlv_find(NULL, 0, 0x81, &tlv), 0);
}

static void written_objects_are_read_back(void **state)
{
    static const uint32_t tags[] = {0x53, 0x6f, 0x9f7f, 0x5fc102, 0x7f49, 0x1f01};
    static const size_t lengths[] = {0, 1, 127, 128, 255, 256, 65535, 65536, 70000};
    static const size_t heads[] = {1, 1, 1, 2, 2, 3, 3, 4, 4};
    uint8_t *value = calloc(1, 70000);
    struct buffer out = {0};
    struct bytes in;
    size_t total = 0;
    struct tlv tlv;

    (void)state;
    assert_non_null(value);
    memset(value, 0x5a, 70000);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++) {
            size_t tag_bytes = tags[i] > 0xffff ? 3 : tags[i] > 0xff ? 2 : 1;

            assert_int_equal(tlv_size(tags[i], lengths[j]), tag_bytes + heads[j] + lengths[j]);
            assert_int_equal(tlv_append(&out, tags[i], lengths[j] ? value : NULL, lengths[j]), RC_OK);
            total += tlv_size(tags[i], lengths[j]);
            assert_int_equal(out.length, total);
        }
    }
    in = bytes_of(out.data, out.length);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++) {
            assert_int_equal(tlv_next(&in, &tlv), 1);
            assert_int_equal(tlv.tag, tags[i]);
            assert_int_equal(tlv.length, lengths[j]);
            assert_memory_equal(tlv.value, value, lengths[j]);
        }
    }
    assert_int_equal(tlv_next(&in, &tlv), 0);
    buffer_fini(&out);
    free(value);
}

static void what_cannot_be_read_back_is_not_written(void **state)
{
    static const uint32_t tags[] = {0,        0xff,     0x6f84,     0x5f,       0x5f81,
                                    0x9f8182, 0x9f1a02, 0x01000000, 0x5f818283, 0xff01};
    struct buffer out = {0};

    (void)state;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        assert_int_equal(tlv_append(&out, tags[i], NULL, 0), RC_INVALID_VALUE);
        assert_int_equal(tlv_size(tags[i], 0), 0);
    }
#if SIZE_MAX > UINT32_MAX
    assert_int_equal(tlv_append(&out, 0x53, NULL, (size_t)UINT32_MAX + 1), RC_INVALID_VALUE);
    assert_int_equal(tlv_size(0x53, (size_t)UINT32_MAX + 1), 0);
#endif
    assert_int_equal(out.length, 0);
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_objects),
        cmocka_unit_test(length_forms),
        cmocka_unit_test(malformed_objects_are_refused_for_good),
        cmocka_unit_test(find_stops_before_what_is_malformed_later),
        cmocka_unit_test(written_objects_are_read_back),
        cmocka_unit_test(what_cannot_be_read_back_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
