/* SPDX-License-Identifier: MIT */
#include "sim/iso.h"

#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "sim/card_atr.h"
#include "sim/iso_binary.h"
#include "sim/iso_card.h"
#include "sim/iso_chain.h"
#include "sim/iso_channel.h"
#include "sim/iso_content.h"
#include "sim/iso_object.h"
#include "sim/iso_pin.h"
#include "sim/iso_record.h"
#include "sim/iso_response.h"
#include "sim/iso_select.h"

static const struct command {
    uint8_t ins;
    bool may_chain;
    iso_handler *run;
} commands[] = {
    {0x0E, false, iso_erase_binary}, {0x20, false, iso_verify},         {0x24, true, iso_change_pin},
    {0x2C, true, iso_reset_tries},   {0x70, false, iso_manage_channel}, {0x84, false, iso_get_challenge},
    {0xA4, false, iso_select},       {0xB0, false, iso_read_binary},    {0xB1, false, iso_read_data},
    {0xB2, false, iso_read_record},  {0xC0, false, iso_get_response},   {0xCA, false, iso_get_data},
    {0xD0, true, iso_write_binary},  {0xD2, true, iso_write_record},    {0xD6, true, iso_write_binary},
    {0xD7, true, iso_write_data},    {0xDC, true, iso_write_record},    {0xE2, true, iso_append_record},
};

static const struct command *find_command(uint8_t ins)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (commands[i].ins == ins)
            return &commands[i];
    return NULL;
}

/* What CLA asks for, before the instruction is looked at. 0 or a status word. */
static int check_class(const struct iso_card *card, struct apdu_class class)
{
    if (!class.interindustry)
        return SW_UNKNOWN_CLA;
    if (class.channel >= ISO_CHANNELS || !card->channels[class.channel].open)
        return SW_NO_CHANNEL;
    return class.secure_messaging ? SW_NO_SECURE_MESSAGING : 0;
}

static int run(struct iso_card *card, struct apdu *apdu, struct buffer *response)
{
    struct apdu_class class = apdu_class(apdu->cla);
    const struct command *command = find_command(apdu->ins);
    int sw = check_class(card, class);

    if (apdu->ins != 0xC0)
        iso_response_drop(card);
    if (sw)
        return sw;
    sw = iso_chain_take(card, apdu, command && command->may_chain);
    if (sw)
        return sw;
    if (!command)
        return SW_UNKNOWN_INS;
    return command->run(card, &card->channels[class.channel], apdu, response);
}

static int iso_apdu(struct sim_card *base, const uint8_t *bytes, size_t length, struct buffer *response)
{
    struct iso_card *card = (struct iso_card *)base;
    size_t start = response->length;
    struct apdu apdu = {0};
    const char *why;
    int sw;

    if (apdu_parse(bytes, length, &apdu, &why))
        return iso_response_finish(card, &apdu, SW_WRONG_LENGTH, start, response);
    sw = run(card, &apdu, response);
    if (!card->chain.active)
        iso_chain_drop(card);
    if (sw < 0) {
        response->length = start;
        return sw;
    }
    return iso_response_finish(card, &apdu, sw, start, response);
}

static void forget(struct iso_card *card)
{
    iso_channel_reset(card);
    iso_chain_drop(card);
    iso_response_drop(card);
}

static int iso_reset(struct sim_card *base, const uint8_t **ret_atr, size_t *ret_atr_length)
{
    struct iso_card *card = (struct iso_card *)base;

    forget(card);
    *ret_atr = card->atr;
    *ret_atr_length = card->atr_length;
    return RC_OK;
}

static void iso_free(struct sim_card *base)
{
    struct iso_card *card = (struct iso_card *)base;

    forget(card);
    iso_file_free(card->mf);
    secret_wipe(card, sizeof *card);
    free(card);
}

/* Historical bytes (ISO 7816-4:2013, 12.1.1): compact TLV with status. */
static void describe(struct iso_card *card, unsigned protocols)
{
    /* Selection by full and partial name, data objects in EF.DIR, which is read by READ RECORD. */
    card->services = 0xE0;
    /* All ways to select; SFI, record numbers and identifiers. Write is OR, unit one byte. */
    card->capabilities[0] = 0xF7;
    card->capabilities[1] = 0x41;
    /* Chaining; eight or more channels, numbered by the card or by the interface device. With T=1 also
     * extended lengths, with their limits in EF.ATR/INFO; T=0 has no room for them. */
    card->capabilities[2] = protocols & PROTOCOL_T1 ? 0xFF : 0x9F;
    memcpy(card->history, "\x80\x31_\x73___\x53sim\x83\x05\x90\x00", ISO_HISTORY);
    card->history[2] = card->services;
    memcpy(card->history + 4, card->capabilities, sizeof card->capabilities);
    card->atr_length = card_atr_build(protocols, card->history, ISO_HISTORY, card->atr);
}

/* The serial number for 2FE2, if the option is one. */
static const char *serial_digits(const struct uri *uri)
{
    const char *serial = uri_get(uri, "serial");
    size_t length = serial ? strlen(serial) : 0;

    return length >= 1 && length <= 20 && strspn(serial, "0123456789") == length ? serial : NULL;
}

int iso_new(const struct uri *uri, struct sim_card **ret_card)
{
    static const struct sim_card_ops ops = {.reset = iso_reset, .apdu = iso_apdu, .free = iso_free};
    struct iso_card *card = calloc(1, sizeof *card);
    unsigned protocols;
    int rc;

    if (!card)
        return RC_NO_MEMORY;
    card->card.ops = &ops;
    rc = card_atr_protocols(uri, &protocols);
    if (!rc)
        rc = iso_pin_init(card, uri);
    if (!rc) {
        describe(card, protocols);
        rc = iso_content_new(serial_digits(uri), card->services, card->capabilities, &card->mf);
    }
    if (rc) {
        iso_free(&card->card);
        return rc;
    }
    iso_channel_reset(card);
    *ret_card = &card->card;
    return RC_OK;
}
