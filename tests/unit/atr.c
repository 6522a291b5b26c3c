/* SPDX-License-Identifier: MIT */
/* iso/atr: worked examples with every decoded value, defects of real cards, cut and overlong input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "iso/atr.h"

struct example {
    const char *hex;
    const char *bytes; /* interface bytes in order */
    const char *history;
    bool inverse, specific, fixed, implicit, has_spu, has_tck;
    unsigned ta1, fi, di, n, protocols, first, specific_protocol, wi, ifsc, bwi, cwi;
    unsigned clock_stop, classes, spu, tck, faults;
};

/* Decoded by another parser and compared with ATR_analysis. The last six are faulty. Left out: what is as the
 * standard has it when the byte is absent (or_default, below), and 0. */
static const struct example examples[] = {
    {.hex = "3B 02 14 50", .history = "1450"},
    {.hex = "3B 16 94 71 01 01 01 02 00",
     .bytes = "TA1=94",
     .ta1 = 0x94,
     .fi = 512,
     .di = 8,
     .history = "710101010200"},
    {.hex = "3F 65 25 08 43 04 6C 90 00",
     .inverse = true,
     .bytes = "TB1=25 TC1=08",
     .n = 8,
     .history = "43046C9000"},
    {.hex = "3B 98 13 40 0A A5 03 01 01 01 AD 13 11",
     .bytes = "TA1=13 TD1=40 TC2=0A",
     .ta1 = 0x13,
     .fi = 372,
     .di = 4,
     .history = "A503010101AD1311"},
    {.hex = "3B 6E 00 00 80 31 80 65 B0 03 01 01 5E 83 00 00 90 00",
     .bytes = "TB1=00 TC1=00",
     .history = "80318065B00301015E8300009000"},
    {.hex = "3B FE 13 00 00 10 80 80 31 80 66 B0 84 0C 01 6E 01 83 00 90 00",
     .bytes = "TA1=13 TB1=00 TC1=00 TD1=10 TA2=80",
     .ta1 = 0x13,
     .fi = 372,
     .di = 4,
     .specific = true,
     .fixed = true,
     .history = "80318066B0840C016E0183009000"},
    {.hex = "3B FA 13 00 FF 81 31 80 45 00 31 C1 73 C0 01 00 00 90 00 B1",
     .bytes = "TA1=13 TB1=00 TC1=FF TD1=81 TD2=31 TA3=80 TB3=45",
     .ta1 = 0x13,
     .fi = 372,
     .di = 4,
     .n = 255,
     .protocols = 2,
     .first = 1,
     .ifsc = 128,
     .cwi = 5,
     .history = "0031C173C00100009000",
     .has_tck = true,
     .tck = 0xB1},
    {.hex = "3B FD 13 00 00 81 31 FE 15 80 73 C0 21 C0 57 59 75 62 69 4B 65 79 40",
     .bytes = "TA1=13 TB1=00 TC1=00 TD1=81 TD2=31 TA3=FE TB3=15",
     .ta1 = 0x13,
     .fi = 372,
     .di = 4,
     .protocols = 2,
     .first = 1,
     .ifsc = 254,
     .bwi = 1,
     .cwi = 5,
     .history = "8073C021C057597562694B6579",
     .has_tck = true,
     .tck = 0x40},
    {.hex = "3B DF 96 FF 91 01 31 FE 46 80 31 90 52 41 02 64 05 02 00 AC 73 D6 22 C0 17",
     .bytes = "TA1=96 TC1=FF TD1=91 TA2=01 TD2=31 TA3=FE TB3=46",
     .ta1 = 0x96,
     .fi = 512,
     .di = 32,
     .n = 255,
     .protocols = 2,
     .first = 1,
     .specific = true,
     .specific_protocol = 1,
     .ifsc = 254,
     .cwi = 6,
     .history = "80319052410264050200AC73D622C0",
     .has_tck = true,
     .tck = 0x17},
    {.hex = "3B 90 96 91 81 B1 FE 55 1F C7 D4",
     .bytes = "TA1=96 TD1=91 TA2=81 TD2=B1 TA3=FE TB3=55 TD3=1F TA4=C7",
     .ta1 = 0x96,
     .fi = 512,
     .di = 32,
     .protocols = 2,
     .first = 1,
     .specific = true,
     .specific_protocol = 1,
     .fixed = true,
     .ifsc = 254,
     .bwi = 5,
     .cwi = 5,
     .clock_stop = 3,
     .classes = 7,
     .has_tck = true,
     .tck = 0xD4},
    {.hex = "3B D0 96 FF 81 B1 FE 45 1F 03 2E",
     .bytes = "TA1=96 TC1=FF TD1=81 TD2=B1 TA3=FE TB3=45 TD3=1F TA4=03",
     .ta1 = 0x96,
     .fi = 512,
     .di = 32,
     .n = 255,
     .protocols = 2,
     .first = 1,
     .ifsc = 254,
     .cwi = 5,
     .classes = 3,
     .has_tck = true,
     .tck = 0x2E},
    {.hex = "3B DB 96 00 80 1F 03 00 31 C0 64 77 E3 03 00 82 90 00 C1",
     .bytes = "TA1=96 TC1=00 TD1=80 TD2=1F TA3=03",
     .ta1 = 0x96,
     .fi = 512,
     .di = 32,
     .classes = 3,
     .history = "0031C06477E30300829000",
     .has_tck = true,
     .tck = 0xC1},
    {.hex = "3B 8F 80 01 80 4F 0C A0 00 00 03 06 03 00 01 00 00 00 00 6A",
     .bytes = "TD1=80 TD2=01",
     .protocols = 3,
     .history = "804F0CA00000030603000100000000",
     .has_tck = true,
     .tck = 0x6A},
    {.hex = "3B DF 96 00 90 10 3F 07 00 80 31 E0 67 73 77 69 63 63 00 00 73 FE 21 00 06",
     .bytes = "TA1=96 TC1=00 TD1=90 TA2=10 TD2=3F TA3=07 TB3=00",
     .ta1 = 0x96,
     .fi = 512,
     .di = 32,
     .specific = true,
     .implicit = true,
     .classes = 7,
     .has_spu = true,
     .spu = 0x00,
     .history = "8031E0677377696363000073FE2100",
     .has_tck = true,
     .tck = 0x06},
    {.hex = "3B 9F 96 80 1F 43 80 31 E0 73 36 21 13 57 4A 33 0E 09 31 41 00 AA",
     .bytes = "TA1=96 TD1=80 TD2=1F TA3=43",
     .ta1 = 0x96,
     .fi = 512,
     .di = 32,
     .clock_stop = 1,
     .classes = 3,
     .history = "8031E073362113574A330E09314100",
     .has_tck = true,
     .tck = 0xAA},
    {.hex = "3B EB 00 00 81 31 42 45 4E 4C 43 68 69 70 70 65 72 30 31 0A",
     .bytes = "TB1=00 TC1=00 TD1=81 TD2=31 TA3=42 TB3=45",
     .protocols = 2,
     .first = 1,
     .ifsc = 66,
     .cwi = 5,
     .history = "4E4C436869707065723031",
     .has_tck = true,
     .tck = 0x0A},
    {.hex = "3B 97 93 80 3F C7 82 80 31 E0 73 FE 21 13 10",
     .bytes = "TA1=93 TD1=80 TD2=3F TA3=C7 TB3=82",
     .ta1 = 0x93,
     .fi = 512,
     .di = 4,
     .clock_stop = 3,
     .classes = 7,
     .has_spu = true,
     .spu = 0x82,
     .history = "8031E073FE2113",
     .has_tck = true,
     .tck = 0x10},
    {.hex = "3B 9E 95 80 1F C7 80 31 E0 73 FE 21 1B 66 D0 02 19 15 13 00",
     .bytes = "TA1=95 TD1=80 TD2=1F TA3=C7",
     .ta1 = 0x95,
     .fi = 512,
     .di = 16,
     .clock_stop = 3,
     .classes = 7,
     .history = "8031E073FE211B66D00219151300",
     .faults = ATR_TCK_MISSING},
    {.hex = "3B 95 96 C0 F0 1F C2 0F 10 0A 0A 16",
     .bytes = "TA1=96 TD1=C0 TC2=F0 TD2=1F TA3=C2",
     .ta1 = 0x96,
     .fi = 512,
     .di = 32,
     .wi = 240,
     .clock_stop = 3,
     .classes = 2,
     .history = "0F100A0A16",
     .faults = ATR_TCK_MISSING},
    {.hex = "3B 86 80 01 06 75 77 81 02 8F 00",
     .bytes = "TD1=80 TD2=01",
     .protocols = 3,
     .history = "06757781028F",
     .has_tck = true,
     .tck = 0x00,
     .faults = ATR_TCK_WRONG},
    {.hex = "3B 04 60 89", .history = "6089", .faults = ATR_HISTORY_SHORT},
    {.hex = "3B 67 00 FF C5 00 00 FF FF FF FF 5D",
     .bytes = "TB1=00 TC1=FF",
     .n = 255,
     .history = "C50000FFFFFFFF",
     .faults = ATR_TRAILING},
    {.hex = "3B 81 1F 00 CC 52",
     .bytes = "TD1=1F TA2=00",
     .specific = true,
     .history = "CC",
     .has_tck = true,
     .tck = 0x52,
     .faults = ATR_T15_FIRST},
};

enum { EXAMPLES = sizeof examples / sizeof *examples };

/* A copy of exactly the length, so that the address sanitizer sees a read outside. */
static uint8_t *exact(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length);

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    return copy;
}

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t count, at;

    assert_int_equal(hex_parse(hex, strlen(hex), out, &count, &at), RC_OK);
    return count;
}

static struct atr parse(const char *hex)
{
    static uint8_t bytes[300];
    struct atr atr;

    assert_int_equal(atr_parse(bytes, from_hex(hex, bytes), &atr), RC_OK);
    return atr;
}

static void print_bytes(const struct atr *atr, char *out)
{
    out[0] = '\0';
    for (unsigned i = 0; i < atr->levels; i++) {
        const bool has[] = {atr->level[i].has_a, atr->level[i].has_b, atr->level[i].has_c,
                            atr->level[i].has_d};
        const uint8_t byte[] = {atr->level[i].a, atr->level[i].b, atr->level[i].c, atr->level[i].d};

        for (unsigned j = 0; j < 4; j++)
            if (has[j])
                out += sprintf(out, " T%c%u=%02X", 'A' + j, i + 1, byte[j]);
    }
}

static unsigned or_default(unsigned value, unsigned absent)
{
    return value ? value : absent;
}

static void worked_examples(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EXAMPLES; i++) {
        const struct example *want = &examples[i];
        struct atr atr = parse(want->hex);
        char bytes[256], history[64];

        print_message("%u: %s\n", i + 1, want->hex);
        print_bytes(&atr, bytes);
        assert_string_equal(bytes + (bytes[0] == ' '), want->bytes ? want->bytes : "");
        assert_string_equal(hex_format(atr.history, atr.history_length, history),
                            want->history ? want->history : "");
        assert_int_equal(atr.inverse, want->inverse);
        assert_int_equal(atr.ta1, or_default(want->ta1, 0x11));
        assert_int_equal(atr.fi, or_default(want->fi, 372));
        assert_int_equal(atr.di, or_default(want->di, 1));
        assert_int_equal(atr.n, want->n);
        assert_int_equal(atr.protocols, or_default(want->protocols, 1));
        assert_int_equal(atr.first_protocol, want->first);
        assert_int_equal(atr.specific, want->specific);
        assert_int_equal(atr.specific_protocol, want->specific_protocol);
        assert_int_equal(atr.specific_fixed, want->fixed);
        assert_int_equal(atr.specific_implicit, want->implicit);
        assert_int_equal(atr_protocol_mask(&atr),
                         want->specific ? 1U << want->specific_protocol : or_default(want->protocols, 1));
        assert_int_equal(atr.wi, or_default(want->wi, 10));
        assert_int_equal(atr.ifsc, or_default(want->ifsc, 32));
        assert_int_equal(atr.bwi, or_default(want->bwi, 4));
        assert_int_equal(atr.cwi, or_default(want->cwi, 13));
        assert_false(atr.crc);
        assert_int_equal(atr.clock_stop, want->clock_stop);
        assert_int_equal(atr.classes, or_default(want->classes, 1));
        assert_int_equal(atr.has_spu, want->has_spu);
        assert_int_equal(atr.spu, want->spu);
        assert_int_equal(atr.has_tck, want->has_tck);
        assert_int_equal(atr.tck, want->tck);
        assert_int_equal(atr.faults, want->faults);
    }
}

/* Cut anywhere: refused while interface bytes are missing, afterwards read with a fault, never outside. */
static void prefixes_are_refused_or_flagged(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EXAMPLES; i++) {
        uint8_t bytes[64];
        size_t length = from_hex(examples[i].hex, bytes), tail;
        struct atr whole = parse(examples[i].hex);

        tail = length;
        for (size_t count = 0; count <= length; count++) {
            uint8_t *prefix = exact(bytes, count);
            struct atr atr;
            int rc = atr_parse(prefix, count, &atr);

            if (rc == RC_OK) {
                tail = count < tail ? count : tail;
                assert_true(atr.history_length <= whole.history_length);
                if (atr.history_length)
                    assert_true(atr.history >= prefix && atr.history + atr.history_length <= prefix + count);
                if (atr.history_length < (bytes[1] & 15U))
                    assert_true(atr.faults & ATR_HISTORY_SHORT);
                else if (whole.has_tck && !atr.has_tck)
                    assert_true(atr.faults & ATR_TCK_MISSING);
            } else {
                assert_int_equal(rc, RC_INVALID_ATR);
                assert_int_equal(tail, length); /* once readable, it stays so */
            }
            free(prefix);
        }
        assert_true(tail < length || length == 2);
    }
}

static void unreadable_is_refused_with_words(void **state)
{
    static const char *const bad[] = {"",     "3B",     "0302",       "3C021450", "0002",
                                      "3B10", "3B8011", "3BF0110000", "3B8081"};
    uint8_t bytes[16];
    struct atr atr;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t length = from_hex(bad[i], bytes);
        uint8_t *copy = exact(bytes, length);

        detail_clear();
        assert_int_equal(atr_parse(copy, length, &atr), RC_INVALID_ATR);
        assert_true(detail_get()[0]);
        free(copy);
    }
}

/* A chain of TDi is the most groups that 33 bytes hold; one more byte is refused, and more history is not. */
static void the_length_limit(void **state)
{
    uint8_t bytes[300];
    struct atr atr;

    (void)state;
    memset(bytes, 0x80, sizeof bytes);
    bytes[0] = 0x3b;
    assert_int_equal(atr_parse(bytes, sizeof bytes, &atr), RC_INVALID_ATR);
    bytes[32] = 0x00;
    assert_int_equal(atr_parse(bytes, 33, &atr), RC_OK);
    assert_int_equal(atr.levels, ATR_LEVELS);
    assert_int_equal(atr.faults, 0);
    bytes[32] = 0x80;
    bytes[33] = 0x00;
    assert_int_equal(atr_parse(bytes, 34, &atr), RC_INVALID_ATR);

    memset(bytes + 2, 0, sizeof bytes - 2);
    bytes[1] = 0x0f;
    assert_int_equal(atr_parse(bytes, 300, &atr), RC_OK);
    assert_int_equal(atr.faults, ATR_TRAILING | ATR_TOO_LONG);
    assert_int_equal(atr.history_length, 15);
}

/* Values that the standard reserves or that only a few cards have. */
static void odd_values(void **state)
{
    struct atr atr;

    (void)state;
    atr = parse("3B1070"); /* FI 7 */
    assert_int_equal(atr.faults, ATR_TA1_RESERVED);
    assert_int_equal(atr.ta1, 0x11);
    assert_int_equal(atr.fi, 372);
    assert_int_equal(atr.level[0].a, 0x70);
    atr = parse("3B101A"); /* DI A */
    assert_int_equal(atr.faults, ATR_TA1_RESERVED);
    atr = parse("3B8040FF"); /* TC2 FF, no history, T=0 alone */
    assert_int_equal(atr.wi, 255);
    atr = parse("3B804000"); /* TC2 00 */
    assert_int_equal(atr.wi, 10);
    atr = parse("3B80817100F301F2"); /* IFSC 00, BWI 15, CRC */
    assert_int_equal(atr.faults | ATR_TCK_WRONG, ATR_TCK_WRONG);
    assert_int_equal(atr.ifsc, 32);
    assert_int_equal(atr.bwi, 9);
    assert_int_equal(atr.cwi, 3);
    assert_true(atr.crc);
    assert_int_equal(parse("3B808111FF00").ifsc, 254);
    /* The first TA, TB and TC after T=1 count, not the second. */
    atr = parse("3B8081F191230171AA4500");
    assert_int_equal(atr.ifsc, 0x91);
    assert_int_equal(atr.bwi, 2);
    assert_int_equal(atr.cwi, 3);
    assert_true(atr.crc);
    assert_int_equal(atr.level[1].t, 0); /* global, whatever TD1 says */
    assert_int_equal(atr.level[2].t, 1);
    assert_false(parse("3B80804001").crc); /* a TC after T=0 */
    assert_int_equal(parse("3B80801F7F").classes, 0x3f);
    assert_int_equal(parse("3B80801F7F").clock_stop, 1);
    /* TA3 and TB3 after T=0 mean nothing here. */
    atr = parse("3B80803055AA");
    assert_int_equal(atr.ifsc, 32);
    assert_int_equal(atr.bwi, 4);
    assert_int_equal(atr.classes, 1);
}

static void protocols_named(void **state)
{
    struct atr atr;

    (void)state;
    atr = parse("3B808100"); /* T=1, then T=0: order */
    assert_true(atr.faults & ATR_ORDER);
    assert_int_equal(atr_protocol_mask(&atr), 3);
    assert_int_equal(atr.first_protocol, 1);
    atr = parse("3B808E01"); /* T=14 first: raw only, though T=1 is named */
    assert_int_equal(atr.protocols, 1 << 14 | 1 << 1);
    assert_int_equal(atr.first_protocol, 14);
    assert_int_equal(atr_protocol_mask(&atr), 0);
    atr = parse("3B800E0E"); /* T=14 alone */
    assert_int_equal(atr_protocol_mask(&atr), 0);
    atr = parse("3B801F02"); /* T=15 is no protocol: TA2 names T=2 */
    assert_int_equal(atr.faults & ATR_T15_FIRST, ATR_T15_FIRST);
    assert_true(atr.specific);
    assert_int_equal(atr_protocol_mask(&atr), 0);
    atr = parse("3B808F01"); /* T=15 before T=1 */
    assert_int_equal(atr.faults & (ATR_T15_FIRST | ATR_ORDER), ATR_T15_FIRST | ATR_ORDER);
    assert_int_equal(atr_protocol_mask(&atr), 2);
    atr = parse("3B801111"); /* TA2: T=1 */
    assert_int_equal(atr_protocol_mask(&atr), 2);
}

static void several_faults_are_all_flagged(void **state)
{
    (void)state;
    assert_int_equal(parse("3B858001AABB").faults, ATR_HISTORY_SHORT | ATR_TCK_MISSING);
    assert_int_equal(parse("3B818001AABBCC").faults, ATR_TCK_WRONG | ATR_TRAILING);
    assert_int_equal(parse("3B1270AABBCC").faults, ATR_TA1_RESERVED | ATR_TRAILING);
}

static void fi_di_table(void **state)
{
    static const unsigned fi[] = {372, 372, 558, 744,  1116, 1488, 1860, 0,
                                  0,   512, 768, 1024, 1536, 2048, 0,    0};
    static const unsigned khz[] = {4000, 5000, 6000, 8000,  12000, 16000, 20000, 0,
                                   0,    5000, 7500, 10000, 15000, 20000, 0,     0};
    static const unsigned di[] = {0, 1, 2, 4, 8, 16, 32, 64, 12, 20, 0, 0, 0, 0, 0, 0};

    (void)state;
    for (unsigned ta1 = 0; ta1 < 256; ta1++) {
        unsigned f = 7, d = 7, max = 7;
        bool known = fi[ta1 >> 4] && di[ta1 & 15];

        assert_int_equal(atr_fi_di((uint8_t)ta1, &f, &d, &max), known);
        assert_int_equal(f, known ? fi[ta1 >> 4] : 7);
        assert_int_equal(d, known ? di[ta1 & 15] : 7);
        assert_int_equal(max, known ? khz[ta1 >> 4] : 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_examples),
        cmocka_unit_test(prefixes_are_refused_or_flagged),
        cmocka_unit_test(unreadable_is_refused_with_words),
        cmocka_unit_test(the_length_limit),
        cmocka_unit_test(odd_values),
        cmocka_unit_test(protocols_named),
        cmocka_unit_test(several_faults_are_all_flagged),
        cmocka_unit_test(fi_di_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
