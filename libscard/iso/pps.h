/* SPDX-License-Identifier: MIT */
/*
 * Protocol and parameters selection (ISO 7816-3:2006, 9) and the choice of protocol and speed. Pure.
 *
 * After each reset, for the protocol that is wanted:
 *
 *     pps_plan(&atr, &reader, T, &plan);
 *     do as the plan says; if that fails: cold reset, pps_fall_back(&atr, &reader, &plan), and again
 *
 * FI/DI is coded as in TA1 everywhere: FI in the high nibble, DI in the low one; 11 is F = 372, D = 1, which
 * is in force after a reset (8.1).
 */
#ifndef ISO_PPS_H
#define ISO_PPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iso/atr.h"

#define PPS_FRAME_MAX 6 /* PPSS, PPS0, PPS1 … PPS3, PCK (9.2) */
#define PPS_DEFAULT_FD 0x11

/* Who exchanges PPS with the card. */
enum pps_who {
    PPS_HOST,       /* the host sends the frame and tells the reader the outcome */
    PPS_PARAMETERS, /* the reader, when the host sets the parameters */
    PPS_READER,     /* the reader did after the reset, by its own choice */
    PPS_NOBODY,     /* the reader cannot: first protocol and default speed only */
};

/* What a reader can do. */
struct pps_reader {
    enum pps_who who;
    uint32_t protocols;    /* mask 1 << T */
    uint32_t clock_khz;    /* of the card, constant */
    uint32_t max_rate;     /* bit/s */
    const uint32_t *rates; /* bit/s, borrowed; the only ones possible */
    size_t rate_count;     /* 0: everything up to max_rate is possible */
};

enum pps_step {
    PPS_SPEED,    /* best protocol and speed */
    PPS_PROTOCOL, /* the protocol alone, at default speed */
    PPS_WITHOUT,  /* no PPS, as the card started */
};

struct pps_plan {
    enum pps_step step;
    uint8_t protocol; /* T: 0 or 1 */
    /* FI/DI to set in the reader. With a request only if the card agrees: take pps_check's. With read_back
     * the reader's own, if it speaks the protocol already. */
    uint8_t fd;
    uint8_t request[PPS_FRAME_MAX]; /* to be sent to the card at default speed */
    size_t request_length;          /* 0: no PPS by the host */
    bool read_back;      /* ask the reader what is in force; set parameters if that is another protocol */
    bool set_parameters; /* set the reader's parameters, after the request if there is one */
};

/* Bit/s at this clock, rounded down; 0 for reserved FI/DI. */
uint32_t pps_rate(uint32_t clock_khz, uint8_t fd);

/* FI/DI to propose to a card in negotiable mode: that of TA1 if it is faster than the default, not above
 * max_rate and in the list of rates (2 bit/s of rounding allowed); else, of 95, 96 and 97, the next smaller D
 * down to 94 that is; else 11. */
uint8_t pps_speed(const struct atr *atr, const struct pps_reader *reader);

/* RC_PROTO_MISMATCH, with a detail, if card (atr_protocol_mask) or reader cannot speak protocol (T: 0 or 1),
 * or the change is not possible; RC_UNRESPONSIVE if the card is in specific mode with speed values of its own
 * (TA2, b5) and the reader does not see to that itself. In specific mode there is no PPS, and FI/DI is that
 * of TA1 (6.3.1). */
int pps_plan(const struct atr *atr, const struct pps_reader *reader, unsigned protocol,
             struct pps_plan *ret_plan);

/* Turns a plan that failed into the next one: the protocol without speed, then no PPS at all if the card
 * starts in this protocol (PPS_PARAMETERS: parameters are not set, either). The card must be cold reset
 * first. RC_UNRESPONSIVE, with a detail, if nothing is left; the plan is then unchanged. */
int pps_fall_back(const struct atr *atr, const struct pps_reader *reader, struct pps_plan *plan);

/* Writes a request for T = protocol; fd 11: without PPS1. Result: its length, 3 or 4. */
size_t pps_build(unsigned protocol, uint8_t fd, uint8_t ret_frame[PPS_FRAME_MAX]);

/* Did the card agree (9.3)? The answer repeats the request, or leaves PPS1, PPS2 or PPS3 out; without PPS1,
 * 11 stays in force. RC_UNRESPONSIVE, with a detail, for anything else: the card must be reset. */
int pps_check(const uint8_t *request, size_t request_length, const uint8_t *answer, size_t length,
              uint8_t *ret_fd);

#endif
