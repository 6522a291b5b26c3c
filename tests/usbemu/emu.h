/* SPDX-License-Identifier: MIT */
/*
 * The border between an emulated USB device (a model, emu_reader.h) and what it is plugged into: the emulated
 * bus under the real libusb (emu_bus.h), or a pipe of the driver with no libusb in between (emu_pipe.h).
 *
 * One lock for everything emulated: hosts call the model under it, a model calls its host under it. It is
 * recursive: a model may be unplugged (emu_unplug) from within an operation or a call of emu_later, and is
 * then not called again.
 */
#ifndef USBEMU_EMU_H
#define USBEMU_EMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void emu_lock(void);
void emu_unlock(void);

struct emu_device;

/* What the model does; under the lock, never blocks. */
struct emu_device_ops {
    /* A class or vendor request (the host answers the standard ones). Result: bytes of data for IN (at most
     * length), 0 for OUT, -EPIPE for STALL, -EAGAIN: not yet, ask again after emu_host.ready. */
    int (*control)(struct emu_device *device, const uint8_t setup[8], uint8_t *data, size_t length);

    /* A transfer to a bulk OUT endpoint: all of its bytes. 0, -EPIPE (the endpoint is then halted), -EPROTO,
     * -EAGAIN: NAK, again after emu_host.ready; any other negative errno fails the transfer. */
    int (*out)(struct emu_device *device, uint8_t endpoint, const uint8_t *bytes, size_t length);

    /* The host has cleared the halt of an endpoint; reset the device; plugged or unplugged it; claimed or
     * released an interface. */
    void (*cleared)(struct emu_device *device, uint8_t endpoint);
    void (*reset)(struct emu_device *device);
    void (*plugged)(struct emu_device *device, bool plugged);
    void (*claimed)(struct emu_device *device, uint8_t interface, bool claimed);
};

/* What a host does for its device; under the lock. */
struct emu_host_ops {
    /* Queues what the endpoint sends next, behind what is queued: a message that goes out in packets (one
     * that fills its last packet is not followed by an empty one), an empty packet (length 0), or instead of
     * data a failure: -EPIPE halts the endpoint, -EPROTO, -EOVERFLOW. */
    void (*in)(struct emu_device *device, uint8_t endpoint, const uint8_t *bytes, size_t length, int failure);

    /* What was answered with -EAGAIN may be asked again. */
    void (*ready)(struct emu_device *device);

    /* Pulls the device out, as emu_unplug does: for faults that a model makes. NULL: cannot. */
    void (*unplug)(struct emu_device *device);
};

struct emu_device {
    const struct emu_device_ops *ops;
    const struct emu_host_ops *host; /* NULL: not plugged */
    void *host_state;
    const uint8_t *descriptors; /* device descriptor and configuration, as the kernel's file has them */
    size_t descriptors_length;
    const char *const *strings; /* UTF-8, by index from 1: strings[0] is string 1; NULL: there is none */
    size_t string_count;
};

/* Calls fn(user), with the lock, after some time, from a thread of the emulator's; ms 0: soon. emu_cancel
 * takes back those of user that have not begun; called with the lock, none is running. */
void emu_later(unsigned ms, void (*fn)(void *user), void *user);
void emu_cancel(void *user);

/* The judge: a rule of USB or CCID that the driver has broken. Kept, and printed on stderr. */
void emu_blame(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often since the last call; a test asserts 0. */
unsigned emu_blamed(void);

/* Whether one of the blames since then has these words: for tests of the judge. */
bool emu_blamed_for(const char *words);

#endif
