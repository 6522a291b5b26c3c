/* SPDX-License-Identifier: MIT */
#include "cli/pin_refused.h"

#include <string.h>
#include <sys/random.h>

#include "cli/call.h"

struct refusal {
    uint64_t reader, card, claim;
};

static uint64_t rotate(uint64_t word, unsigned count)
{
    return word << count | word >> (64 - count);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

/* SipHash-2-4 (Aumasson and Bernstein): who does not know the key learns nothing of the bytes. */
static uint64_t hash(const uint64_t key[2], const struct buffer *bytes)
{
    uint64_t v[4] = {key[0] ^ 0x736F6D6570736575, key[1] ^ 0x646F72616E646F6D, key[0] ^ 0x6C7967656E657261,
                     key[1] ^ 0x7465646279746573};
    uint64_t word = 0, result;

    for (size_t i = 0; i < bytes->length; i++) {
        word |= (uint64_t)bytes->data[i] << 8 * (i % 8);
        if (i % 8 == 7) {
            sip_word(v, word);
            word = 0;
        }
    }
    sip_word(v, word | (uint64_t)bytes->length << 56);
    v[2] ^= 0xFF;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    result = v[0] ^ v[1] ^ v[2] ^ v[3];
    secret_wipe(v, sizeof v);
    secret_wipe(&word, sizeof word);
    return result;
}

static bool make_key(struct pin_refusals *refusals)
{
    if (!refusals->keyed)
        refusals->keyed = getrandom(refusals->key, sizeof refusals->key, 0) == (ssize_t)sizeof refusals->key;
    return refusals->keyed;
}

/* Which reader, and which of the cards that were in it: the number of events changes with each. */
static bool hash_card(struct call *call, const uint64_t key[2], struct refusal *refusal)
{
    SCARD_READERSTATE state = {.szReader = call->desk->reader, .dwCurrentState = SCARD_STATE_UNAWARE};
    struct buffer text = {0};
    uint32_t events;
    bool good;

    if (SCardGetStatusChange(call->desk->context, 0, &state, 1) != SCARD_S_SUCCESS)
        return false;
    events = (uint32_t)(state.dwEventState >> 16);
    good = buffer_append(&text, call->desk->reader, strlen(call->desk->reader) + 1) == 0;
    if (good)
        refusal->reader = hash(key, &text);
    good = good && buffer_append(&text, &events, sizeof events) == 0 &&
           buffer_append(&text, state.rgbAtr, state.cbAtr) == 0;
    if (good)
        refusal->card = hash(key, &text);
    buffer_fini(&text);
    return good;
}

/* A reference with bit 8 is of the application (ISO 7816-4:2013, table 94). */
static bool hash_claim(struct call *call, const uint64_t key[2], const struct pin_claim *claim,
                       struct refusal *refusal)
{
    bool of_application = (claim->reference & 0x80) != 0;
    uint8_t header[3] = {claim->puk, claim->reference, of_application ? (uint8_t)call->desk->selected : 0};
    struct buffer text = {0};
    bool good = buffer_append(&text, header, sizeof header) == 0 &&
                buffer_append(&text, claim->block, claim->length) == 0;

    if (good)
        refusal->claim = hash(key, &text);
    buffer_fini(&text);
    return good;
}

static struct refusal *at(struct pin_refusals *refusals, size_t index)
{
    return (struct refusal *)(void *)(refusals->list.data + index * sizeof(struct refusal));
}

static size_t count_of(const struct pin_refusals *refusals)
{
    return refusals->list.length / sizeof(struct refusal);
}

/* Leaves out those of the reader's earlier cards, or all of the reader's. */
static void forget(struct pin_refusals *refusals, const struct refusal *now, bool all)
{
    size_t kept = 0, count = count_of(refusals);

    for (size_t i = 0; i < count; i++)
        if (at(refusals, i)->reader != now->reader || (!all && at(refusals, i)->card == now->card))
            *at(refusals, kept++) = *at(refusals, i);
    if (kept < count)
        secret_wipe(at(refusals, kept), (count - kept) * sizeof(struct refusal));
    refusals->list.length = kept * sizeof(struct refusal);
}

void pin_refusals_fini(struct pin_refusals *refusals)
{
    buffer_fini(&refusals->list);
    secret_wipe(refusals, sizeof *refusals);
    *refusals = (struct pin_refusals){0};
}

bool pin_refused(struct call *call, const struct pin_claim *claim)
{
    struct pin_refusals *refusals = &call->front->desk->refusals;
    struct refusal now;

    if (count_of(refusals) == 0 || !hash_card(call, refusals->key, &now))
        return false;
    forget(refusals, &now, false);
    if (!hash_claim(call, refusals->key, claim, &now))
        return false;
    for (size_t i = 0; i < count_of(refusals); i++)
        if (at(refusals, i)->card == now.card && at(refusals, i)->claim == now.claim)
            return true;
    return false;
}

/* 63Cx, 6300: it was compared, and differs (ISO 7816-4:2013, 11.5.6). OpenPGP cards say it by 6982. */
static bool is_refusal(const struct call *call, uint16_t sw)
{
    return sw >> 8 == 0x63 || (sw == 0x6982 && call->desk->selected == EXPLAIN_OPENPGP);
}

void pin_refused_note(struct call *call, const struct pin_claim *claim, uint16_t sw)
{
    struct pin_refusals *refusals = &call->front->desk->refusals;
    struct refusal now;

    if ((sw != 0x9000 && !is_refusal(call, sw)) || !make_key(refusals) ||
        !hash_card(call, refusals->key, &now))
        return;
    forget(refusals, &now, sw == 0x9000);
    /* The card has spoken: without memory for it, it is just not remembered. */
    if (sw != 0x9000 && hash_claim(call, refusals->key, claim, &now))
        (void)buffer_append(&refusals->list, &now, sizeof now);
}
