/* SPDX-License-Identifier: MIT */
/* BER-TLV data objects (ISO 7816-4:2013, 5.2.2; ISO 8825-1). Pure. */
#ifndef ISO_TLV_H
#define ISO_TLV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct tlv {
    uint32_t tag; /* as written: 6F, 9F7F, 5FC102; at most three bytes */
    bool constructed;
    const uint8_t *value; /* borrowed */
    size_t length;
};

/* Reads the next object, skipping 00 and FF padding between objects. 1 = got one, 0 = end,
 * RC_INVALID_VALUE = malformed (cut off, indefinite length, tag over three bytes): the cursor has failed, the
 * detail says why. Lengths need not be in their shortest form. */
int tlv_next(struct bytes *in, struct tlv *ret_tlv);

/* First object with the tag, at this level only. 1 found, 0 not, RC_INVALID_VALUE malformed before it. */
int tlv_find(const uint8_t *bytes, size_t length, uint32_t tag, struct tlv *ret_tlv);

/* Bytes that the object takes when written; 0 if tlv_append would refuse it. */
size_t tlv_size(uint32_t tag, size_t value_length);

/* Appends tag, length and value, all or nothing, with the length in its shortest form. RC_NO_MEMORY;
 * RC_INVALID_VALUE for a tag that would not be read back as it is (over three bytes, 00, FF, 6F84) or a value
 * of 4 GiB. */
int tlv_append(struct buffer *out, uint32_t tag, const uint8_t *value, size_t length);

#endif
