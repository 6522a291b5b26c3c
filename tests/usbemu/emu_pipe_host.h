/* SPDX-License-Identifier: MIT */
/*
 * What an emulated device is plugged into when pipes lead straight to it: its endpoints. Not for others than
 * emu_pipe.c.
 *
 * Two locks: the emulator's, under which the device is called and calls; and the host's own, under which a
 * pipe waits for what the device has queued. The second is taken inside the first, never the other way round.
 */
#ifndef USBEMU_EMU_PIPE_HOST_H
#define USBEMU_EMU_PIPE_HOST_H

#include <pthread.h>

#include "base/bytes.h"
#include "base/list.h"
#include "tests/usbemu/emu_pipe.h"

/* A packet that is not full, or a message whose last packet is, or a failure. */
struct item {
    struct list node;
    int failure;
    size_t length, at; /* fetched up to at */
    uint8_t bytes[];
};

struct endpoint {
    struct list node;
    uint8_t address;
    bool halted;
    struct list items;
};

struct soft_host {
    struct emu_device *device; /* NULL: gone */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* something was queued, is ready, was interrupted, has gone */
    struct list endpoints, pipes;
    unsigned users; /* pipes, and emu_pipe_plug */
    bool plugged;   /* by emu_pipe_plug */
    unsigned ready; /* counts what the device said */
};

struct soft_pipe {
    struct pipe pipe;
    struct list node;
    struct soft_host *host;
    struct pipe_layout layout;
    size_t room;      /* of a bulk IN transfer: whole packets */
    struct buffer in; /* the transfer under way, or that bulk_in has given out */
    bool under_way;   /* in holds the beginning of a transfer */
    bool interrupted, interrupt_broken, broken_told;
    bool signalled; /* event_fd is readable */
    unsigned held;
};

/* With the host's lock. NULL: no memory; none there. */
struct endpoint *endpoint_of(struct soft_host *host, uint8_t address);
struct item *endpoint_first(struct endpoint *endpoint);
void endpoint_drop(struct endpoint *endpoint);

/* With the host's lock: makes event_fd readable, or quiet. */
void soft_event(struct soft_pipe *soft);

/* With the emulator's lock. Plugs the device in if it is not. RC_NO_MEMORY, RC_READER_UNAVAILABLE. The last
 * unref pulls it out. */
int soft_host_ref(struct emu_device *device, struct soft_host **ret_host);
void soft_host_unref(struct soft_host *host);

#endif
