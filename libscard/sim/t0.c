/* SPDX-License-Identifier: MIT */
#include "sim/t0.h"

#include <string.h>

#include "base/rc.h"
#include "iso/apdu.h"

#define INS_GET_RESPONSE 0xC0

void t0_forget(struct t0 *t0)
{
    secret_wipe(t0->held.data, t0->held.length);
    t0->held.length = 0;
    t0->at = 0;
    t0->kind = T0_NOTHING;
}

static int answer(struct buffer *response, unsigned sw1, size_t sw2)
{
    const uint8_t bytes[] = {(uint8_t)sw1, (uint8_t)sw2};

    return buffer_append(response, bytes, sizeof bytes);
}

/* SW2 of 61xx: 00 for 256 and more. */
static size_t count_byte(size_t count)
{
    return count > 255 ? 0 : count;
}

/* Gives le of the held bytes. More than there are: 6Cxx, and they stay. */
static int deliver(struct t0 *t0, size_t le, struct buffer *response)
{
    size_t left = t0->held.length - t0->at;
    int rc;

    if (le > left)
        return answer(response, 0x6C, left);
    rc = buffer_append(response, t0->held.data + t0->at, le);
    if (rc)
        return rc;
    t0->at += le;
    left -= le;
    t0->kind = T0_FOR_GET_RESPONSE;
    if (left)
        return answer(response, 0x61, count_byte(left));
    rc = buffer_append(response, t0->sw, sizeof t0->sw);
    t0_forget(t0);
    return rc;
}

static bool is_awaited(const struct t0 *t0, const struct apdu *apdu, const uint8_t *command)
{
    switch (t0->kind) {
    case T0_FOR_GET_RESPONSE:
        return apdu->ins == INS_GET_RESPONSE && !apdu->p1 && !apdu->p2 &&
               apdu_class(apdu->cla).channel == apdu_class(t0->header[0]).channel;
    case T0_FOR_REPEAT:
        return memcmp(t0->header, command, sizeof t0->header) == 0 && apdu->le >= t0->held.length;
    case T0_NOTHING:
        break;
    }
    return false;
}

/* Runs the command; its data field goes to held, its status word to sw. 1: the response is no response
 * (under two bytes) and has been passed on. */
static int run(struct t0 *t0, struct sim_card *card, const uint8_t *command, size_t length,
               struct buffer *response)
{
    int rc;

    t0_forget(t0);
    rc = card->ops->apdu(card, command, length, &t0->held);
    if (!rc && t0->held.length < 2) {
        rc = buffer_append(response, t0->held.data, t0->held.length);
        t0_forget(t0);
        return rc ? rc : 1;
    }
    if (rc) {
        t0_forget(t0);
        return rc;
    }
    t0->held.length -= 2;
    memcpy(t0->sw, t0->held.data + t0->held.length, 2);
    memcpy(t0->header, command, sizeof t0->header);
    return RC_OK;
}

/* Everything that is held, at once. */
static int pass_on(struct t0 *t0, struct buffer *response)
{
    int rc = buffer_append(response, t0->held.data, t0->held.length);

    if (!rc)
        rc = buffer_append(response, t0->sw, sizeof t0->sw);
    t0_forget(t0);
    return rc;
}

/* Outgoing data or none: cases 1 and 2. */
static int exchange_out(struct t0 *t0, struct sim_card *card, const struct apdu *apdu, const uint8_t *command,
                        size_t length, struct buffer *response)
{
    int rc = run(t0, card, command, length, response);

    if (rc)
        return rc > 0 ? RC_OK : rc;
    if (!t0->held.length || t0->held.length >= apdu->le)
        return pass_on(t0, response);
    t0->kind = T0_FOR_REPEAT;
    if (t0->sw[0] == 0x62 && t0->sw[1] == 0x82) { /* not short of Le any more when it comes again */
        t0->sw[0] = 0x90;
        t0->sw[1] = 0x00;
    }
    return answer(response, 0x6C, t0->held.length);
}

/* Incoming data: cases 3 and 4, which T=0 cannot tell apart. The card is asked as in case 4. */
static int exchange_in(struct t0 *t0, struct sim_card *card, const struct apdu *apdu, const uint8_t *command,
                       struct buffer *response)
{
    uint8_t whole[5 + 255 + 1];
    size_t length = 5 + apdu->lc;
    int rc;

    memcpy(whole, command, length);
    whole[length++] = 0x00;
    rc = run(t0, card, whole, length, response);
    secret_wipe(whole, sizeof whole);
    if (rc)
        return rc > 0 ? RC_OK : rc;
    if (!t0->held.length)
        return pass_on(t0, response);
    t0->kind = T0_FOR_GET_RESPONSE;
    return answer(response, 0x61, count_byte(t0->held.length));
}

int t0_transmit(struct t0 *t0, struct sim_card *card, const uint8_t *command, size_t length,
                struct buffer *response)
{
    struct apdu apdu;
    const char *why;

    if (apdu_parse(command, length, &apdu, &why) || apdu.extended) {
        t0_forget(t0);
        return answer(response, 0x67, 0x00);
    }
    if (is_awaited(t0, &apdu, command))
        return deliver(t0, apdu.le, response);
    if (apdu.lc)
        return exchange_in(t0, card, &apdu, command, response);
    return exchange_out(t0, card, &apdu, command, length, response);
}
