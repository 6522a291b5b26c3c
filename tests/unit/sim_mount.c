/* SPDX-License-Identifier: MIT */
/* The mount behind the reader seam: presence, power, protocols, T=0, control, attributes, threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/rc.h"
#include "base/uri.h"
#include "iso/apdu.h"
#include "sim/mount.h"

#define LONG_DELAY "80107530" /* 30 seconds: a test that waits it out has failed */

static struct reader *reader;
static uint8_t atr[ATR_MAX], out[APDU_RESPONSE_MAX + 16];
static size_t length;

static int open_uri(const char *text)
{
    struct uri uri;
    int rc;

    assert_int_equal(uri_parse(text, strlen(text), &uri), RC_OK);
    rc = sim_open(&uri, &reader);
    uri_fini(&uri);
    return rc;
}

static void mount(const char *text)
{
    assert_int_equal(open_uri(text), RC_OK);
}

static int unmount(void **state)
{
    (void)state;
    if (reader)
        reader->ops->close(reader);
    reader = NULL;
    return 0;
}

static int power(enum power_action action)
{
    return reader->ops->power(reader, action, atr, &length);
}

static void power_up(enum protocol protocol)
{
    assert_int_equal(power(POWER_COLD), RC_OK);
    assert_true(length > 2);
    assert_int_equal(reader->ops->set_protocol(reader, protocol), RC_OK);
}

static int send_to(enum protocol protocol, const char *hex, size_t capacity)
{
    uint8_t bytes[300];
    size_t count, at;

    assert_int_equal(hex_parse(hex, strlen(hex), bytes, &count, &at), RC_OK);
    return reader->ops->transmit(reader, protocol, bytes, count, out, capacity, &length);
}

static int transmit(enum protocol protocol, const char *hex)
{
    return send_to(protocol, hex, sizeof out);
}

static void check(enum protocol protocol, const char *command, const char *expected, int line)
{
    char got[1200];
    int rc = transmit(protocol, command);

    if (rc)
        print_error("line %d: %s: %s\n", line, command, rc_name(rc));
    assert_int_equal(rc, RC_OK);
    assert_true(length < 600);
    hex_format(out, length, got);
    if (strcmp(got, expected) != 0)
        print_error("line %d: %s\n", line, command);
    assert_string_equal(got, expected);
}
#define t0(command, expected) check(PROTOCOL_T0, command, expected, __LINE__)
#define t1(command, expected) check(PROTOCOL_T1, command, expected, __LINE__)

static bool has_news(int timeout_ms)
{
    struct pollfd fd = {.fd = reader->event_fd, .events = POLLIN};

    return poll(&fd, 1, timeout_ms) == 1;
}

static bool present(void)
{
    bool in = false;

    assert_int_equal(reader->ops->presence(reader, &in), RC_OK);
    return in;
}

static int control(uint32_t code, size_t capacity)
{
    return reader->ops->control(reader, code, NULL, 0, out, capacity, &length);
}

static void names_hold_no_options(void **state)
{
    (void)state;
    mount("sim:iso?pin=9876&serial=A1");
    assert_string_equal(reader->model, "scard sim:iso");
    assert_string_equal(reader->device, "sim:iso");
    assert_string_equal(reader->serial, "A1");
    assert_string_equal(reader->vendor, "scard");
    unmount(NULL);
    mount("sim:echo");
    assert_null(reader->serial);
    unmount(NULL);
    assert_int_equal(open_uri("sim:iso?insert=maybe"), RC_INVALID_VALUE);
    assert_int_equal(open_uri("sim:iso?presence=/nonexistent-folder/file"), RC_READER_UNAVAILABLE);
    assert_int_equal(open_uri("sim:iso?presence=/"), RC_INVALID_VALUE);
    assert_int_equal(open_uri("sim:none"), RC_INVALID_VALUE);
}

static void presence_is_told_once(void **state)
{
    (void)state;
    mount("sim:iso");
    assert_true(has_news(0)); /* the manager has not looked yet */
    assert_true(present());
    assert_false(has_news(0));
    assert_int_equal(control(SIM_CONTROL_INSERT, 0), RC_OK); /* is in already */
    assert_false(has_news(0));
    assert_int_equal(control(SIM_CONTROL_REMOVE, 0), RC_OK);
    assert_true(has_news(0));
    assert_false(present());
    assert_false(has_news(0));
    unmount(NULL);
    mount("sim:iso?insert=no");
    assert_false(has_news(0));
    assert_false(present());
    sim_set_present(reader, true);
    assert_true(has_news(0));
    assert_true(present());
}

static void no_removal_is_missed(void **state)
{
    (void)state;
    mount("sim:iso");
    assert_true(present());
    sim_set_present(reader, false);
    sim_set_present(reader, true);
    assert_true(has_news(0));
    assert_false(present()); /* it was out in between */
    assert_true(has_news(0));
    assert_true(present());
    assert_false(has_news(0));
}

static void power_and_protocol_rules(void **state)
{
    (void)state;
    mount("sim:iso?insert=no");
    assert_int_equal(power(POWER_COLD), RC_NO_CARD);
    assert_int_equal(power(POWER_OFF), RC_OK);
    assert_int_equal(length, 0);
    assert_int_equal(transmit(PROTOCOL_T1, "00A4000C"), RC_NO_CARD);
    sim_set_present(reader, true);
    assert_int_equal(transmit(PROTOCOL_T1, "00A4000C"), RC_NOT_TRANSACTED);
    assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T1), RC_NOT_TRANSACTED);
    assert_int_equal(power(POWER_COLD), RC_OK);
    assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T0), RC_UNRESPONSIVE);
    assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_RAW), RC_UNRESPONSIVE);
    assert_int_equal(transmit(PROTOCOL_T1, "00A4000C"), RC_NOT_TRANSACTED); /* no protocol set */
    assert_int_equal(transmit(PROTOCOL_RAW, "00A4000C"), RC_OK);
    assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T1), RC_OK);
    t1("00A4000C", "9000");
    assert_int_equal(power(POWER_OFF), RC_OK);
    assert_int_equal(transmit(PROTOCOL_T1, "00A4000C"), RC_NOT_TRANSACTED);
    unmount(NULL);
    mount("sim:iso?protocol=both");
    power_up(PROTOCOL_T0);
    power_up(PROTOCOL_T1);
}

static void reinsertion_keeps_the_files_and_loses_the_state(void **state)
{
    (void)state;
    mount("sim:iso");
    power_up(PROTOCOL_T1);
    t1("00A4040C07F0736361726401", "9000");
    t1("00D687000142", "9000");
    t1("002000010431323334", "9000");
    t1("002000010430303030", "63C2");
    sim_set_present(reader, false);
    assert_int_equal(transmit(PROTOCOL_T1, "00200001"), RC_NO_CARD);
    sim_set_present(reader, true);
    assert_int_equal(transmit(PROTOCOL_T1, "00200001"), RC_NOT_TRANSACTED); /* not powered up again */
    power_up(PROTOCOL_T1);
    t1("00B0870001", "6A82");
    t1("00200001", "63C2");
    t1("00A4040C07F0736361726401", "9000");
    t1("00B0870001", "429000");
    assert_int_equal(power(POWER_WARM), RC_OK);
    assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T1), RC_OK);
    t1("00B0870001", "6A82");
}

static void short_room_tells_the_length(void **state)
{
    (void)state;
    mount("sim:echo?reply=100");
    power_up(PROTOCOL_T1);
    assert_int_equal(send_to(PROTOCOL_T1, "00000000", 101), RC_INSUFFICIENT_BUFFER);
    assert_int_equal(length, 102);
    assert_int_equal(send_to(PROTOCOL_T1, "00000000", 102), RC_OK);
}

static void t0_answers_61_and_6c(void **state)
{
    (void)state;
    mount("sim:iso?protocol=T0");
    power_up(PROTOCOL_T0);
    /* Case 4, with and without Le: the data waits. */
    t0("00A4040007A0000002471001", "612D");
    t0("00C00000FF", "6C2D");
    t0("00C000002D",
       "6F2B8201388302DF038407A00000024710018A0105501673616D706C652074726176656C20646F63756D656E"
       "749000");
    t0("00C0000000", "6985");
    t0("00A4040007A000000247100100", "612D");
    t0("00C0000005", "6F2B8201386128"); /* in pieces */
    t0("00C0000028", "8302DF038407A00000024710018A0105501673616D706C652074726176656C20646F63756D656E749000");
    t0("00A4040007A0000002471001", "612D");
    t0("00A4020C02011E", "9000"); /* no data: nothing waits, what did is gone */
    t0("00C000002D", "6985");
    /* Case 2. */
    t0("00B0000000", "6C15");
    t0("00B0000015", "60135F0104303130375F36063034303030305C01619000");
    t0("00B0000002", "60139000");
    t0("00B0000100", "6C14");
    t0("00B0000202", "5F019000"); /* another command than the one that was announced */
    t0("00B000FF01", "6B00");
    /* Extended lengths do not exist. */
    t0("00B00000000100", "6700");
    t0("00B000000000", "6700");
}

static void t0_repeat_does_not_run_twice(void **state)
{
    (void)state;
    mount("sim:iso?protocol=T0");
    power_up(PROTOCOL_T0);
    t0("0070000000", "6C01");
    t0("0070000001", "019000");
    t0("0070000000", "6C01");
    t0("0070000002", "6C01");
    t0("0070000001", "029000");
    t0("0120000100", "63C3");
}

static void t0_carries_pin_chains_and_long_records(void **state)
{
    (void)state;
    mount("sim:iso?protocol=T0");
    power_up(PROTOCOL_T0);
    t0("00A4040C07F073636172640100", "9000"); /* case 4 with nothing to fetch */
    t0("002000010431323334", "9000");
    t0("00200001", "9000");
    t0("10D68700020102", "9000");
    t0("00D68700020304", "9000");
    t0("00B0870004", "010203049000");
    t0("00B1E1020454029C3E", "6104");
    t0("00C0000004", "5302A2A39000");
    assert_int_equal(transmit(PROTOCOL_T0, "00B2012500"), RC_OK); /* 128 bytes of records */
    assert_memory_equal(out, "\x6C\x80", 2);
    assert_int_equal(transmit(PROTOCOL_T0, "00B2012580"), RC_OK);
    assert_int_equal(length, 130);
}

static void t0_on_an_echo_card(void **state)
{
    (void)state;
    mount("sim:echo?protocol=T0");
    power_up(PROTOCOL_T0);
    t0("0000000003010203", "6103");
    t0("00C0000003", "0102039000");
    t0("0000000002", "00019000");
    t0("00000000", "9000");
    assert_int_equal(transmit(PROTOCOL_T0, "0000000000"), RC_OK);
    assert_int_equal(length, 258);
    /* A new reset forgets. */
    t0("0000000003010203", "6103");
    power_up(PROTOCOL_T0);
    t0("00C0000003", "0001029000");
}

static void features_and_properties(void **state)
{
    (void)state;
    mount("sim:iso");
    assert_int_equal(control(0x42000D48, sizeof out), RC_OK);
    assert_int_equal(length, 6);
    assert_memory_equal(out, "\x12\x04\x42\x33\x00\x12", 6);
    assert_int_equal(control(0x00313520, 5), RC_INSUFFICIENT_BUFFER);
    assert_int_equal(length, 6);
    assert_int_equal(control(0x42330012, sizeof out), RC_OK);
    assert_int_equal(length, 6);
    assert_memory_equal(out, "\x0A\x04\x00\x00\x01\x00", 6);
    assert_int_equal(control(0x42330013, sizeof out), RC_UNSUPPORTED);
    unmount(NULL);
    mount("sim:iso?protocol=T0");
    power_up(PROTOCOL_T0);
    assert_int_equal(control(0x42330012, sizeof out), RC_OK);
    assert_memory_equal(out, "\x0A\x04\x00\x00\x00\x00", 6);
}

static int attribute(uint32_t tag)
{
    return reader->ops->get_attribute(reader, tag, out, sizeof out, &length);
}

static uint32_t number(uint32_t tag)
{
    uint32_t value;

    assert_int_equal(attribute(tag), RC_OK);
    assert_int_equal(length, sizeof value);
    memcpy(&value, out, sizeof value);
    return value;
}

static uint8_t byte(uint32_t tag)
{
    assert_int_equal(attribute(tag), RC_OK);
    assert_int_equal(length, 1);
    return out[0];
}

static void attributes(void **state)
{
    (void)state;
    mount("sim:iso?serial=77");
    assert_int_equal(attribute(0x00010100), RC_OK);
    assert_string_equal((char *)out, "scard");
    assert_int_equal(attribute(0x00010101), RC_OK);
    assert_string_equal((char *)out, "scard sim:iso");
    assert_int_equal(attribute(0x00010103), RC_OK);
    assert_string_equal((char *)out, "77");
    assert_int_equal(length, 3);
    assert_int_equal(number(0x00010102), 0x01000000);
    assert_int_equal(number(0x00020110), 0x00F00000);
    assert_int_equal(number(0x00030120), 3);
    assert_int_equal(number(0x0007A007), 65544);
    assert_int_equal(number(0x00080201), 0);
    assert_int_equal(byte(0x00090300), 2);
    assert_int_equal(byte(0x00090301), 0);
    assert_int_equal(byte(0x00090304), 0);
    assert_int_equal(attribute(0x00090303), RC_OK);
    assert_int_equal(length, 0);
    power_up(PROTOCOL_T1);
    assert_int_equal(number(0x00080201), PROTOCOL_T1);
    assert_int_equal(byte(0x00090301), 1);
    assert_int_equal(byte(0x00090304), 1);
    assert_int_equal(attribute(0x00090303), RC_OK);
    assert_memory_equal(out, atr, length);
    assert_int_equal(reader->ops->get_attribute(reader, 0x00090303, NULL, 0, &length),
                     RC_INSUFFICIENT_BUFFER);
    assert_true(length > 10);
    sim_set_present(reader, false);
    assert_int_equal(byte(0x00090300), 0);
    assert_int_equal(byte(0x00090301), 0);
    assert_int_equal(attribute(0x00090303), RC_OK);
    assert_int_equal(length, 0);
    assert_int_equal(attribute(0x12345678), RC_UNSUPPORTED);
    assert_int_equal(reader->ops->set_attribute(reader, 0x7FFF0007, (const uint8_t *)"\1", 1), RC_OK);
    assert_int_equal(reader->ops->set_attribute(reader, 0x00010100, (const uint8_t *)"\1", 1),
                     RC_UNSUPPORTED);
    unmount(NULL);
    mount("sim:iso");
    assert_int_equal(attribute(0x00010103), RC_UNSUPPORTED); /* no serial number */
}

static char folder[64], file[80];

static void touch(void)
{
    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static void mount_file(const char *card)
{
    char uri[160];

    snprintf(folder, sizeof folder, "%s/scard-test-XXXXXX", P_tmpdir);
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/card", folder);
    snprintf(uri, sizeof uri, "sim:%s?presence=%s", card, file);
    mount(uri);
}

static int unmount_file(void **state)
{
    unlink(file);
    rmdir(folder);
    return unmount(state);
}

static void file_is_the_card(void **state)
{
    char other[100];

    (void)state;
    mount_file("iso");
    assert_false(has_news(0));
    assert_false(present());
    touch();
    assert_true(has_news(10000));
    assert_true(present());
    assert_false(has_news(0));
    power_up(PROTOCOL_T1);
    snprintf(other, sizeof other, "%s/other", folder);
    assert_int_equal(rename(file, other), 0);
    assert_int_equal(transmit(PROTOCOL_T1, "00A4000C"), RC_NO_CARD);
    assert_true(has_news(0));
    assert_false(present());
    assert_int_equal(rename(other, file), 0);
    assert_true(has_news(10000));
    assert_true(present());
    assert_int_equal(unlink(file), 0);
    touch();
    assert_true(has_news(10000));
    assert_false(present()); /* out and in again: both are told */
    assert_true(has_news(0));
    assert_true(present());
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_false(present());
}

static void file_there_at_start(void **state)
{
    char uri[160];

    (void)state;
    mount_file("iso");
    touch();
    unmount(NULL);
    snprintf(uri, sizeof uri, "sim:iso?presence=%s&insert=no", file);
    mount(uri);
    assert_true(has_news(0));
    assert_true(present());
}

/* One call in a thread of its own. */
struct call {
    pthread_t thread;
    const char *command;
    int rc;
    atomic_int tid;
};

static void *run_call(void *argument)
{
    struct call *call = argument;

    atomic_store(&call->tid, gettid());
    call->rc = transmit(PROTOCOL_T1, call->command);
    return NULL;
}

/* Is the thread blocked in the kernel? */
static bool is_asleep(int tid)
{
    char path[64], stat[256] = "";
    ssize_t got;
    int fd;

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    got = read(fd, stat, sizeof stat - 1);
    close(fd);
    return got > 0 && strstr(stat, ") S ");
}

/* Returns when the call waits on the card. */
static void start(struct call *call)
{
    atomic_store(&call->tid, 0);
    assert_int_equal(pthread_create(&call->thread, NULL, run_call, call), 0);
    while (!atomic_load(&call->tid) || !is_asleep(atomic_load(&call->tid)))
        sched_yield();
}

static int finish(struct call *call)
{
    assert_int_equal(pthread_join(call->thread, NULL), 0);
    return call->rc;
}

static void removal_ends_a_delay(void **state)
{
    struct call call = {.command = LONG_DELAY};

    (void)state;
    mount("sim:odd");
    power_up(PROTOCOL_T1);
    start(&call);
    sim_set_present(reader, false);
    assert_int_equal(finish(&call), RC_NO_CARD);
    assert_false(present());
    sim_set_present(reader, true);
    power_up(PROTOCOL_T1);
    t1("80100000", "9000");
    start(&call);
    sim_set_present(reader, false);
    sim_set_present(reader, true); /* back, but not the same power-up */
    assert_int_equal(finish(&call), RC_NO_CARD);
}

static void file_removal_ends_a_delay(void **state)
{
    struct call call = {.command = LONG_DELAY};

    (void)state;
    mount_file("odd");
    touch();
    assert_true(has_news(10000));
    assert_true(present());
    power_up(PROTOCOL_T1);
    start(&call);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(finish(&call), RC_NO_CARD);
}

static void cancel_ends_a_delay_and_does_not_stick(void **state)
{
    struct call call = {.command = LONG_DELAY};
    struct timespec pause = {.tv_nsec = 1000000};

    (void)state;
    mount("sim:odd");
    power_up(PROTOCOL_T1);
    reader->ops->cancel(reader); /* nothing under way */
    t1("80100001", "9000");
    start(&call);
    /* Not sticky: one that comes before the call has begun is lost, so it is said until it is heard. */
    while (pthread_tryjoin_np(call.thread, NULL) != 0) {
        reader->ops->cancel(reader);
        nanosleep(&pause, NULL);
    }
    assert_int_equal(call.rc, RC_CANCELLED);
    t1("80100001", "9000");
}

static void *flip(void *argument)
{
    (void)argument;
    for (int i = 0; i < 2000; i++)
        sim_set_present(reader, i % 2 == 0);
    sim_set_present(reader, true);
    return NULL;
}

static void flapping_card_leaves_a_usable_reader(void **state)
{
    pthread_t thread;
    bool in = false;

    (void)state;
    mount("sim:iso");
    assert_int_equal(pthread_create(&thread, NULL, flip, NULL), 0);
    for (int i = 0; i < 500; i++) {
        (void)present();
        if (power(POWER_COLD) == RC_OK && reader->ops->set_protocol(reader, PROTOCOL_T1) == RC_OK)
            (void)transmit(PROTOCOL_T1, "00A4000C");
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    while (has_news(0))
        in = present();
    assert_true(in || present());
    power_up(PROTOCOL_T1);
    t1("00A4000C", "9000");
}

#define TEST(f) cmocka_unit_test_teardown(f, unmount)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_hold_no_options),
        TEST(presence_is_told_once),
        TEST(no_removal_is_missed),
        TEST(power_and_protocol_rules),
        TEST(reinsertion_keeps_the_files_and_loses_the_state),
        TEST(short_room_tells_the_length),
        TEST(t0_answers_61_and_6c),
        TEST(t0_repeat_does_not_run_twice),
        TEST(t0_carries_pin_chains_and_long_records),
        TEST(t0_on_an_echo_card),
        TEST(features_and_properties),
        TEST(attributes),
        cmocka_unit_test_teardown(file_is_the_card, unmount_file),
        cmocka_unit_test_teardown(file_there_at_start, unmount_file),
        TEST(removal_ends_a_delay),
        cmocka_unit_test_teardown(file_removal_ends_a_delay, unmount_file),
        TEST(cancel_ends_a_delay_and_does_not_stick),
        TEST(flapping_card_leaves_a_usable_reader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
