/* SPDX-License-Identifier: MIT */
/* The card side of the line, as its files share it. Not for others. */
#ifndef USBEMU_EMU_LINE_STATE_H
#define USBEMU_EMU_LINE_STATE_H

#include "iso/atr.h"
#include "iso/t1_block.h"
#include "sim/card.h"
#include "sim/t0.h"
#include "tests/usbemu/emu_line.h"

enum line_phase {
    LINE_OFF,
    LINE_FRESH, /* after the reset: PPS, or a command */
    LINE_USED,
    LINE_DEAD, /* says nothing until a reset */
};

enum line_pps {
    LINE_PPS_OBEY,
    LINE_PPS_REFUSE,
    LINE_PPS_SLOW,
    LINE_PPS_WRONG,
};

struct line_options {
    uint8_t voltages;
    uint8_t atr[ATR_MAX];
    size_t atr_length;
    unsigned ta1, ifsc; /* 0: the card's own */
    bool crc;
    enum line_pps pps;
    unsigned delay_ms, nulls, wtx, ifs, damage, mute;
    bool single;
};

/* T=0: a command on its way in. */
struct line_t0 {
    uint8_t command[5 + 255];
    size_t have, want; /* want 0: the header is not complete */
    bool guessed;      /* the way of the data is a guess */
    struct t0 rest;    /* what waits for GET RESPONSE */
};

/* T=1. */
struct line_t1 {
    uint8_t nad, ns, nr;
    uint8_t ifsc, ifsd;
    bool crc;
    struct buffer command, response;
    size_t at, cut; /* of response: acknowledged, and in the block that was sent last */
    bool answering;
    uint8_t last[T1_BLOCK_MAX]; /* without damage */
    size_t last_length;
    uint8_t request, value; /* PCB of its own S-request that is not answered; 0: none */
    bool ifs_done;
    unsigned sent;
};

struct emu_line {
    struct sim_line sim_line; /* the first member: what the simulated card waits on */
    struct sim_card *card;    /* NULL: script */
    const struct emu_script *script;
    size_t step;
    struct line_options options;

    enum line_phase phase;
    struct atr atr;
    uint8_t atr_bytes[ATR_MAX];
    size_t atr_length;
    bool atr_good;
    unsigned protocol;
    uint8_t fd;
    struct buffer in; /* PPS on its way in */
    struct line_t0 t0;
    struct line_t1 t1;

    unsigned commands, delay_ms, wtx;
    bool left;
};

/* Runs a command APDU on the simulated card, and keeps account of time and death. t0: as a T=0 card does. */
enum emu_said line_run(struct emu_line *line, bool t0, const uint8_t *command, size_t length,
                       struct buffer *out);

void line_t0_reset(struct line_t0 *t0);
enum emu_said line_t0_send(struct emu_line *line, enum emu_way way, const uint8_t *bytes, size_t length,
                           struct buffer *out);

void line_t1_reset(struct emu_line *line);
void line_t1_fini(struct line_t1 *t1);
enum emu_said line_t1_send(struct emu_line *line, const uint8_t *bytes, size_t length, struct buffer *out);

enum emu_said line_script_send(struct emu_line *line, const uint8_t *bytes, size_t length,
                               struct buffer *out);

/* Options of the line out of uri, which keeps the others. RC_INVALID_VALUE with a detail. */
struct uri;
int line_options_take(struct uri *uri, struct line_options *ret_options);

#endif
