/* SPDX-License-Identifier: MIT */
/* A device for tests of the emulated bus: what is sent to endpoint 01 comes back from 82, unless it is told
 * to misbehave. 83 is an interrupt endpoint. Fields are for the lock of emu.h once it is plugged in. */
#ifndef USBEMU_ECHO_DEVICE_H
#define USBEMU_ECHO_DEVICE_H

#include "emu.h"

#define ECHO_OUT 0x01
#define ECHO_IN 0x82
#define ECHO_INTERRUPT 0x83

/* Vendor requests to the interface: the bytes that were stored last; STALL; an answer that takes a while. */
enum { ECHO_STORE = 1, ECHO_STALL = 2, ECHO_LATE = 3 };

struct echo_device {
    struct emu_device device; /* first */
    uint8_t descriptors[18 + 9 + 9 + 3 * 7 + 9];
    uint16_t packet;
    bool empty_packets; /* a reply that fills its last packet is followed by an empty one */
    bool mute;          /* takes what is sent, and is silent */
    int out_result;     /* of the next OUT transfer */
    int in_failure;     /* of the next reply */
    unsigned refusals;  /* that many OUT transfers are first answered with NAK */
    bool pull;          /* the next OUT transfer pulls the device out */
    uint8_t stored[64];
    size_t stored_length;
    bool late_ready;
    unsigned cleared, resets, plugged, claims;
};

/* packet: wMaxPacketSize of the bulk endpoints. */
void echo_init(struct echo_device *echo, uint16_t packet);

/* Sends from an endpoint, now. */
void echo_send(struct echo_device *echo, uint8_t endpoint, const void *bytes, size_t length);

#endif
