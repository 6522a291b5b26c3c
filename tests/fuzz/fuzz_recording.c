/* SPDX-License-Identifier: MIT */
/*
 * Recordings of every format: what was read is whole - commands are not empty, a secret lies within its
 * command and the command is found again -, and what is written of it as JSON lines or pcapng is read as the
 * same.
 */
#include <string.h>

#include "base/rc.h"
#include "capture/recording.h"
#include "capture/writer.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct captured *exchange)
{
    FUZZ_CHECK(exchange->reader && exchange->device && exchange->call && exchange->words);
    FUZZ_CHECK(exchange->secret_offset + exchange->secret_length <= exchange->command_length);
    if (exchange->kind == CAPTURED_APDU)
        FUZZ_CHECK(exchange->command_length > 0 &&
                   recorded_is(exchange, exchange->command, exchange->command_length));
}

static bool is_kept(const struct captured *exchange)
{
    return exchange->kind == CAPTURED_APDU;
}

static bool same(const struct captured *first, const struct captured *second)
{
    char *hex[] = {captured_command_hex(first), captured_command_hex(second)};
    bool result = hex[0] && hex[1] && !strcmp(hex[0], hex[1]) && first->rc == second->rc &&
                  first->response_length == second->response_length &&
                  !memcmp(first->response, second->response, first->response_length);

    free(hex[0]);
    free(hex[1]);
    return result;
}

static void check_again(const struct recording *recording, const struct buffer *text)
{
    struct recording again;
    size_t at = 0;

    if (!text->length)
        return;
    FUZZ_CHECK(recording_parse("again", (const char *)text->data, text->length, &again) == RC_OK);
    for (size_t i = 0; i < recording->count; i++) {
        if (!is_kept(&recording->items[i].exchange))
            continue;
        while (at < again.count && !is_kept(&again.items[at].exchange))
            at++;
        FUZZ_CHECK(at < again.count && same(&recording->items[i].exchange, &again.items[at].exchange));
        at++;
    }
    recording_fini(&again);
}

static void write_all(const struct recording *recording, const char *format, struct buffer *out)
{
    struct capture_writer writer;

    capture_writer_init(&writer, capture_format_named(format));
    for (size_t i = 0; i < recording->count; i++)
        FUZZ_CHECK(capture_write(&writer, &recording->items[i].exchange, out) == RC_OK);
    FUZZ_CHECK(capture_writer_end(&writer, out) == RC_OK);
    capture_writer_fini(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static const char *const formats[] = {"text", "pcapng", "gp", "apdu4j", "cardpeek", "scard", "jsonl"};
    struct recording recording;

    if (recording_parse("input", (const char *)input, size, &recording) != RC_OK)
        return 0;
    for (size_t i = 0; i < recording.count; i++)
        check(&recording.items[i].exchange);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct buffer out = {0};

        write_all(&recording, formats[i], &out);
        if (!strcmp(formats[i], "jsonl") || !strcmp(formats[i], "pcapng"))
            check_again(&recording, &out);
        buffer_fini(&out);
    }
    recording_fini(&recording);
    return 0;
}
