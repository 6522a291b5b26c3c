/* SPDX-License-Identifier: MIT */
/* CCID descriptors: whatever a device sends, what comes out can be used by a driver as it is. */
#include "driver/ccid_descriptor.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct ccid_descriptor *d)
{
    uint32_t rates[CCID_RATES_MAX];

    FUZZ_CHECK(d->class_code == 0x0b || (d->class_code == 0xff && d->defect != CCID_NO_CLASS_DESCRIPTOR));
    if (d->defect == CCID_NO_CLASS_DESCRIPTOR)
        return;
    FUZZ_CHECK(d->slots >= 1 && d->slots <= 256 && d->busy_slots >= 1 && d->busy_slots <= d->slots);
    FUZZ_CHECK(d->voltages && d->voltages <= 7 && d->protocols && d->protocols <= 3);
    FUZZ_CHECK(d->clock_khz && d->max_clock_khz >= d->clock_khz && d->max_rate >= d->rate);
    FUZZ_CHECK(d->max_ifsd <= 254 && (d->max_ifsd || !(d->protocols & 2)));
    FUZZ_CHECK(d->max_message >= 10 && d->max_message <= 65554);
    FUZZ_CHECK(ccid_rates(d->raw, sizeof d->raw - 2, d->rate_count, rates) <= d->rate_count);
    FUZZ_CHECK(ccid_pps_who(d) != PPS_NOBODY);
    if (!d->defect && d->transport == CCID_BULK)
        FUZZ_CHECK(d->in.address > 0x80 && d->in.packet && d->out.address && d->out.address < 0x80 &&
                   d->out.packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct bytes in = bytes_of(input, size);
    struct ccid_descriptor descriptor;
    size_t left = size;

    while (ccid_descriptor_next(&in, &descriptor)) {
        FUZZ_CHECK(in.left < left); /* it gets on */
        left = in.left;
        check(&descriptor);
    }
    return 0;
}
