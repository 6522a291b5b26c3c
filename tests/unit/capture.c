/* SPDX-License-Identifier: MIT */
/* Recordings: what each format writes it reads again as it was, secrets stay out, and a damaged file says
 * where. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"
#include "capture/json_text.h"
#include "capture/recording.h"
#include "capture/writer.h"

static const uint8_t atr[] = {0x3B, 0x80, 0x80, 0x01, 0x01};

static struct captured exchange(enum captured_kind kind, const void *command, size_t command_length,
                                const void *response, size_t response_length)
{
    struct captured exchange = captured_none();

    exchange.kind = kind;
    exchange.call = kind == CAPTURED_APDU ? "SCardTransmit" : "SCardConnect";
    exchange.reader = "Reader \"A\"\\ 00 00";
    exchange.device = "usb:1-2:1.0";
    exchange.process = 42;
    exchange.context = exchange.card = 1;
    exchange.protocol = 2;
    exchange.time_ns = 1700000000123456789;
    exchange.duration_ns = 4000000;
    exchange.command = command;
    exchange.command_length = command_length;
    exchange.response = response;
    exchange.response_length = response_length;
    return exchange;
}

#define APDU(command, response)                                                                              \
    exchange(CAPTURED_APDU, command, sizeof command - 1, response, sizeof response - 1)

static void write_one(struct capture_writer *writer, struct captured exchange, struct buffer *out)
{
    struct buffer room = {0};

    assert_int_equal(captured_mask(&exchange, &room), RC_OK);
    assert_int_equal(capture_write(writer, &exchange, out), RC_OK);
    buffer_fini(&room);
}

/* A connection, an exchange with data, one with a secret and a status word alone. */
static void write_session(const char *format, struct buffer *out)
{
    struct captured verify = APDU("\x00\x20\x00\x81\x04PASS", "\x90\x00");
    struct capture_writer writer;

    verify.secret_offset = 5;
    verify.secret_length = 4;
    capture_writer_init(&writer, capture_format_named(format));
    write_one(&writer, exchange(CAPTURED_CONNECT, NULL, 0, atr, sizeof atr), out);
    write_one(&writer, APDU("\x00\xB0\x00\x00\x04", "\x01\x02\x03\x04\x90\x00"), out);
    write_one(&writer, verify, out);
    assert_int_equal(capture_writer_end(&writer, out), RC_OK);
    capture_writer_fini(&writer);
}

static struct recording parse(const char *text, size_t length)
{
    struct recording recording;
    int rc = recording_parse("file", text, length, &recording);

    if (rc)
        fail_msg("%s", detail_get());
    return recording;
}

static void every_format_gives_back_what_was_written(void **state)
{
    static const char *const formats[] = {"jsonl", "gp", "apdu4j", "cardpeek", "scard", "pcapng"};

    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct buffer text = {0};
        struct recording recording;
        const struct captured *got;

        write_session(formats[i], &text);
        recording = parse((const char *)text.data, text.length);
        assert_string_equal(recording.format, formats[i]);
        assert_int_equal(recording.count, 3);
        got = &recording.items[0].exchange;
        assert_int_equal(got->kind, CAPTURED_CONNECT);
        assert_int_equal(got->response_length, sizeof atr);
        assert_memory_equal(got->response, atr, sizeof atr);
        got = &recording.items[1].exchange;
        assert_int_equal(got->command_length, 5);
        assert_memory_equal(got->command, "\x00\xB0\x00\x00\x04", 5);
        assert_int_equal(got->response_length, 6);
        assert_memory_equal(got->response, "\x01\x02\x03\x04\x90\x00", 6);
        if (strcmp(formats[i], "cardpeek") != 0 && strcmp(formats[i], "scard") != 0)
            assert_int_equal(got->duration_ns, 4000000);
        /* The secret is any other one. */
        got = &recording.items[2].exchange;
        assert_true(recorded_is(got, (const uint8_t *)"\x00\x20\x00\x81\x04OTHE", 9));
        assert_false(recorded_is(got, (const uint8_t *)"\x00\x20\x00\x82\x04OTHE", 9));
        recording_fini(&recording);
        buffer_fini(&text);
    }
}

static void check_keeps(const char *format, unsigned failed_at)
{
    struct captured failed = APDU("\x00\xB0\x00\x00\x04", "");
    struct buffer text = {0};
    struct capture_writer writer;
    struct recording recording;

    failed.rc = RC_NOT_TRANSACTED;
    capture_writer_init(&writer, capture_format_named(format));
    write_one(&writer, exchange(CAPTURED_CONNECT, NULL, 0, atr, sizeof atr), &text);
    write_one(&writer, failed, &text);
    capture_writer_fini(&writer);
    recording = parse((const char *)text.data, text.length);
    assert_string_equal(recording.items[1].exchange.reader, "Reader \"A\"\\ 00 00");
    assert_string_equal(recording.items[1].exchange.device, "usb:1-2:1.0");
    assert_int_equal(recording.items[1].exchange.protocol, 2);
    if (!strcmp(format, "pcapng"))
        assert_int_equal(recording.items[1].exchange.time_ns, 1700000000123456789);
    assert_int_equal(recording.items[1].exchange.rc, RC_NOT_TRANSACTED);
    assert_int_equal(recording.items[1].line, failed_at);
    recording_fini(&recording);
    buffer_fini(&text);
}

static void reader_device_protocol_and_failures_are_kept(void **state)
{
    (void)state;
    check_keeps("jsonl", 2);
    check_keeps("pcapng", 2);
}

static void append(struct buffer *out, const char *bytes, size_t length)
{
    assert_int_equal(buffer_append(out, bytes, length), RC_OK);
}

/* As another program may write it: big endian, microseconds, another link type between. */
static void captures_of_others_are_read(void **state)
{
    static const char section[] =
        "\x0A\x0D\x0D\x0A\0\0\0\x1C\x1A\x2B\x3C\x4D\0\1\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\x1C";
    static const char ethernet[] = "\0\0\0\1\0\0\0\x14\0\1\0\0\0\0\0\0\0\0\0\x14";
    static const char upper[] = "\0\0\0\1\0\0\0\x14\0\xFC\0\0\0\0\0\0\0\0\0\x14";
    static const char frame[] =
        "\0\0\0\6\0\0\0\x24\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\2\0\0\0\2\1\2\0\0\0\0\0\x24";
    static const char sent[] = "\0\0\0\6\0\0\0\x40\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\x1D\0\0\0\x1D"
                               "\0\x0C\0\7iso7816\0\0\x23\0\4\0\0\0\0\0\0\0\0\0\xB0\0\0\4\0\0\0\0\0\0\x40";
    static const char received[] = "\0\0\0\6\0\0\0\x3C\0\0\0\1\0\0\0\0\0\0\0\4\0\0\0\x1A\0\0\0\x1A"
                                   "\0\x0C\0\7iso7816\0\0\x23\0\4\0\0\0\1\0\0\0\0\x90\0\0\0\0\0\0\x3C";
    struct buffer text = {0};
    struct recording recording;

    (void)state;
#define APPEND(block) append(&text, block, sizeof block - 1)
    APPEND(section);
    APPEND(ethernet);
    APPEND(upper);
    APPEND(frame);
    APPEND(sent);
    APPEND(received);
    recording = parse((const char *)text.data, text.length);
    assert_int_equal(recording.count, 1);
    assert_int_equal(recording.items[0].exchange.command_length, 5);
    assert_int_equal(recording.items[0].exchange.response_length, 2);
    assert_int_equal(recording.items[0].exchange.duration_ns, 3000);
    recording_fini(&recording);
    /* Cut anywhere it is a fault, or has fewer exchanges, and never more. */
    for (size_t length = 4; length < text.length; length++)
        if (recording_parse("cut", (const char *)text.data, length, &recording) == RC_OK) {
            assert_true(recording.count <= 1);
            recording_fini(&recording);
        }
    buffer_fini(&text);
}

static void no_format_holds_a_masked_secret(void **state)
{
    static const char *const formats[] = {"jsonl", "text", "pcapng", "gp", "apdu4j", "cardpeek", "scard"};

    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct buffer text = {0};

        write_session(formats[i], &text);
        assert_true(text.length > 60);
        assert_null(memmem(text.data, text.length, "PASS", 4));
        assert_null(memmem(text.data, text.length, "50415353", 8));
        buffer_fini(&text);
    }
}

/* A command whose Lc does not tell how long its secret is. */
static void the_length_of_a_malformed_secret_is_one(void **state)
{
    struct captured verify = APDU("\x00\x20\x00\x81SECRETS", "\x67\x00");
    struct buffer room = {0};

    (void)state;
    verify.secret_offset = 4;
    verify.secret_length = 7;
    assert_int_equal(captured_mask(&verify, &room), RC_OK);
    assert_int_equal(verify.command_length, 5);
    assert_int_equal(verify.command[4], CAPTURED_STAR);
    buffer_fini(&room);
}

static void after_another_writer_a_capture_begins_anew(void **state)
{
    struct capture_writer writer;
    struct buffer first = {0}, second = {0};

    (void)state;
    capture_writer_init(&writer, capture_format_named("pcapng"));
    write_one(&writer, APDU("\x00\xB0\x00\x00\x04", "\x90\x00"), &first);
    write_one(&writer, APDU("\x00\xB0\x00\x00\x04", "\x90\x00"), &second);
    assert_true(second.length < first.length);
    capture_writer_restart(&writer);
    second.length = 0;
    write_one(&writer, APDU("\x00\xB0\x00\x00\x04", "\x90\x00"), &second);
    assert_int_equal(second.length, first.length);
    assert_memory_equal(second.data, first.data, first.length);
    capture_writer_fini(&writer);
    buffer_fini(&first);
    buffer_fini(&second);
}

static void logs_of_pcscd_are_read(void **state)
{
    static const char log[] = "00000003 winscard.c:99:SCardX() something else\n"
                              "00000012 eventhandler.c:406 Card ATR: 3B 80 80 01 01 \n"
                              "00000100 APDU: 00 A4 00 0C 02 3F 00 \n"
                              "00002500 commands.c:1 noise\n"
                              "00000500 SW: 6A 82 \n"
                              "00000100 APDU: 00 B0 00 00 02 \n"
                              "00000500 SW: 01 02 90 00 \n";
    struct recording recording = parse(log, sizeof log - 1);

    (void)state;
    assert_string_equal(recording.format, "pcscd");
    assert_int_equal(recording.count, 3);
    assert_int_equal(recording.items[0].exchange.response_length, 5);
    assert_int_equal(recording.items[1].exchange.duration_ns, 3000000);
    assert_memory_equal(recording.items[2].exchange.response, "\x01\x02\x90\x00", 4);
    assert_int_equal(recording.items[2].line, 6);
    recording_fini(&recording);
}

static void notation_of_etsi_is_read(void **state)
{
    static const char script[] = "REM a card\n"
                                 "RST\n"
                                 "CMD A0A4000002 \\\n"
                                 "  3F00 (9FXX)\n"
                                 "CMD A0C0000002 [01 X2] (9000, 9100)\n"
                                 "CMD A0F2000000\n";
    struct recording recording = parse(script, sizeof script - 1);

    (void)state;
    assert_int_equal(recording.count, 4);
    assert_int_equal(recording.items[0].exchange.kind, CAPTURED_RESET);
    assert_int_equal(recording.items[1].exchange.command_length, 7);
    assert_memory_equal(recording.items[1].exchange.response, "\x9F\x00", 2);
    assert_memory_equal(recording.items[2].exchange.response, "\x01\x02\x90\x00", 4);
    assert_memory_equal(recording.items[3].exchange.response, "\x90\x00", 2);
    recording_fini(&recording);
}

static void a_damaged_file_says_which_line(void **state)
{
    static const struct {
        const char *text, *words;
    } files[] = {
        {"", "no recording of a kind"},
        {"hello\n", "no recording of a kind"},
        {"{\"t\":\"session\"}\n{\"t\":\"apdu\",\"c\":\"00A4\"", "file, line 2: the JSON object is cut off"},
        {"{\"t\":\"apdu\",\"c\":\"00A4000\",\"sw\":\"9000\"}",
         "file, line 1: the command is no hex at its character 8"},
        {"{\"t\":\"apdu\",\"sw\":\"9000\"}", "line 1: an exchange without \"c\""},
        {"{\"t\":\"apdu\",\"c\":\"00\",\"sw\":\"90\"}", "\"sw\" has 1 bytes"},
        {"{\"t\":1}\n{x}", "line 2: this is no JSON object from character 2 on"},
        {"{\"v\":2,\"t\":\"apdu\"}", "later version"},
        {"# ATR: 3B00\n00A40000\n", "line 2: the command has no response"},
        {"# ATR: 3B00\n00A40000\n90\n", "line 3: a response has two bytes or more"},
        {"# ATR: 3B0\n", "line 1: the ATR is no hex"},
        {"# SECRET: 5 8\n# ATR: 3B00\n# SECRET: 5 8\n00A40000\n9000\n", "not in the command"},
        {"# ATR: 3B00\n00A40000\n# SECRET: 5 8\n", "line 3: the command of line 2 has no response"},
        {"R:3B00\nC:00A40000:9000\n", "line 2: C: needs"},
        {"R:3B00\nwhat\n", "line 2: a line begins with R: or C:"},
        {"A>> T=1 (4+0000) 00A40000\nA>> T=1 (4+0000) 00A40000\n",
         "line 2: the command of line 1 has no response"},
        {"CMD A0A40000 (9Z00)\n", "line 1: 'Z' is no digit"},
        {"# scard script\n00A40000 =[01\n", "line 2: the expected data does not end"},
        {"# scard script\n00A40000\n", "line 2: what the card answers is not there"},
        {"RST\nNONSENSE\n", "line 2: a line begins with RST"},
        {"APDU: 00 A4 00 00\nSW: 9\n", "line 2: a response has two bytes or more"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct recording recording;

        assert_int_equal(recording_parse("file", files[i].text, strlen(files[i].text), &recording),
                         RC_INVALID_VALUE);
        if (!strstr(detail_get(), files[i].words))
            fail_msg("%s: %s", files[i].words, detail_get());
    }
}

static int keep_text(void *user, const char *key, const struct json_value *value)
{
    if (!strcmp(key, "k") && value->kind == JSON_STRING)
        memcpy(user, value->text, value->length + 1);
    return RC_OK;
}

static void json_is_read_as_rfc_8259_has_it(void **state)
{
    static const struct {
        const char *text, *value;
    } good[] = {
        {"{}", ""},
        {" { \"k\" : \"a\\n\\u00e9\\ud83d\\ude00\\/\" } ", "a\n\xC3\xA9\xF0\x9F\x98\x80/"},
        {"{\"x\":[1,{\"y\":\"]}\"}],\"k\":\"z\",\"n\":-1.5e3,\"b\":true,\"o\":null}", "z"},
        {"{\"k\":\"\\ud83dx\"}", "\xEF\xBF\xBDx"},
    };
    static const char *const bad[] = {"",
                                      "[]",
                                      "{",
                                      "{\"k\"}",
                                      "{\"k\":}",
                                      "{\"k\":1,}",
                                      "{\"k\":\"a}",
                                      "{\"k\":01x}",
                                      "{\"k\":[}]}",
                                      "{\"k\":\"\\q\"}",
                                      "{} x",
                                      "{\"k\":tru}",
                                      "{\"k\":\"\\u12\"}"};
    size_t at;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char text[64] = "";

        assert_int_equal(json_text_read(good[i].text, strlen(good[i].text), keep_text, text, &at), RC_OK);
        assert_string_equal(text, good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[64];

        if (json_text_read(bad[i], strlen(bad[i]), keep_text, text, &at) != RC_INVALID_VALUE)
            fail_msg("taken as JSON: %s", bad[i]);
        assert_true(at <= strlen(bad[i]));
    }
}

/* Where a comma stands between the digits. false: the machine has no such locale, and none can be made. */
static bool use_comma(void)
{
    char folder[] = "locale.XXXXXX", command[128];

    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && mkdtemp(folder)) {
        snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1",
                 folder);
        if (!system(command) && !setenv("LOCPATH", folder, 1))
            setlocale(LC_NUMERIC, "de_DE.UTF-8");
        snprintf(command, sizeof command, "rm -r %s", folder);
        assert_int_equal(system(command), 0);
    }
    return *localeconv()->decimal_point == ',';
}

static void a_recording_is_the_same_in_any_locale(void **state)
{
    static const uint8_t select[] = {0x00, 0xA4, 0x04, 0x00}, good[] = {0x90, 0x00};
    static const char half[] = "# ATR: 3B80800101\n00A40400\n# 0.5ms\n9000\n";
    struct captured given = exchange(CAPTURED_APDU, select, sizeof select, good, sizeof good);
    struct capture_writer writer;
    struct recording recording;
    struct buffer out = {0};

    (void)state;
    if (!use_comma())
        skip();
    given.duration_ns = 1234567;
    capture_writer_init(&writer, capture_format_named("jsonl"));
    assert_int_equal(capture_write(&writer, &given, &out), RC_OK);
    assert_non_null(memmem(out.data, out.length, "\"ms\":1.235,", 11));
    assert_int_equal(recording_parse("f", (const char *)out.data, out.length, &recording), RC_OK);
    assert_int_equal(recording.items[recording.count - 1].exchange.duration_ns, 1235000);
    recording_fini(&recording);
    assert_int_equal(recording_parse("f", half, sizeof half - 1, &recording), RC_OK);
    assert_int_equal(recording.items[1].exchange.duration_ns, 500000);
    recording_fini(&recording);
    capture_writer_fini(&writer);
    buffer_fini(&out);
    setlocale(LC_NUMERIC, "C");
}

/* Opening it would wait for a writer, and no signal that is handled by a thread of its own would end that. */
static void a_fifo_without_a_writer_is_no_recording(void **state)
{
    char path[] = "fifo.XXXXXX";
    struct recording recording;

    (void)state;
    assert_non_null(mkdtemp(path));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    alarm(20);
    assert_int_equal(recording_load(path, &recording), RC_INVALID_VALUE);
    alarm(0);
    assert_int_equal(unlink(path), 0);
}

static void reading_takes_no_longer_for_each_reader(void **state)
{
    struct buffer text = {0};
    struct recording recording;
    char line[128];

    (void)state;
    for (int i = 0; i < 100000; i++) {
        int length = snprintf(line, sizeof line,
                              "{\"v\":1,\"t\":\"session\",\"reader\":\"r%d\",\"device\":\"d%d\"}\n", i, i);

        assert_int_equal(buffer_append(&text, line, (size_t)length), RC_OK);
    }
    alarm(30);
    assert_int_equal(recording_parse("f", (const char *)text.data, text.length, &recording), RC_OK);
    alarm(0);
    assert_string_equal(recording.items[99999].exchange.reader, "r99999");
    recording_fini(&recording);
    buffer_fini(&text);
}

static void names_tell_formats(void **state)
{
    (void)state;
    assert_string_equal(capture_format_of_file("a/b.jsonl")->name, "jsonl");
    assert_string_equal(capture_format_of_file("B.PCAPNG")->name, "pcapng");
    assert_string_equal(capture_format_of_file("x.y.txt")->name, "text");
    assert_null(capture_format_of_file("a.b/c"));
    assert_null(capture_format_of_file("."));
    assert_null(capture_format_named("pcap"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_gives_back_what_was_written),
        cmocka_unit_test(reader_device_protocol_and_failures_are_kept),
        cmocka_unit_test(captures_of_others_are_read),
        cmocka_unit_test(no_format_holds_a_masked_secret),
        cmocka_unit_test(the_length_of_a_malformed_secret_is_one),
        cmocka_unit_test(after_another_writer_a_capture_begins_anew),
        cmocka_unit_test(logs_of_pcscd_are_read),
        cmocka_unit_test(notation_of_etsi_is_read),
        cmocka_unit_test(a_damaged_file_says_which_line),
        cmocka_unit_test(json_is_read_as_rfc_8259_has_it),
        cmocka_unit_test(a_recording_is_the_same_in_any_locale),
        cmocka_unit_test(a_fifo_without_a_writer_is_no_recording),
        cmocka_unit_test(reading_takes_no_longer_for_each_reader),
        cmocka_unit_test(names_tell_formats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
