/* SPDX-License-Identifier: MIT */
/* scard_set_trace: what a receiver gets, from the middle of a connection on, and that it ends at once. */
#include "tests/unit/api_kit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <scard.h>

struct seen {
    unsigned apdus, connections, calls;
    struct scard_exchange last;
    BYTE command[64], response[64];
    bool wrong_reader;
};

static void receive(void *user, const struct scard_exchange *exchange)
{
    struct seen *seen = user;

    seen->apdus += exchange->kind == SCARD_EXCHANGE_APDU;
    seen->connections += exchange->kind == SCARD_EXCHANGE_CONNECT;
    seen->calls++;
    if (exchange->kind != SCARD_EXCHANGE_APDU)
        return;
    seen->last = *exchange;
    assert_true(exchange->command_length <= sizeof seen->command);
    memcpy(seen->command, exchange->command, exchange->command_length);
    memcpy(seen->response, exchange->response, exchange->response_length);
    seen->wrong_reader = seen->wrong_reader || strcmp(exchange->reader, ECHO) != 0;
}

static LONG transmit(SCARDHANDLE card, const char *command, size_t length)
{
    BYTE response[258];
    DWORD response_length = sizeof response;

    return SCardTransmit(card, SCARD_PCI_T1, (const BYTE *)command, length, NULL, response, &response_length);
}

static void a_receiver_in_the_middle_learns_of_the_connection_first(void **state)
{
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_shared(context, ECHO);
    struct seen seen = {0};

    (void)state;
    scard_set_trace(receive, &seen, 0);
    assert_int_equal(transmit_echo(card), SCARD_S_SUCCESS);
    assert_int_equal(seen.connections, 1);
    assert_int_equal(seen.apdus, 1);
    assert_int_equal(seen.last.size, sizeof seen.last);
    assert_memory_equal(seen.command, "\x80\x10\x00\x00\x02\xAB\xCD", 7);
    assert_memory_equal(seen.response, "\xAB\xCD\x90\x00", 4);
    assert_true(seen.last.time_ns > 1600000000 * 1000000000LL);
    assert_true(seen.last.duration_ns > 0);
    assert_int_equal(seen.last.protocol, SCARD_PROTOCOL_T1);
    assert_false(seen.wrong_reader);
    /* The connection is told once. */
    assert_int_equal(transmit_echo(card), SCARD_S_SUCCESS);
    assert_int_equal(seen.connections, 1);
    scard_set_trace(NULL, NULL, 0);
    assert_int_equal(transmit_echo(card), SCARD_S_SUCCESS);
    assert_int_equal(seen.apdus, 2);
    scard_set_trace(receive, &seen, 0);
    assert_int_equal(transmit_echo(card), SCARD_S_SUCCESS);
    assert_int_equal(seen.connections, 2);
    scard_set_trace(NULL, NULL, 0);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void secrets_come_to_who_asks_for_them(void **state)
{
    static const char verify[] = "\x00\x20\x00\x01\x04SECR";
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_shared(context, ECHO);
    struct seen seen = {0};

    (void)state;
    scard_set_trace(receive, &seen, 0);
    assert_int_equal(transmit(card, verify, 9), SCARD_S_SUCCESS);
    assert_memory_equal(seen.command, "\x00\x20\x00\x01\x04****", 9);
    assert_int_equal(seen.last.secret_offset, 5);
    assert_int_equal(seen.last.secret_length, 4);
    assert_true(seen.last.flags & SCARD_EXCHANGE_MASKED);
    scard_set_trace(receive, &seen, SCARD_TRACE_SECRETS);
    assert_int_equal(transmit(card, verify, 9), SCARD_S_SUCCESS);
    assert_memory_equal(seen.command, verify, 9);
    assert_false(seen.last.flags & SCARD_EXCHANGE_MASKED);
    scard_set_trace(NULL, NULL, 0);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void a_hint_is_for_the_next_command_alone(void **state)
{
    static const char command[] = "\x80\x10\x00\x00\x04SECR";
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_shared(context, ECHO);
    struct seen seen = {0};

    (void)state;
    scard_set_trace(receive, &seen, 0);
    scard_trace_hint(SCARD_EXCHANGE_AUTOMATIC, 7, 100);
    assert_int_equal(transmit(card, command, 9), SCARD_S_SUCCESS);
    assert_memory_equal(seen.command, "\x80\x10\x00\x00\x04SE**", 9);
    assert_true(seen.last.flags & SCARD_EXCHANGE_AUTOMATIC);
    assert_int_equal(transmit(card, command, 9), SCARD_S_SUCCESS);
    assert_memory_equal(seen.command, command, 9);
    assert_false(seen.last.flags & SCARD_EXCHANGE_AUTOMATIC);
    scard_set_trace(NULL, NULL, 0);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

#define ROUNDS 200

static void count(void *user, const struct scard_exchange *exchange)
{
    (void)exchange;
    atomic_fetch_add((atomic_uint *)user, 1);
}

static void *work(void *argument)
{
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_shared(context, ECHO);

    (void)argument;
    for (int i = 0; i < ROUNDS; i++)
        assert_int_equal(transmit_echo(card), SCARD_S_SUCCESS);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
    return NULL;
}

/* What user points to is gone after scard_set_trace has returned. */
static void a_receiver_that_was_taken_away_is_not_running(void **state)
{
    pthread_t threads[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        atomic_uint *calls = calloc(1, sizeof *calls);

        assert_non_null(calls);
        scard_set_trace(count, calls, 0);
        scard_set_trace(NULL, NULL, 0);
        free(calls);
    }
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

static void arguments_are_checked(void **state)
{
    struct scard_trace *trace = NULL;

    (void)state;
    assert_int_equal(scard_trace_open(-1, NULL, &trace), SCARD_E_INVALID_PARAMETER);
    assert_int_equal(scard_trace_open(0, "pcap", &trace), SCARD_E_INVALID_VALUE);
    assert_non_null(strstr(scard_error_detail(), "pcapng"));
    assert_null(trace);
    assert_int_equal(scard_trace_close(NULL), SCARD_S_SUCCESS);
    assert_int_equal(scard_recording_read(NULL, receive, NULL), SCARD_E_INVALID_PARAMETER);
    assert_int_equal(scard_recording_read("/nowhere/card.jsonl", receive, NULL), SCARD_E_FILE_NOT_FOUND);
    assert_null(scard_trace_format(NULL));
    assert_string_equal(scard_trace_format("a.pcapng"), "pcapng");
}

static int set_readers(void **state)
{
    (void)state;
    return setenv("SCARD_READERS", "sim:echo", 1) || setenv("SCARD_SERVICE", "local", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receiver_in_the_middle_learns_of_the_connection_first),
        cmocka_unit_test(secrets_come_to_who_asks_for_them),
        cmocka_unit_test(a_hint_is_for_the_next_command_alone),
        cmocka_unit_test(a_receiver_that_was_taken_away_is_not_running),
        cmocka_unit_test(arguments_are_checked),
    };

    return cmocka_run_group_tests(tests, set_readers, NULL);
}
