/* SPDX-License-Identifier: MIT */
/*
 * Faults that an emulated reader makes: rules of where and when, and what happens then.
 *
 * As text: WHERE [TYPE] [slot=N] [nth=N] [count=N] ACTION[=VALUE], TYPE and VALUE of error in hexadecimal:
 *
 *     in 6F nth=2 stall          the answer to the second XfrBlock from now on is a stall
 *     out 62 proto               IccPowerOn meets a protocol error
 *     in 80 count=3 extend=2     two time extensions before each of the next three DataBlocks
 *     control 01 stall           the ABORT request is not taken
 */
#ifndef USBEMU_EMU_FAULT_H
#define USBEMU_EMU_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

enum emu_where {
    EMU_OUT,       /* a message to bulk OUT; all actions from EMU_BADSEQ on work as for EMU_IN */
    EMU_IN,        /* an answer on bulk IN */
    EMU_INTERRUPT, /* a message on interrupt IN */
    EMU_CONTROL,   /* a class request */
};

enum emu_action {
    EMU_STALL,
    EMU_SILENT, /* nothing: IN, no answer; OUT, not taken (NAK) before value ms (0: never); control, no end */
    EMU_SHORT,  /* the first value bytes */
    EMU_EMPTY,  /* an empty packet instead */
    EMU_STRAY,  /* an empty packet before */
    EMU_BABBLE, /* more than the host asked for: overflow */
    EMU_PROTO,  /* protocol error on the bus */
    EMU_UNPLUG, /* the device is pulled out instead; value: so many ms later, and all goes on until then */
    EMU_BADSEQ, /* answers of a wrong kind; value: exclusive-or, 0 for a usual one */
    EMU_BADSLOT,
    EMU_BADTYPE,
    EMU_BADLENGTH, /* dwLength */
    EMU_EXTEND,    /* value time extensions before it */
    EMU_DELAY,     /* value ms later */
    EMU_ERROR,     /* failed, with bError value */
    EMU_STALE,     /* an answer of another command before */
    EMU_REMOVE,    /* the card is taken out instead */
};

struct emu_fault {
    enum emu_where where;
    uint8_t type;   /* of the command or of the answer; control: bRequest. 0: any */
    int slot;       /* -1: any */
    unsigned nth;   /* the first one that it happens to, from 1; 0 as 1 */
    unsigned count; /* how often; 0 as 1; EMU_ALWAYS */
    enum emu_action action;
    unsigned value;
};
#define EMU_ALWAYS (~0U)

/* RC_INVALID_VALUE with a detail. */
int emu_fault_parse(const char *text, struct emu_fault *ret_fault);

/* Rules of one reader; a list head is the caller's. Under the lock. */
int emu_fault_add(struct list *rules, const struct emu_fault *fault);
void emu_fault_clear(struct list *rules);

/* What happens to this one; counts it. answer: another type that stands for it, or 0. */
bool emu_fault_take(struct list *rules, enum emu_where where, uint8_t type, uint8_t answer, unsigned slot,
                    struct emu_fault *ret_fault);

#endif
