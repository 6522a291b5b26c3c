/* SPDX-License-Identifier: MIT */
/*
 * Emulated CCID readers (CCID 1.1, ICCD 1.0): the model behind emu.h.
 *
 * The model judges the driver: what breaks CCID's rules is told to emu_blame.
 *
 * Functions here take the emulator's lock themselves, but for those that say otherwise.
 */
#ifndef USBEMU_EMU_READER_H
#define USBEMU_EMU_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/usbemu/emu.h"
#include "tests/usbemu/emu_fault.h"
#include "tests/usbemu/emu_line.h"

enum emu_level {
    EMU_CHARACTER,
    EMU_TPDU,
    EMU_SHORT_APDU,
    EMU_EXTENDED_APDU,
};

enum emu_transport {
    EMU_BULK,
    EMU_ICCD_A,
    EMU_ICCD_B,
};

enum emu_class_place { /* of the class descriptor */
                       EMU_IN_INTERFACE,
                       EMU_BEHIND_ENDPOINTS,
                       EMU_TYPE_FF, /* in the interface, with that type */
                       EMU_NOWHERE,
};

struct emu_reader_config {
    const char *preset;
    uint16_t vid, pid, bcd_device;
    const char *manufacturer, *product, *serial, *interface_name; /* UTF-8; NULL: none */

    uint8_t class_code;  /* 0B, or FF */
    unsigned place;      /* enum emu_class_place */
    unsigned transport;  /* enum emu_transport */
    unsigned interfaces; /* CCID functions on the device */
    bool keyboard;       /* composite: another interface before them */
    bool interrupt;      /* there is an interrupt endpoint */
    uint16_t packet, interrupt_packet;

    unsigned level;             /* enum emu_level: how it works */
    int announced_level;        /* what its descriptor says; -1: the same */
    uint32_t features;          /* dwFeatures without the level */
    unsigned slots, busy_slots; /* of each function */
    uint8_t voltages;           /* 1 5 V, 2 3 V, 4 1.8 V */
    uint32_t protocols, mechanical, max_ifsd;
    uint32_t clock_khz, max_clock_khz, rate, max_rate;
    const uint32_t *clocks, *rates; /* of GET_CLOCK_FREQUENCIES, GET_DATA_RATES; borrowed */
    unsigned clock_count, rate_count;
    uint32_t max_message;  /* dwMaxCCIDMessageLength */
    uint32_t real_message; /* what it takes and sends, if that is more; 0: the same */
    uint8_t class_get_response, class_envelope;
    uint16_t lcd;
    uint8_t pin_support; /* 1 verify, 2 modify */

    bool no_empty;          /* no empty packet behind a message that fills its last one */
    bool abort_stalls;      /* the control request ABORT */
    bool rates_stall;       /* the other two */
    bool strict_atr;        /* refuses an ATR with a wrong TCK */
    bool emv_first;         /* power-up fails with BB before Escape 1F 01 */
    bool off_first;         /* power-up fails unless IccPowerOff came before it */
    bool pin_all_indexes;   /* modify: three message indexes, whatever their number */
    unsigned pieces;        /* answers come in transfers of so many bytes; 0: whole */
    uint8_t loses_full;     /* messages that fill their last packet get lost: 1 to the reader, 2 from it */
    uint32_t real_max_rate; /* SetParameters fails above it, and the card is lost; 0: the same as announced */
    bool no_escape;
    unsigned extension_ms; /* asks for more time so often while a card works; 0: only when the card does */
    unsigned wake_ms;      /* answers so late after it was claimed */
};

/* "tpdu", "short", "extended", "character", "iccd-a", "iccd-b", "nointerrupt", "multislot", "pinpad", …;
 * NULL: no such preset. All are in emu_reader_presets.c; names by index, NULL behind the last. */
const struct emu_reader_config *emu_reader_preset(const char *name);
const char *emu_reader_preset_name(size_t index);

/* "slots=2", "features=hex", "serial=TEXT" …: a field of config by its name; texts are borrowed. Numbers are
 * decimal, or 0x…. RC_INVALID_VALUE with a detail. */
int emu_reader_config_set(struct emu_reader_config *config, const char *key, const char *value);

struct emu_reader;

/* RC_INVALID_VALUE with a detail: cannot be emulated; RC_NO_MEMORY. Texts of config are copied. */
int emu_reader_new(const struct emu_reader_config *config, struct emu_reader **ret_reader);
/* Not plugged any more. */
void emu_reader_free(struct emu_reader *reader);
struct emu_device *emu_reader_device(struct emu_reader *reader);

/* Pulls the device out of whatever it is plugged into, soon, from the emulator's thread; faults do so. A host
 * that cannot be asked (emu_host_ops.unplug) is asked by fn. */
void emu_reader_on_unplug(struct emu_reader *reader, void (*fn)(void *user), void *user);

/* Slots are counted through the functions of the device. A card that is in is taken out first (and the
 * reader says so). RC_INVALID_VALUE with a detail, RC_NO_MEMORY. */
int emu_reader_insert(struct emu_reader *reader, unsigned slot, const char *uri);
int emu_reader_insert_script(struct emu_reader *reader, unsigned slot, const struct emu_script *script);
void emu_reader_remove(struct emu_reader *reader, unsigned slot);
/* A card that leaves and comes back at once: the interrupt endpoint tells one change. */
void emu_reader_bounce(struct emu_reader *reader, unsigned slot);

/* The bus was asleep, and the reader lost its power meanwhile: all is as after power-up, commands under way
 * are not answered, the interrupt endpoint tells all slots. */
void emu_reader_resume(struct emu_reader *reader);

/* HardwareError on the interrupt endpoint (CCID 1.1, 6.3.2). */
void emu_reader_hardware_error(struct emu_reader *reader, unsigned slot, uint8_t code);

int emu_reader_fault(struct emu_reader *reader, const struct emu_fault *fault);
int emu_reader_fault_text(struct emu_reader *reader, const char *text);
void emu_reader_no_faults(struct emu_reader *reader);

/* Keys of the PIN pad, kept until a Secure command wants them: digits, E enter, C cancel, B back, T: time is
 * up. RC_INVALID_VALUE, RC_NO_MEMORY. */
int emu_reader_keys(struct emu_reader *reader, unsigned slot, const char *keys);

/* What passed, the newest EMU_RECORDS of it. endpoint 0: control, setup and data as the host sent them, or
 * what it was answered with bit 7 of endpoint set. */
#define EMU_RECORDS 1024
struct emu_record {
    uint8_t endpoint;
    int failure; /* negative errno, or 0 */
    const uint8_t *bytes;
    size_t length;
};
/* How many have passed; the record number index, 0 the oldest of all: false if it is kept no longer. It is
 * valid until the next message, so look at it when nothing is under way. */
size_t emu_reader_recorded(struct emu_reader *reader);
bool emu_reader_record(struct emu_reader *reader, size_t index, struct emu_record *ret_record);
/* How many messages of a type (first byte; 0: any) went over an endpoint's direction: EMU_OUT, EMU_IN,
 * EMU_INTERRUPT; EMU_CONTROL: requests, type is bRequest. */
size_t emu_reader_count(struct emu_reader *reader, enum emu_where where, uint8_t type);

/* State of a slot, for tests. */
struct emu_slot_state {
    bool present, active, busy;
    uint8_t protocol, fd; /* parameters of the reader */
};
struct emu_slot_state emu_reader_slot(struct emu_reader *reader, unsigned slot);

#endif
