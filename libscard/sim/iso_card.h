/* SPDX-License-Identifier: MIT */
/*
 * Inside of the file-system card: its state, and what its command handlers have in common.
 *
 * A handler runs one command on one open channel, appends the data field of its response and returns the
 * status word (positive), or a negative RC_*. Data before an error word (64xx … 6Fxx) is dropped by the
 * caller, so a handler need not clean up.
 */
#ifndef SIM_ISO_CARD_H
#define SIM_ISO_CARD_H

#include "driver/reader.h"
#include "iso/apdu.h"
#include "sim/card.h"
#include "sim/iso_file.h"

#define ISO_CHANNELS 20 /* ISO 7816-4:2013, 5.4.1 */
#define ISO_HISTORY 15

/* Status words (ISO 7816-4:2013, 5.6). */
enum iso_sw {
    SW_OK = 0x9000,
    SW_MORE_DATA = 0x6100,
    SW_END_OF_FILE = 0x6282,
    SW_TRIES = 0x63C0,
    SW_WRONG_LENGTH = 0x6700,
    SW_NO_CHANNEL = 0x6881,
    SW_NO_SECURE_MESSAGING = 0x6882,
    SW_LAST_OF_CHAIN_EXPECTED = 0x6883,
    SW_NO_CHAINING = 0x6884,
    SW_INCOMPATIBLE_FILE = 0x6981,
    SW_SECURITY_STATUS = 0x6982,
    SW_BLOCKED = 0x6983,
    SW_CONDITIONS = 0x6985,
    SW_NO_CURRENT_EF = 0x6986,
    SW_WRONG_DATA = 0x6A80,
    SW_NOT_SUPPORTED = 0x6A81,
    SW_FILE_NOT_FOUND = 0x6A82,
    SW_RECORD_NOT_FOUND = 0x6A83,
    SW_NO_SPACE = 0x6A84,
    SW_WRONG_P1P2 = 0x6A86,
    SW_REFERENCE_NOT_FOUND = 0x6A88,
    SW_WRONG_OFFSET = 0x6B00,
    SW_UNKNOWN_INS = 0x6D00,
    SW_UNKNOWN_CLA = 0x6E00,
};

struct iso_channel {
    bool open;
    struct iso_file *df; /* never NULL while open */
    struct iso_file *ef; /* or NULL */
    size_t record;       /* current record, 0: none */
    bool verified;       /* the PIN was shown here */
};

#define ISO_SECRET_MAX 12

struct iso_secret {
    uint8_t value[ISO_SECRET_MAX];
    size_t length;
    unsigned tries, tries_max;
};

struct iso_card {
    struct sim_card card;
    struct iso_file *mf;
    struct iso_secret pin, puk;
    uint8_t services, capabilities[3];
    uint8_t history[ISO_HISTORY];
    uint8_t atr[ATR_MAX];
    size_t atr_length;

    /* volatile */
    struct iso_channel channels[ISO_CHANNELS];
    struct {
        bool active;
        uint8_t header[4]; /* of the first command of the chain */
        struct buffer data;
    } chain;
    struct {
        struct buffer data; /* what did not fit into Le */
        size_t at;
        uint8_t channel;
    } rest;
};

typedef int iso_handler(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
                        struct buffer *response);

/* Does Le ask for all there is (coded as zeros)? */
static inline bool iso_le_is_max(const struct apdu *apdu)
{
    return apdu->le == (apdu->extended ? 65536 : 256);
}

static inline bool iso_allowed(const struct iso_channel *channel, enum iso_access access)
{
    return access == ISO_ALWAYS || (access == ISO_PIN && channel->verified);
}

#endif
