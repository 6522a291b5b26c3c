/* SPDX-License-Identifier: MIT */
/* One record, three renderings; masking; errors; interrupts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/bytes.h"
#include "base/rc.h"
#include "cli/exchange.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/render.h"

static void make(struct record *record, enum record_shape shape, const char *name)
{
    static const uint8_t atr[] = {0x3B, 0x00};

    record_init(record, "reader", shape);
    record_text(record, SHOW_ALL, "name", name);
    record_hex(record, SHOW_ALL, "atr_bytes", atr, sizeof atr);
    record_number(record, SHOW_JSON | SHOW_BARE, "number", 7);
    record_bool(record, SHOW_JSON, "used", true);
    record_text(record, SHOW_JSON, "problem", NULL);
    record_list(record, SHOW_ALL, "list");
    record_list_add(record, "a");
    record_list_add(record, "b");
}

static void expect(enum output_mode mode, struct record *record, const char *wanted)
{
    struct buffer text = {0};

    assert_int_equal(render_record(mode, record, &text), RC_OK);
    assert_int_equal(buffer_append(&text, "", 1), RC_OK);
    assert_string_equal((char *)text.data, wanted);
    buffer_fini(&text);
}

static void three_renderings(void **state)
{
    struct record record;

    (void)state;
    make(&record, RECORD_ROW, "R");
    expect(OUTPUT_JSON, &record,
           "{\"v\":1,\"t\":\"reader\",\"name\":\"R\",\"atr_bytes\":\"3B00\",\"number\":7,\"used\":true,"
           "\"problem\":null,\"list\":[\"a\",\"b\"]}\n");
    expect(OUTPUT_BARE, &record, "R\t3B00\t7\ta,b\n");
    expect(OUTPUT_PEOPLE, &record, "R  3B00  a, b\n");
    record_people(&record, "%s", "for ");
    record_people(&record, "%s", "people");
    expect(OUTPUT_PEOPLE, &record, "for people\n");
    expect(OUTPUT_BARE, &record, "R\t3B00\t7\ta,b\n");
    record_fini(&record);
    make(&record, RECORD_FACTS, "R");
    expect(OUTPUT_BARE, &record, "name\tR\natr_bytes\t3B00\nnumber\t7\nlist\ta,b\n");
    expect(OUTPUT_PEOPLE, &record, "name       R\natr bytes  3B00\nlist       a, b\n");
    record_fini(&record);
}

/* A card's answer of 64 KB may have a line for each of its data objects. */
static void lines_without_number(void **state)
{
    struct record record;

    (void)state;
    record_init(&record, "x", RECORD_ROW);
    alarm(30);
    for (unsigned i = 0; i < 300000; i++)
        record_people(&record, "line %u of many, for people\n", i);
    alarm(0);
    assert_false(record.failed);
    record_fini(&record);
}

/* Names come from devices: they must not drive the terminal, break columns, or break JSON. */
static void hostile_names(void **state)
{
    struct record record;

    (void)state;
    record_init(&record, "x", RECORD_ROW);
    record_text(&record, SHOW_ALL, "name", "a\033]0;b\tc\nd\xFF\xC3\xA9\xED\xA0\x80");
    expect(OUTPUT_BARE, &record, "a ]0;b c d\xFF\xC3\xA9\xED\xA0\x80\n");
    expect(OUTPUT_JSON, &record,
           "{\"v\":1,\"t\":\"x\",\"name\":\"a\\u001B]0;"
           "b\\tc\\nd\xEF\xBF\xBD\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"}"
           "\n");
    record_people(&record, "\033[31mred\033[0m \033[2J\a");
    expect(OUTPUT_PEOPLE, &record, "\033[31mred\033[0m ?[2J?\n");
    record_fini(&record);
}

struct pipes {
    struct output output;
    int out[2], err[2];
};

static void open_pipes(struct pipes *pipes)
{
    assert_int_equal(pipe(pipes->out), 0);
    assert_int_equal(pipe(pipes->err), 0);
    output_init(&pipes->output, pipes->out[1], pipes->err[1], NULL, "xterm");
}

static void close_and_read(int fds[2], char *text, size_t capacity)
{
    ssize_t n;

    close(fds[1]);
    n = read(fds[0], text, capacity - 1);
    assert_true(n >= 0);
    text[n] = '\0';
    close(fds[0]);
}

static void errors_are_records(void **state)
{
    struct pipes pipes;
    char text[512];
    json_t *json;

    (void)state;
    open_pipes(&pipes);
    assert_int_equal(pipes.output.mode, OUTPUT_BARE);
    assert_int_equal(
        output_error(&pipes.output, STATUS_NO_CARD, SCARD_E_NO_SMARTCARD, "no card", "Insert one."), 5);
    close_and_read(pipes.err, text, sizeof text);
    assert_string_equal(text, "scard: no card. Insert one.\n");
    close_and_read(pipes.out, text, sizeof text);
    assert_string_equal(text, "");

    open_pipes(&pipes);
    pipes.output.mode = OUTPUT_JSON;
    output_error(&pipes.output, STATUS_NO_CARD, SCARD_E_NO_SMARTCARD, "no card", "Insert one.");
    close_and_read(pipes.err, text, sizeof text);
    assert_string_equal(text, "");
    close_and_read(pipes.out, text, sizeof text);
    json = json_loads(text, 0, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "t")), "error");
    assert_int_equal(json_integer_value(json_object_get(json, "code")), 5);
    assert_string_equal(json_string_value(json_object_get(json, "name")), "no-card");
    assert_string_equal(json_string_value(json_object_get(json, "scard")), "0x8010000C");
    assert_string_equal(json_string_value(json_object_get(json, "detail")), "no card");
    assert_string_equal(json_string_value(json_object_get(json, "fix")), "Insert one.");
    json_decref(json);
}

static void a_broken_pipe_is_noticed(void **state)
{
    struct pipes pipes;
    struct record record;
    char text[64];

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    open_pipes(&pipes);
    close(pipes.out[0]);
    make(&record, RECORD_ROW, "R");
    assert_int_equal(output_record(&pipes.output, &record), STATUS_PIPE);
    assert_true(pipes.output.broken);
    record_fini(&record);
    close(pipes.out[1]);
    close_and_read(pipes.err, text, sizeof text);
}

static void secrets_are_masked_in_one_place(void **state)
{
    const uint8_t verify[] = {0x00, 0x20, 0x00, 0x01, 0x04, 0x31, 0x32, 0x33, 0x34};
    const struct exchange exchange = {
        .command = verify, .command_length = sizeof verify, .secret_offset = 5, .secret_length = 4};
    const struct exchange plain = {.command = verify, .command_length = sizeof verify};
    char *hex = exchange_command_hex(&exchange, false);

    (void)state;
    assert_string_equal(hex, "0020000104**");
    free(hex);
    hex = exchange_command_hex(&exchange, true);
    assert_string_equal(hex, "002000010431323334");
    free(hex);
    hex = exchange_command_hex(&plain, false);
    assert_string_equal(hex, "002000010431323334");
    free(hex);
}

static void interrupts_stay_until_cleared(void **state)
{
    struct interrupt interrupt;
    struct pollfd fd;

    (void)state;
    assert_int_equal(interrupt_init(&interrupt, false), RC_OK);
    fd = (struct pollfd){.fd = interrupt.event_fd, .events = POLLIN};
    assert_false(interrupt_raised(&interrupt));
    assert_int_equal(poll(&fd, 1, 0), 0);
    interrupt_raise(&interrupt);
    interrupt_raise(&interrupt);
    assert_int_equal(interrupt_cause(&interrupt), INTERRUPT_USER);
    assert_int_equal(poll(&fd, 1, 0), 1);
    interrupt_clear(&interrupt);
    assert_false(interrupt_raised(&interrupt));
    assert_int_equal(poll(&fd, 1, 0), 0);

    interrupt_at(&interrupt, deadline_in_ms(1));
    assert_int_equal(poll(&fd, 1, 10000), 1);
    assert_int_equal(interrupt_cause(&interrupt), INTERRUPT_TIMEOUT);
    interrupt_clear(&interrupt);
    assert_int_equal(poll(&fd, 1, 0), 0);
    interrupt_fini(&interrupt);
}

/* The wait may begin before the interrupt or after it: both end. */
static void an_interrupt_ends_a_wait(void **state)
{
    SCARD_READERSTATE pnp = {.szReader = "\\\\?PnP?\\Notification"};
    struct interrupt interrupt;
    SCARDCONTEXT context;

    (void)state;
    assert_int_equal(setenv("SCARD_SERVICE", "local", 1), 0);
    assert_int_equal(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), SCARD_S_SUCCESS);
    assert_int_equal(interrupt_init(&interrupt, false), RC_OK);
    interrupt_watch(&interrupt, context);
    interrupt_raise(&interrupt);
    assert_int_equal(SCardGetStatusChange(context, INFINITE, &pnp, 1), SCARD_E_CANCELLED);
    interrupt_clear(&interrupt);
    interrupt_at(&interrupt, deadline_in_ms(5));
    assert_int_equal(SCardGetStatusChange(context, INFINITE, &pnp, 1), SCARD_E_CANCELLED);
    interrupt_watch(&interrupt, 0);
    interrupt_fini(&interrupt);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

/* The reader of a socket may leave it full and open: a session must not hang on that. */
static void an_interrupt_ends_writing_to_a_full_socket(void **state)
{
    struct interrupt interrupt;
    struct output output;
    static const char text[4096];
    int pair[2], status;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(interrupt_init(&interrupt, false), RC_OK);
    output_init(&output, pair[0], pair[0], NULL, NULL);
    output.interrupt = &interrupt;
    interrupt_at(&interrupt, deadline_in_ms(50));
    do
        status = output_text(&output, text, sizeof text);
    while (status == STATUS_DONE);
    assert_int_equal(output.broken_errno, ECANCELED);
    interrupt_fini(&interrupt);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_renderings),
        cmocka_unit_test(lines_without_number),
        cmocka_unit_test(hostile_names),
        cmocka_unit_test(errors_are_records),
        cmocka_unit_test(a_broken_pipe_is_noticed),
        cmocka_unit_test(secrets_are_masked_in_one_place),
        cmocka_unit_test(interrupts_stay_until_cleared),
        cmocka_unit_test(an_interrupt_ends_a_wait),
        cmocka_unit_test(an_interrupt_ends_writing_to_a_full_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
