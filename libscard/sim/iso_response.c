/* SPDX-License-Identifier: MIT */
#include "sim/iso_response.h"

#include "base/rc.h"

void iso_response_drop(struct iso_card *card)
{
    buffer_fini(&card->rest.data);
    card->rest.at = 0;
}

/* 61xx: xx bytes more; 00 stands for 256 and above (5.6). */
static int more_data(size_t left)
{
    return SW_MORE_DATA | (left > 255 ? 0 : (int)left);
}

static int append_sw(struct buffer *response, int sw)
{
    const uint8_t bytes[] = {(uint8_t)(sw >> 8), (uint8_t)sw};

    return buffer_append(response, bytes, sizeof bytes);
}

static bool is_error(int sw)
{
    return sw >= 0x6400 && sw < 0x7000;
}

int iso_response_finish(struct iso_card *card, const struct apdu *apdu, int sw, size_t start,
                        struct buffer *response)
{
    size_t count = response->length - start;
    int rc = RC_OK;

    if (is_error(sw) || !apdu->le)
        count = 0;
    if (count > apdu->le) {
        size_t left = count - apdu->le;

        count = apdu->le;
        if (sw == SW_OK) {
            rc = buffer_append(&card->rest.data, response->data + start + count, left);
            card->rest.channel = apdu_class(apdu->cla).channel;
            sw = more_data(left);
        }
    }
    response->length = start + count;
    if (!rc)
        rc = append_sw(response, sw);
    if (rc) {
        response->length = start;
        iso_response_drop(card);
    }
    return rc;
}

int iso_get_response(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
                     struct buffer *response)
{
    size_t left = card->rest.data.length - card->rest.at;
    size_t count = left < apdu->le ? left : apdu->le;
    int rc;

    if (apdu->p1 || apdu->p2)
        return SW_WRONG_P1P2;
    if (apdu->lc || !apdu->le)
        return SW_WRONG_LENGTH;
    if (!left || channel != &card->channels[card->rest.channel])
        return SW_CONDITIONS;
    rc = buffer_append(response, card->rest.data.data + card->rest.at, count);
    if (rc)
        return rc;
    card->rest.at += count;
    left -= count;
    if (left)
        return more_data(left);
    iso_response_drop(card);
    return SW_OK;
}
