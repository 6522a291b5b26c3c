/* SPDX-License-Identifier: MIT */
/* An emulated reader behind a soft pipe, and CCID messages made by hand. */
#ifndef USBEMU_MODEL_RIG_H
#define USBEMU_MODEL_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/usbemu/emu_pipe.h"
#include "tests/usbemu/emu_reader.h"

struct rig {
    struct emu_reader *reader;
    struct pipe *pipe;
    uint8_t seq;
    const uint8_t *answer; /* the last one, until the next */
    size_t length;
};

/* A reader of this preset, with a card in slot 0 unless uri is NULL; opened. */
void rig_open(struct rig *rig, const char *preset, const char *uri);
void rig_open_config(struct rig *rig, const struct emu_reader_config *config, const char *uri);
/* Also asserts that nothing was found wrong. */
void rig_close(struct rig *rig);

/* Sends a command, of a new number; receives within 5 s: asserts that it came. */
void rig_send(struct rig *rig, uint8_t type, uint8_t slot, uint32_t parameters, const uint8_t *data,
              size_t length);
int rig_receive(struct rig *rig, unsigned timeout_ms);

/* Both, for slot 0; data in hexadecimal. parameters: bytes 7, 8, 9 from the low end. Asserts that the answer
 * is the message want, of the right number, without failure. */
void rig_command(struct rig *rig, uint8_t type, uint32_t parameters, const char *data, uint8_t want);

/* The same, and asserts the error. */
void rig_refused(struct rig *rig, uint8_t type, uint32_t parameters, const char *data, uint8_t error);

/* XfrBlock of data, which is answered with answer (both in hexadecimal). */
void rig_exchange(struct rig *rig, uint32_t parameters, const char *data, const char *answer);

/* Is the data field of the last answer this? */
void rig_answered(const struct rig *rig, const char *data);

#endif
