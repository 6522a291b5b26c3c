/* SPDX-License-Identifier: MIT */
/* iso/sw: classes, words, counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "iso/sw.h"

static void classes(void **state)
{
    (void)state;
    for (unsigned sw = 0; sw <= 0xffff; sw++) {
        enum sw_class class = sw_classify((uint16_t)sw);
        unsigned sw1 = sw >> 8;

        /* The exit codes of the program stand on this: 9000, 61xx, 62xx and 63xx but 63Cx. */
        assert_int_equal(sw_is_success((uint16_t)sw), sw == 0x9000 || sw1 == 0x61 || sw1 == 0x62 ||
                                                          (sw1 == 0x63 && sw >> 4 != 0x63c));
        if (sw1 == 0x61 || sw1 == 0x9f || sw == 0x9000 || sw >> 4 == 0x920)
            assert_int_equal(class, SW_DONE);
        else if (sw >> 4 == 0x63c)
            assert_int_equal(class, SW_TRIES_LEFT);
        else if (sw1 == 0x62 || sw1 == 0x63)
            assert_int_equal(class, SW_WARNING);
        else if (sw1 != 0x91)
            assert_int_equal(class, SW_ERROR);
    }
    assert_int_equal(sw_classify(0x9100), SW_DONE);
    assert_int_equal(sw_classify(0x9125), SW_DONE);  /* proactive command */
    assert_int_equal(sw_classify(0x91af), SW_DONE);  /* next frame */
    assert_int_equal(sw_classify(0x91ae), SW_ERROR); /* DESFire authentication error */
}

static void words(void **state)
{
    static const struct {
        uint16_t sw;
        const char *text;
    } want[] = {
        {0x9000, "done"},
        {0x6110, "done, 16 bytes more by GET RESPONSE"},
        {0x6101, "done, 1 byte more by GET RESPONSE"},
        {0x6100, "done, 256 or more bytes more by GET RESPONSE"},
        {0x6c00, "wrong Le, 256 bytes available"},
        {0x6c01, "wrong Le, 1 byte available"},
        {0x63c3, "verification failed, 3 tries left (elsewhere: counter is 3)"},
        {0x63c1, "verification failed, 1 try left (elsewhere: counter is 1)"},
        {0x63c0, "verification failed, 0 tries left (elsewhere: counter is 0)"},
        {0x6283, "selected file is deactivated"},
        {0x6287, "a referenced record is deactivated"},
        {0x6210, "card asks for a query of 16 bytes first, nothing changed"},
        {0x62c0, "warning, nothing changed"},
        {0x6381, "file filled up by the last write"},
        {0x6400, "execution error, nothing changed; from a PIN pad: no entry in time"},
        {0x6581, "memory failure"},
        {0x6883, "last command of the chain expected"},
        {0x6982, "security status not satisfied"},
        {0x6983, "authentication method blocked"},
        {0x69f0, "command not allowed"},
        {0x6a82, "file or application not found"},
        {0x6a8a, "DF name exists already"},
        {0x6b00, "wrong P1 or P2, or offset outside the file"},
        {0x6d00, "instruction not supported or invalid"},
        {0x6e01, "class not supported"},
        {0x9f1a, "done, 26 bytes of response data (SIM)"},
        {0x9110, "done, a proactive command of 16 bytes waits"},
        {0x91ae, "done, a proactive command of 174 bytes waits; DESFire: authentication error"},
        {0x9203, "done after 3 internal retries (SIM)"},
        {0x9201, "done after 1 internal retry (SIM)"},
        {0x9240, "memory problem (SIM)"},
        {0x9404, "file or pattern not found (SIM)"},
        {0x94aa, "referencing error (SIM)"},
        {0x9840, "CHV or unblock CHV wrong, no try left: blocked (SIM)"},
        {0x1234, "unknown status"},
        {0x0000, "unknown status"},
        {0x9001, "unknown status"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        char text[SW_TEXT_MAX];

        assert_string_equal(sw_describe(want[i].sw, text, sizeof text), want[i].text);
    }
}

/* Every word of ISO 7816-4, tables 6 and 7, has a meaning of its own, not just that of its SW1. */
static void standard_words_are_known(void **state)
{
    static const uint16_t standard[] = {0x6281, 0x6282, 0x6283, 0x6284, 0x6285, 0x6286, 0x6287, 0x6381,
                                        0x6401, 0x6581, 0x6881, 0x6882, 0x6883, 0x6884, 0x6981, 0x6982,
                                        0x6983, 0x6984, 0x6985, 0x6986, 0x6987, 0x6988, 0x6a80, 0x6a81,
                                        0x6a82, 0x6a83, 0x6a84, 0x6a85, 0x6a87, 0x6a88, 0x6a89, 0x6a8a};

    (void)state;
    for (size_t i = 0; i < sizeof standard / sizeof *standard; i++) {
        char text[SW_TEXT_MAX], family[SW_TEXT_MAX];

        (void)sw_describe(standard[i], text, sizeof text);
        (void)sw_describe(standard[i] | 0x00ff, family, sizeof family);
        assert_string_not_equal(text, family);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(text, sw_describe(standard[j], family, sizeof family));
    }
}

static void never_empty_never_cut_and_bounded(void **state)
{
    (void)state;
    for (unsigned sw = 0; sw <= 0xffff; sw++) {
        char text[SW_TEXT_MAX], small[8];

        assert_ptr_equal(sw_describe((uint16_t)sw, text, sizeof text), text);
        assert_in_range(strlen(text), 1, SW_TEXT_MAX - 2);
        (void)sw_describe((uint16_t)sw, small, sizeof small);
        assert_int_equal(strncmp(small, text, sizeof small - 1), 0);
        assert_in_range(strlen(small), 1, sizeof small - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes),
        cmocka_unit_test(words),
        cmocka_unit_test(standard_words_are_known),
        cmocka_unit_test(never_empty_never_cut_and_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
