/* SPDX-License-Identifier: MIT */
#include "iso/tlv.h"

#include "base/log.h"
#include "base/rc.h"

static bool is_padding(uint8_t byte)
{
    return byte == 0x00 || byte == 0xff;
}

/* ISO 8825-1, 8.1.2: low five bits all set in the first byte, then bit 8 says that another byte follows. */
static bool read_tag(struct bytes *in, uint32_t *ret_tag)
{
    uint8_t byte = bytes_u8(in);
    uint32_t tag = byte;
    bool more = (byte & 0x1f) == 0x1f;

    while (more) {
        if (tag > 0xffff) {
            in->failed = true;
            return false;
        }
        byte = bytes_u8(in);
        tag = tag << 8 | byte;
        more = byte & 0x80;
    }
    *ret_tag = tag;
    return bytes_ok(in);
}

/* ISO 7816-4, 5.2.2.2: one byte up to 7F, else 81…84 and as many bytes. 80 (indefinite) is not used on cards.
 */
static bool read_length(struct bytes *in, size_t *ret_length)
{
    uint8_t first = bytes_u8(in);
    size_t length = first;

    if (first & 0x80) {
        unsigned count = first & 0x7fU;

        if (count < 1 || count > 4) {
            in->failed = true;
            return false;
        }
        for (length = 0; count; count--)
            length = length << 8 | bytes_u8(in);
    }
    *ret_length = length;
    return bytes_ok(in);
}

int tlv_next(struct bytes *in, struct tlv *ret_tlv)
{
    struct tlv tlv = {0};
    size_t left;

    if (!bytes_ok(in))
        return RC_INVALID_VALUE;
    while (in->left && is_padding(*in->at))
        (void)bytes_u8(in);
    if (!in->left)
        return 0;
    tlv.constructed = *in->at & 0x20;
    if (!read_tag(in, &tlv.tag))
        return detail_set(RC_INVALID_VALUE, "TLV: tag is cut off or longer than three bytes");
    if (!read_length(in, &tlv.length))
        return detail_set(RC_INVALID_VALUE, "TLV: length of tag %X is cut off or not a definite length",
                          tlv.tag);
    left = in->left;
    tlv.value = bytes_take(in, tlv.length);
    if (!bytes_ok(in))
        return detail_set(RC_INVALID_VALUE, "TLV: tag %X says %zu bytes, %zu are there", tlv.tag, tlv.length,
                          left);
    *ret_tlv = tlv;
    return 1;
}

int tlv_find(const uint8_t *bytes, size_t length, uint32_t tag, struct tlv *ret_tlv)
{
    struct bytes in = bytes_of(bytes, length);
    struct tlv tlv;
    int rc;

    while ((rc = tlv_next(&in, &tlv)) > 0) {
        if (tlv.tag == tag) {
            *ret_tlv = tlv;
            return 1;
        }
    }
    return rc;
}

/* Bytes of a tag, or 0 when it would not be read back as it is. */
static size_t tag_width(uint32_t tag)
{
    uint8_t written[3] = {(uint8_t)(tag >> 16), (uint8_t)(tag >> 8), (uint8_t)tag};
    size_t width = tag > 0xffff ? 3 : tag > 0xff ? 2 : 1;
    struct bytes in = bytes_of(written + 3 - width, width);
    uint32_t read;

    if (tag > 0xffffff || is_padding(*in.at) || !read_tag(&in, &read) || in.left)
        return 0;
    return width;
}

/* Bytes of a length in its shortest form, or 0 when five do not hold it. */
static size_t length_width(size_t length)
{
    if (length > UINT32_MAX)
        return 0;
    return length > 0xffffff ? 5 : length > 0xffff ? 4 : length > 0xff ? 3 : length > 0x7f ? 2 : 1;
}

size_t tlv_size(uint32_t tag, size_t value_length)
{
    size_t tag_bytes = tag_width(tag), length_bytes = length_width(value_length);

    return tag_bytes && length_bytes ? tag_bytes + length_bytes + value_length : 0;
}

int tlv_append(struct buffer *out, uint32_t tag, const uint8_t *value, size_t length)
{
    size_t tag_bytes = tag_width(tag), length_bytes = length_width(length), count = 0;
    uint8_t head[8];
    int rc;

    if (!tag_bytes)
        return detail_set(RC_INVALID_VALUE, "TLV: %X is not a tag of one to three bytes", tag);
    if (!length_bytes)
        return detail_set(RC_INVALID_VALUE, "TLV: a value of %zu bytes is too long", length);
    for (size_t i = tag_bytes; i; i--)
        head[count++] = (uint8_t)(tag >> 8 * (i - 1));
    if (length_bytes > 1)
        head[count++] = (uint8_t)(0x80 | (length_bytes - 1));
    for (size_t i = length_bytes > 1 ? length_bytes - 1 : 1; i; i--)
        head[count++] = (uint8_t)(length >> 8 * (i - 1));
    rc = buffer_reserve(out, count + length);
    if (rc)
        return rc;
    rc = buffer_append(out, head, count);
    return rc ? rc : buffer_append(out, value, length);
}
