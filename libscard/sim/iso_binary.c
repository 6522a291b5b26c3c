/* SPDX-License-Identifier: MIT */
#include "sim/iso_binary.h"

#include <string.h>

#include "base/rc.h"
#include "iso/tlv.h"

enum intent { TO_READ, TO_CHANGE };

/* Checks the EF for the intent and makes it the current one. */
static int enter(struct iso_channel *channel, struct iso_file *ef, enum intent intent)
{
    if (ef->kind != ISO_TRANSPARENT)
        return SW_INCOMPATIBLE_FILE;
    if (!iso_allowed(channel, intent == TO_READ ? ef->read : ef->update))
        return SW_SECURITY_STATUS;
    if (channel->ef != ef) {
        channel->ef = ef;
        channel->record = 0;
    }
    return SW_OK;
}

/* Even INS: bit 8 of P1 set: short identifier in P1, offset in P2; else a 15-bit offset (11.2.2). */
static int target(struct iso_channel *channel, const struct apdu *apdu, enum intent intent,
                  size_t *ret_offset)
{
    struct iso_file *ef = channel->ef;

    if (apdu->p1 & 0x80) {
        unsigned sfi = apdu->p1 & 0x1F;

        if (apdu->p1 & 0x60 || sfi == 0 || sfi == 31)
            return SW_WRONG_P1P2;
        ef = iso_file_by_sfi(channel->df, sfi);
        if (!ef)
            return SW_FILE_NOT_FOUND;
        *ret_offset = apdu->p2;
    } else {
        if (!ef)
            return SW_NO_CURRENT_EF;
        *ret_offset = (size_t)apdu->p1 << 8 | apdu->p2;
    }
    return enter(channel, ef, intent);
}

/* Odd INS: P1 P2 is a short identifier, 0000 for the current EF, or a file identifier; the offset comes in
 * data object 54 (11.2.2). *ret_rest is what follows it. */
static int target_by_data(struct iso_channel *channel, const struct apdu *apdu, enum intent intent,
                          size_t *ret_offset, struct bytes *ret_rest)
{
    uint16_t p = (uint16_t)(apdu->p1 << 8 | apdu->p2);
    struct iso_file *ef = channel->ef;
    struct bytes in = bytes_of(apdu->data, apdu->lc);
    struct tlv offset;
    size_t value = 0;

    if (p) {
        ef = p < 31 ? iso_file_by_sfi(channel->df, p) : iso_file_child(channel->df, p);
        if (!ef)
            return SW_FILE_NOT_FOUND;
    }
    if (!ef)
        return SW_NO_CURRENT_EF;
    if (tlv_next(&in, &offset) != 1 || offset.tag != 0x54 || offset.length > 4)
        return SW_WRONG_DATA;
    for (size_t i = 0; i < offset.length; i++)
        value = value << 8 | offset.value[i];
    *ret_offset = value;
    *ret_rest = in;
    return enter(channel, ef, intent);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

int iso_read_binary(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
                    struct buffer *response)
{
    size_t offset, count;
    int rc, sw;

    (void)card;
    if (apdu->lc || !apdu->le)
        return SW_WRONG_LENGTH;
    sw = target(channel, apdu, TO_READ, &offset);
    if (sw != SW_OK)
        return sw;
    if (offset >= channel->ef->content.length)
        return SW_WRONG_OFFSET;
    count = least(apdu->le, channel->ef->content.length - offset);
    rc = buffer_append(response, channel->ef->content.data + offset, count);
    if (rc)
        return rc;
    return count < apdu->le && !iso_le_is_max(apdu) ? SW_END_OF_FILE : SW_OK;
}

int iso_read_data(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
                  struct buffer *response)
{
    struct bytes rest;
    size_t offset, count;
    int rc, sw;

    (void)card;
    if (!apdu->lc || !apdu->le)
        return SW_WRONG_LENGTH;
    sw = target_by_data(channel, apdu, TO_READ, &offset, &rest);
    if (sw != SW_OK)
        return sw;
    if (offset >= channel->ef->content.length)
        return SW_WRONG_OFFSET;
    /* Le counts the whole data object 53. */
    count = least(apdu->le, channel->ef->content.length - offset);
    while (count && tlv_size(0x53, count) > apdu->le)
        count--;
    rc = tlv_append(response, 0x53, channel->ef->content.data + offset, count);
    return rc ? rc : SW_OK;
}

/* Space was checked. WRITE sets bits only (data coding byte). */
static void put(struct iso_file *ef, uint8_t ins, size_t offset, const uint8_t *data, size_t length)
{
    uint8_t *to = ef->content.data + offset;

    if (ins != 0xD0) {
        memcpy(to, data, length);
        return;
    }
    for (size_t i = 0; i < length; i++)
        to[i] |= data[i];
}

static int check_space(const struct iso_file *ef, size_t offset, size_t length)
{
    if (offset >= ef->content.length)
        return SW_WRONG_OFFSET;
    return length > ef->content.length - offset ? SW_NO_SPACE : SW_OK;
}

int iso_write_binary(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
                     struct buffer *response)
{
    size_t offset;
    int sw;

    (void)card;
    (void)response;
    if (!apdu->lc)
        return SW_WRONG_LENGTH;
    sw = target(channel, apdu, TO_CHANGE, &offset);
    if (sw == SW_OK)
        sw = check_space(channel->ef, offset, apdu->lc);
    if (sw == SW_OK)
        put(channel->ef, apdu->ins, offset, apdu->data, apdu->lc);
    return sw;
}

int iso_write_data(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
                   struct buffer *response)
{
    struct bytes rest;
    struct tlv data;
    size_t offset;
    int sw;

    (void)card;
    (void)response;
    if (!apdu->lc)
        return SW_WRONG_LENGTH;
    sw = target_by_data(channel, apdu, TO_CHANGE, &offset, &rest);
    if (sw != SW_OK)
        return sw;
    if (tlv_next(&rest, &data) != 1 || data.tag != 0x53 || !data.length)
        return SW_WRONG_DATA;
    sw = check_space(channel->ef, offset, data.length);
    if (sw == SW_OK)
        put(channel->ef, apdu->ins, offset, data.value, data.length);
    return sw;
}

/* From the offset up to the end offset in the data field, or to the end of the file; erased is 00 (11.2.7).
 */
int iso_erase_binary(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
                     struct buffer *response)
{
    struct iso_file *ef;
    size_t offset, end;
    int sw;

    (void)card;
    (void)response;
    if (apdu->lc != 0 && apdu->lc != 2)
        return SW_WRONG_LENGTH;
    sw = target(channel, apdu, TO_CHANGE, &offset);
    if (sw != SW_OK)
        return sw;
    ef = channel->ef;
    end = apdu->lc ? (size_t)apdu->data[0] << 8 | apdu->data[1] : ef->content.length;
    if (offset >= ef->content.length || end > ef->content.length)
        return SW_WRONG_OFFSET;
    if (end <= offset)
        return SW_WRONG_DATA;
    memset(ef->content.data + offset, 0, end - offset);
    return SW_OK;
}
