/* SPDX-License-Identifier: MIT */
#include "sim/iso_select.h"

#include <string.h>

#include "base/rc.h"
#include "iso/tlv.h"

/* P1 00: in the current DF, the DF itself and its parent, then beside it. */
static struct iso_file *find_by_id(struct iso_card *card, const struct iso_channel *channel, uint16_t id)
{
    struct iso_file *df = channel->df, *found;

    if (id == card->mf->id)
        return card->mf;
    found = iso_file_child(df, id);
    if (!found && df->id == id)
        found = df;
    if (!found && df->parent && df->parent->id == id)
        found = df->parent;
    if (!found && df->parent)
        found = iso_file_child(df->parent, id);
    return found;
}

static struct iso_file *find_by_path(struct iso_file *from, const struct apdu *apdu)
{
    for (size_t i = 0; i + 1 < apdu->lc && from; i += 2)
        from = iso_file_child(from, (uint16_t)(apdu->data[i] << 8 | apdu->data[i + 1]));
    return from;
}

static bool name_matches(const struct iso_file *file, const struct apdu *apdu)
{
    if (file->kind != ISO_DF || !file->name_length || apdu->lc > file->name_length)
        return false;
    return apdu->lc == 0 || memcmp(file->name, apdu->data, apdu->lc) == 0;
}

/* First, last, next or previous DF whose name begins with the data; next and previous as seen from the
 * current DF, if that is one of them. */
static struct iso_file *find_by_name(struct iso_card *card, const struct iso_channel *channel,
                                     const struct apdu *apdu)
{
    struct iso_file *before = NULL, *last = NULL, *after = NULL, *first = NULL;
    bool passed = false;

    for (struct iso_file *file = card->mf; file; file = iso_file_following(file)) {
        if (!name_matches(file, apdu))
            continue;
        if (!first)
            first = file;
        if (passed && !after)
            after = file;
        if (file == channel->df) {
            passed = true;
            before = last;
        }
        last = file;
    }
    switch (apdu->p2 & 3) {
    case 0:
        return first;
    case 1:
        return last;
    case 2:
        return passed ? after : first;
    default:
        return passed ? before : last;
    }
}

static int find(struct iso_card *card, const struct iso_channel *channel, const struct apdu *apdu,
                struct iso_file **ret_file)
{
    struct bytes data = bytes_of(apdu->data, apdu->lc);
    uint16_t id = apdu->lc ? bytes_u16be(&data) : card->mf->id;
    struct iso_file *file;

    if (apdu->p1 != 0x04 && apdu->p2 & 3) /* an identifier has one occurrence */
        return SW_WRONG_P1P2;
    if (apdu->p1 <= 0x02 && apdu->lc != 2 && !(apdu->p1 == 0 && apdu->lc == 0))
        return SW_WRONG_LENGTH;
    switch (apdu->p1) {
    case 0x00:
        file = find_by_id(card, channel, id);
        break;
    case 0x01:
    case 0x02:
        file = iso_file_child(channel->df, id);
        if (file && (file->kind == ISO_DF) != (apdu->p1 == 0x01))
            file = NULL;
        break;
    case 0x03:
        if (apdu->lc)
            return SW_WRONG_LENGTH;
        file = channel->df->parent;
        break;
    case 0x04:
        file = find_by_name(card, channel, apdu);
        break;
    case 0x08:
    case 0x09:
        if (apdu->lc == 0 || apdu->lc % 2)
            return SW_WRONG_LENGTH;
        file = find_by_path(apdu->p1 == 0x08 ? card->mf : channel->df, apdu);
        break;
    default:
        return SW_WRONG_P1P2;
    }
    if (!file)
        return SW_FILE_NOT_FOUND;
    *ret_file = file;
    return SW_OK;
}

/* File descriptor byte, data coding byte, size and number of records. */
static size_t describe(const struct iso_file *file, uint8_t out[6])
{
    static const uint8_t structures[] = {
        [ISO_DF] = 0x38,           [ISO_TRANSPARENT] = 0x01,
        [ISO_LINEAR_FIXED] = 0x02, [ISO_LINEAR_VARIABLE] = 0x04,
        [ISO_CYCLIC] = 0x06,
    };

    out[0] = (uint8_t)(structures[file->kind] | file->simple_tlv);
    if (file->kind == ISO_DF)
        return 1;
    out[1] = 0x41; /* write functions: logical OR; data unit: one byte */
    if (file->kind == ISO_TRANSPARENT)
        return 2;
    out[2] = (uint8_t)(file->record_size >> 8);
    out[3] = (uint8_t)file->record_size;
    out[4] = 0;
    out[5] = (uint8_t)file->record_count;
    return 6;
}

/* 80: bytes of content, in as few bytes as it takes but at least two. */
static int append_size(struct buffer *out, size_t size)
{
    const uint8_t bytes[] = {(uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size};
    size_t skip = bytes[0] ? 0 : 1;

    return tlv_append(out, 0x80, bytes + skip, sizeof bytes - skip);
}

/* File control parameters. */
static int append_fcp(struct buffer *out, const struct iso_file *file)
{
    static const uint8_t activated = 0x05;
    const uint8_t id[] = {(uint8_t)(file->id >> 8), (uint8_t)file->id};
    const uint8_t sfi = (uint8_t)(file->sfi << 3);
    /* Access mode: write, update, read; one condition byte for each (compact format). */
    const uint8_t security[] = {0x07, (uint8_t)file->update, (uint8_t)file->update, (uint8_t)file->read};
    uint8_t description[6];
    size_t count = describe(file, description);
    int rc = RC_OK;

    if (file->kind == ISO_TRANSPARENT)
        rc = append_size(out, file->content.length);
    if (!rc)
        rc = tlv_append(out, 0x82, description, count);
    if (!rc)
        rc = tlv_append(out, 0x83, id, sizeof id);
    if (!rc && file->name_length)
        rc = tlv_append(out, 0x84, file->name, file->name_length);
    if (!rc && file->kind != ISO_DF)
        rc = tlv_append(out, 0x88, &sfi, file->sfi ? 1 : 0);
    if (!rc)
        rc = tlv_append(out, 0x8A, &activated, 1);
    if (!rc && file->kind != ISO_DF)
        rc = tlv_append(out, 0x8C, security, sizeof security);
    return rc;
}

/* File management data. */
static int append_fmd(struct buffer *out, const struct iso_file *file)
{
    int rc = file->name_length ? tlv_append(out, 0x84, file->name, file->name_length) : RC_OK;

    if (!rc && file->label)
        rc = tlv_append(out, 0x50, (const uint8_t *)file->label, strlen(file->label));
    return rc;
}

static int append_template(struct buffer *response, const struct iso_file *file, uint8_t p2)
{
    struct buffer content = {0};
    uint32_t tag;
    int rc;

    switch (p2 & 0x0C) {
    case 0x00:
        tag = 0x6F;
        rc = append_fcp(&content, file);
        if (!rc && file->label)
            rc = tlv_append(&content, 0x50, (const uint8_t *)file->label, strlen(file->label));
        break;
    case 0x04:
        tag = 0x62;
        rc = append_fcp(&content, file);
        break;
    case 0x08:
        tag = 0x64;
        rc = append_fmd(&content, file);
        break;
    default:
        return RC_OK;
    }
    if (!rc)
        rc = tlv_append(response, tag, content.data, content.length);
    buffer_fini(&content);
    return rc;
}

int iso_select(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
               struct buffer *response)
{
    struct iso_file *file;
    int sw, rc;

    if (apdu->p2 & 0xF0)
        return SW_WRONG_P1P2;
    sw = find(card, channel, apdu, &file);
    if (sw != SW_OK)
        return sw;
    rc = append_template(response, file, apdu->p2);
    if (rc)
        return rc;
    if (file->kind == ISO_DF) {
        channel->df = file;
        channel->ef = NULL;
    } else {
        channel->df = file->parent;
        channel->ef = file;
    }
    channel->record = 0;
    return SW_OK;
}
