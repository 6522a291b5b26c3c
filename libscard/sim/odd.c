/* SPDX-License-Identifier: MIT */
#include "sim/odd.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "iso/apdu.h"
#include "sim/card_atr.h"

#define DELAY_MAX_MS 86400000 /* a day */

struct odd {
    struct sim_card card;
    uint8_t atr[ATR_MAX];
    size_t atr_length;
    bool mute, dead;
    uint64_t resets_mute; /* resets still to be left unanswered */
    uint64_t delay_ms, power_delay_ms;
};

static int wait_ms(const struct odd *odd, uint64_t ms)
{
    struct sim_line *line = odd->card.line;

    return line && ms ? line->wait(line, deadline_in_ms(ms)) : RC_OK;
}

static int odd_reset(struct sim_card *card, const uint8_t **ret_atr, size_t *ret_atr_length)
{
    struct odd *odd = (struct odd *)card;
    int rc = wait_ms(odd, odd->power_delay_ms);

    if (rc)
        return rc;
    if (odd->mute)
        return RC_MUTE;
    if (odd->resets_mute) {
        odd->resets_mute--;
        return RC_MUTE;
    }
    odd->dead = false;
    *ret_atr = odd->atr;
    *ret_atr_length = odd->atr_length;
    return RC_OK;
}

static int answer_sw(struct buffer *response, unsigned sw)
{
    const uint8_t bytes[] = {(uint8_t)(sw >> 8), (uint8_t)sw};

    return buffer_append(response, bytes, 2);
}

/* total bytes: counting, the last two 90 00 as far as there is room for them. */
static int answer_total(struct buffer *response, size_t total)
{
    int rc = buffer_reserve(response, total);
    uint8_t *out;

    if (rc || !total)
        return rc;
    out = response->data + response->length;
    for (size_t i = 0; i < total; i++)
        out[i] = (uint8_t)i;
    if (total >= 2) {
        out[total - 2] = 0x90;
        out[total - 1] = 0x00;
    }
    response->length += total;
    return RC_OK;
}

static int die(struct odd *odd, unsigned resets)
{
    odd->dead = true;
    odd->resets_mute = resets;
    return RC_MUTE;
}

static int leave(struct odd *odd, unsigned after_ms)
{
    int rc = wait_ms(odd, after_ms);

    if (rc)
        return rc;
    if (odd->card.line)
        odd->card.line->leave(odd->card.line);
    return RC_NO_CARD;
}

static int misbehave(struct odd *odd, const struct apdu *apdu, struct buffer *response)
{
    unsigned p = (unsigned)apdu->p1 << 8 | apdu->p2;
    int rc;

    switch (apdu->ins) {
    case 0x10:
        rc = wait_ms(odd, p);
        return rc ? rc : answer_sw(response, 0x9000);
    case 0x12:
        rc = wait_ms(odd, p);
        return rc ? rc : RC_TIMEOUT;
    case 0x14:
        return RC_NOT_TRANSACTED;
    case 0x16:
        return answer_total(response, p);
    case 0x18:
        return answer_total(response, apdu->le + p + 2);
    case 0x1A:
        return answer_total(response, APDU_RESPONSE_MAX + (size_t)p);
    case 0x1C:
        return die(odd, 0);
    case 0x1E:
        return die(odd, p);
    case 0x20:
        return leave(odd, p);
    case 0x22:
        return answer_sw(response, p);
    default:
        return answer_sw(response, 0x6D00);
    }
}

static int odd_apdu(struct sim_card *card, const uint8_t *command, size_t length, struct buffer *response)
{
    struct odd *odd = (struct odd *)card;
    struct apdu apdu;
    const char *why;
    int rc;

    if (odd->dead)
        return RC_MUTE;
    rc = wait_ms(odd, odd->delay_ms);
    if (rc)
        return rc;
    if (apdu_parse(command, length, &apdu, &why))
        return answer_sw(response, 0x6700);
    if (apdu.cla != 0x80)
        return answer_sw(response, 0x9000);
    return misbehave(odd, &apdu, response);
}

static void odd_free(struct sim_card *card)
{
    free(card);
}

static int read_atr(struct odd *odd, const struct uri *uri)
{
    static const uint8_t history[] = {'o', 'd', 'd'};
    const char *text = uri_get(uri, "atr");
    uint8_t bytes[2 * ATR_MAX];
    size_t at = 0, length;
    unsigned protocols;
    int rc;

    if (!text) {
        rc = card_atr_protocols(uri, &protocols);
        if (!rc)
            odd->atr_length = card_atr_build(protocols, history, sizeof history, odd->atr);
        return rc;
    }
    length = strlen(text);
    if (length / 2 > sizeof bytes || hex_parse(text, length, bytes, &length, &at) || !length ||
        length > ATR_MAX)
        return detail_set(RC_INVALID_VALUE, "sim:odd: atr=%s is not 1 to %d bytes in hexadecimal", text,
                          ATR_MAX);
    memcpy(odd->atr, bytes, length);
    odd->atr_length = length;
    return RC_OK;
}

static int read_options(struct odd *odd, const struct uri *uri)
{
    int rc = uri_get_bool(uri, "mute", &odd->mute);

    if (!rc)
        rc = uri_get_number(uri, "powerfail", 0, UINT32_MAX, &odd->resets_mute);
    if (!rc)
        rc = uri_get_number(uri, "delay", 0, DELAY_MAX_MS, &odd->delay_ms);
    if (!rc)
        rc = uri_get_number(uri, "powerdelay", 0, DELAY_MAX_MS, &odd->power_delay_ms);
    return rc ? rc : read_atr(odd, uri);
}

int odd_new(const struct uri *uri, struct sim_card **ret_card)
{
    static const struct sim_card_ops ops = {.reset = odd_reset, .apdu = odd_apdu, .free = odd_free};
    struct odd *odd = calloc(1, sizeof *odd);
    int rc;

    if (!odd)
        return RC_NO_MEMORY;
    odd->card.ops = &ops;
    rc = read_options(odd, uri);
    if (rc) {
        free(odd);
        return rc;
    }
    *ret_card = &odd->card;
    return RC_OK;
}
