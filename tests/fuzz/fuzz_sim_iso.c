/* SPDX-License-Identifier: MIT */
/* sim:iso: a stream of APDUs, each behind its length (two bytes, big-endian; the last may be cut), is
 * answered with at least a status word and never with more than the longest response. The first byte of the
 * input chooses between the bare card and T=0 around it, and lets the PIN be verified before. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/rc.h"
#include "base/uri.h"
#include "iso/apdu.h"
#include "sim/card.h"
#include "sim/t0.h"
#include "tests/fuzz/fuzz.h"

#define AS_T0 1
#define VERIFIED 2

static void exchange(struct sim_card *card, struct t0 *t0, const uint8_t *command, size_t length)
{
    struct buffer response = {0};
    int rc;

    if (t0)
        rc = t0_transmit(t0, card, command, length, &response);
    else
        rc = card->ops->apdu(card, command, length, &response);
    FUZZ_CHECK(rc == RC_OK);
    FUZZ_CHECK(response.length >= 2 && response.length <= APDU_RESPONSE_MAX);
    FUZZ_CHECK(!t0 || response.length <= 258);
    buffer_fini(&response);
}

static void feed(struct sim_card *card, struct t0 *t0, struct bytes in)
{
    while (in.left > 2) {
        size_t length = bytes_u16be(&in);

        if (length > in.left)
            length = in.left;
        if (!length)
            continue;
        exchange(card, t0, bytes_take(&in, length), length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static const uint8_t verify[] = {0x00, 0x20, 0x00, 0x01, 0x04, '1', '2', '3', '4'};
    static const uint8_t select[] = {0x00, 0xA4, 0x04, 0x0C, 0x06, 0xF0, 's', 'c', 'a', 'r', 'd'};
    struct bytes in = bytes_of(input, size);
    uint8_t flags = bytes_u8(&in);
    struct sim_card *card;
    struct t0 t0 = {0};
    const uint8_t *atr;
    struct uri uri;
    size_t length;

    FUZZ_CHECK(uri_parse("sim:iso", 7, &uri) == RC_OK);
    FUZZ_CHECK(sim_card_new(&uri, &card) == RC_OK);
    uri_fini(&uri);
    FUZZ_CHECK(card->ops->reset(card, &atr, &length) == RC_OK);
    exchange(card, NULL, select, sizeof select);
    if (flags & VERIFIED)
        exchange(card, NULL, verify, sizeof verify);
    feed(card, flags & AS_T0 ? &t0 : NULL, in);
    buffer_fini(&t0.held);
    card->ops->free(card);
    return 0;
}
