/* SPDX-License-Identifier: MIT */
/* The CCID driver end to end: each level of exchange and protocol over emulated readers and simulated cards.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "tests/usbemu/ccid_kit.h"

#define XFR_BLOCK 0x6F

static const struct shape {
    const char *preset;
    unsigned protocols;
    bool passes_61; /* T=0 as the card says it: GET RESPONSE is the caller's */
    bool t0_extended, t1_extended;
} shapes[] = {
    {"tpdu", 3, true, false, true},         {"tpdu-volts", 3, true, false, true},
    {"tpdu-pps", 3, true, false, true},     {"tpdu-auto", 3, true, false, true},
    {"nointerrupt", 3, true, false, true},  {"class-ff", 3, true, false, true},
    {"behind", 3, true, false, true},       {"short", 3, false, false, false},
    {"short-pps", 3, false, false, false},  {"extended", 3, false, true, true},
    {"extended-big", 3, false, true, true}, {"extended-64", 3, false, true, true},
    {"activating", 3, false, true, true},   {"character", 3, true, false, true},
    {"iccd-a", 1, true, false, false},      {"iccd-b", 3, false, true, true},
    {"iccd-b-tpdu", 3, true, false, true},
};

static struct kit kit;

#define TRANSMIT(...) KIT_TRANSMIT(&kit, __VA_ARGS__)
#define ANSWERED(...) kit_answered(&kit, __VA_ARGS__)

static void open_shape(const struct shape *shape, enum protocol protocol)
{
    kit_open(&kit, shape->preset, NULL,
             protocol == PROTOCOL_T0 ? "sim:echo?protocol=T0" : "sim:echo?protocol=T1&line.ifsc=254");
    kit_start(&kit, protocol);
}

/* What a program does with a card of T=0. */
static int transmit_all(const uint8_t *command, size_t length, bool *ret_continued)
{
    int rc = kit_transmit(&kit, command, length);

    *ret_continued = !rc && kit.length == 2 && kit.response[0] == 0x61;
    return *ret_continued ? TRANSMIT(0, 0xC0, 0, 0, kit.response[1]) : rc;
}

static void short_cases(const struct shape *shape, enum protocol protocol)
{
    static const uint8_t case_3[] = {0, 0xD6, 0, 0, 3, 'a', 'b', 'c'};
    static const uint8_t case_4[] = {0, 0xA4, 4, 0, 3, 'd', 'e', 'f', 0};
    uint8_t longest[261] = {0, 0xD6, 0, 0, 255};
    bool by_caller = protocol == PROTOCOL_T0 && shape->passes_61, continued;

    for (size_t i = 5; i < sizeof longest; i++)
        longest[i] = (uint8_t)i;
    assert_int_equal(TRANSMIT(0, 0x44, 0, 0), RC_OK);
    ANSWERED(0x90, 0x00);
    assert_int_equal(TRANSMIT(0, 0xB0, 0, 0, 4), RC_OK);
    ANSWERED(0, 1, 2, 3, 0x90, 0x00);
    assert_int_equal(TRANSMIT(0, 0xB0, 0, 0, 0), RC_OK);
    assert_int_equal(kit.length, 258);
    assert_int_equal(kit.response[255], 255);
    assert_int_equal(transmit_all(case_3, sizeof case_3, &continued), RC_OK);
    if (continued || !by_caller)
        ANSWERED('a', 'b', 'c', 0x90, 0x00);
    assert_int_equal(transmit_all(case_4, sizeof case_4, &continued), RC_OK);
    assert_int_equal(continued, by_caller);
    ANSWERED('d', 'e', 'f', 0x90, 0x00);
    assert_int_equal(transmit_all(longest, sizeof longest, &continued), RC_OK);
    assert_int_equal(kit.length, 257);
    assert_memory_equal(kit.response, longest + 5, 255);
}

static void extended_apdus(bool carried)
{
    static const size_t lengths[] = {1, 256, 1000, 65535};
    static uint8_t command[65544];

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t data = lengths[i], sent = emu_reader_count(kit.emulated, EMU_OUT, XFR_BLOCK);
        int rc;

        memset(command, 0, sizeof command);
        command[1] = 0xD6;
        command[5] = (uint8_t)(data >> 8);
        command[6] = (uint8_t)data;
        for (size_t j = 0; j < data; j++)
            command[7 + j] = (uint8_t)(j * 7 + (j >> 8));
        rc = kit_transmit(&kit, command, data + 9);
        if (!carried) {
            assert_int_equal(rc, RC_UNSUPPORTED);
            assert_true(*detail_get());
            assert_int_equal(emu_reader_count(kit.emulated, EMU_OUT, XFR_BLOCK), sent);
            continue;
        }
        if (rc)
            fail_msg("%zu bytes: %s: %s", data, rc_name(rc), detail_get());
        assert_int_equal(kit.length, data + 2);
        assert_memory_equal(kit.response, command + 7, data);
        assert_int_equal(kit.response[data], 0x90);
    }
}

static void resets(enum protocol protocol)
{
    uint8_t atr[ATR_MAX];
    size_t length = kit.atr_length;

    memcpy(atr, kit.atr, length);
    for (enum power_action action = POWER_COLD; action <= POWER_WARM; action++) {
        assert_int_equal(kit_power(&kit, action), RC_OK);
        assert_int_equal(kit.atr_length, length);
        assert_memory_equal(kit.atr, atr, length);
        assert_int_equal(TRANSMIT(0, 0xB0, 0, 0, 1), RC_NOT_TRANSACTED); /* no protocol yet */
        assert_int_equal(kit_set_protocol(&kit, protocol), RC_OK);
        assert_int_equal(TRANSMIT(0, 0xB0, 0, 0, 1), RC_OK);
        ANSWERED(0, 0x90, 0x00);
    }
    assert_int_equal(kit_power(&kit, POWER_OFF), RC_OK);
    assert_true(kit_present(&kit));
    assert_int_equal(TRANSMIT(0, 0xB0, 0, 0, 1), RC_NOT_TRANSACTED);
}

static void levels(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (enum protocol protocol = PROTOCOL_T0; protocol <= PROTOCOL_T1; protocol++) {
            const struct shape *shape = &shapes[i];

            if (!(shape->protocols & protocol))
                continue;
            print_message("%s T=%d\n", shape->preset, protocol == PROTOCOL_T1);
            open_shape(shape, protocol);
            short_cases(shape, protocol);
            extended_apdus(protocol == PROTOCOL_T0 ? shape->t0_extended : shape->t1_extended);
            short_cases(shape, protocol);
            resets(protocol);
            kit_close(&kit);
        }
}

/* The reader loses messages of n * 64 bytes. Characters can be sent in two parts, what a reader handles as a
 * whole cannot: that is said before the card hears of it. */
static void messages_of_full_packets(void **state)
{
    static const struct {
        const char *options;
        enum protocol protocol;
        int rc;
    } rows[] = {
        {"", PROTOCOL_T0, RC_OK},
        {"", PROTOCOL_T1, RC_OK},
        {"level=1", PROTOCOL_T0, RC_UNSUPPORTED},
        {"level=1", PROTOCOL_T1, RC_OK},
        {"level=2", PROTOCOL_T1, RC_UNSUPPORTED},
    };
    uint8_t command[260] = {0, 0xD6, 0, 0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        kit_open(&kit, "o2micro", rows[i].options,
                 rows[i].protocol == PROTOCOL_T0 ? "sim:echo?protocol=T0"
                                                 : "sim:echo?protocol=T1&line.ifsc=254");
        kit_start(&kit, rows[i].protocol);
        for (size_t length = 1; length <= 255; length++) {
            bool full = (10 + length) % 64 == 0 || (15 + length) % 64 == 0;
            int rc;

            command[4] = (uint8_t)length;
            rc = kit_transmit(&kit, command, 5 + length);
            if (rc && !(full && rc == rows[i].rc))
                fail_msg("%s %d, %zu bytes: %s: %s", rows[i].options, rows[i].protocol, length, rc_name(rc),
                         detail_get());
        }
        kit_close(&kit);
    }
}

/* A card taken out and put in again between two looks is told as absent once; and so is the next one. */
static void swaps(void **state)
{
    static const char *const presets[] = {"tpdu", "short", "extended", "nointerrupt"};

    (void)state;
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        kit_open(&kit, presets[i], NULL, "sim:echo?protocol=T1");
        kit_start(&kit, PROTOCOL_T1);
        emu_reader_bounce(kit.emulated, 0);
        kit_wait_event(&kit);
        assert_false(kit_present(&kit));
        kit_wait_event(&kit);
        assert_true(kit_present(&kit));
        assert_true(kit_present(&kit));
        kit_start(&kit, PROTOCOL_T1);
        /* The exchange is the first to find out. */
        emu_reader_bounce(kit.emulated, 0);
        assert_int_equal(TRANSMIT(0, 0xB0, 0, 0, 1), RC_NO_CARD);
        kit_wait_event(&kit);
        assert_false(kit_present(&kit));
        assert_true(kit_present(&kit));
        kit_start(&kit, PROTOCOL_T1);
        assert_int_equal(TRANSMIT(0, 0xB0, 0, 0, 1), RC_OK);
        emu_reader_remove(kit.emulated, 0);
        assert_int_equal(TRANSMIT(0, 0xB0, 0, 0, 1), RC_NO_CARD);
        assert_false(kit_present(&kit));
        assert_false(kit_present(&kit));
        assert_int_equal(kit_power(&kit, POWER_COLD), RC_NO_CARD);
        assert_int_equal(emu_reader_insert(kit.emulated, 0, "sim:echo?protocol=T0"), RC_OK);
        kit_wait_event(&kit);
        kit_start(&kit, PROTOCOL_T0);
        assert_int_equal(TRANSMIT(0, 0xB0, 0, 0, 1), RC_OK);
        kit_close(&kit);
    }
}

/* The status alone does not show it: the card has no power either way, or has it again at once. */
static void swaps_unseen_by_the_status(void **state)
{
    static const struct {
        const char *preset;
        bool powered;
    } rows[] = {{"tpdu", false}, {"extended", false}, {"activating", false}, {"activating", true}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        kit_open(&kit, rows[i].preset, NULL, "sim:echo?protocol=T1");
        for (unsigned j = 0; j < 2; j++) {
            if (rows[i].powered)
                kit_start(&kit, PROTOCOL_T1);
            assert_true(kit_present(&kit));
            assert_true(kit_present(&kit));
            emu_reader_bounce(kit.emulated, 0);
            kit_wait_event(&kit);
            assert_false(kit_present(&kit));
            kit_wait_event(&kit);
            assert_true(kit_present(&kit));
        }
        kit_start(&kit, PROTOCOL_T1);
        assert_int_equal(TRANSMIT(0, 0xB0, 0, 0, 1), RC_OK);
        kit_close(&kit);
    }
}

static void leaves_in_command(void **state)
{
    static const char *const presets[] = {"tpdu", "short", "extended", "character", "tpdu-auto"};

    (void)state;
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        for (enum protocol protocol = PROTOCOL_T0; protocol <= PROTOCOL_T1; protocol++) {
            kit_open(&kit, presets[i], NULL,
                     protocol == PROTOCOL_T0 ? "sim:odd?protocol=T0" : "sim:odd?protocol=T1");
            kit_start(&kit, protocol);
            assert_int_equal(TRANSMIT(0x80, 0x20, 0, 1), RC_NO_CARD);
            assert_false(kit_present(&kit));
            kit_close(&kit);
        }
}

static void voltages(void **state)
{
    static const struct {
        const char *options, *card;
        int rc;
    } table[] = {
        {"", "sim:echo?line.volts=5", RC_OK},
        {"", "sim:echo?line.volts=1.8", RC_OK},
        {"voltages=3", "sim:echo?line.volts=3", RC_OK},
        {"voltages=1", "sim:echo?line.volts=3", RC_MUTE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        kit_open(&kit, "tpdu-volts", table[i].options, table[i].card);
        assert_true(kit_present(&kit));
        assert_int_equal(kit_power(&kit, POWER_COLD), table[i].rc);
        assert_int_equal(emu_reader_slot(kit.emulated, 0).active, !table[i].rc);
        assert_true(kit_present(&kit));
        if (!table[i].rc) {
            assert_int_equal(kit_power(&kit, POWER_WARM), RC_OK);
            assert_int_equal(kit_set_protocol(&kit, PROTOCOL_T1), RC_OK);
            assert_int_equal(TRANSMIT(0, 0xB0, 0, 0, 1), RC_OK);
        }
        kit_close(&kit);
    }
}

static void mute_card(void **state)
{
    static const char *const presets[] = {"tpdu", "tpdu-volts", "short", "extended", "character"};

    (void)state;
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        kit_open(&kit, presets[i], NULL, "sim:odd?mute=yes");
        assert_true(kit_present(&kit));
        assert_int_equal(kit_power(&kit, POWER_COLD), RC_MUTE);
        assert_true(*detail_get());
        assert_true(kit_present(&kit));
        assert_int_equal(kit_set_protocol(&kit, PROTOCOL_T1), RC_UNRESPONSIVE);
        kit_close(&kit);
    }
}

/* The speed that both can do; and whatever the card does with PPS, the next best. */
static void speeds(void **state)
{
    static const char *const presets[] = {"tpdu", "tpdu-pps", "short-pps", "character"};
    static const struct {
        const char *card;
        enum protocol protocol;
        uint8_t fd;
        int rc;
    } table[] = {
        {"sim:echo?protocol=T0&line.ta1=95", PROTOCOL_T0, 0x95, RC_OK},
        {"sim:echo?protocol=T1&line.ta1=95", PROTOCOL_T1, 0x95, RC_OK},
        {"sim:echo?protocol=both&line.ta1=95", PROTOCOL_T1, 0x95, RC_OK},
        {"sim:echo?protocol=T1&line.ta1=95&line.pps=refuse", PROTOCOL_T1, 0x11, RC_OK},
        {"sim:echo?protocol=T1&line.ta1=95&line.pps=wrong", PROTOCOL_T1, 0x11, RC_OK},
        {"sim:echo?protocol=T1&line.ta1=95&line.pps=slow", PROTOCOL_T1, 0x11, RC_OK},
        {"sim:echo?protocol=both&line.ta1=95&line.pps=slow", PROTOCOL_T1, 0x11, RC_OK},
        {"sim:echo?protocol=both&line.pps=refuse", PROTOCOL_T0, 0x11, RC_OK},
        {"sim:echo?protocol=both&line.pps=refuse", PROTOCOL_T1, 0x11, RC_UNRESPONSIVE},
    };

    (void)state;
    for (size_t p = 0; p < sizeof presets / sizeof *presets; p++)
        for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
            int rc;

            kit_open(&kit, presets[p], NULL, table[i].card);
            assert_int_equal(kit_power(&kit, POWER_COLD), RC_OK);
            rc = kit_set_protocol(&kit, table[i].protocol);
            if (rc != table[i].rc)
                fail_msg("%s %s: %s: %s", presets[p], table[i].card, rc_name(rc), detail_get());
            if (rc) {
                /* The other protocol goes all the same. */
                assert_int_equal(kit_set_protocol(&kit, PROTOCOL_T0), RC_OK);
            } else if (emu_reader_slot(kit.emulated, 0).fd != table[i].fd) {
                fail_msg("%s %s: %02X", presets[p], table[i].card, emu_reader_slot(kit.emulated, 0).fd);
            }
            rc = TRANSMIT(0, 0xB0, 0, 0, 2);
            if (rc)
                fail_msg("%s %s: %s: %s", presets[p], table[i].card, rc_name(rc), detail_get());
            ANSWERED(0, 1, 0x90, 0x00);
            kit_close(&kit);
        }
}

/* Cards with habits: all is carried as if they had none. */
static void habits(void **state)
{
    static const char *const presets[] = {"tpdu", "character", "short", "extended"};
    static const char *const cards[] = {
        "sim:echo?protocol=T0&line.nulls=3",  "sim:echo?protocol=T0&line.single=yes",
        "sim:echo?protocol=T1&line.wtx=3",    "sim:echo?protocol=T1&line.ifs=20",
        "sim:echo?protocol=T1&line.damage=5", "sim:echo?protocol=T1&line.crc=yes",
        "sim:echo?protocol=T1&line.ifsc=5",
    };
    uint8_t command[205] = {0, 0xD6, 0, 0, 200};
    bool continued;

    (void)state;
    for (size_t i = 5; i < sizeof command; i++)
        command[i] = (uint8_t)i;
    for (size_t p = 0; p < sizeof presets / sizeof *presets; p++)
        for (size_t i = 0; i < sizeof cards / sizeof *cards; i++) {
            bool t0 = strstr(cards[i], "T0");

            kit_open(&kit, presets[p], NULL, cards[i]);
            kit_start(&kit, t0 ? PROTOCOL_T0 : PROTOCOL_T1);
            for (unsigned round = 0; round < 3; round++) {
                int rc = transmit_all(command, sizeof command, &continued);

                if (rc)
                    fail_msg("%s %s: %s: %s", presets[p], cards[i], rc_name(rc), detail_get());
                assert_int_equal(kit.length, 202);
                assert_memory_equal(kit.response, command + 5, 200);
            }
            kit_close(&kit);
        }
}

static void *cancel_soon(void *user)
{
    struct reader *reader = user;

    /* In the command: the model has got it. */
    while (!emu_reader_slot(kit.emulated, 0).busy)
        sched_yield();
    reader->ops->cancel(reader);
    return NULL;
}

static void cancelling(void **state)
{
    static const char *const presets[] = {"tpdu", "short", "extended", "tpdu-auto"};

    (void)state;
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        for (enum protocol protocol = PROTOCOL_T0; protocol <= PROTOCOL_T1; protocol++) {
            bool t0_line = protocol == PROTOCOL_T0 && presets[i][0] == 't';
            pthread_t thread;

            kit_open(&kit, presets[i], NULL,
                     protocol == PROTOCOL_T0 ? "sim:odd?protocol=T0" : "sim:odd?protocol=T1");
            kit_start(&kit, protocol);
            assert_int_equal(pthread_create(&thread, NULL, cancel_soon, kit.reader), 0);
            assert_int_equal(TRANSMIT(0x80, 0x10, 0x75, 0x30), RC_CANCELLED); /* 30 s */
            assert_int_equal(pthread_join(thread, NULL), 0);
            if (t0_line) {
                assert_int_equal(TRANSMIT(0x80, 0x22, 0x91, 0x23), RC_NOT_TRANSACTED);
                assert_int_equal(kit_power(&kit, POWER_WARM), RC_OK);
                assert_int_equal(kit_set_protocol(&kit, protocol), RC_OK);
            }
            assert_int_equal(TRANSMIT(0x80, 0x22, 0x91, 0x23), RC_OK);
            ANSWERED(0x91, 0x23);
            kit_close(&kit);
        }
}

static void odd_lengths(void **state)
{
    (void)state;
    kit_open(&kit, "extended", NULL, "sim:odd?protocol=T1");
    kit_start(&kit, PROTOCOL_T1);
    assert_int_equal(TRANSMIT(0x80, 0x16, 0, 0), RC_NOT_TRANSACTED);
    assert_int_equal(TRANSMIT(0x80, 0x16, 0, 1), RC_NOT_TRANSACTED);
    assert_int_equal(TRANSMIT(0x80, 0x16, 0, 2), RC_OK);
    assert_int_equal(kit.reader->ops->transmit(kit.reader, PROTOCOL_T1, (const uint8_t[]){0x80, 0x16, 4, 0},
                                               4, kit.response, 258, &kit.length),
                     RC_INSUFFICIENT_BUFFER);
    assert_int_equal(kit.length, 1024);
    assert_int_equal(TRANSMIT(0x80, 0x22, 0x91, 0x23), RC_OK);
    kit_close(&kit);
}

/* Four slots, each with its own card; the device lives as long as the last of them is open. */
static void slots(void **state)
{
    static const char *const presets[] = {"multislot", "busyslots"};

    (void)state;
    for (size_t p = 0; p < sizeof presets / sizeof *presets; p++) {
        kit_open(&kit, presets[p], NULL, NULL);
        assert_int_equal(kit.count, 4);
        for (unsigned i = 0; i < 4; i++) {
            char uri[64];

            snprintf(uri, sizeof uri, "sim:echo?protocol=T1&reply=%u", i + 1);
            assert_int_equal(emu_reader_insert(kit.emulated, i, uri), RC_OK);
            kit.reader = kit.readers[i];
            kit_wait_event(&kit);
            kit_start(&kit, PROTOCOL_T1);
        }
        for (unsigned i = 0; i < 4; i++) {
            kit.reader = kit.readers[i];
            assert_int_equal(TRANSMIT(0, 0xB0, 0, 0, 0), RC_OK);
            assert_int_equal(kit.length, i + 3);
        }
        kit.readers[0]->ops->close(kit.readers[0]);
        assert_false(emu_reader_slot(kit.emulated, 0).active);
        kit.readers[0] = kit.readers[--kit.count];
        kit.reader = kit.readers[0];
        assert_int_equal(TRANSMIT(0, 0xB0, 0, 0, 0), RC_OK);
        kit_close(&kit);
    }
}

/* Pulled out with the device: said at once, and close copes. */
static void unplugged(void **state)
{
    bool present;

    (void)state;
    kit_open(&kit, "tpdu", NULL, "sim:echo");
    kit_start(&kit, PROTOCOL_T1);
    emu_pipe_unplug(emu_reader_device(kit.emulated));
    assert_int_equal(TRANSMIT(0, 0xB0, 0, 0, 0), RC_READER_UNAVAILABLE);
    kit_wait_event(&kit);
    assert_int_equal(kit.reader->ops->presence(kit.reader, &present), RC_READER_UNAVAILABLE);
    assert_int_equal(kit_power(&kit, POWER_COLD), RC_READER_UNAVAILABLE);
    kit_close(&kit);
}

/* Does a session of a card go through? What it answers is right in any case. */
static int session(enum protocol protocol)
{
    bool present = false;
    int rc = kit.reader->ops->presence(kit.reader, &present);

    if (!rc && !present)
        rc = kit.reader->ops->presence(kit.reader, &present);
    if (!rc)
        rc = kit_power(&kit, POWER_COLD);
    if (!rc)
        rc = kit_set_protocol(&kit, protocol);
    for (unsigned i = 0; i < 2 && !rc; i++) {
        rc = TRANSMIT(0, 0xB0, 0, 0, 3);
        if (!rc)
            ANSWERED(0, 1, 2, 0x90, 0x00);
    }
    return rc;
}

/* Whatever goes wrong at whichever message: a clear code and words, and then a session goes through. */
static void faults(void **state)
{
    static const char *const presets[] = {"tpdu", "tpdu-auto", "short", "extended", "character"};
    static const char *const rules[] = {
        "in stall",       "in short=5",     "in stray",
        "in badtype",     "in badlength=1", "in badlength=80",
        "in extend=2",    "in error=FE",    "in error=FD",
        "in error=FB",    "in error=00",    "in error=07",
        "in error=F3",    "in stale",       "out stall",
        "out proto",      "in 80 error=F4", "in 80 error=FC",
        "in 81 error=E0", "in 82 error=E0", "in 82 count=3 error=F2",
    };

    (void)state;
    for (size_t p = 0; p < sizeof presets / sizeof *presets; p++)
        for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
            for (unsigned nth = 1; nth <= 9; nth++) {
                enum protocol protocol = nth % 2 ? PROTOCOL_T1 : PROTOCOL_T0;
                char rule[64];
                const char *action = strrchr(rules[i], ' ');
                int rc;

                kit_open(&kit, presets[p], NULL,
                         protocol == PROTOCOL_T1 ? "sim:echo?protocol=T1&line.ta1=95"
                                                 : "sim:echo?protocol=T0&line.ta1=95");
                snprintf(rule, sizeof rule, "%.*s nth=%u%s", (int)(action - rules[i]), rules[i], nth, action);
                if (emu_reader_fault_text(kit.emulated, rule))
                    fail_msg("%s: %s", rule, detail_get());
                detail_clear();
                rc = session(protocol);
                if (rc && !*detail_get())
                    fail_msg("%s, %s: %s, without a word", presets[p], rule, rc_name(rc));
                emu_reader_no_faults(kit.emulated);
                rc = session(protocol);
                if (rc)
                    fail_msg("%s, %s: then %s: %s", presets[p], rule, rc_name(rc), detail_get());
                kit_close(&kit);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels),
        cmocka_unit_test(messages_of_full_packets),
        cmocka_unit_test(swaps),
        cmocka_unit_test(swaps_unseen_by_the_status),
        cmocka_unit_test(leaves_in_command),
        cmocka_unit_test(voltages),
        cmocka_unit_test(mute_card),
        cmocka_unit_test(speeds),
        cmocka_unit_test(habits),
        cmocka_unit_test(cancelling),
        cmocka_unit_test(odd_lengths),
        cmocka_unit_test(slots),
        cmocka_unit_test(unplugged),
        cmocka_unit_test(faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
