/* SPDX-License-Identifier: MIT */
#include "echo_device.h"

#include <errno.h>
#include <string.h>

#include "emu_bus.h"

static struct echo_device *echo_of(struct emu_device *device)
{
    return (struct echo_device *)(void *)device;
}

static void make_ready(void *user)
{
    struct echo_device *echo = user;

    echo->late_ready = true;
    echo->device.host->ready(&echo->device);
}

static int control(struct emu_device *device, const uint8_t setup[8], uint8_t *data, size_t length)
{
    struct echo_device *echo = echo_of(device);

    switch (setup[1]) {
    case ECHO_STORE:
        if ((setup[0] & 0x80) == 0) {
            echo->stored_length = length < sizeof echo->stored ? length : sizeof echo->stored;
            memcpy(echo->stored, data, echo->stored_length);
            return 0;
        }
        if (length > echo->stored_length)
            length = echo->stored_length;
        memcpy(data, echo->stored, length);
        return (int)length;
    case ECHO_LATE:
        if (!echo->late_ready) {
            emu_later(1, make_ready, echo);
            return -EAGAIN;
        }
        echo->late_ready = false;
        memset(data, 0x5a, length);
        return (int)length;
    default:
        return -EPIPE;
    }
}

static int out(struct emu_device *device, uint8_t endpoint, const uint8_t *bytes, size_t length)
{
    struct echo_device *echo = echo_of(device);
    int result = echo->out_result;

    (void)endpoint;
    if (echo->pull) {
        echo->pull = false;
        emu_unplug(device);
        return 0;
    }
    if (echo->refusals > 0) {
        echo->refusals--;
        emu_later(0, make_ready, echo);
        return -EAGAIN;
    }
    echo->out_result = 0;
    if (result != 0 || echo->mute)
        return result;
    device->host->in(device, ECHO_IN, bytes, length, echo->in_failure);
    if (echo->empty_packets && length > 0 && length % echo->packet == 0)
        device->host->in(device, ECHO_IN, NULL, 0, 0);
    echo->in_failure = 0;
    return 0;
}

static void cleared(struct emu_device *device, uint8_t endpoint)
{
    (void)endpoint;
    echo_of(device)->cleared++;
}

static void reset(struct emu_device *device)
{
    echo_of(device)->resets++;
}

static void plugged(struct emu_device *device, bool on)
{
    if (on)
        echo_of(device)->plugged++;
    else
        emu_cancel(device);
}

static void claimed(struct emu_device *device, uint8_t interface, bool on)
{
    (void)interface;
    if (on)
        echo_of(device)->claims++;
}

static const struct emu_device_ops ops = {
    .control = control,
    .out = out,
    .cleared = cleared,
    .reset = reset,
    .plugged = plugged,
    .claimed = claimed,
};

static const char *const strings[] = {"Emulator", "Echo ✓ 𝄞", "0001", "Echo interface"};

void echo_init(struct echo_device *echo, uint16_t packet)
{
    const uint8_t low = (uint8_t)packet, high = (uint8_t)(packet >> 8);
    /* clang-format off */
    const uint8_t descriptors[] = {
        /* device */
        18, 1, 0x00, 0x02, 0, 0, 0, 64, 0x34, 0x12, 0x78, 0x56, 0x00, 0x01, 1, 2, 3, 1,
        /* configuration */
        9, 2, 57, 0, 2, 1, 0, 0x80, 50,
        /* interface 0 and its endpoints */
        9, 4, 0, 0, 3, 0xff, 0, 0, 4,
        7, 5, ECHO_OUT, 2, low, high, 0,
        7, 5, ECHO_IN, 2, low, high, 0,
        7, 5, ECHO_INTERRUPT, 3, 8, 0, 10,
        /* interface 1 has none */
        9, 4, 1, 0, 0, 0xff, 0, 0, 0,
    };
    /* clang-format on */

    memset(echo, 0, sizeof *echo);
    memcpy(echo->descriptors, descriptors, sizeof descriptors);
    echo->packet = packet;
    echo->device = (struct emu_device){
        .ops = &ops,
        .descriptors = echo->descriptors,
        .descriptors_length = sizeof descriptors,
        .strings = strings,
        .string_count = sizeof strings / sizeof strings[0],
    };
}

void echo_send(struct echo_device *echo, uint8_t endpoint, const void *bytes, size_t length)
{
    emu_lock();
    echo->device.host->in(&echo->device, endpoint, bytes, length, 0);
    emu_unlock();
}
