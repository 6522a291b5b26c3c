/* SPDX-License-Identifier: MIT */
#include "iso/atr.h"

#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"

bool atr_fi_di(uint8_t ta1, unsigned *ret_fi, unsigned *ret_di, unsigned *ret_fmax_khz)
{
    /* ISO 7816-3:2006, tables 7 and 8; 0 = reserved. */
    static const struct {
        uint16_t fi, fmax_khz;
    } f[16] = {{372, 4000},   {372, 5000},   {558, 6000},   {744, 8000},  {1116, 12000},
               {1488, 16000}, {1860, 20000}, {0, 0},        {0, 0},       {512, 5000},
               {768, 7500},   {1024, 10000}, {1536, 15000}, {2048, 20000}};
    static const uint8_t d[16] = {0, 1, 2, 4, 8, 16, 32, 64, 12, 20};
    unsigned high = ta1 >> 4, low = ta1 & 15;

    if (!f[high].fi || !d[low])
        return false;
    *ret_fi = f[high].fi;
    *ret_fmax_khz = f[high].fmax_khz;
    *ret_di = d[low];
    return true;
}

static void name_protocol(struct atr *atr, unsigned t, unsigned *last, bool *tck_due)
{
    /* 8.2.3: in rising order, T=15 last and never in TD1. */
    if (atr->levels == 1 && t == 15)
        atr->faults |= ATR_T15_FIRST;
    if (t < *last)
        atr->faults |= ATR_ORDER;
    *last = t;
    if (t != 0)
        *tck_due = true;
    if (t == 15)
        return;
    if (!atr->protocols)
        atr->first_protocol = (uint8_t)t;
    atr->protocols |= UINT32_C(1) << t;
}

/* 8.2.3: T0 and each TDi announce the group that follows; *ret_tck_due is set when a T other than 0 appears.
 */
static int read_groups(struct bytes *in, const uint8_t *bytes, struct atr *atr, bool *ret_tck_due)
{
    unsigned announced = bytes[1] >> 4, t = 0;

    for (;;) {
        unsigned i = atr->levels++;

        atr->level[i].t = (uint8_t)(i < 2 ? 0 : t);
        if ((atr->level[i].has_a = announced & 1))
            atr->level[i].a = bytes_u8(in);
        if ((atr->level[i].has_b = announced & 2))
            atr->level[i].b = bytes_u8(in);
        if ((atr->level[i].has_c = announced & 4))
            atr->level[i].c = bytes_u8(in);
        if ((atr->level[i].has_d = announced & 8))
            atr->level[i].d = bytes_u8(in);
        if (!bytes_ok(in))
            return detail_set(RC_INVALID_ATR, "ATR: cut off in the interface bytes TA%u to TD%u", i + 1,
                              i + 1);
        if (in->at - bytes > ATR_MAX) /* also what keeps i below ATR_LEVELS */
            return detail_set(RC_INVALID_ATR, "ATR: interface bytes go on past byte %d", ATR_MAX);
        if (!atr->level[i].has_d)
            return RC_OK;
        announced = atr->level[i].d >> 4;
        name_protocol(atr, atr->level[i].d & 15, &t, ret_tck_due);
    }
}

/* TA1 to TC2: global whatever T is named before them, but for TC2 (8.3, 10.2). */
static void decode_global(struct atr *atr)
{
    atr->ta1 = 0x11;
    if (atr->level[0].has_a)
        atr->ta1 = atr->level[0].a;
    if (!atr_fi_di(atr->ta1, &atr->fi, &atr->di, &atr->fmax_khz)) {
        atr->faults |= ATR_TA1_RESERVED;
        atr->ta1 = 0x11;
        (void)atr_fi_di(atr->ta1, &atr->fi, &atr->di, &atr->fmax_khz);
    }
    atr->n = atr->level[0].c;
    if (atr->level[1].has_a) {
        atr->specific = true;
        atr->specific_protocol = atr->level[1].a & 15;
        atr->specific_implicit = atr->level[1].a & 0x10;
        atr->specific_fixed = atr->level[1].a & 0x80;
    }
    atr->wi = atr->level[1].c ? atr->level[1].c : 10;
}

/* The first TA, TB, TC after T=1, counted from TA3 (11.4). */
static void decode_t1(struct atr *atr)
{
    const uint8_t *a = NULL, *b = NULL, *c = NULL;

    for (unsigned i = 2; i < atr->levels; i++) {
        if (atr->level[i].t != 1)
            continue;
        if (!a && atr->level[i].has_a)
            a = &atr->level[i].a;
        if (!b && atr->level[i].has_b)
            b = &atr->level[i].b;
        if (!c && atr->level[i].has_c)
            c = &atr->level[i].c;
    }
    atr->ifsc = 32;
    if (a && *a)
        atr->ifsc = *a == 0xff ? 254 : *a;
    atr->bwi = 4;
    atr->cwi = 13;
    if (b) {
        atr->bwi = *b >> 4 > 9 ? 9 : *b >> 4;
        atr->cwi = *b & 15;
    }
    atr->crc = c && (*c & 1);
}

/* The first TA and TB after T=15, counted from TA3 (8.3). */
static void decode_t15(struct atr *atr)
{
    bool has_a = false;

    atr->classes = 1;
    for (unsigned i = 2; i < atr->levels; i++) {
        if (atr->level[i].t != 15)
            continue;
        if (!has_a && atr->level[i].has_a) {
            has_a = true;
            atr->clock_stop = atr->level[i].a >> 6;
            atr->classes = atr->level[i].a & 0x3f;
        }
        if (!atr->has_spu && atr->level[i].has_b) {
            atr->has_spu = true;
            atr->spu = atr->level[i].b;
        }
    }
}

/* Historical bytes, TCK and what is left. bytes[1] to TCK have the exclusive or 0 (8.2.5). */
static void read_tail(struct bytes *in, const uint8_t *bytes, bool tck_due, struct atr *atr)
{
    atr->history_length = bytes[1] & 15;
    if (atr->history_length > in->left) {
        atr->faults |= ATR_HISTORY_SHORT;
        atr->history_length = in->left;
    }
    atr->history = bytes_take(in, atr->history_length);
    if (tck_due && !in->left) {
        atr->faults |= ATR_TCK_MISSING;
    } else if (tck_due) {
        uint8_t sum = 0;

        atr->has_tck = true;
        atr->tck = bytes_u8(in);
        for (const uint8_t *at = bytes + 1; at < in->at; at++)
            sum ^= *at;
        if (sum)
            atr->faults |= ATR_TCK_WRONG;
    }
    if (in->left)
        atr->faults |= ATR_TRAILING;
}

int atr_measure(const uint8_t *bytes, size_t *ret_length)
{
    size_t length = 2;
    bool tck_due = false;
    unsigned announced;

    if (bytes[0] != 0x3b && bytes[0] != 0x3f)
        return detail_set(RC_INVALID_ATR, "ATR: TS is %02X, neither 3B nor 3F: its length must be given",
                          bytes[0]);
    announced = bytes[1] >> 4;
    for (;;) {
        length += (announced & 1) + (announced >> 1 & 1) + (announced >> 2 & 1); /* TAi to TCi */
        if (!(announced & 8) || length >= ATR_MAX)
            break;
        tck_due |= (bytes[length] & 15) != 0;
        announced = bytes[length++] >> 4;
    }
    length += (bytes[1] & 15u) + tck_due;
    if (length > ATR_MAX || (announced & 8 && length == ATR_MAX))
        return detail_set(RC_INVALID_ATR, "ATR: it goes on past byte %d: its length must be given", ATR_MAX);
    *ret_length = length;
    return RC_OK;
}

int atr_parse(const uint8_t *bytes, size_t length, struct atr *ret_atr)
{
    struct bytes in = bytes_of(bytes, length);
    struct atr atr = {0};
    bool tck_due = false;
    uint8_t ts;
    int rc;

    if (length < 2)
        return detail_set(RC_INVALID_ATR, "ATR: %zu bytes, at least TS and T0 are needed", length);
    ts = bytes_u8(&in);
    (void)bytes_u8(&in); /* T0 */
    if (ts != 0x3b && ts != 0x3f)
        return detail_set(RC_INVALID_ATR, "ATR: TS is %02X, neither 3B nor 3F", ts);
    atr.inverse = ts == 0x3f;
    rc = read_groups(&in, bytes, &atr, &tck_due);
    if (rc)
        return rc;
    if (!atr.protocols)
        atr.protocols = 1;
    read_tail(&in, bytes, tck_due, &atr);
    if (length > ATR_MAX)
        atr.faults |= ATR_TOO_LONG;
    decode_global(&atr);
    decode_t1(&atr);
    decode_t15(&atr);
    *ret_atr = atr;
    return RC_OK;
}

uint32_t atr_protocol_mask(const struct atr *atr)
{
    if (atr->specific)
        return atr->specific_protocol < 2 ? UINT32_C(1) << atr->specific_protocol : 0;
    return atr->first_protocol < 2 ? atr->protocols & 3 : 0;
}
