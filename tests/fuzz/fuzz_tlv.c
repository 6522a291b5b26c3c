/* SPDX-License-Identifier: MIT */
/* BER-TLV: values are inside the input and in order; what was read and is written again reads the same. */
#include <string.h>

#include "base/bytes.h"
#include "base/rc.h"
#include "iso/tlv.h"
#include "tests/fuzz/fuzz.h"

static void check_object(const struct tlv *tlv, const uint8_t *from, const uint8_t *input, size_t size)
{
    struct buffer out = {0};
    struct bytes in;
    struct tlv again;

    FUZZ_CHECK(fuzz_inside(tlv->value, tlv->length, input, size));
    FUZZ_CHECK(tlv->value >= from + 2); /* a tag and a length stand before it */
    FUZZ_CHECK(tlv_append(&out, tlv->tag, tlv->value, tlv->length) == RC_OK);
    FUZZ_CHECK(out.length == tlv_size(tlv->tag, tlv->length));
    FUZZ_CHECK(out.length <= (size_t)(tlv->value + tlv->length - from));
    in = bytes_of(out.data, out.length);
    FUZZ_CHECK(tlv_next(&in, &again) == 1);
    FUZZ_CHECK(again.tag == tlv->tag && again.constructed == tlv->constructed && again.length == tlv->length);
    FUZZ_CHECK(memcmp(again.value, tlv->value, tlv->length) == 0);
    FUZZ_CHECK(tlv_next(&in, &again) == 0);
    buffer_fini(&out);
}

static void walk(const uint8_t *at, size_t count, const uint8_t *input, size_t size, unsigned depth)
{
    struct bytes in = bytes_of(at, count);
    const uint8_t *from = at;
    struct tlv tlv, found;
    int rc;

    while ((rc = tlv_next(&in, &tlv)) == 1) {
        check_object(&tlv, from, input, size);
        from = tlv.value + tlv.length;
        FUZZ_CHECK(in.at == from);
        FUZZ_CHECK(tlv_find(at, count, tlv.tag, &found) == 1 && found.tag == tlv.tag &&
                   found.value <= tlv.value);
        if (tlv.constructed && depth < 8)
            walk(tlv.value, tlv.length, input, size, depth + 1);
    }
    FUZZ_CHECK(rc == 0 ? bytes_ok(&in) && !in.left : rc == RC_INVALID_VALUE && !bytes_ok(&in));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    walk(input, size, input, size, 0);
    return 0;
}
