/* SPDX-License-Identifier: MIT */
/* The emulated readers by hand-made messages: the judge, aborts, faults, slots, the soft pipe. */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/rc.h"
#include "driver/ccid_message.h"
#include "tests/usbemu/model_rig.h"

#define T1_PARAMETERS "1110004500FE00"
#define STATUS(rig) rig_command(rig, CCID_GET_SLOT_STATUS, 0, "", CCID_SLOT_STATUS)

static int raw_out(struct rig *rig, const char *bytes, size_t length)
{
    return rig->pipe->ops->bulk_out(rig->pipe, (const uint8_t *)bytes, length, deadline_in_ms(100));
}

static void power(struct rig *rig)
{
    rig_command(rig, CCID_POWER_ON, 0, "", CCID_DATA_BLOCK);
    if (emu_reader_slot(rig->reader, 0).protocol == 0)
        rig_command(rig, CCID_SET_PARAMETERS, 1, T1_PARAMETERS, CCID_PARAMETERS);
}

/* Each blames once, with these words, and once alone. */
#define BLAMED(words)                                                                                        \
    do {                                                                                                     \
        assert_true(emu_blamed_for(words));                                                                  \
        assert_int_equal(emu_blamed(), 1);                                                                   \
    } while (0)

static void judge(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "tpdu", "sim:echo");
    assert_int_equal(raw_out(&rig, "\x65\x00\x00", 3), 0);
    BLAMED("too short");
    assert_int_equal(raw_out(&rig, "\x65\x01\x00\x00\x00\x00\x01\x00\x00\x00", 10), 0);
    BLAMED("dwLength");
    assert_int_equal(raw_out(&rig, "\x65\x00\x00\x00\x00\x00\x01\x00\x00\x00", 10), 0);
    BLAMED("bSeq");
    assert_int_equal(raw_out(&rig, "\x65\x00\x00\x00\x00\x00\x02\x00\x01\x00", 10), 0);
    BLAMED("reserved");
    assert_int_equal(raw_out(&rig, "\x65\x00\x00\x00\x00\x01\x03\x00\x00\x00", 10), 0);
    BLAMED("to slot 1");
    rig.seq = 10;
    for (unsigned i = 0; i < 4; i++) /* the first was too short to be answered */
        assert_int_equal(rig_receive(&rig, 1000), RC_OK);
    rig_refused(&rig, CCID_XFR_BLOCK, 0, "00000500CA000002CD", CCID_MUTE);
    BLAMED("not powered");
    power(&rig);
    rig_refused(&rig, CCID_XFR_BLOCK, 1 << 8, "00000500CA000002CD", 8);
    BLAMED("wLevelParameter");
    rig_exchange(&rig, 1, "00000500CA000002CD", "0000040001900095");
    BLAMED("bBWI");
    rig_exchange(&rig, 0, "00000500CA000002CC", "00910091");
    BLAMED("no block");
    rig_close(&rig);
    rig_open(&rig, "tpdu", "sim:echo?line.ifsc=4&line.ta1=11");
    power(&rig);
    rig_exchange(&rig, 0, "00000500CA000002CD", "0000040001900095");
    BLAMED("IFSC");
    rig_close(&rig);
}

static void judge_levels(void **state)
{
    struct emu_reader_config config = *emu_reader_preset("short");
    uint8_t apdu[262] = {0, 0xD6, 0, 0, 0, 1, 0};
    struct rig rig;

    (void)state;
    config.max_message = 300;
    rig_open_config(&rig, &config, "sim:echo");
    power(&rig);
    rig_send(&rig, CCID_XFR_BLOCK, 0, 0, apdu, sizeof apdu);
    BLAMED("262 bytes at short");
    rig_close(&rig);
    rig_open(&rig, "extended", "sim:echo");
    power(&rig);
    rig_refused(&rig, CCID_XFR_BLOCK, 2 << 8, "00", 8);
    BLAMED("not begun");
    rig_refused(&rig, CCID_XFR_BLOCK, 0x10 << 8, "", 8);
    BLAMED("no answer");
    rig_send(&rig, CCID_XFR_BLOCK, 0, 1 << 8, apdu, 262);
    BLAMED("takes 271");
    rig_close(&rig);
    rig_open(&rig, "tpdu", "sim:echo?protocol=T0");
    rig_command(&rig, CCID_POWER_ON, 0, "", CCID_DATA_BLOCK);
    rig_exchange(&rig, 0, "00CA000001", "009000");
    rig_exchange(&rig, 0, "FFCA000001", "009000"); /* a command for the reader itself is no PPS */
    rig_refused(&rig, CCID_XFR_BLOCK, 0, "FF10957A", CCID_MUTE);
    BLAMED("PPS after");
    rig_close(&rig);
}

/* Four slots, one at work at a time. */
static void slots(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "multislot", "sim:echo");
    assert_int_equal(emu_reader_insert(rig.reader, 3, "sim:odd?powerdelay=500"), RC_OK);
    rig_send(&rig, CCID_POWER_ON, 3, 0, NULL, 0);
    assert_true(emu_reader_slot(rig.reader, 3).busy);
    rig_send(&rig, CCID_GET_SLOT_STATUS, 0, 0, NULL, 0);
    BLAMED("busy already");
    assert_int_equal(rig_receive(&rig, 5000), RC_OK);
    assert_true(rig.answer[5] == 0 && rig.answer[8] == CCID_SLOT_BUSY);
    rig_send(&rig, CCID_GET_SLOT_STATUS, 3, 0, NULL, 0);
    BLAMED("which is busy");
    assert_int_equal(rig_receive(&rig, 5000), RC_OK);
    assert_int_equal(rig_receive(&rig, 5000), RC_OK);
    assert_true(rig.answer[0] == CCID_DATA_BLOCK && rig.answer[5] == 3 && rig.answer[7] == 0);
    rig_close(&rig);

    rig_open(&rig, "busyslots", "sim:odd?powerdelay=500");
    assert_int_equal(emu_reader_insert(rig.reader, 1, "sim:echo"), RC_OK);
    rig_send(&rig, CCID_POWER_ON, 0, 0, NULL, 0);
    rig_send(&rig, CCID_POWER_ON, 1, 0, NULL, 0);
    assert_int_equal(rig_receive(&rig, 5000), RC_OK);
    assert_int_equal(rig.answer[5], 1);
    assert_int_equal(rig_receive(&rig, 5000), RC_OK);
    assert_int_equal(rig.answer[5], 0);
    rig_close(&rig);
}

static int ask_abort(struct rig *rig, uint8_t seq)
{
    return rig->pipe->ops->control(rig->pipe, 0x21, 1, (uint16_t)(seq << 8), NULL, 0, NULL,
                                   deadline_in_ms(1000));
}

/* CCID 1.1, 5.3.1: in either order, the command ends with FF, and SlotStatus answers. */
static void aborts(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "short", "sim:odd?delay=60000");
    power(&rig);
    for (unsigned order = 0; order < 2; order++) {
        rig_send(&rig, CCID_XFR_BLOCK, 0, 0, (const uint8_t *)"\x00\xA4\x00\x00", 4);
        if (order == 0)
            assert_int_equal(ask_abort(&rig, (uint8_t)(rig.seq + 1)), RC_OK);
        assert_int_equal(rig_receive(&rig, 10), RC_TIMEOUT);
        rig_send(&rig, CCID_ABORT, 0, 0, NULL, 0);
        if (order == 1)
            assert_int_equal(ask_abort(&rig, rig.seq), RC_OK);
        assert_int_equal(rig_receive(&rig, 1000), RC_OK);
        assert_true(rig.answer[6] == (uint8_t)(rig.seq - 1) && rig.answer[8] == CCID_ABORTED);
        assert_int_equal(rig_receive(&rig, 1000), RC_OK);
        assert_true(rig.answer[0] == CCID_SLOT_STATUS && rig.answer[6] == rig.seq && rig.answer[7] == 0);
        STATUS(&rig);
    }
    assert_int_equal(ask_abort(&rig, 77), RC_OK);
    rig_refused(&rig, CCID_GET_SLOT_STATUS, 0, "", CCID_ABORTED);
    BLAMED("between the two parts");
    rig_close(&rig);

    rig_open(&rig, "qemu", "sim:echo");
    assert_int_equal(ask_abort(&rig, 1), PIPE_STALLED);
    rig_command(&rig, CCID_ABORT, 0, "", CCID_SLOT_STATUS);
    rig_close(&rig);
}

static void fault(struct rig *rig, const char *text)
{
    assert_int_equal(emu_reader_fault_text(rig->reader, text), RC_OK);
}

/* Each fault happens as it is told, once, and the next command works. */
static void faults(void **state)
{
    static const struct {
        const char *rule;
        int out, in;
        size_t length;
    } cases[] = {
        {"in 65 stall", RC_OK, PIPE_STALLED, 0},
        {"in 81 proto", RC_OK, RC_IO, 0},
        {"in babble", RC_OK, PIPE_OVERFLOW, 0},
        {"in 65 silent", RC_OK, RC_TIMEOUT, 0},
        {"in short=7", RC_OK, RC_OK, 7},
        {"in empty", RC_OK, RC_OK, 0},
        {"out stall", PIPE_STALLED, RC_TIMEOUT, 0},
        {"out 65 proto", RC_IO, RC_TIMEOUT, 0},
        {"out silent", RC_TIMEOUT, RC_TIMEOUT, 0},
        {"out silent=5", RC_OK, RC_OK, 10},
        {"out short=3", RC_OK, RC_OK, 3},
        {"in slot=0 delay=5", RC_OK, RC_OK, 10},
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, "tpdu", "sim:echo");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[] = "\x65\x00\x00\x00\x00\x00\x00\x00\x00\x00";
        int rc;

        message[6] = (char)++rig.seq;
        fault(&rig, cases[i].rule);
        assert_int_equal(raw_out(&rig, message, 10), cases[i].out);
        rc = rig_receive(&rig, cases[i].in == RC_TIMEOUT ? 30 : 5000);
        assert_int_equal(rc, cases[i].in);
        if (!rc)
            assert_int_equal(rig.length, cases[i].length);
        STATUS(&rig);
    }
    rig_close(&rig);
}

static void answer_faults(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "tpdu", "sim:echo");
    fault(&rig, "in 65 nth=2 count=2 error=FE");
    STATUS(&rig);
    rig_refused(&rig, CCID_GET_SLOT_STATUS, 0, "", 0xFE);
    rig_refused(&rig, CCID_GET_SLOT_STATUS, 0, "", 0xFE);
    STATUS(&rig);
    fault(&rig, "in extend=2");
    rig_send(&rig, CCID_GET_SLOT_STATUS, 0, 0, NULL, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(rig_receive(&rig, 1000), RC_OK);
        assert_int_equal(rig.answer[7] & 0xC0, i < 2 ? 0x80 : 0);
    }
    fault(&rig, "in stale");
    rig_send(&rig, CCID_GET_SLOT_STATUS, 0, 0, NULL, 0);
    assert_int_equal(rig_receive(&rig, 1000), RC_OK);
    assert_int_equal(rig.answer[6], (uint8_t)(rig.seq - 1));
    assert_int_equal(rig_receive(&rig, 1000), RC_OK);
    assert_int_equal(rig.answer[6], rig.seq);
    fault(&rig, "in badseq");
    rig_send(&rig, CCID_GET_SLOT_STATUS, 0, 0, NULL, 0);
    assert_int_equal(rig_receive(&rig, 1000), RC_OK);
    assert_int_equal(rig.answer[6], rig.seq ^ 0x55);
    fault(&rig, "in remove");
    rig_refused(&rig, CCID_GET_SLOT_STATUS, 0, "", CCID_MUTE);
    assert_int_equal(rig.answer[7] & 3, CCID_CARD_ABSENT);
    fault(&rig, "control 03 count=always stall");
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(rig.pipe->ops->control(rig.pipe, 0xA1, 3, 0, NULL, 0, NULL, deadline_in_ms(1000)),
                         PIPE_STALLED);
    assert_int_equal(emu_reader_count(rig.reader, EMU_CONTROL, 3), 2);
    assert_int_equal(emu_reader_count(rig.reader, EMU_OUT, CCID_GET_SLOT_STATUS), 8);
    assert_int_equal(emu_reader_fault_text(rig.reader, "in nonsense"), RC_INVALID_VALUE);
    assert_int_equal(emu_reader_fault_text(rig.reader, "in 65"), RC_INVALID_VALUE);
    rig_close(&rig);
}

static bool readable(const struct rig *rig)
{
    struct pollfd fd = {.fd = rig->pipe->event_fd, .events = POLLIN};

    return poll(&fd, 1, 0) == 1;
}

static size_t notice(struct rig *rig, uint8_t bytes[8])
{
    size_t length = 99;

    assert_int_equal(rig->pipe->ops->notice(rig->pipe, bytes, 8, &length), RC_OK);
    return length;
}

static void notices(void **state)
{
    struct rig rig;
    uint8_t bytes[8];
    size_t length;

    (void)state;
    rig_open(&rig, "multislot", "sim:echo");
    assert_true(readable(&rig)); /* as after power-up */
    assert_int_equal(notice(&rig, bytes), 2);
    assert_memory_equal(bytes, "\x50\xAB", 2);
    assert_false(readable(&rig));
    assert_int_equal(notice(&rig, bytes), 0);
    emu_reader_remove(rig.reader, 0);
    assert_int_equal(emu_reader_insert(rig.reader, 2, "sim:echo"), RC_OK);
    assert_true(readable(&rig));
    rig.pipe->ops->hold(rig.pipe, true);
    rig.pipe->ops->hold(rig.pipe, true);
    assert_false(readable(&rig));
    assert_int_equal(notice(&rig, bytes), 2);
    assert_memory_equal(bytes, "\x50\x02", 2);
    rig.pipe->ops->hold(rig.pipe, false);
    assert_false(readable(&rig));
    rig.pipe->ops->hold(rig.pipe, false);
    assert_true(readable(&rig));
    assert_int_equal(notice(&rig, bytes), 2);
    assert_memory_equal(bytes, "\x50\x30", 2);
    emu_reader_hardware_error(rig.reader, 1, 1);
    assert_int_equal(notice(&rig, bytes), 4);
    assert_memory_equal(bytes, "\x51\x01\x00\x01", 4);
    fault(&rig, "interrupt stall");
    emu_reader_remove(rig.reader, 2);
    assert_true(readable(&rig));
    assert_int_equal(rig.pipe->ops->notice(rig.pipe, bytes, 8, &length), RC_UNSUPPORTED);
    assert_false(readable(&rig));
    assert_int_equal(rig.pipe->ops->clear(rig.pipe, true), RC_OK);
    assert_int_equal(notice(&rig, bytes), 0);
    rig_close(&rig);

    rig_open(&rig, "nointerrupt", "sim:echo");
    assert_int_equal(rig.pipe->ops->notice(rig.pipe, bytes, 8, &length), RC_UNSUPPORTED);
    assert_false(readable(&rig));
    rig_close(&rig);
}

static void *interrupt_soon(void *user)
{
    struct rig *rig = user;

    while (!emu_reader_slot(rig->reader, 0).busy) /* until the other thread is about to wait */
        sched_yield();
    rig->pipe->ops->interrupt(rig->pipe);
    return NULL;
}

/* A wait that ends leaves the transfer under way; an interrupt counts once, in whatever call comes. */
static void waits(void **state)
{
    pthread_t thread;
    struct rig rig;

    (void)state;
    rig_open(&rig, "tpdu", "sim:odd?powerdelay=40");
    rig.pipe->ops->interrupt(rig.pipe);
    assert_int_equal(rig_receive(&rig, 5000), RC_CANCELLED);
    assert_int_equal(rig_receive(&rig, 1), RC_TIMEOUT);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, &rig), 0);
    rig_send(&rig, CCID_POWER_ON, 0, 0, NULL, 0);
    assert_int_equal(rig_receive(&rig, 5000), RC_CANCELLED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(rig_receive(&rig, 5000), RC_OK);
    assert_true(rig.answer[0] == CCID_DATA_BLOCK && rig.answer[6] == rig.seq);

    /* What has come for a transfer that nobody waits for any more goes when the halt is cleared. */
    assert_int_equal(rig_receive(&rig, 1), RC_TIMEOUT);
    rig_send(&rig, CCID_GET_SLOT_STATUS, 0, 0, NULL, 0);
    assert_int_equal(rig.pipe->ops->clear(rig.pipe, false), RC_OK);
    STATUS(&rig);
    rig_close(&rig);
}

/* 64 bytes fill a packet: without an empty one behind it, the transfer does not end. */
static void packets(void **state)
{
    struct emu_reader_config config = *emu_reader_preset("short");
    const uint8_t apdu[] = {0, 0xCA, 0, 0, 52};
    struct rig rig;

    (void)state;
    for (unsigned empty = 0; empty < 2; empty++) {
        config.no_empty = !empty;
        rig_open_config(&rig, &config, "sim:echo");
        power(&rig);
        rig_send(&rig, CCID_XFR_BLOCK, 0, 0, apdu, sizeof apdu);
        assert_int_equal(rig_receive(&rig, empty ? 5000 : 20), empty ? RC_OK : RC_TIMEOUT);
        if (empty) {
            assert_int_equal(rig.length, 64);
            STATUS(&rig);
        }
        rig_close(&rig);
    }
}

/* A reader asks for more time while a card works; a card that the host has not powered is active where the
 * reader does that by itself; nothing of it is left after the bus was asleep. */
static void time_and_power(void **state)
{
    struct emu_reader_config config = *emu_reader_preset("short");
    struct rig rig;
    uint8_t bytes[8];

    (void)state;
    config.extension_ms = 10;
    rig_open_config(&rig, &config, "sim:odd?delay=35");
    power(&rig);
    rig_send(&rig, CCID_XFR_BLOCK, 0, 0, (const uint8_t *)"\x00\xA4\x00\x00", 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(rig_receive(&rig, 5000), RC_OK);
        assert_int_equal(rig.answer[7] & 0xC0, i < 3 ? 0x80 : 0);
        assert_int_equal(rig.answer[6], rig.seq);
    }
    rig_close(&rig);

    rig_open(&rig, "activating", "sim:echo");
    STATUS(&rig);
    assert_int_equal(rig.answer[7], CCID_CARD_ACTIVE);
    rig_close(&rig);

    rig_open(&rig, "tpdu", "sim:odd?powerdelay=60000");
    assert_int_equal(notice(&rig, bytes), 2);
    rig_send(&rig, CCID_POWER_ON, 0, 0, NULL, 0);
    emu_reader_resume(rig.reader);
    assert_int_equal(notice(&rig, bytes), 2);
    assert_memory_equal(bytes, "\x50\x03", 2);
    assert_int_equal(rig_receive(&rig, 5), RC_TIMEOUT);
    STATUS(&rig);
    assert_int_equal(rig.answer[7], CCID_CARD_INACTIVE);
    rig_close(&rig);
}

/* Two functions on one device, behind a keyboard: each has its own numbers and slots. */
static void composite(void **state)
{
    struct emu_reader *reader;
    struct rig rigs[2] = {0};

    (void)state;
    assert_int_equal(emu_reader_new(emu_reader_preset("composite"), &reader), RC_OK);
    assert_int_equal(emu_reader_insert(reader, 1, "sim:echo"), RC_OK);
    for (uint8_t i = 0; i < 2; i++) {
        const struct pipe_layout layout = {.interface = (uint8_t)(1 + i),
                                           .out = (uint8_t)(2 + 2 * i),
                                           .in = (uint8_t)(0x82 + 2 * i),
                                           .interrupt = (uint8_t)(0x83 + 2 * i),
                                           .in_packet = 64,
                                           .interrupt_packet = 8,
                                           .in_room = 300};
        struct pipe *again;

        rigs[i].reader = reader;
        assert_int_equal(pipe_open_emu(emu_reader_device(reader), &layout, &rigs[i].pipe), RC_OK);
        assert_int_equal(pipe_open_emu(emu_reader_device(reader), &layout, &again), RC_SHARING);
    }
    STATUS(&rigs[0]);
    assert_int_equal(rigs[0].answer[7], CCID_CARD_ABSENT);
    STATUS(&rigs[1]);
    assert_int_equal(rigs[1].answer[7], CCID_CARD_INACTIVE);
    rigs[0].pipe->ops->close(rigs[0].pipe);
    STATUS(&rigs[1]);
    emu_pipe_unplug(emu_reader_device(reader));
    assert_int_equal(rig_receive(&rigs[1], 1000), RC_READER_UNAVAILABLE);
    rigs[1].pipe->ops->close(rigs[1].pipe);
    emu_reader_free(reader);
    assert_int_equal(emu_blamed(), 0);
}

/* A device that is pulled out in the middle of a wait. */
static void unplugged(void **state)
{
    struct rig rig;
    uint8_t bytes[8];
    size_t length;

    (void)state;
    rig_open(&rig, "tpdu", "sim:echo");
    while (notice(&rig, bytes))
        ;
    fault(&rig, "in 65 unplug");
    rig_send(&rig, CCID_GET_SLOT_STATUS, 0, 0, NULL, 0);
    assert_int_equal(rig_receive(&rig, 5000), RC_READER_UNAVAILABLE);
    assert_true(readable(&rig));
    assert_int_equal(rig.pipe->ops->notice(rig.pipe, bytes, 8, &length), RC_READER_UNAVAILABLE);
    assert_int_equal(raw_out(&rig, "", 0), RC_READER_UNAVAILABLE);
    assert_true(readable(&rig));
    rig_close(&rig);
}

/* Commands until the reader has gone. */
static void *work(void *user)
{
    struct rig *rig = user;
    uint8_t message[CCID_HEADER] = {CCID_POWER_ON};
    uint8_t bytes[8];
    size_t length;
    int rc = RC_OK;

    while (rc != RC_READER_UNAVAILABLE) {
        message[6]++;
        message[0] = message[6] & 1 ? CCID_POWER_ON : CCID_GET_SLOT_STATUS;
        rc = rig->pipe->ops->bulk_out(rig->pipe, message, sizeof message, deadline_in_ms(5000));
        while (!rc && !(rc = rig_receive(rig, 5000)) && (rig->answer[7] & 0xC0) == 0x80)
            ;
        (void)rig->pipe->ops->notice(rig->pipe, bytes, sizeof bytes, &length);
        if (rc && rc != RC_READER_UNAVAILABLE)
            return user; /* no answer */
    }
    return NULL;
}

/* Cards come and go, and then the device, in the middle of commands. */
static void storm(void **state)
{
    struct emu_reader *reader;
    const struct pipe_layout layout = {
        .out = 1, .in = 0x81, .interrupt = 0x82, .in_packet = 64, .interrupt_packet = 8, .in_room = 300};

    (void)state;
    assert_int_equal(emu_reader_new(emu_reader_preset("extended"), &reader), RC_OK);
    for (unsigned round = 0; round < 50; round++) {
        struct rig rig = {.reader = reader};
        pthread_t thread;
        void *failed;

        assert_int_equal(pipe_open_emu(emu_reader_device(reader), &layout, &rig.pipe), RC_OK);
        assert_int_equal(pthread_create(&thread, NULL, work, &rig), 0);
        for (unsigned i = 0; i < 20; i++) {
            assert_int_equal(emu_reader_insert(reader, 0, i & 1 ? "sim:odd?powerdelay=1" : "sim:echo"),
                             RC_OK);
            sched_yield();
            if (i % 3)
                emu_reader_remove(reader, 0);
            else
                emu_reader_bounce(reader, 0);
        }
        if (round & 1)
            emu_pipe_unplug(emu_reader_device(reader));
        else
            assert_int_equal(emu_reader_fault_text(reader, "in unplug"), RC_OK);
        assert_int_equal(pthread_join(thread, &failed), 0);
        assert_null(failed);
        rig.pipe->ops->close(rig.pipe);
    }
    emu_reader_free(reader);
    assert_int_equal(emu_blamed(), 0);
}

/* Until the command is over, whether its answer was sent or not. */
static void await_idle(struct rig *rig)
{
    while (emu_reader_slot(rig->reader, 0).busy)
        sched_yield();
}

/* Every answer of a session, spoiled in every way: the next command works, and nobody is to blame. */
static void matrix(void **state)
{
    static const char *const actions[] = {"stall",     "silent",   "short=9", "empty",   "stray",
                                          "babble",    "proto",    "badseq",  "badslot", "badtype",
                                          "badlength", "extend=2", "stale",   "delay=1", "error=FB"};
    static const char *const session[] = {"62", "6C", "61", "6F", "65", "63"};
    static const uint8_t types[] = {CCID_POWER_ON,  CCID_GET_PARAMETERS,  CCID_SET_PARAMETERS,
                                    CCID_XFR_BLOCK, CCID_GET_SLOT_STATUS, CCID_POWER_OFF};
    static const char *const data[] = {"", "", T1_PARAMETERS, "00000500CA000002CD", "", ""};

    (void)state;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        for (size_t j = 0; j < sizeof session / sizeof *session; j++) {
            struct rig rig;
            char rule[32];

            snprintf(rule, sizeof rule, "in %s %s", session[j], actions[i]);
            rig_open(&rig, "tpdu", "sim:echo");
            fault(&rig, rule);
            for (size_t k = 0; k <= j; k++) {
                uint8_t bytes[64];
                size_t count, at;

                assert_int_equal(hex_parse(data[k], strlen(data[k]), bytes, &count, &at), RC_OK);
                rig_send(&rig, types[k], 0, types[k] == CCID_SET_PARAMETERS, bytes, count);
                if (k == j)
                    await_idle(&rig);
                while (rig_receive(&rig, k < j ? 5000 : 5) == RC_OK && (k == j || (rig.answer[7] & 0xC0)))
                    ;
            }
            STATUS(&rig);
            rig_close(&rig);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judge),   cmocka_unit_test(judge_levels),   cmocka_unit_test(slots),
        cmocka_unit_test(aborts),  cmocka_unit_test(faults),         cmocka_unit_test(answer_faults),
        cmocka_unit_test(notices), cmocka_unit_test(waits),          cmocka_unit_test(unplugged),
        cmocka_unit_test(storm),   cmocka_unit_test(time_and_power), cmocka_unit_test(matrix),
        cmocka_unit_test(packets), cmocka_unit_test(composite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
