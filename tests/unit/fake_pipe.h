/* SPDX-License-Identifier: MIT */
/*
 * A pipe that follows a script: what the driver has to do next, and what comes of it.
 *
 * Bytes are hex digits with spaces as one likes. ?? stands for any byte (of what the driver sends), qq for
 * the bSeq of the message that was sent last (in what it gets). What does not fit the script is remembered
 * and said by fake_pipe_done, because it may happen in any thread.
 */
#ifndef TESTS_UNIT_FAKE_PIPE_H
#define TESTS_UNIT_FAKE_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "usb/pipe.h"

enum fake_what {
    FAKE_OUT,     /* bulk_out of bytes */
    FAKE_IN,      /* bulk_in gets bytes */
    FAKE_HANG,    /* bulk_in or control waits for fake_pipe_release, and then takes the next step; or for
                     interrupt; or for its deadline */
    FAKE_CONTROL, /* control; bytes: request type, request, value (high byte first), data to the device */
    FAKE_CLEAR,   /* clear; bytes "bulk" or "interrupt" */
};

struct fake_step {
    enum fake_what what;
    const char *bytes;
    int rc;            /* what the call returns; RC_READER_UNAVAILABLE: and all calls after it */
    const char *gives; /* FAKE_CONTROL: data from the device */
    uint64_t wait_ms;  /* the deadline has to be so far away, FAKE_NEVER: to be none; 0: does not matter */
};

#define FAKE_NEVER UINT64_MAX

struct fake_pipe;

/* Its close frees nothing: fake_pipe_free does, afterwards. */
struct fake_pipe *fake_pipe_new(void);
void fake_pipe_free(struct fake_pipe *fake);
struct pipe *fake_pipe_pipe(struct fake_pipe *fake);

/* More steps behind those that there are; borrowed until the end. */
void fake_pipe_script(struct fake_pipe *fake, const struct fake_step *steps, size_t count);
#define fake_pipe_steps(fake, ...)                                                                           \
    fake_pipe_script(fake, (const struct fake_step[]){__VA_ARGS__},                                          \
                     sizeof((const struct fake_step[]){__VA_ARGS__}) / sizeof(struct fake_step))

/* For several threads whose order is not the test's: a call waits until a step of its kind is due. */
void fake_pipe_patient(struct fake_pipe *fake);

/* The next bulk_in that brings something calls this before it returns. */
void fake_pipe_with_next_answer(struct fake_pipe *fake, void (*call)(void));

/* Fails the test unless all steps were taken, and nothing else was done. */
void fake_pipe_done(struct fake_pipe *fake);

/* Waits until a call hangs, or so many steps have been taken since the beginning. */
void fake_pipe_wait_hang(struct fake_pipe *fake);
void fake_pipe_wait_steps(struct fake_pipe *fake, size_t count);
void fake_pipe_release(struct fake_pipe *fake);

/* The interrupt endpoint brings a message. */
void fake_pipe_notice(struct fake_pipe *fake, const char *bytes);
/* What notice returns when there is no message. */
void fake_pipe_notice_rc(struct fake_pipe *fake, int rc);
/* The device is unplugged: ends what hangs. */
void fake_pipe_unplug(struct fake_pipe *fake);

unsigned fake_pipe_held(struct fake_pipe *fake);
unsigned fake_pipe_interrupts(struct fake_pipe *fake);
bool fake_pipe_closed(const struct fake_pipe *fake);
bool fake_pipe_forgotten(const struct fake_pipe *fake);

/* The driver's own memory that was sent last, to see whether it was wiped. */
const uint8_t *fake_pipe_last_out(const struct fake_pipe *fake, size_t *ret_length);

#endif
