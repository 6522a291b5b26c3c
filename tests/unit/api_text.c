/* SPDX-License-Identifier: MIT */
/* Public objects and texts: layouts that programs were compiled with, and the words of the codes. */
#include <pthread.h>
#include <stdio.h>

#include "api/text.h"
#include "tests/unit/api_kit.h"

#if __SIZEOF_LONG__ == 8
_Static_assert(sizeof(DWORD) == 8 && sizeof(LONG) == 8 && sizeof(SCARDHANDLE) == 8, "LP64");
_Static_assert(sizeof(SCARD_READERSTATE) == 80 && offsetof(SCARD_READERSTATE, dwCurrentState) == 16 &&
                   offsetof(SCARD_READERSTATE, cbAtr) == 32 && offsetof(SCARD_READERSTATE, rgbAtr) == 40,
               "as in programs compiled for libpcsclite");
_Static_assert(sizeof(SCARD_IO_REQUEST) == 16, "copy relocations of this size are in programs");
_Static_assert(SCARD_E_TIMEOUT == 2148532234, "codes are positive");
#else
_Static_assert(sizeof(SCARD_READERSTATE) == 56 && sizeof(SCARD_IO_REQUEST) == 8, "ILP32");
#endif

static void protocol_objects(void **state)
{
    (void)state;
    assert_int_equal(g_rgSCardT0Pci.dwProtocol, 1);
    assert_int_equal(g_rgSCardT1Pci.dwProtocol, 2);
    assert_int_equal(g_rgSCardRawPci.dwProtocol, 4);
    assert_int_equal(g_rgSCardT0Pci.cbPciLength, sizeof(SCARD_IO_REQUEST));
    assert_int_equal(g_rgSCardT1Pci.cbPciLength, sizeof(SCARD_IO_REQUEST));
    assert_int_equal(g_rgSCardRawPci.cbPciLength, sizeof(SCARD_IO_REQUEST));
}

static void every_code_has_its_words(void **state)
{
    static const struct {
        unsigned long from, to;
    } ranges[] = {{0x80100001, 0x80100034}, {0x80100065, 0x80100072}};
    static char texts[128][80];
    size_t count = 0;

    (void)state;
    assert_string_equal(pcsc_stringify_error(SCARD_S_SUCCESS), "Command successful.");
    assert_string_equal(pcsc_stringify_error(SCARD_E_UNSUPPORTED_FEATURE), "Feature not supported.");
    for (size_t i = 0; i < 2; i++) {
        for (unsigned long code = ranges[i].from; code <= ranges[i].to; code++) {
            const char *text = pcsc_stringify_error((LONG)code);

            assert_in_range(strlen(text), 5, 74);
            assert_null(strstr(text, "0x"));
            for (size_t j = 0; j < count; j++)
                assert_string_not_equal(texts[j], text);
            strcpy(texts[count++], text);
        }
    }
    assert_string_equal(pcsc_stringify_error(0x80109999), "Unknown error: 0x80109999");
    assert_non_null(strstr(pcsc_stringify_error(-1), "0xFFFFFFFF"));
    assert_non_null(strstr(pcsc_stringify_error(6), "0x00000006"));
}

/* What could steer a terminal or end a line of a log. */
static void control_characters_are_found(void **state)
{
    (void)state;
    assert_int_equal(text_control("\x1B[2J"), 1);
    assert_int_equal(text_control("\n"), 1);
    assert_int_equal(text_control("\x7F"), 1);
    assert_int_equal(text_control("\xC2\x9B"
                                  "2J"),
                     2);
    assert_int_equal(text_control(""), 0);
    assert_int_equal(text_control(" "), 0);
    assert_int_equal(text_control("\u00A0"), 0);
    assert_int_equal(text_control("\u00DC"), 0);
    assert_int_equal(text_control("\xC2"), 0);
}

static void *other_thread(void *argument)
{
    (void)argument;
    return (void *)(uintptr_t)(strcmp(pcsc_stringify_error(SCARD_E_TIMEOUT), "Command timeout.") != 0);
}

static void text_belongs_to_the_thread(void **state)
{
    const char *text = pcsc_stringify_error(SCARD_E_NO_SMARTCARD);
    char before[80];
    pthread_t thread;
    void *wrong;

    (void)state;
    strcpy(before, text);
    assert_int_equal(pthread_create(&thread, NULL, other_thread, NULL), 0);
    pthread_join(thread, &wrong);
    assert_null(wrong);
    assert_string_equal(text, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protocol_objects),
        cmocka_unit_test(every_code_has_its_words),
        cmocka_unit_test(control_characters_are_found),
        cmocka_unit_test(text_belongs_to_the_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
