/* SPDX-License-Identifier: MIT */
/* An ATR: what was read makes up the input again, ranges are inside it, decoded values are in their ranges.
 */
#include <string.h>

#include "base/rc.h"
#include "iso/atr.h"
#include "tests/fuzz/fuzz.h"

/* TS to the last interface byte, written from the parsed groups. */
static size_t write_groups(const struct atr *atr, const uint8_t *input, uint8_t *out)
{
    size_t count = 0;

    out[count++] = atr->inverse ? 0x3f : 0x3b;
    out[count++] = input[1];
    for (unsigned i = 0; i < atr->levels; i++) {
        if (atr->level[i].has_a)
            out[count++] = atr->level[i].a;
        if (atr->level[i].has_b)
            out[count++] = atr->level[i].b;
        if (atr->level[i].has_c)
            out[count++] = atr->level[i].c;
        if (atr->level[i].has_d)
            out[count++] = atr->level[i].d;
        FUZZ_CHECK(count <= ATR_MAX);
    }
    return count;
}

static void check_shape(const struct atr *atr, const uint8_t *input, size_t size)
{
    uint8_t out[ATR_LEVELS * 4 + 2];
    size_t count = write_groups(atr, input, out);
    size_t k = input[1] & 15;

    FUZZ_CHECK(count <= size && memcmp(out, input, count) == 0);
    FUZZ_CHECK(fuzz_inside(atr->history, atr->history_length, input, size));
    FUZZ_CHECK(atr->history == input + count);
    FUZZ_CHECK(atr->history_length == k || (atr->faults & ATR_HISTORY_SHORT));
    FUZZ_CHECK(atr->history_length <= k);
    count += atr->history_length;
    if (atr->has_tck) {
        uint8_t sum = 0;

        FUZZ_CHECK(count < size && input[count] == atr->tck);
        count++;
        for (size_t i = 1; i < count; i++)
            sum ^= input[i];
        FUZZ_CHECK(!sum == !(atr->faults & ATR_TCK_WRONG));
    }
    FUZZ_CHECK((count < size) == !!(atr->faults & ATR_TRAILING));
    FUZZ_CHECK((size > ATR_MAX) == !!(atr->faults & ATR_TOO_LONG));
}

static void check_values(const struct atr *atr)
{
    FUZZ_CHECK(atr->levels >= 1 && atr->levels <= ATR_LEVELS);
    FUZZ_CHECK(atr->fi >= 372 && atr->fi <= 2048 && atr->di >= 1 && atr->di <= 64);
    FUZZ_CHECK(atr->fmax_khz >= 4000 && atr->fmax_khz <= 20000);
    FUZZ_CHECK(atr->ifsc >= 1 && atr->ifsc <= 254);
    FUZZ_CHECK(atr->bwi <= 9 && atr->cwi <= 15 && atr->wi);
    FUZZ_CHECK(atr->clock_stop <= 3 && atr->classes <= 63);
    FUZZ_CHECK(atr->protocols && !(atr->protocols >> 15));
    FUZZ_CHECK(atr->protocols >> atr->first_protocol & 1);
    FUZZ_CHECK(atr_protocol_mask(atr) <= 3);
    FUZZ_CHECK(atr->specific == atr->level[1].has_a);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct atr atr;
    int rc = atr_parse(input, size, &atr);

    if (rc) {
        FUZZ_CHECK(rc == RC_INVALID_ATR);
        return 0;
    }
    check_shape(&atr, input, size);
    check_values(&atr);
    return 0;
}
