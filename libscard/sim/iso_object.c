/* SPDX-License-Identifier: MIT */
#include "sim/iso_object.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/rc.h"

int iso_get_data(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
                 struct buffer *response)
{
    const uint8_t *value;
    size_t length;
    int rc;

    if (apdu->lc || !apdu->le)
        return SW_WRONG_LENGTH;
    switch (apdu->p1 << 8 | apdu->p2) {
    case 0x004F:
        value = channel->df->name;
        length = channel->df->name_length;
        break;
    case 0x0043:
        value = &card->services;
        length = 1;
        break;
    case 0x0047:
        value = card->capabilities;
        length = sizeof card->capabilities;
        break;
    case 0x5F52:
        value = card->history;
        length = sizeof card->history;
        break;
    default:
        return SW_REFERENCE_NOT_FOUND;
    }
    if (!length)
        return SW_REFERENCE_NOT_FOUND;
    rc = buffer_append(response, value, length);
    return rc ? rc : SW_OK;
}

int iso_get_challenge(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
                      struct buffer *response)
{
    size_t wanted = apdu->le;
    int rc;

    (void)card;
    (void)channel;
    if (apdu->p1 || apdu->p2)
        return SW_WRONG_P1P2;
    if (apdu->lc || !wanted)
        return SW_WRONG_LENGTH;
    rc = buffer_reserve(response, wanted);
    if (rc)
        return rc;
    while (wanted) {
        ssize_t got = getrandom(response->data + response->length, wanted, 0);

        if (got < 0 && errno != EINTR)
            return detail_set(RC_INTERNAL, "sim:iso: the kernel gives no random numbers: %s",
                              strerror(errno));
        if (got > 0) {
            response->length += (size_t)got;
            wanted -= (size_t)got;
        }
    }
    return SW_OK;
}
