/* SPDX-License-Identifier: MIT */
#include "sim/iso_chain.h"

#include <string.h>

#include "base/rc.h"

#define CHAIN_MAX 65535 /* as much as one extended command carries */
#define CLA_CHAINING 0x10

void iso_chain_drop(struct iso_card *card)
{
    buffer_fini(&card->chain.data);
    card->chain.active = false;
}

/* Same CLA but for the chaining bit, same INS, P1 and P2. */
static bool continues(const struct iso_card *card, const struct apdu *apdu)
{
    const uint8_t header[] = {apdu->cla | CLA_CHAINING, apdu->ins, apdu->p1, apdu->p2};

    return memcmp(card->chain.header, header, sizeof header) == 0;
}

int iso_chain_take(struct iso_card *card, struct apdu *apdu, bool may_chain)
{
    bool more = apdu_class(apdu->cla).chaining;
    int rc;

    if (card->chain.active && !continues(card, apdu)) {
        iso_chain_drop(card);
        return SW_LAST_OF_CHAIN_EXPECTED;
    }
    if (!card->chain.active && !more)
        return 0;
    if (!may_chain)
        return SW_NO_CHAINING;
    if (apdu->lc > CHAIN_MAX - card->chain.data.length) {
        iso_chain_drop(card);
        return SW_WRONG_LENGTH;
    }
    rc = buffer_append(&card->chain.data, apdu->data, apdu->lc);
    if (rc) {
        iso_chain_drop(card);
        return rc;
    }
    if (more) {
        const uint8_t header[] = {apdu->cla, apdu->ins, apdu->p1, apdu->p2};

        memcpy(card->chain.header, header, sizeof header);
        card->chain.active = true;
        return SW_OK;
    }
    card->chain.active = false;
    apdu->data = card->chain.data.data;
    apdu->lc = card->chain.data.length;
    return 0;
}
