/* SPDX-License-Identifier: MIT */
/* usb_text, usb_uevent, usb_device: what devices and the kernel say, and is not to be believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "usb/usb_device.h"
#include "usb/usb_text.h"
#include "usb/usb_uevent.h"

static void names_can_be_shown(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"ACS ACR38U", "ACS ACR38U"},
        {"  two  blanks \n", "two  blanks"},
        {"", ""},
        {" \t\n", ""},
        {"tab\tin", "tab in"},
        {"esc\x1b[2J\x7f", "esc?[2J?"},
        {"M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x94\x91", "M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x94\x91"},
        {"cut \xc3", "cut ?"},
        {"cut \xe2\x82", "cut ??"},
        {"cut \xf0\x9f\x94", "cut ???"},
        {"over\xc0\xafong \xe0\x80\xaf", "over??ong ???"},
        {"\xed\xa0\x80 surrogate", "??? surrogate"},
        {"\xf4\x90\x80\x80 too high \xf8", "???? too high ?"},
        {"c1 \xc2\x9b", "c1 ??"},
        {"latin \xe9t\xe9", "latin ?t?"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = strdup(cases[i].in); /* a block of its own: a byte too far is seen */

        assert_non_null(text);
        usb_text_clean(text);
        assert_string_equal(text, cases[i].out);
        free(text);
    }
}

static void assert_utf16(const char *bytes, size_t length, const char *expected)
{
    uint8_t *block = malloc(length ? length : 1);
    char *text;

    assert_non_null(block);
    memcpy(block, bytes, length);
    text = usb_text_from_utf16(block, length);
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
    free(block);
}

static void string_descriptors_become_utf8(void **state)
{
    (void)state;
    assert_utf16("A\0C\0S\0", 6, "ACS");
    assert_utf16("A\0\xfc\0\xac\x20", 6, "A\xc3\xbc\xe2\x82\xac");
    assert_utf16("\x3d\xd8\x11\xdd", 4, "\xf0\x9f\x94\x91"); /* a pair */
    assert_utf16("\x3d\xd8", 2, "?");                        /* half of it, at the end */
    assert_utf16("\x3d\xd8"
                 "A\0",
                 4, "?A");
    assert_utf16("\x11\xdd", 2, "?");
    assert_utf16("A\0B", 3, "A"); /* an odd length */
    assert_utf16("", 0, "");
    assert_utf16("A\0\0\0B\0", 6, "A");
    assert_utf16("\x1b\0A\0 \0", 6, "?A");
}

static bool parse(const char *message, size_t length, char *path, size_t room)
{
    char *block = malloc(length ? length : 1);
    bool found;

    assert_non_null(block);
    memcpy(block, message, length);
    found = usb_uevent_parse(block, length, path, room);
    free(block);
    return found;
}

static void uevents_that_free_an_interface(void **state)
{
    static const char good[] = "unbind@/devices/pci0000:00/usb1/1-2/1-2.3/1-2.3:1.0\0ACTION=unbind\0"
                               "DEVPATH=/devices/pci0000:00/usb1/1-2/1-2.3/1-2.3:1.0\0SUBSYSTEM=usb\0"
                               "DEVTYPE=usb_interface";
    static const char bind[] = "bind@/devices/1-2:1.0\0ACTION=bind\0DEVPATH=/devices/1-2:1.0\0"
                               "DEVTYPE=usb_interface";
    static const char device[] = "unbind@/devices/1-2\0ACTION=unbind\0DEVPATH=/devices/1-2\0"
                                 "DEVTYPE=usb_device";
    static const char no_colon[] = "unbind@/devices/1-2\0ACTION=unbind\0DEVPATH=/devices/1-2\0"
                                   "DEVTYPE=usb_interface";
    char path[32];

    (void)state;
    assert_true(parse(good, sizeof good, path, sizeof path));
    assert_string_equal(path, "1-2.3");
    assert_false(parse(good, sizeof good, path, 5)); /* no room for its end */
    assert_true(parse(good, sizeof good, path, 6));
    assert_false(parse(bind, sizeof bind, path, sizeof path));
    assert_false(parse(device, sizeof device, path, sizeof path));
    assert_false(parse(no_colon, sizeof no_colon, path, sizeof path));
    for (size_t cut = 0; cut < sizeof good; cut++)
        assert_false(parse(good, cut, path, sizeof path));
}

static void configuration_is_found_by_its_value(void **state)
{
    static const uint8_t bytes[] = {
        9, 2, 11, 0, 1, 1, 0, 0x80, 50, 2, 0xFF, /* configuration 1, and a descriptor */
        9, 2, 9,  0, 1, 3, 0, 0x80, 50,          /* 3 */
        9, 2, 99, 0, 1, 5, 0, 0x80, 50, 2, 0xAA, /* 5, which says that it is longer than all there is */
    };
    size_t length = 0;

    (void)state;
    assert_ptr_equal(usb_configuration_find(bytes, sizeof bytes, 1, &length), bytes);
    assert_int_equal(length, 11);
    assert_ptr_equal(usb_configuration_find(bytes, sizeof bytes, 3, &length), bytes + 11);
    assert_int_equal(length, 9);
    assert_ptr_equal(usb_configuration_find(bytes, sizeof bytes, 5, &length), bytes + 20);
    assert_int_equal(length, 11);
    assert_null(usb_configuration_find(bytes, sizeof bytes, 2, &length));
    assert_null(usb_configuration_find(bytes, 19, 3, &length)); /* cut */
    assert_null(usb_configuration_find(NULL, 0, 1, &length));
    assert_null(usb_configuration_find((const uint8_t[]){9, 2, 0, 0, 1, 2, 0, 0, 0}, 9, 1, &length));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_can_be_shown),
        cmocka_unit_test(string_descriptors_become_utf8),
        cmocka_unit_test(uevents_that_free_an_interface),
        cmocka_unit_test(configuration_is_found_by_its_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
