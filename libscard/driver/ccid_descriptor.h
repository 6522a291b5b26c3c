/* SPDX-License-Identifier: MIT */
/*
 * What a CCID interface says of itself in the configuration descriptor (CCID 1.1, 5.1; USB 2.0, 9.6). Pure.
 *
 * Devices put the class descriptor in odd places and wrong values into it: the fields below are corrected
 * ones that a driver can use as they are, raw has the bytes as they came.
 */
#ifndef DRIVER_CCID_DESCRIPTOR_H
#define DRIVER_CCID_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "iso/pps.h"

#define CCID_CLASS_LENGTH 54
#define CCID_RATES_MAX 255 /* bNumDataRatesSupported is one byte */

enum ccid_transport { /* bInterfaceProtocol */
                      CCID_BULK = 0,
                      CCID_ICCD_A = 1, /* control transfers */
                      CCID_ICCD_B = 2,
};

enum ccid_level {
    CCID_CHARACTER,
    CCID_TPDU,
    CCID_SHORT_APDU,
    CCID_EXTENDED_APDU,
};

enum ccid_feature {                             /* dwFeatures */
                    CCID_AUTO_PARAMETERS = 0x2, /* from the ATR */
                    CCID_AUTO_ACTIVATION = 0x4,
                    CCID_AUTO_VOLTAGE = 0x8,
                    CCID_AUTO_CLOCK = 0x10,
                    CCID_AUTO_RATE = 0x20,
                    CCID_AUTO_NEGOTIATION = 0x40, /* PPS by its own choice; wins over AUTO_PPS */
                    CCID_AUTO_PPS = 0x80,         /* according to the parameters set by the host */
                    CCID_CLOCK_STOP = 0x100,
                    CCID_NAD = 0x200,
                    CCID_AUTO_IFSD = 0x400,
                    CCID_ICCD = 0x800,
                    CCID_LEVEL_TPDU = 0x10000,
                    CCID_LEVEL_SHORT = 0x20000,
                    CCID_LEVEL_EXTENDED = 0x40000,
                    CCID_WAKE_UP = 0x100000,
};

enum ccid_defect {
    CCID_SOUND,
    CCID_NO_CLASS_DESCRIPTOR, /* nothing but interface and endpoints is known then */
    CCID_NO_ENDPOINTS,        /* CCID_BULK without a bulk endpoint of each direction */
    CCID_BAD_TRANSPORT,       /* unknown bInterfaceProtocol */
};

struct ccid_endpoint {
    uint8_t address; /* 0: there is none */
    uint16_t packet; /* wMaxPacketSize in bytes, never 0 */
};

struct ccid_descriptor {
    enum ccid_defect defect;
    uint8_t interface;  /* bInterfaceNumber */
    uint8_t class_code; /* 0B, or FF with a class descriptor of CCID's shape */
    uint8_t name_index; /* iInterface; 0: none */
    uint8_t transport;  /* enum ccid_transport, or what it says when that is the defect */
    struct ccid_endpoint out, in, interrupt;

    enum ccid_level level;
    uint32_t features;                 /* enum ccid_feature */
    unsigned slots;                    /* 1…256 */
    unsigned busy_slots;               /* 1…slots: how many may work at the same time */
    uint8_t voltages;                  /* 1 5 V, 2 3 V, 4 1.8 V; never 0 */
    uint8_t protocols;                 /* 1 T=0, 2 T=1; never 0 */
    uint32_t synchronous;              /* 1 two-wire, 2 three-wire, 4 I2C */
    uint32_t mechanical;               /* 1 accept, 2 eject, 4 capture, 8 lock */
    uint32_t clock_khz, max_clock_khz; /* default, never 0; maximum, not below it */
    uint32_t rate, max_rate;           /* bit/s, the same */
    uint8_t clock_count, rate_count;   /* to be asked for; 0: nothing between, everything up to max_rate */
    uint32_t max_ifsd;                 /* T=1, at most 254; 0 only if T=1 is not spoken */
    uint32_t max_message;              /* bulk message with its header, 10…65554 */
    uint8_t class_get_response, class_envelope; /* APDU levels; FF: as in the APDU */
    uint8_t lcd_columns, lcd_lines;
    bool pin_verify, pin_modify;
    uint8_t raw[CCID_CLASS_LENGTH];
};

/* The next CCID interface behind in, the bytes of a configuration descriptor or what is left of it. 1:
 * *ret_descriptor is set; look at its defect. 0: no more. Alternate settings but the first are passed over.
 * Bytes before the first interface do not matter (a device descriptor, as the kernel's file has it). Bytes
 * that no longer can be walked end the walk. */
int ccid_descriptor_next(struct bytes *in, struct ccid_descriptor *ret_descriptor);

/* "its class descriptor is missing", for a message; "" for CCID_SOUND. */
const char *ccid_defect_text(enum ccid_defect defect);

/* The rates of an answer to GET_DATA_RATES (5.3.3), at most announced (rate_count) of them, zeros left out.
 * 0: every rate up to max_rate has to be taken as possible; so too for a length that is no multiple of 4. */
size_t ccid_rates(const uint8_t *answer, size_t length, unsigned announced,
                  uint32_t ret_rates[CCID_RATES_MAX]);

/* Who exchanges PPS with the card, by level and features. */
enum pps_who ccid_pps_who(const struct ccid_descriptor *descriptor);

#endif
