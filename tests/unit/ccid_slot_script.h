/* SPDX-License-Identifier: MIT */
/* A CCID slot whose commands are answered from a script: takes the place of ccid_device and ccid_link. */
#ifndef UNIT_CCID_SLOT_SCRIPT_H
#define UNIT_CCID_SLOT_SCRIPT_H

#include "driver/ccid_device.h"

/* What the reader answers to one command. */
struct script_answer {
    int rc; /* of the exchange; there is no answer then */
    enum ccid_card card;
    bool failed;
    uint8_t error, parameter;
    const uint8_t *data;
    size_t length;
};

struct script_command {
    uint8_t type;
    uint16_t level;
    uint64_t timeout_ms;
    uint8_t data[600];
    size_t length;
};

/* The last 8 commands, and the pauses. */
struct script {
    struct script_command commands[8];
    size_t commands_count;
    struct script_answer answers[8];
    size_t answers_count;
    uint64_t paused_ms;
    int pause_rc;
    enum ccid_card card; /* of the next look */
    int look_rc;
    unsigned looked;
};

extern struct script script;

/* An empty script, and a powered slot 0 of a reader of extended APDU level with a keypad: 1234:5678, messages
 * of 271 bytes, T=0 and T=1, the card in T=1 by the reader. */
void script_begin(struct ccid_device *device, struct ccid_slot *slot);

void script_add(struct script_answer answer);

/* A good answer with these bytes. */
#define SCRIPT_DATA(...)                                                                                     \
    script_add((struct script_answer){.data = (const uint8_t[]){__VA_ARGS__},                                \
                                      .length = sizeof((const uint8_t[]){__VA_ARGS__})})

#endif
