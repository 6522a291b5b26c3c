/* SPDX-License-Identifier: MIT */
/* iso/apdu: all cases and boundaries there and back, every malformed shape, classes, masking, names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"
#include "iso/apdu.h"

/* Parses a copy of exactly the length, so that the address sanitizer sees a read outside. */
static int parse(const void *bytes, size_t length, struct apdu *ret_apdu, const char **ret_why)
{
    static uint8_t *copy;
    int rc;

    free(copy); /* the last one, whose data the caller may still have looked at */
    copy = malloc(length);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    rc = apdu_parse(copy, length, ret_apdu, ret_why);
    if (rc == RC_OK && ret_apdu->lc)
        assert_true(ret_apdu->data >= copy && ret_apdu->data + ret_apdu->lc <= copy + length);
    if (rc) {
        free(copy);
        copy = NULL;
    }
    return rc;
}

static enum apdu_case expected_case(size_t lc, size_t le, bool extended)
{
    if (!lc && !le)
        return APDU_1;
    if (!lc)
        return extended ? APDU_2E : APDU_2S;
    if (!le)
        return extended ? APDU_3E : APDU_3S;
    return extended ? APDU_4E : APDU_4S;
}

static size_t expected_length(enum apdu_case kind, size_t lc)
{
    static const size_t fixed[] = {[APDU_1] = 4,  [APDU_2S] = 5, [APDU_3S] = 5, [APDU_4S] = 6,
                                   [APDU_2E] = 7, [APDU_3E] = 7, [APDU_4E] = 9};

    return fixed[kind] + lc;
}

static void there_and_back(const struct apdu *apdu, uint8_t *out)
{
    bool extended = (apdu->extended || apdu->lc > 255 || apdu->le > 256) && (apdu->lc || apdu->le);
    enum apdu_case kind = expected_case(apdu->lc, apdu->le, extended);
    size_t length, again;
    struct apdu back;

    assert_int_equal(apdu_build(apdu, out, APDU_COMMAND_MAX, &length), RC_OK);
    assert_int_equal(length, expected_length(kind, apdu->lc));
    /* A buffer of one byte less is refused, and the need named. */
    assert_int_equal(apdu_build(apdu, out, length - 1, &again), RC_INSUFFICIENT_BUFFER);
    assert_int_equal(again, length);
    assert_int_equal(parse(out, length, &back, NULL), RC_OK);
    assert_int_equal(back.kind, kind);
    assert_int_equal(back.extended, extended);
    assert_int_equal(back.cla, apdu->cla);
    assert_int_equal(back.ins, apdu->ins);
    assert_int_equal(back.p1, apdu->p1);
    assert_int_equal(back.p2, apdu->p2);
    assert_int_equal(back.lc, apdu->lc);
    assert_int_equal(back.le, apdu->le);
    if (apdu->lc)
        assert_memory_equal(back.data, apdu->data, apdu->lc);
    else
        assert_null(back.data);
}

static void all_cases_there_and_back(void **state)
{
    static const size_t lcs[] = {0, 1, 2, 254, 255, 256, 257, 65534, 65535};
    static const size_t les[] = {0, 1, 2, 255, 256, 257, 65535, 65536};
    uint8_t *data = malloc(65535), *out = malloc(APDU_COMMAND_MAX);

    (void)state;
    assert_non_null(data);
    assert_non_null(out);
    for (size_t i = 0; i < 65535; i++)
        data[i] = (uint8_t)(i * 7 + 1);
    for (size_t i = 0; i < sizeof lcs / sizeof *lcs; i++) {
        for (size_t j = 0; j < sizeof les / sizeof *les; j++) {
            for (int extended = 0; extended < 2; extended++) {
                struct apdu apdu = {.cla = 0x80,
                                    .ins = 0xe2,
                                    .p1 = 0x12,
                                    .p2 = 0x34,
                                    .data = data,
                                    .lc = lcs[i],
                                    .le = les[j],
                                    .extended = extended};

                there_and_back(&apdu, out);
            }
        }
    }
    free(data);
    free(out);
}

/* The layouts of the standard, byte by byte. */
static void layouts(void **state)
{
    static const uint8_t data[] = {0xaa, 0xbb};
    static const struct {
        size_t lc, le;
        bool extended;
        const char *bytes;
        size_t length;
    } layout[] = {
        {0, 0, false, "\x00\xa4\x04\x0c", 4},
        {0, 0, true, "\x00\xa4\x04\x0c", 4},
        {0, 1, false, "\x00\xa4\x04\x0c\x01", 5},
        {0, 256, false, "\x00\xa4\x04\x0c\x00", 5},
        {2, 0, false, "\x00\xa4\x04\x0c\x02\xaa\xbb", 7},
        {2, 256, false, "\x00\xa4\x04\x0c\x02\xaa\xbb\x00", 8},
        {0, 1, true, "\x00\xa4\x04\x0c\x00\x00\x01", 7},
        {0, 257, false, "\x00\xa4\x04\x0c\x00\x01\x01", 7},
        {0, 65536, false, "\x00\xa4\x04\x0c\x00\x00\x00", 7},
        {2, 0, true, "\x00\xa4\x04\x0c\x00\x00\x02\xaa\xbb", 9},
        {2, 256, true, "\x00\xa4\x04\x0c\x00\x00\x02\xaa\xbb\x01\x00", 11},
        {2, 65536, false, "\x00\xa4\x04\x0c\x00\x00\x02\xaa\xbb\x00\x00", 11},
    };

    (void)state;
    for (size_t i = 0; i < sizeof layout / sizeof *layout; i++) {
        struct apdu apdu = {.ins = 0xa4,
                            .p1 = 0x04,
                            .p2 = 0x0c,
                            .data = layout[i].lc ? data : NULL,
                            .lc = layout[i].lc,
                            .le = layout[i].le,
                            .extended = layout[i].extended};
        uint8_t out[16];
        size_t length;

        assert_int_equal(apdu_build(&apdu, out, sizeof out, &length), RC_OK);
        assert_int_equal(length, layout[i].length);
        assert_memory_equal(out, layout[i].bytes, length);
    }
}

static void too_much_is_refused(void **state)
{
    static uint8_t data[65536], out[APDU_COMMAND_MAX];
    size_t length = 77;
    struct apdu apdu = {.data = data, .lc = 65536};

    (void)state;
    assert_int_equal(apdu_build(&apdu, out, sizeof out, &length), RC_INVALID_VALUE);
    apdu = (struct apdu){.le = 65537};
    assert_int_equal(apdu_build(&apdu, out, sizeof out, &length), RC_INVALID_VALUE);
    assert_int_equal(length, 77);
}

static void malformed_shapes_are_named(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *why;
    } bad[] = {
        {"", 0, "0 bytes, the header CLA INS P1 P2 alone has 4"},
        {"\x00", 1, "1 byte, the header CLA INS P1 P2 alone has 4"},
        {"\x00\xa4\x04", 3, "3 bytes, the header CLA INS P1 P2 alone has 4"},
        {"\x00\xa4\x04\x00\x05\x01\x02\x03", 8, "Lc says 5 data bytes, 3 are there"},
        {"\x00\xa4\x04\x00\x02\x01", 6, "Lc says 2 data bytes, 1 is there"},
        {"\x00\xa4\x04\x00\x01\x01\x02\x03", 8, "Lc says 1 data byte, 2 bytes follow them, Le has 1"},
        {"\x00\xa4\x04\x00\x00\x01", 6,
         "Lc is 00 and 1 byte follows; without data leave Lc out, an extended Le is 00 and 2 bytes"},
        {"\x00\xa4\x04\x00\x00\x00\x00\x01", 8, "extended Lc is 0, but 1 byte follows"},
        {"\x00\xa4\x04\x00\x00\x00\x00\x01\x02", 9, "extended Lc is 0, but 2 bytes follow"},
        {"\x00\xa4\x04\x00\x00\x00\x05\x01\x02", 9, "extended Lc says 5 data bytes, 2 are there"},
        {"\x00\xa4\x04\x00\x00\x01\x00\x01", 8, "extended Lc says 256 data bytes, 1 is there"},
        {"\x00\xa4\x04\x00\x00\x00\x01\xaa\x00", 9,
         "1 byte follows the 1 data byte of extended Lc, an extended Le has 2"},
        /* an extended Le with a 00 of its own behind an extended Lc */
        {"\x00\xa4\x04\x00\x00\x00\x01\xaa\x00\x00\x00", 11,
         "extended Lc says 1 data byte, 3 bytes follow them, Le has 2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct apdu apdu = {.lc = 77};
        const char *why = NULL;

        detail_clear();
        assert_int_equal(parse(bad[i].bytes, bad[i].length, &apdu, &why), RC_INVALID_VALUE);
        assert_string_equal(why, bad[i].why);
        assert_non_null(strstr(detail_get(), bad[i].why));
        assert_int_equal(apdu.lc, 77);
        assert_int_equal(parse(bad[i].bytes, bad[i].length, &apdu, NULL), RC_INVALID_VALUE);
    }
}

/* For every Lc byte and length exactly the lengths of 7816-4 are taken. */
static void well_formed_lengths_and_no_others(void **state)
{
    uint8_t bytes[600] = {0x00, 0xa4};

    (void)state;
    for (unsigned lc = 0; lc < 256; lc++) {
        for (size_t length = 0; length < 270; length++) {
            struct apdu apdu;
            bool good = length == 4 || length == 5 || (lc && (length == 5 + lc || length == 6 + lc)) ||
                        (!lc && length == 7);

            bytes[4] = (uint8_t)lc;
            assert_int_equal(apdu_parse(bytes, length, &apdu, NULL), good ? RC_OK : RC_INVALID_VALUE);
        }
    }
    for (unsigned lc = 1; lc < 300; lc++) {
        bytes[4] = 0;
        bytes[5] = (uint8_t)(lc >> 8);
        bytes[6] = (uint8_t)lc;
        for (size_t length = 8; length < 330; length++) {
            struct apdu apdu;
            bool good = length == 7 + lc || length == 9 + lc;

            assert_int_equal(apdu_parse(bytes, length, &apdu, NULL), good ? RC_OK : RC_INVALID_VALUE);
        }
    }
}

static void assert_class(uint8_t cla, bool interindustry, bool chaining, unsigned sm, unsigned channel)
{
    struct apdu_class class = apdu_class(cla);

    assert_int_equal(class.interindustry, interindustry);
    assert_int_equal(class.chaining, chaining);
    assert_int_equal(class.secure_messaging, sm);
    assert_int_equal(class.channel, channel);
}

static void classes(void **state)
{
    (void)state;
    assert_class(0x00, true, false, 0, 0);
    assert_class(0x03, true, false, 0, 3);
    assert_class(0x0c, true, false, 3, 0);
    assert_class(0x10, true, true, 0, 0);
    assert_class(0x1d, true, true, 3, 1);
    assert_class(0x2f, true, false, 0, 0); /* reserved */
    assert_class(0x40, true, false, 0, 4);
    assert_class(0x7f, true, true, 1, 19);
    assert_class(0x80, false, false, 0, 0);
    assert_class(0x86, false, false, 1, 2);
    assert_class(0xc0, false, false, 0, 4);
    assert_class(0xe3, false, false, 1, 7);
    assert_class(0x90, false, false, 0, 0); /* DESFire, not chaining */
    assert_class(0xa0, false, false, 0, 0);
    assert_class(0xff, false, false, 0, 0);
}

static bool codes_channel(uint8_t cla)
{
    unsigned high = cla >> 4;

    return high < 2 || (high >= 4 && high <= 8) || high == 0xc || high == 0xe;
}

static void class_on_every_channel(void **state)
{
    (void)state;
    for (unsigned cla = 0; cla < 256; cla++) {
        struct apdu_class before = apdu_class((uint8_t)cla);

        for (uint8_t channel = 0; channel < 20; channel++) {
            uint8_t moved = apdu_class_with_channel((uint8_t)cla, channel);
            struct apdu_class after = apdu_class(moved);

            if (!codes_channel((uint8_t)cla)) {
                assert_int_equal(moved, cla);
                continue;
            }
            assert_int_equal(after.channel, channel);
            assert_int_equal(after.interindustry, before.interindustry);
            assert_int_equal(after.chaining, before.chaining);
            assert_int_equal(!after.secure_messaging, !before.secure_messaging);
            if ((before.channel < 4) == (channel < 4))
                assert_int_equal(after.secure_messaging, before.secure_messaging);
        }
        assert_int_equal(apdu_class_with_channel((uint8_t)cla, before.channel), cla);
    }
    assert_int_equal(apdu_class_with_channel(0x1c, 5), 0x71);
    assert_int_equal(apdu_class_with_channel(0x71, 1), 0x19);
    assert_int_equal(apdu_class_with_channel(0xe0, 2), 0x86);
}

static void assert_masked(const char *bytes, size_t length, size_t offset)
{
    size_t ret_offset = 99, ret_length = 99;

    assert_true(apdu_secret_range((const uint8_t *)bytes, length, &ret_offset, &ret_length));
    assert_int_equal(ret_offset, offset);
    assert_int_equal(ret_length, length - offset);
}

static void secrets_are_masked(void **state)
{
    static const uint8_t secret[] = {0x20, 0x21, 0x24, 0x25, 0x26, 0x28, 0x2c, 0x2d, 0x48, 0x82, 0xd8};
    uint8_t command[9] = {0x00, 0x00, 0x00, 0x81, 0x04, 0x31, 0x32, 0x33, 0x34};
    size_t offset = 99, count = 99;

    (void)state;
    for (unsigned ins = 0; ins < 256; ins++) {
        bool want = memchr(secret, (int)ins, sizeof secret) != NULL;

        command[1] = (uint8_t)ins;
        for (unsigned cla = 0; cla < 256; cla++) {
            command[0] = (uint8_t)cla;
            assert_int_equal(apdu_secret_range(command, sizeof command, &offset, &count), want);
        }
    }
    assert_masked("\x00\x20\x00\x81\x04\x31\x32\x33\x34", 9, 5);
    assert_masked("\x10\x20\x00\x81\x02\x31\x32", 7, 5);                  /* chained */
    assert_masked("\x00\x24\x00\x81\x02\x31\x32\x00", 8, 5);              /* with Le */
    assert_masked("\x00\x20\x00\x81\x00\x00\x02\x31\x32", 9, 7);          /* extended */
    assert_masked("\x00\x20\x00\x81\x00\x00\x02\x31\x32\x00\x00", 11, 7); /* extended, with Le */
    assert_masked("\x00\x20\x00\x81\x31\x32\x33\x34", 8, 4);              /* Lc forgotten */
    assert_masked("\x00\x20\x00\x81\x08\x31\x32\x33", 8, 4);              /* cut off */
    assert_masked("\x00\x20\x00\x81\x00\x31", 6, 4);                      /* Lc 00 all the same */
    assert_masked("\x00\x20\x00\x81\x00\x31\x32", 7, 4);
    assert_masked("\x00\x20\x00\x81\x00\x31\x32\x33\x34", 9, 4);
    assert_false(apdu_secret_range((const uint8_t *)"\x00\x20\x00\x81\x00", 5, &offset, &count));
    assert_false(apdu_secret_range((const uint8_t *)"\x00\x20\x00\x81", 4, &offset, &count));
    assert_false(apdu_secret_range((const uint8_t *)"\x00", 1, &offset, &count));
    assert_false(apdu_secret_range(NULL, 0, &offset, &count));
}

/* A forgotten Lc makes the first digit look like one: it must not get into the detail, which is logged. */
static void details_keep_secrets(void **state)
{
    struct apdu apdu;
    const char *why;

    (void)state;
    assert_int_equal(parse("\x00\x20\x00\x81\x31\x32\x33\x34", 8, &apdu, &why), RC_INVALID_VALUE);
    assert_non_null(strstr(why, "49"));
    assert_null(strstr(detail_get(), "49"));
    assert_true(detail_get()[0]);
}

static void instructions(void **state)
{
    (void)state;
    assert_string_equal(apdu_instruction_name(0x00, 0xa4), "SELECT");
    assert_string_equal(apdu_instruction_name(0x00, 0xb0), "READ BINARY");
    assert_string_equal(apdu_instruction_name(0x0c, 0xb1), "READ BINARY");
    assert_string_equal(apdu_instruction_name(0x41, 0x20), "VERIFY");
    assert_string_equal(apdu_instruction_name(0x00, 0xe2), "APPEND RECORD");
    assert_string_equal(apdu_instruction_name(0x80, 0xe2), "STORE DATA");
    assert_string_equal(apdu_instruction_name(0x84, 0xe6), "INSTALL");
    assert_string_equal(apdu_instruction_name(0x00, 0xe6), "TERMINATE DF");
    assert_string_equal(apdu_instruction_name(0x80, 0x50), "INITIALIZE UPDATE");
    assert_string_equal(apdu_instruction_name(0x84, 0x82), "EXTERNAL AUTHENTICATE");
    assert_string_equal(apdu_instruction_name(0x80, 0xca), "GET DATA");
    assert_string_equal(apdu_instruction_name(0xe0, 0xd8), "PUT KEY");
    assert_string_equal(apdu_instruction_name(0xa0, 0xf2), "STATUS");
    assert_string_equal(apdu_instruction_name(0xff, 0xca), "GET DATA");
    assert_string_equal(apdu_instruction_name(0xff, 0x82), "LOAD KEYS");
    assert_null(apdu_instruction_name(0x00, 0x50));
    assert_null(apdu_instruction_name(0xff, 0xa4));
    assert_null(apdu_instruction_name(0x90, 0x5a)); /* DESFire */
    /* INS 6X and 9X are no instructions (ISO 7816-3, 10.3.2). */
    for (unsigned cla = 0; cla < 256; cla++) {
        for (unsigned low = 0; low < 16; low++) {
            assert_null(apdu_instruction_name((uint8_t)cla, (uint8_t)(0x60 | low)));
            assert_null(apdu_instruction_name((uint8_t)cla, (uint8_t)(0x90 | low)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_cases_there_and_back),
        cmocka_unit_test(layouts),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(malformed_shapes_are_named),
        cmocka_unit_test(well_formed_lengths_and_no_others),
        cmocka_unit_test(classes),
        cmocka_unit_test(class_on_every_channel),
        cmocka_unit_test(secrets_are_masked),
        cmocka_unit_test(details_keep_secrets),
        cmocka_unit_test(instructions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
