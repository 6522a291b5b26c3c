/* SPDX-License-Identifier: MIT */
/* Recordings and replays when memory runs out: the n-th allocation fails, for n = 1, 2, 3 … The result is
 * RC_NO_MEMORY, and nothing leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rc.h"
#include "base/uri.h"
#include "capture/recording.h"
#include "capture/writer.h"
#include "sim/mount.h"
#include "tests/unit/failing_alloc.h"

void *__real_reallocarray(void *block, size_t count, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);
int __real_vasprintf(char **ret_text, const char *format, va_list arguments);
int __wrap_vasprintf(char **ret_text, const char *format, va_list arguments);

void *__wrap_reallocarray(void *block, size_t count, size_t size)
{
    return failing_alloc_fails() ? NULL : __real_reallocarray(block, count, size);
}

int __wrap_vasprintf(char **ret_text, const char *format, va_list arguments)
{
    return failing_alloc_fails() ? -1 : __real_vasprintf(ret_text, format, arguments);
}

static const char json[] =
    "{\"t\":\"session\",\"reader\":\"R\",\"device\":\"d\",\"atr\":\"3B00\",\"proto\":\"T=1\"}\n"
    "{\"t\":\"apdu\",\"c\":\"00200081**00\",\"r\":\"0102\",\"sw\":\"9000\",\"ms\":1}\n"
    "{\"t\":\"event\",\"what\":\"card-reset\"}\n"
    "{\"t\":\"apdu\",\"c\":\"00B0000004\",\"r\":null,\"sw\":null,\"error\":\"no card\"}\n";
static const char *const texts[] = {
    json,
    "# ATR: 3B00\n# PROTOCOL: T=1\n# SECRET: 4 1\n00200081AA\n# 5ms\n9000\n",
    "# cardpeek trace file\nR:3B00\nC:00A40000:9000:01\n",
    "A>> T=1 (4+0000) 00A40000\nA<< (0000+2) (4ms) 9000\n",
    "00000012 Card ATR: 3B 00\n00000012 APDU: 00 A4 00 00\n00000012 SW: 90 00\n",
    "# scard script\n# ATR: 3B00\n00200081:{pin:4} =[01]9000|61xx\nreset\n",
    "RST\nCMD 00A40000 \\\n [01XX] (9000)\n",
};

static int parse(const char *text, struct recording *ret_recording)
{
    return recording_parse("file", text, strlen(text), ret_recording);
}

static void reading_fails_cleanly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct recording recording;
        unsigned n = 0;

        do {
            int rc;

            failing_alloc_arm(++n);
            rc = parse(texts[i], &recording);
            failing_alloc_arm(0);
            assert_int_equal(rc, failing_alloc_hit() ? RC_NO_MEMORY : RC_OK);
        } while (failing_alloc_hit());
        assert_true(n > 3);
        recording_fini(&recording);
    }
}

static int write_all(const struct recording *recording, const char *format, struct buffer *out)
{
    struct capture_writer writer;
    int rc = RC_OK;

    capture_writer_init(&writer, capture_format_named(format));
    for (size_t i = 0; i < recording->count && !rc; i++)
        rc = capture_write(&writer, &recording->items[i].exchange, out);
    if (!rc)
        rc = capture_writer_end(&writer, out);
    capture_writer_fini(&writer);
    return rc;
}

static void writing_fails_cleanly(void **state)
{
    static const char *const formats[] = {"jsonl", "text", "pcapng", "gp", "apdu4j", "cardpeek", "scard"};
    struct recording recording;

    (void)state;
    assert_int_equal(parse(json, &recording), RC_OK);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        unsigned n = 0;

        do {
            struct buffer out = {0};
            int rc;

            failing_alloc_arm(++n);
            rc = write_all(&recording, formats[i], &out);
            failing_alloc_arm(0);
            assert_int_equal(rc, failing_alloc_hit() ? RC_NO_MEMORY : RC_OK);
            buffer_fini(&out);
        } while (failing_alloc_hit());
        assert_true(n > 3);
    }
    recording_fini(&recording);
}

static void replay_opens_or_fails_cleanly(void **state)
{
    char path[] = "scard-recording-XXXXXX", text[64];
    int fd = mkstemp(path);
    struct reader *reader = NULL;
    struct uri uri;
    unsigned n = 0;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, json, sizeof json - 1), sizeof json - 1);
    close(fd);
    snprintf(text, sizeof text, "replay:%s?serial=1", path);
    assert_int_equal(uri_parse(text, strlen(text), &uri), RC_OK);
    do {
        int rc;

        failing_alloc_arm(++n);
        rc = sim_open(&uri, &reader);
        failing_alloc_arm(0);
        assert_int_equal(rc, failing_alloc_hit() ? RC_NO_MEMORY : RC_OK);
    } while (failing_alloc_hit());
    reader->ops->close(reader);
    uri_fini(&uri);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_fails_cleanly),
        cmocka_unit_test(writing_fails_cleanly),
        cmocka_unit_test(replay_opens_or_fails_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
