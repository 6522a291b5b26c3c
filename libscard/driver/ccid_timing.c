/* SPDX-License-Identifier: MIT */
#include "driver/ccid_timing.h"

#define LEAST_MS 3000
#define UNKNOWN_MS 60000 /* of no parameters that could be reckoned with */
#define HEADER 5         /* characters of a T=0 command header, or sent by a card before its SW2 */
#define CHARACTERS 260   /* a full TPDU or block, with prologue, epilogue or status */

/* Clock cycles to milliseconds, rounded up; a kHz is a cycle in each. */
static uint64_t ms_of(uint64_t cycles, uint32_t clock_khz)
{
    return (cycles + clock_khz - 1) / clock_khz;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* 10.2: a work waiting time is 960 WI Fi clock cycles. A whole TPDU is one of these at worst: data to the
 * card with a procedure byte now and then, or each character of the response as late as may be. */
static uint64_t t0_cycles(const struct atr *atr, unsigned f, unsigned d)
{
    uint64_t guard = (12 + (atr->n == 255 ? 0 : (uint64_t)atr->n)) * f / d + 1;
    uint64_t waiting = UINT64_C(960) * atr->wi * (atr->fi > f ? atr->fi : f);

    return larger((CHARACTERS + 1) * guard + (HEADER + 1) * waiting, HEADER * guard + CHARACTERS * waiting);
}

/* 11.4.3: BWT = 11 etu + 2^BWI * 960 * 372 cycles, CWT = (11 + 2^CWI) etu. */
static uint64_t t1_cycles(const struct atr *atr, unsigned f, unsigned d)
{
    uint64_t guard = (atr->n == 255 ? 11 : 12 + (uint64_t)atr->n) * f / d + 1;
    uint64_t block = UINT64_C(11) * f / d + 1 + (UINT64_C(960) * 372 << (atr->bwi & 0x0F));
    uint64_t character = (11 + (UINT64_C(1) << (atr->cwi & 0x0F))) * f / d + 1;

    return CHARACTERS * guard + block + CHARACTERS * character;
}

uint64_t ccid_timing_ms(const struct ccid_descriptor *descriptor, const struct atr *atr,
                        enum protocol protocol, uint8_t fd)
{
    uint32_t clock_khz = descriptor->clock_khz;
    unsigned f, d, fmax_khz;

    if (!atr_fi_di(fd, &f, &d, &fmax_khz) || !clock_khz)
        return UNKNOWN_MS;
    switch (protocol) {
    case PROTOCOL_T0:
        return larger(LEAST_MS, ms_of(t0_cycles(atr, f, d), clock_khz));
    case PROTOCOL_T1:
        return larger(LEAST_MS, ms_of(t1_cycles(atr, f, d), clock_khz) + 1000);
    default: /* PPS and raw bytes: initial waiting times */
        return UNKNOWN_MS;
    }
}
