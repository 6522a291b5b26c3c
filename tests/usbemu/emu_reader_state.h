/* SPDX-License-Identifier: MIT */
/* An emulated reader, as its files share it. Not for others; everything here is under the lock. */
#ifndef USBEMU_EMU_READER_STATE_H
#define USBEMU_EMU_READER_STATE_H

#include "base/bytes.h"
#include "base/deadline.h"
#include "driver/ccid_message.h"
#include "tests/usbemu/emu_reader.h"

struct emu_function;

/* PIN entry under way. */
struct emu_pin {
    struct emu_slot *slot; /* what emu_later is given is the pin: its own user */
    bool waiting;
    struct buffer secure; /* data of the command */
    struct buffer keys;   /* typed and not used yet */
};

struct emu_slot {
    struct emu_function *function;
    unsigned index; /* bSlot */
    struct emu_line *line;
    bool changed; /* since the last NotifySlotChange */

    bool active, off_seen, emv_off, ifsd_done;
    bool host_on;      /* the host has powered the card up, and not off: it may not know yet that it left */
    unsigned reset_ms; /* how long the last reset took */
    uint8_t protocol;  /* parameters */
    uint8_t parameters[CCID_PARAMETERS_MAX];
    uint8_t clock_status;
    struct buffer queue; /* character level: what the card said and the host did not fetch yet */

    /* Extended level; ICCD. */
    struct buffer command, response;
    size_t response_at;
    bool gathering, giving;

    /* The command under way: its answer, when it is due. */
    bool busy;
    uint8_t type, seq;
    struct buffer answer;
    unsigned extensions, multiplier, interval_ms; /* still to be sent before it */
    bool leaves;                                  /* the card goes instead */
    bool answered;                                /* the fault rules have had their say */
    struct emu_fault fault;
    bool has_fault;

    bool abort_asked, abort_came; /* control request; bulk message, before it */
    uint8_t abort_seq;
    struct emu_pin pin;
};

/* A CCID interface of the device. */
struct emu_function {
    struct emu_reader *reader;
    uint8_t interface, out, in, interrupt;
    bool claimed, notified;
    bool numbered; /* last_seq is one */
    uint8_t last_seq;
    struct emu_slot *slots;
    struct buffer iccd;  /* control transports: the answer that waits to be fetched */
    uint8_t iccd_status; /* version A: what it can be asked for, when ready_at has come */
    struct deadline ready_at;
    uint8_t header[5];
    bool moved; /* data of this command have been sent or fetched */
};

struct emu_reader {
    struct emu_device device; /* the first member */
    struct emu_reader_config config;
    uint32_t capacity; /* message that it takes and sends */
    struct emu_function *functions;
    struct buffer descriptors;
    char *texts[8]; /* copies of the texts of config; strings of the device */
    const char *strings[4];
    struct list rules;
    bool nak_over; /* the NAK of a rule has been kept up long enough */
    bool asleep;
    void (*unplug)(void *user);
    void *unplug_user;

    struct buffer records[EMU_RECORDS];
    struct {
        uint8_t endpoint;
        int failure;
    } record_facts[EMU_RECORDS];
    size_t recorded;
    size_t counts[4][256];
};

static inline struct emu_reader *reader_of(struct emu_device *device)
{
    return (struct emu_reader *)(void *)device;
}

static inline uint8_t card_status(const struct emu_slot *slot)
{
    return (uint8_t)(!slot->line ? CCID_CARD_ABSENT : slot->active ? CCID_CARD_ACTIVE : CCID_CARD_INACTIVE);
}

struct emu_slot *reader_slot(struct emu_reader *reader, unsigned slot);

/* emu_reader_descriptor.c: device.descriptors and the addresses of the functions. RC_*. */
int reader_describe(struct emu_reader *reader);

/* emu_reader_record.c */
void reader_record(struct emu_reader *reader, enum emu_where where, uint8_t endpoint, const uint8_t *bytes,
                   size_t length, int failure);

/* emu_reader_send.c: queues for the host and records; length 0 and no failure: an empty packet. */
void reader_in(struct emu_function *function, const uint8_t *bytes, size_t length, int failure);
void reader_notify(struct emu_function *function);
void reader_unplug(struct emu_reader *reader, unsigned ms);

/* The answer to the slot's command, to be sent when the card is through (delay_ms from now), with so many
 * time extensions on the way. */
void slot_answer(struct emu_slot *slot, uint8_t type, uint8_t parameter, const uint8_t *data, size_t length);
void slot_fail(struct emu_slot *slot, uint8_t error);
void slot_send(struct emu_slot *slot, unsigned delay_ms);
/* Without an answer; or with the one that says that it was aborted. */
void slot_drop(struct emu_slot *slot, bool tell);

/* emu_reader_message.c: a message of bulk OUT, or of ICCD as such a one. */
void message_take(struct emu_function *function, const uint8_t *bytes, size_t length);

/* emu_reader_power.c */
void power_on(struct emu_slot *slot, uint8_t select);
void power_off(struct emu_slot *slot);
bool power_activate(struct emu_slot *slot, uint8_t voltages, struct buffer *atr);
void parameters_set(struct emu_slot *slot, uint8_t protocol, const uint8_t *data, size_t length);
void parameters_answer(struct emu_slot *slot);
void parameters_default(struct emu_slot *slot);

/* emu_reader_exchange.c: XfrBlock. Both end in slot_send. */
void exchange_block(struct emu_slot *slot, uint8_t bwi, uint16_t level, const uint8_t *data, size_t length);
/* To the card, without chaining: appends the answer to out. false: the answer is a failure (slot_fail). */
bool exchange_card(struct emu_slot *slot, const uint8_t *data, size_t length, struct buffer *out);
void exchange_forget(struct emu_slot *slot);

/* emu_reader_chain.c: XfrBlock at extended level. */
void chain_block(struct emu_slot *slot, uint16_t level, const uint8_t *data, size_t length);

/* emu_reader_pin.c */
void pin_secure(struct emu_slot *slot, const uint8_t *data, size_t length);
void pin_stop(struct emu_slot *slot);
void pin_keys(struct emu_slot *slot);

/* emu_reader_control.c, emu_reader_iccd.c: class requests, as emu_device_ops.control. */
int control_request(struct emu_reader *reader, const uint8_t setup[8], uint8_t *data, size_t length);
int iccd_request(struct emu_function *function, const uint8_t setup[8], uint8_t *data, size_t length);

#endif
