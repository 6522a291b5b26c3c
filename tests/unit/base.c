/* SPDX-License-Identifier: MIT */
/* base: bytes, deadline, file, hex, ids, uri, utf8. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/rc.h"
#include "base/uri.h"
#include "base/utf8.h"

static void cursor_fails_stickily(void **state)
{
    static const uint8_t data[] = {1, 2, 3};
    struct bytes in = bytes_of(data, sizeof data);

    (void)state;
    assert_int_equal(bytes_u16be(&in), 0x0102);
    assert_int_equal(bytes_u32be(&in), 0); /* one byte is left: fails, and gives 0 */
    assert_false(bytes_ok(&in));
    assert_int_equal(bytes_u8(&in), 0);
    assert_null(bytes_take(&in, 0));
}

static void buffer_keeps_its_content_when_it_grows(void **state)
{
    struct buffer buffer = {0};

    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        uint8_t byte = (uint8_t)i;

        assert_int_equal(buffer_append(&buffer, &byte, 1), RC_OK);
    }
    assert_int_equal(buffer.length, 5000);
    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(buffer.data[i], (uint8_t)i);
    assert_int_equal(buffer_reserve(&buffer, SIZE_MAX), RC_NO_MEMORY);
    buffer_fini(&buffer);
}

static void deadlines(void **state)
{
    (void)state;
    assert_true(deadline_is_never(deadline_in_ms(UINT64_MAX)));
    assert_int_equal(deadline_poll_ms(deadline_never()), -1);
    assert_true(deadline_passed(deadline_in_ms(0)));
    assert_int_equal(deadline_poll_ms(deadline_in_ms(0)), 0);
    assert_false(deadline_passed(deadline_in_ms(100000)));
    assert_int_equal(deadline_min(deadline_never(), deadline_in_ms(0)).at_ns != INT64_MAX, 1);
}

static void hex_names_the_offending_place(void **state)
{
    uint8_t out[8];
    size_t count, at;
    char text[8];

    (void)state;
    assert_int_equal(hex_parse("00 a4:04-0C", 11, out, &count, &at), RC_OK);
    assert_int_equal(count, 4);
    assert_string_equal(hex_format(out, 3, text), "00A404");
    assert_int_equal(hex_parse("00 a", 4, out, &count, &at), RC_INVALID_VALUE);
    assert_int_equal(at, 4);
    assert_int_equal(hex_parse("00 g0", 5, out, &count, &at), RC_INVALID_VALUE);
    assert_int_equal(at, 3);
    assert_int_equal(hex_parse("0\0 0", 4, out, &count, &at), RC_INVALID_VALUE);
}

static void ids_find_their_object_and_never_another(void **state)
{
    enum { COUNT = 10000 };
    static uint32_t id[COUNT];
    static char object[COUNT];
    struct ids ids;

    (void)state;
    ids_init(&ids);
    assert_null(ids_get(&ids, 1));
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(ids_add(&ids, &object[i], &id[i]), RC_OK);
        assert_true(id[i] > 0 && id[i] <= INT32_MAX);
    }
    /* Remove every third, twice: the second time finds nothing. */
    for (int i = 0; i < COUNT; i += 3) {
        assert_ptr_equal(ids_remove(&ids, id[i]), &object[i]);
        assert_null(ids_remove(&ids, id[i]));
    }
    for (int i = 0; i < COUNT; i++)
        assert_ptr_equal(ids_get(&ids, id[i]), i % 3 ? &object[i] : NULL);
    /* New ids never equal closed ones. */
    for (int i = 0; i < COUNT; i += 3) {
        uint32_t fresh;

        assert_int_equal(ids_add(&ids, &object[i], &fresh), RC_OK);
        assert_null(ids_get(&ids, id[i]));
    }
    assert_null(ids_get(&ids, 0));
    ids_clear(&ids);
    assert_null(ids_get(&ids, id[1]));
    ids_fini(&ids);
}

static void uri_parts(void **state)
{
    static const char text[] = "sim:iso?pin=12%334&insert=no&pin=5678";
    struct uri uri;
    bool insert = true;
    uint64_t pin = 0;

    (void)state;
    assert_int_equal(uri_parse(text, strlen(text), &uri), RC_OK);
    assert_string_equal(uri.scheme, "sim");
    assert_string_equal(uri.path, "iso");
    assert_string_equal(uri_get(&uri, "pin"), "5678");
    assert_int_equal(uri_get_bool(&uri, "insert", &insert), RC_OK);
    assert_false(insert);
    assert_int_equal(uri_get_number(&uri, "pin", 0, 9999, &pin), RC_OK);
    assert_int_equal(pin, 5678);
    assert_int_equal(uri_get_number(&uri, "pin", 0, 99, &pin), RC_INVALID_VALUE);
    assert_non_null(strstr(detail_get(), "from 0 to 99"));
    assert_int_equal(uri_check_keys(&uri, (const char *const[]){"pin", NULL}), RC_INVALID_VALUE);
    assert_non_null(strstr(detail_get(), "insert"));
    assert_null(strstr(detail_get(), "5678")); /* other options may be secret */
    assert_int_equal(uri_check_keys(&uri, (const char *const[]){"pin", "insert", NULL}), RC_OK);
    uri_fini(&uri);
}

static void uri_faults_are_named(void **state)
{
    static const char *const bad[] = {"",       "sim",     ":iso",     "?sim:iso",   "sim:%",
                                      "sim:%4", "sim:%00", "sim:a?=1", "sim:a?k=%zz"};
    struct uri uri;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        detail_clear();
        assert_int_equal(uri_parse(bad[i], strlen(bad[i]), &uri), RC_INVALID_VALUE);
        assert_true(detail_get()[0]);
    }
}

static void utf8_characters_and_what_is_none(void **state)
{
    static const struct {
        uint32_t code;
        const char *bytes;
    } characters[] = {{0x24, "$"},
                      {0x7F, "\x7F"},
                      {0x80, "\xC2\x80"},
                      {0x7FF, "\xDF\xBF"},
                      {0x800, "\xE0\xA0\x80"},
                      {0xD7FF, "\xED\x9F\xBF"},
                      {0xE000, "\xEE\x80\x80"},
                      {0xFFFF, "\xEF\xBF\xBF"},
                      {0x10000, "\xF0\x90\x80\x80"},
                      {0x10FFFF, "\xF4\x8F\xBF\xBF"}};
    /* RFC 3629, 3 and 10: a rest alone, overlong ones, surrogates, above 10FFFFh, five bytes, a wrong rest */
    static const char *const none[] = {
        "\x80",         "\xBF\x80",         "\xC0\x80",         "\xC1\xBF",
        "\xE0\x9F\xBF", "\xED\xA0\x80",     "\xED\xBF\xBF",     "\xF0\x8F\xBF\xBF",
        "\xFF",         "\xF4\x90\x80\x80", "\xF8\x88\x80\x80", "\xC3("};
    char out[UTF8_MAX];
    uint32_t code;

    (void)state;
    for (size_t i = 0; i < sizeof characters / sizeof *characters; i++) {
        const uint8_t *bytes = (const uint8_t *)characters[i].bytes;
        size_t length = strlen(characters[i].bytes);

        assert_int_equal(utf8_put(characters[i].code, out), length);
        assert_memory_equal(out, bytes, length);
        assert_int_equal(utf8_take(bytes, length, &code), length);
        assert_int_equal(code, characters[i].code);
        assert_int_equal(utf8_take(bytes, length - 1, &code), 0); /* cut short */
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(utf8_take((const uint8_t *)none[i], strlen(none[i]), &code), 0);
}

static void a_file_is_read_to_its_end_or_one_byte_further_than_wanted(void **state)
{
    static const char content[10000] = {[0] = 'a', [9999] = 'z'};
    int fd = memfd_create("text", MFD_CLOEXEC);
    struct buffer text = {0};

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, sizeof content), sizeof content);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(buffer_append(&text, "=", 1), RC_OK);
    assert_int_equal(file_read(fd, SIZE_MAX, &text), RC_OK);
    assert_int_equal(text.length, 1 + sizeof content);
    assert_memory_equal(text.data + 1, content, sizeof content);
    assert_true(text.capacity > text.length);
    buffer_fini(&text);
    text = (struct buffer){0};
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(file_read(fd, 5000, &text), RC_OK);
    assert_int_equal(text.length, 5001);
    assert_true(text.capacity > text.length);
    buffer_fini(&text);
    close(fd);
    text = (struct buffer){0};
    assert_int_equal(file_read(-1, SIZE_MAX, &text), RC_IO);
    assert_int_equal(errno, EBADF);
    buffer_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursor_fails_stickily),
        cmocka_unit_test(buffer_keeps_its_content_when_it_grows),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(hex_names_the_offending_place),
        cmocka_unit_test(ids_find_their_object_and_never_another),
        cmocka_unit_test(uri_parts),
        cmocka_unit_test(uri_faults_are_named),
        cmocka_unit_test(utf8_characters_and_what_is_none),
        cmocka_unit_test(a_file_is_read_to_its_end_or_one_byte_further_than_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
