/* SPDX-License-Identifier: MIT */
#include "sim/echo.h"

#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "iso/apdu.h"
#include "sim/card_atr.h"

struct echo {
    struct sim_card card;
    uint8_t atr[ATR_MAX];
    size_t atr_length;
    bool fixed;
    uint64_t reply;
};

static int echo_reset(struct sim_card *card, const uint8_t **ret_atr, size_t *ret_atr_length)
{
    struct echo *echo = (struct echo *)card;

    *ret_atr = echo->atr;
    *ret_atr_length = echo->atr_length;
    return RC_OK;
}

static int append_counting(struct buffer *response, size_t count)
{
    int rc = buffer_reserve(response, count + 2);

    if (rc)
        return rc;
    for (size_t i = 0; i < count; i++)
        response->data[response->length + i] = (uint8_t)i;
    response->length += count;
    return RC_OK;
}

static int echo_apdu(struct sim_card *card, const uint8_t *command, size_t length, struct buffer *response)
{
    static const uint8_t done[] = {0x90, 0x00}, wrong_length[] = {0x67, 0x00};
    const struct echo *echo = (struct echo *)card;
    struct apdu apdu;
    const char *why;
    int rc;

    if (apdu_parse(command, length, &apdu, &why))
        return buffer_append(response, wrong_length, 2);
    rc = buffer_reserve(response, apdu.lc + 2);
    if (rc)
        return rc;
    if (echo->fixed)
        rc = append_counting(response, (size_t)echo->reply);
    else if (apdu.lc)
        rc = buffer_append(response, apdu.data, apdu.lc);
    else
        rc = append_counting(response, apdu.le);
    return rc ? rc : buffer_append(response, done, 2);
}

static void echo_free(struct sim_card *card)
{
    free(card);
}

int echo_new(const struct uri *uri, struct sim_card **ret_card)
{
    static const struct sim_card_ops ops = {.reset = echo_reset, .apdu = echo_apdu, .free = echo_free};
    static const uint8_t history[] = {'e', 'c', 'h', 'o'};
    struct echo *echo = calloc(1, sizeof *echo);
    unsigned protocols;
    int rc;

    if (!echo)
        return RC_NO_MEMORY;
    echo->card.ops = &ops;
    echo->fixed = uri_get(uri, "reply") != NULL;
    rc = card_atr_protocols(uri, &protocols);
    if (!rc)
        rc = uri_get_number(uri, "reply", 0, 65536, &echo->reply);
    if (rc) {
        free(echo);
        return rc;
    }
    echo->atr_length = card_atr_build(protocols, history, sizeof history, echo->atr);
    *ret_card = &echo->card;
    return RC_OK;
}
