/* SPDX-License-Identifier: MIT */
/* A session with a reader, recorded at the pipe, and the driver over the recording alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rc.h"
#include "tests/usbemu/ccid_kit.h"
#include "usb/pipe_trace.h"

#define ANSWERS_MAX 8

/* What a program sees of a session. */
struct seen {
    uint8_t atr[ATR_MAX];
    size_t atr_length;
    uint8_t answers[ANSWERS_MAX][KIT_ROOM];
    size_t lengths[ANSWERS_MAX];
    int results[ANSWERS_MAX];
    size_t count;
};

static char folder[] = "/tmp/scard-replay-XXXXXX", path[sizeof folder + 8];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/trace", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int remove_trace(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void note(struct kit *kit, struct seen *seen, int result)
{
    size_t i = seen->count++;

    seen->results[i] = result;
    seen->lengths[i] = result ? 0 : kit->length;
    memcpy(seen->answers[i], kit->response, seen->lengths[i]);
}

static void hold_session(struct kit *kit, enum protocol protocol, struct seen *seen)
{
    static const uint8_t select[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};
    static const uint8_t echo[] = {0x00, 0xC0, 0x00, 0x00, 0x00};
    uint8_t extended[700] = {0x00, 0xD6, 0x00, 0x00, 0x00, 0x02, 0xB5};

    *seen = (struct seen){0};
    kit_start(kit, protocol);
    memcpy(seen->atr, kit->atr, kit->atr_length);
    seen->atr_length = kit->atr_length;
    note(kit, seen, kit_transmit(kit, select, sizeof select));
    note(kit, seen, kit_transmit(kit, echo, sizeof echo));
    note(kit, seen, kit_transmit(kit, extended, sizeof extended));
    note(kit, seen, kit_power(kit, POWER_WARM));
    note(kit, seen, kit_set_protocol(kit, protocol));
    note(kit, seen, kit_transmit(kit, select, sizeof select));
}

static size_t count_lines(void)
{
    FILE *file = fopen(path, "r");
    size_t count = 0;

    assert_non_null(file);
    for (int c = fgetc(file); c != EOF; c = fgetc(file))
        count += c == '\n';
    fclose(file);
    return count;
}

static void a_session_replays_byte_for_byte(void **state)
{
    static const struct {
        const char *preset, *card;
        enum protocol protocol;
    } sessions[] = {
        {"tpdu", "sim:iso?protocol=T1", PROTOCOL_T1},      {"tpdu", "sim:iso?protocol=T0", PROTOCOL_T0},
        {"short", "sim:iso?protocol=T1", PROTOCOL_T1},     {"extended", "sim:iso?protocol=T1", PROTOCOL_T1},
        {"character", "sim:iso?protocol=T1", PROTOCOL_T1}, {"iccd-b", "sim:iso?protocol=T1", PROTOCOL_T1},
    };
    struct seen *recorded = calloc(2, sizeof *recorded), *replayed = recorded + 1;

    (void)state;
    assert_non_null(recorded);
    for (size_t i = 0; i < sizeof sessions / sizeof *sessions; i++) {
        struct kit *kit = malloc(sizeof *kit);
        struct pipe *pipe;
        size_t lines;

        assert_non_null(kit);
        kit_open_recorded(kit, sessions[i].preset, sessions[i].card, path);
        hold_session(kit, sessions[i].protocol, recorded);
        assert_int_equal(recorded->results[0], RC_OK);
        assert_int_equal(recorded->results[5], RC_OK);
        lines = count_lines();
        kit_close(kit);

        kit_open_replay(kit, sessions[i].preset, path, &pipe);
        hold_session(kit, sessions[i].protocol, replayed);
        assert_memory_equal(recorded, replayed, sizeof *recorded);
        assert_int_equal(pipe_replay_left(pipe), count_lines() - lines); /* what close sends */
        kit_close(kit);
        free(kit);
        unlink(path);
    }
    free(recorded);
}

/* Another command than was recorded is no silent success. */
static void another_session_is_noticed(void **state)
{
    static const uint8_t other[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x01};
    struct seen *seen = calloc(1, sizeof *seen);
    struct kit *kit = malloc(sizeof *kit);
    struct pipe *pipe;

    (void)state;
    assert_true(seen && kit);
    kit_open_recorded(kit, "extended", "sim:iso?protocol=T1", path);
    hold_session(kit, PROTOCOL_T1, seen);
    kit_close(kit);
    kit_open_replay(kit, "extended", path, &pipe);
    kit_start(kit, PROTOCOL_T1);
    assert_int_not_equal(kit_transmit(kit, other, sizeof other), RC_OK);
    kit_close(kit);
    free(kit);
    free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_session_replays_byte_for_byte, remove_trace),
        cmocka_unit_test_teardown(another_session_is_noticed, remove_trace),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
