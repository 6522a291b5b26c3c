/* SPDX-License-Identifier: MIT */
#include "sim/iso_pin.h"

#include <string.h>

#include "base/log.h"
#include "base/rc.h"

#define SECRET_MIN 4
#define PADDED 8 /* a secret padded with FF comes as a block of eight */
#define PUK_TRIES 10

static int set_secret(struct iso_secret *secret, const uint8_t *value, size_t length)
{
    if (length < SECRET_MIN || length > ISO_SECRET_MAX)
        return SW_WRONG_DATA;
    secret_wipe(secret->value, sizeof secret->value);
    memcpy(secret->value, value, length);
    secret->length = length;
    secret->tries = secret->tries_max;
    return SW_OK;
}

int iso_pin_init(struct iso_card *card, const struct uri *uri)
{
    const char *pin = uri_get(uri, "pin"), *puk = uri_get(uri, "puk");
    uint64_t tries = 3;
    int rc = uri_get_number(uri, "tries", 1, 15, &tries);

    if (rc)
        return rc;
    if (!pin)
        pin = "1234";
    if (!puk)
        puk = "12345678";
    card->pin.tries_max = (unsigned)tries;
    card->puk.tries_max = PUK_TRIES;
    if (set_secret(&card->pin, (const uint8_t *)pin, strlen(pin)) != SW_OK)
        return detail_set(RC_INVALID_VALUE, "sim:iso: pin= takes %d to %d characters", SECRET_MIN,
                          ISO_SECRET_MAX);
    if (set_secret(&card->puk, (const uint8_t *)puk, strlen(puk)) != SW_OK)
        return detail_set(RC_INVALID_VALUE, "sim:iso: puk= takes %d to %d characters", SECRET_MIN,
                          ISO_SECRET_MAX);
    return RC_OK;
}

static bool is_our_reference(uint8_t p2)
{
    return p2 == 0x00 || p2 == 0x01 || p2 == 0x81;
}

static size_t without_padding(const uint8_t *value, size_t length)
{
    while (length && value[length - 1] == 0xFF)
        length--;
    return length;
}

/* Compares and counts: SW_OK, 63Cx or 6983. */
static int try_secret(struct iso_secret *secret, const uint8_t *value, size_t length)
{
    if (!secret->tries)
        return SW_BLOCKED;
    length = without_padding(value, length);
    if (length != secret->length || memcmp(value, secret->value, length) != 0) {
        secret->tries--;
        return SW_TRIES | (int)secret->tries;
    }
    secret->tries = secret->tries_max;
    return SW_OK;
}

int iso_verify(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
               struct buffer *response)
{
    int sw;

    (void)response;
    if (apdu->p1 != 0x00 && apdu->p1 != 0xFF)
        return SW_WRONG_P1P2;
    if (!is_our_reference(apdu->p2))
        return SW_REFERENCE_NOT_FOUND;
    if (apdu->p1 == 0xFF) { /* take the status back (11.5.6) */
        if (apdu->lc)
            return SW_WRONG_LENGTH;
        channel->verified = false;
        return SW_OK;
    }
    if (!apdu->lc)
        return channel->verified ? SW_OK : SW_TRIES | (int)card->pin.tries;
    sw = try_secret(&card->pin, apdu->data, apdu->lc);
    channel->verified = sw == SW_OK;
    return sw;
}

/* Two secrets in one data field: two padded blocks of eight, or the first as long as the one on the card. */
static size_t first_length(const struct iso_secret *secret, const struct apdu *apdu)
{
    size_t last = apdu->lc - 1;

    if (apdu->lc == 2 * PADDED && (apdu->data[PADDED - 1] == 0xFF || apdu->data[last] == 0xFF))
        return PADDED;
    return secret->length < apdu->lc ? secret->length : apdu->lc;
}

/* A new PIN must be usable before the old secret is tried, so that a slip costs no try. */
static int check_new(const uint8_t *value, size_t length)
{
    length = without_padding(value, length);
    return length < SECRET_MIN || length > ISO_SECRET_MAX ? SW_WRONG_DATA : SW_OK;
}

int iso_change_pin(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
                   struct buffer *response)
{
    size_t old = 0;
    int sw;

    (void)response;
    if (apdu->p1 > 0x01)
        return SW_WRONG_P1P2;
    if (!is_our_reference(apdu->p2))
        return SW_REFERENCE_NOT_FOUND;
    if (!apdu->lc)
        return SW_WRONG_LENGTH;
    if (apdu->p1 == 0x00) {
        old = first_length(&card->pin, apdu);
        if (old < card->pin.length)
            return SW_WRONG_LENGTH;
    } else if (!channel->verified) {
        return SW_SECURITY_STATUS;
    }
    sw = check_new(apdu->data + old, apdu->lc - old);
    if (sw == SW_OK && apdu->p1 == 0x00) {
        sw = try_secret(&card->pin, apdu->data, old);
        channel->verified = sw == SW_OK;
    }
    if (sw == SW_OK)
        sw = set_secret(&card->pin, apdu->data + old, without_padding(apdu->data + old, apdu->lc - old));
    return sw;
}

/* P1 00: resetting code and new PIN; 01: resetting code only (11.5.10). */
int iso_reset_tries(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
                    struct buffer *response)
{
    size_t code = apdu->lc;
    int sw = SW_OK;

    (void)channel;
    (void)response;
    if (apdu->p1 > 0x01)
        return SW_WRONG_P1P2;
    if (!is_our_reference(apdu->p2))
        return SW_REFERENCE_NOT_FOUND;
    if (!apdu->lc)
        return SW_WRONG_LENGTH;
    if (apdu->p1 == 0x00) {
        code = first_length(&card->puk, apdu);
        sw = check_new(apdu->data + code, apdu->lc - code);
    }
    if (sw == SW_OK)
        sw = try_secret(&card->puk, apdu->data, code);
    if (sw != SW_OK)
        return sw;
    card->pin.tries = card->pin.tries_max;
    if (apdu->p1 == 0x00)
        sw = set_secret(&card->pin, apdu->data + code, without_padding(apdu->data + code, apdu->lc - code));
    return sw;
}
