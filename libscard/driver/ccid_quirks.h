/* SPDX-License-Identifier: MIT */
/*
 * Readers that need something special, as one table of data: consulted once, when a reader is opened.
 * Everything else works by the standard; nothing follows from a vendor alone.
 */
#ifndef DRIVER_CCID_QUIRKS_H
#define DRIVER_CCID_QUIRKS_H

#include <stdint.h>

#include "driver/ccid_descriptor.h"

enum ccid_quirk_flag {
    CCID_FIRMWARE_BAD = 0x1,          /* unusable below the firmware that the row names */
    CCID_SHORT_IS_EXTENDED = 0x2,     /* says short APDU level, takes extended APDUs */
    CCID_EXTENDED_IS_SHORT = 0x4,     /* the other way round */
    CCID_MESSAGE_271 = 0x8,           /* says 263 bytes, takes 271 */
    CCID_NO_PPS = 0x10,               /* neither host nor reader can (PPS_NOBODY) */
    CCID_SKIP_PARAMETERS = 0x20,      /* SetParameters failed: cold reset, go on at default speed without */
    CCID_PIECES = 0x40,               /* answers come in several transfers */
    CCID_NO_FULL_PACKETS = 0x80,      /* loses messages, header included, of n * 64 bytes */
    CCID_EMPTY_PACKETS = 0x100,       /* a stray empty packet is to be fetched before each command */
    CCID_NO_NAD = 0x200,              /* NAD 00 only */
    CCID_NO_IFSD = 0x400,             /* do not announce IFSD to the card */
    CCID_ISO_MODE = 0x800,            /* power-up fails with CCID_NOT_EMV: Escape 1F 01, then again */
    CCID_OFF_BEFORE_ON = 0x1000,      /* IccPowerOff before each IccPowerOn */
    CCID_ABORT_AT_OPEN = 0x2000,      /* abort until it answers */
    CCID_CLEAR_INTERRUPT = 0x4000,    /* clear a halt of the interrupt endpoint at open */
    CCID_ESCAPE_ALLOWED = 0x8000,     /* escape commands need no permission */
    CCID_NO_PIN = 0x10000,            /* no PIN entry, whatever the descriptor says */
    CCID_PIN_VALIDATION = 0x20000,    /* bEntryValidationCondition 1…7; 0 makes it crash */
    CCID_PIN_KEY_ONLY = 0x40000,      /* bEntryValidationCondition 02 */
    CCID_PIN_NO_MESSAGES = 0x80000,   /* bNumberMessage 0 */
    CCID_PIN_ONE_MESSAGE = 0x100000,  /* bNumberMessage 1 */
    CCID_PIN_ALL_MESSAGES = 0x200000, /* modify: bNumberMessage 3 */
    CCID_PIN_FF_MESSAGES = 0x400000,  /* modify: bNumberMessage FF for 00 */
    CCID_PIN_ALL_INDEXES = 0x800000,  /* modify: three message indexes, whatever their number */
    CCID_PIN_PAUSE = 0x1000000,       /* 250 ms before the command: the key pressed last is not up yet */
    CCID_PIN_SWAP_DIGITS = 0x2000000, /* wPINMaxExtraDigit in the other byte order */
    CCID_PIN_NO_PADDING =
        0x4000000, /* Escape 80 02 00 before verify of a case 1 APDU with bmPINBlockString 0 */
};

/* A row. 0 in a value: as the reader says. */
struct ccid_quirk {
    uint16_t vendor, product;
    uint16_t from, below;     /* for from <= bcdDevice < below; below 0: for all from there */
    uint32_t flags;           /* enum ccid_quirk_flag */
    uint32_t max_rate;        /* rates above are announced, but do not work */
    uint8_t ifsd;             /* not what the descriptor says */
    uint8_t open_times;       /* waiting times at open, times this */
    uint32_t extra_ms;        /* added to the waiting time of each command */
    uint8_t pin_min, pin_max; /* lengths of PINs that it takes */
    const char *note;         /* what is the matter, for people */
};

/* The next row behind after (NULL: the first) that is about this device; NULL: no more. */
const struct ccid_quirk *ccid_quirks_next(const struct ccid_quirk *after, uint16_t vendor, uint16_t product,
                                          uint16_t bcd_device);

/* All rows about the device in one, without note; below is the firmware needed if flags has
 * CCID_FIRMWARE_BAD. */
struct ccid_quirk ccid_quirks_find(uint16_t vendor, uint16_t product, uint16_t bcd_device);

/* Corrects what the descriptor should have said: level, rates, IFSD, message length, PIN entry. */
void ccid_quirks_apply(const struct ccid_quirk *quirk, struct ccid_descriptor *descriptor);

#endif
