/* SPDX-License-Identifier: MIT */
#include "sim/card_atr.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/rc.h"

int card_atr_protocols(const struct uri *uri, unsigned *ret)
{
    const char *text = uri_get(uri, "protocol");

    if (!text || strcasecmp(text, "T1") == 0)
        *ret = PROTOCOL_T1;
    else if (strcasecmp(text, "T0") == 0)
        *ret = PROTOCOL_T0;
    else if (strcasecmp(text, "both") == 0)
        *ret = PROTOCOL_T0 | PROTOCOL_T1;
    else
        return detail_set(RC_INVALID_VALUE, "sim:%s: protocol=%s is none of T0, T1, both", uri->path, text);
    return RC_OK;
}

size_t card_atr_build(unsigned protocols, const uint8_t *history, size_t history_length, uint8_t atr[ATR_MAX])
{
    /* ISO 7816-3:2006, 8.2. TA1 96: Fi 512, Di 32. T=1: IFSC 254, BWI 4, CWI 5, LRC. */
    static const uint8_t t0[] = {0x10, 0x96};
    static const uint8_t t1[] = {0x90, 0x96, 0x81, 0x31, 0xFE, 0x45};
    static const uint8_t both[] = {0x90, 0x96, 0x80, 0x31, 0xFE, 0x45};
    size_t length = 1, count;
    const uint8_t *groups;

    assert(history_length <= 15);
    if (protocols == PROTOCOL_T0) {
        groups = t0;
        count = sizeof t0;
    } else {
        groups = protocols == PROTOCOL_T1 ? t1 : both;
        count = sizeof t1;
    }
    atr[0] = 0x3B;
    memcpy(atr + length, groups, count);
    atr[1] |= (uint8_t)history_length;
    length += count;
    memcpy(atr + length, history, history_length);
    length += history_length;
    if (protocols != PROTOCOL_T0) { /* 8.2.5: no TCK if only T=0 is indicated */
        uint8_t tck = 0;

        for (size_t i = 1; i < length; i++)
            tck ^= atr[i];
        atr[length++] = tck;
    }
    return length;
}
