/* SPDX-License-Identifier: MIT */
#include "sim/iso_channel.h"

#include <string.h>

#include "base/rc.h"

void iso_channel_reset(struct iso_card *card)
{
    memset(card->channels, 0, sizeof card->channels);
    card->channels[0] = (struct iso_channel){.open = true, .df = card->mf};
}

/* P2 00: the card chooses and says which; else P2 is the number. */
static int open_channel(struct iso_card *card, const struct iso_channel *from, const struct apdu *apdu,
                        struct buffer *response)
{
    uint8_t number = apdu->p2;
    int rc;

    if (number >= ISO_CHANNELS)
        return SW_WRONG_P1P2;
    if (!number) {
        if (!apdu->le)
            return SW_WRONG_LENGTH;
        for (number = 1; number < ISO_CHANNELS && card->channels[number].open; number++)
            ;
        if (number == ISO_CHANNELS)
            return SW_NOT_SUPPORTED;
        rc = buffer_append(response, &number, 1);
        if (rc)
            return rc;
    } else if (card->channels[number].open) {
        return SW_NO_CHANNEL;
    }
    /* Opened from the basic channel, the MF is current; from another one, the current DF of that one. */
    card->channels[number] = (struct iso_channel){
        .open = true,
        .df = from == &card->channels[0] ? card->mf : from->df,
    };
    return SW_OK;
}

/* P2 00: the channel that CLA names. The basic channel stays open. */
static int close_channel(struct iso_card *card, struct iso_channel *from, uint8_t number)
{
    struct iso_channel *channel;

    if (number >= ISO_CHANNELS)
        return SW_WRONG_P1P2;
    channel = number ? &card->channels[number] : from;
    if (channel == &card->channels[0])
        return SW_WRONG_P1P2;
    if (!channel->open)
        return SW_NO_CHANNEL;
    *channel = (struct iso_channel){0};
    return SW_OK;
}

int iso_manage_channel(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
                       struct buffer *response)
{
    if (apdu->lc)
        return SW_WRONG_LENGTH;
    switch (apdu->p1) {
    case 0x00:
        return open_channel(card, channel, apdu, response);
    case 0x80:
        return close_channel(card, channel, apdu->p2);
    default:
        return SW_WRONG_P1P2;
    }
}
