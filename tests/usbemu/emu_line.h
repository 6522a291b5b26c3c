/* SPDX-License-Identifier: MIT */
/*
 * A card in a slot of an emulated reader, as the reader sees it through the contacts: it is powered, it is
 * sent characters at a speed, and characters come back (ISO 7816-3). Under the emulator's lock; never blocks:
 * the time that a card takes is told.
 *
 * Cards are named by a URI of libscard/sim ("sim:iso?protocol=T0"), with options of the line among the
 * others:
 *
 *     line.volts=5,3,1.8   answers at these only (all)
 *     line.atr=HEX         this ATR instead of the card's own
 *     line.ta1=HEX         the card's ATR with these interface bytes; also line.ifsc=N, line.crc=yes
 *     line.pps=refuse      does not answer a PPS; slow: agrees, but not to the speed; wrong: a wrong PCK
 *     line.delay=MS        takes so long for each command
 *     line.nulls=N         T=0: N NULL bytes before each procedure byte
 *     line.single=yes      T=0: asks for and gives data one byte at a time
 *     line.wtx=N           T=1: asks for N times the waiting time before each response
 *     line.ifs=N           T=1: changes its IFSC to N before its first response
 *     line.damage=N        T=1: every N-th block that it sends is damaged
 *     line.mute=N          dies with its N-th command
 */
#ifndef USBEMU_EMU_LINE_H
#define USBEMU_EMU_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct emu_line;

enum emu_said {
    LINE_SAID,   /* what came, perhaps nothing, is in out */
    LINE_MUTE,   /* no answer */
    LINE_PARITY, /* characters came damaged */
};

/* Which way the data of a T=0 command goes: a card knows it by the instruction, the simulated cards do not.
 * UNKNOWN: guessed from INS. */
enum emu_way {
    EMU_UNKNOWN,
    EMU_NO_DATA,
    EMU_TO_CARD,
    EMU_FROM_CARD,
};

/* A card of fixed answers: "in" in hexadecimal is answered with "out". Steps are taken in turn, and from the
 * beginning again; one that does not fit is passed over. in NULL: anything. out NULL: no answer. */
struct emu_script_step {
    const char *in, *out;
    unsigned delay_ms;
};
struct emu_script {
    const char *atr;  /* NULL: mute */
    uint8_t voltages; /* 1 5 V, 2 3 V, 4 1.8 V; 0: all */
    const struct emu_script_step *steps;
    size_t count;
};

/* RC_INVALID_VALUE with a detail; RC_NO_MEMORY. */
int emu_line_open(const char *uri, struct emu_line **ret_line);
/* The script is borrowed. NULL: no memory. */
struct emu_line *emu_line_script(const struct emu_script *script);
void emu_line_close(struct emu_line *line);

/* Power at one voltage (1 5 V, 2 3 V, 4 1.8 V) and reset; a card that is on is reset warm. The ATR is
 * appended to out. */
enum emu_said emu_line_reset(struct emu_line *line, uint8_t voltage, struct buffer *out);
void emu_line_off(struct emu_line *line);

/* Sends length characters, perhaps none, at a speed (FI/DI as in TA1); appends what comes back. */
enum emu_said emu_line_send(struct emu_line *line, uint8_t fd, enum emu_way way, const uint8_t *bytes,
                            size_t length, struct buffer *out);

/* A whole APDU, for readers that do the protocol by themselves. */
enum emu_said emu_line_apdu(struct emu_line *line, const uint8_t *command, size_t length, struct buffer *out);

/* About the last of these three: how long the card took; did it ask for time, and for how many times the
 * waiting time (emu_line_apdu); did it jump out of the reader at the end of that. */
unsigned emu_line_delay(const struct emu_line *line);
unsigned emu_line_wtx(const struct emu_line *line);
bool emu_line_left(const struct emu_line *line);

/* What is in force between reset and reset: has anything but a PPS been sent; protocol (0, 1), FI/DI. */
bool emu_line_used(const struct emu_line *line);
unsigned emu_line_protocol(const struct emu_line *line);
uint8_t emu_line_speed(const struct emu_line *line);

#endif
