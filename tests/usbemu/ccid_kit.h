/* SPDX-License-Identifier: MIT */
/* The CCID driver over an emulated reader with a simulated card, behind a soft pipe. */
#ifndef USBEMU_CCID_KIT_H
#define USBEMU_CCID_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "driver/reader.h"
#include "tests/usbemu/emu_pipe.h"
#include "tests/usbemu/emu_reader.h"

#define KIT_ROOM 65600

struct kit {
    struct emu_reader *emulated;
    struct reader **readers;
    size_t count;
    struct reader *reader; /* the first */
    enum protocol protocol;
    uint8_t atr[ATR_MAX];
    size_t atr_length;
    uint8_t response[KIT_ROOM];
    size_t length;
};

/* Of the readers that are opened from now on; true. */
extern bool kit_escape_allowed;

/* A reader of that preset, with options ("features=0x30 max_message=64") and a card in slot 0 unless NULL. */
void kit_open(struct kit *kit, const char *preset, const char *options, const char *uri);
/* The same, with what passes the pipe kept in the file record. */
void kit_open_recorded(struct kit *kit, const char *preset, const char *uri, const char *record);
/* The driver over that file, for the same preset; nothing is emulated. *ret_pipe is the driver's. */
void kit_open_replay(struct kit *kit, const char *preset, const char *record, struct pipe **ret_pipe);
/* Closes what is still open; asserts that the model has nothing to blame. */
void kit_close(struct kit *kit);

int kit_power(struct kit *kit, enum power_action action);
int kit_set_protocol(struct kit *kit, enum protocol protocol);
/* Present, cold reset and set to the protocol, all of which must work. */
void kit_start(struct kit *kit, enum protocol protocol);

int kit_transmit(struct kit *kit, const uint8_t *command, size_t length);
#define KIT_TRANSMIT(kit, ...)                                                                               \
    kit_transmit(kit, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
#define kit_answered(kit, ...)                                                                               \
    do {                                                                                                     \
        assert_int_equal((kit)->length, sizeof((const uint8_t[]){__VA_ARGS__}));                             \
        assert_memory_equal((kit)->response, ((const uint8_t[]){__VA_ARGS__}), (kit)->length);               \
    } while (0)

bool kit_present(struct kit *kit);
/* Waits until the reader's event_fd is readable, 5 s at most. */
void kit_wait_event(struct kit *kit);

#endif
