/* SPDX-License-Identifier: MIT */
/*
 * The bytes between a program and the PC/SC service, as pcscd and its clients have them: protocol 4, minor 3
 * (pcsc-lite 1.8.9 to 1.8.23), 4 (to 2.2), 5 (from 2.3) and 6 (from 2.5).
 *
 * A request is a header and a body of fixed size, for TRANSMIT and CONTROL followed by data that the size in
 * the header does not count. The reply is the body with its results filled in, and data, without header.
 * Everything is in the byte order of the machine; all numbers have 32 bits, whatever the width in the API.
 * Pure.
 */
#ifndef IPC_WIRE_H
#define IPC_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define WIRE_MAJOR 4
#define WIRE_MINOR_OLDEST 3 /* WAIT and STOP_WAITING have a body; WAIT has no answer */
#define WIRE_MINOR_TABLE 4  /* WAIT is answered with the table of 16 */
#define WIRE_MINOR_NEWEST 6 /* WIRE_GET_TABLE_SIZE, WIRE_GET_TABLE; WAIT is not answered with the table */

#define WIRE_NAME_MAX 128
#define WIRE_KEY_MAX 32
#define WIRE_ATR_MAX 33
#define WIRE_ATTRIBUTE_MAX 264
#define WIRE_DATA_MAX 65548 /* of TRANSMIT and CONTROL */
#define WIRE_LEGACY_READERS 16

enum wire_command {
    WIRE_ESTABLISH = 0x01,
    WIRE_RELEASE = 0x02,
    WIRE_CONNECT = 0x04,
    WIRE_RECONNECT = 0x05,
    WIRE_DISCONNECT = 0x06,
    WIRE_BEGIN = 0x07,
    WIRE_END = 0x08,
    WIRE_TRANSMIT = 0x09,
    WIRE_CONTROL = 0x0A,
    WIRE_STATUS = 0x0B,
    WIRE_CANCEL = 0x0D,
    WIRE_GET_ATTRIBUTE = 0x0F,
    WIRE_SET_ATTRIBUTE = 0x10,
    WIRE_VERSION = 0x11,
    WIRE_GET_LEGACY_TABLE = 0x12, /* 16 entries */
    WIRE_WAIT = 0x13,
    WIRE_STOP_WAITING = 0x14,
    WIRE_GET_EVENTS = 0x15, /* from minor 5 */
    WIRE_GET_TABLE_SIZE = 0x16,
    WIRE_GET_TABLE = 0x17,

    /* Only for a server that says so (enum wire_feature). */
    WIRE_ABORT = 0x40,   /* as CANCEL, and ends exchanges on a card */
    WIRE_FACT = 0x41,    /* answered with the fact and its text */
    WIRE_NO_WAIT = 0x42, /* from now on TRANSMIT, STATUS and RECONNECT do not wait for a transaction to end */
};

/* What a server can do beyond pcscd, which gives the scope of ESTABLISH back as it came: it answers with
 * WIRE_FEATURES | enum wire_feature in its place. */
#define WIRE_FEATURES 0x5CA20000u
#define WIRE_FEATURES_MASK 0xFFFF0000u

enum wire_feature {
    WIRE_CAN_ABORT = 0x01,
    WIRE_CAN_FACT = 0x02,
    WIRE_CAN_NO_WAIT = 0x04,
};

struct wire_header {
    uint32_t size, command;
};

struct wire_establish {
    uint32_t scope, context, rv;
};

struct wire_release { /* and CANCEL, ABORT, NO_WAIT */
    uint32_t context, rv;
};

struct wire_connect {
    uint32_t context;
    char reader[WIRE_NAME_MAX];
    uint32_t share, protocols;
    int32_t card;
    uint32_t protocol, rv;
};

struct wire_reconnect {
    int32_t card;
    uint32_t share, protocols, initialization, protocol, rv;
};

struct wire_disconnect { /* and END */
    int32_t card;
    uint32_t disposition, rv;
};

struct wire_begin { /* and STATUS */
    int32_t card;
    uint32_t rv;
};

struct wire_transmit {
    int32_t card;
    uint32_t send_protocol, send_pci_length, send_length;
    uint32_t receive_protocol, receive_pci_length, receive_length;
    uint32_t rv;
};

struct wire_control {
    int32_t card;
    uint32_t code, send_length, receive_length, returned, rv;
};

struct wire_attribute {
    int32_t card;
    uint32_t id;
    uint8_t value[WIRE_ATTRIBUTE_MAX];
    uint32_t length, rv;
};

struct wire_version {
    int32_t major, minor;
    uint32_t rv;
};

struct wire_wait { /* what ends a wait, and the reply to STOP_WAITING */
    uint32_t timeout, rv;
};

struct wire_fact {
    uint32_t context;
    char reader[WIRE_NAME_MAX], key[WIRE_KEY_MAX];
    uint32_t length, rv; /* length of the text behind the reply, without NUL, at most WIRE_DATA_MAX */
};

struct wire_events {
    uint32_t events, rv;
};

enum wire_reader_bit {
    WIRE_READER_UNKNOWN = 0x01,
    WIRE_READER_ABSENT = 0x02,
    WIRE_READER_PRESENT = 0x04,
    WIRE_READER_SWALLOWED = 0x08,
    WIRE_READER_POWERED = 0x10,
    WIRE_READER_NEGOTIABLE = 0x20,
    WIRE_READER_SPECIFIC = 0x40,
};

struct wire_reader {
    char name[WIRE_NAME_MAX]; /* "" = unused */
    uint32_t events;          /* insertions and removals, 16 bits */
    uint32_t state;           /* enum wire_reader_bit */
    int32_t sharing;          /* number of handles; -1 exclusive */
    uint8_t atr[WIRE_ATR_MAX], padding[3];
    uint32_t atr_length;
    uint32_t protocol; /* in force, or 0 */
};

_Static_assert(sizeof(struct wire_establish) == 12, "");
_Static_assert(sizeof(struct wire_release) == 8, "");
_Static_assert(sizeof(struct wire_connect) == 152 && offsetof(struct wire_connect, card) == 140, "");
_Static_assert(sizeof(struct wire_reconnect) == 24, "");
_Static_assert(sizeof(struct wire_disconnect) == 12, "");
_Static_assert(sizeof(struct wire_begin) == 8, "");
_Static_assert(sizeof(struct wire_transmit) == 32, "");
_Static_assert(sizeof(struct wire_control) == 24, "");
_Static_assert(sizeof(struct wire_attribute) == 280, "");
_Static_assert(sizeof(struct wire_version) == 12, "");
_Static_assert(sizeof(struct wire_fact) == 172, "");
_Static_assert(sizeof(struct wire_reader) == 184 && offsetof(struct wire_reader, atr_length) == 176, "");

/* Size of a body, or -1 for an unknown command; and as a request of that minor. */
int wire_body_size(uint32_t command);
int wire_request_size(uint32_t command, int32_t minor);

/* The code on the wire for an RC_*, and back: as in PC/SC. An unknown code becomes RC_INTERNAL. */
uint32_t wire_code(int rc);
int wire_rc(uint32_t code);

#endif
