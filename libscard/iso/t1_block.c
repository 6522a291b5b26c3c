/* SPDX-License-Identifier: MIT */
#include "iso/t1_block.h"

#include <string.h>

/*
 * 11.3.4. The LRC is the exclusive or of all bytes before it. The CRC is that of ISO/IEC 13239 as the
 * software in use reads it: reflected, from FFFF, not inverted at the end, high byte first. No card was found
 * to try it on.
 */
static size_t write_edc(const uint8_t *bytes, size_t length, bool crc, uint8_t *out)
{
    uint8_t lrc = 0;
    unsigned sum = 0xffff;

    if (!crc) {
        for (size_t i = 0; i < length; i++)
            lrc ^= bytes[i];
        out[0] = lrc;
        return 1;
    }
    for (size_t i = 0; i < length; i++) {
        sum ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            sum = sum & 1 ? sum >> 1 ^ 0x8408U : sum >> 1;
    }
    out[0] = (uint8_t)(sum >> 8);
    out[1] = (uint8_t)(sum & 0xff);
    return 2;
}

static uint8_t pcb_of(const struct t1_block *block)
{
    switch (block->kind) {
    case T1_I:
        return (uint8_t)(block->number << 6 | (block->more ? 0x20 : 0));
    case T1_R:
        return (uint8_t)(0x80 | block->number << 4 | block->type);
    case T1_S_REQUEST:
        return (uint8_t)(0xc0 | block->type);
    case T1_S_RESPONSE:
        break;
    }
    return (uint8_t)(0xe0 | block->type);
}

size_t t1_block_write(const struct t1_block *block, uint8_t nad, bool crc, uint8_t out[static T1_BLOCK_MAX])
{
    out[0] = nad;
    out[1] = pcb_of(block);
    out[2] = (uint8_t)block->length;
    if (block->length)
        memcpy(out + 3, block->inf, block->length);
    return 3 + block->length + write_edc(out, 3 + block->length, crc, out + 3 + block->length);
}

/* 11.3.2.2: false for a PCB that means nothing, or a LEN that its kind cannot have. */
static bool read_pcb(uint8_t pcb, struct t1_block *block)
{
    if (!(pcb & 0x80)) {
        block->kind = T1_I;
        block->number = pcb >> 6 & 1;
        block->more = pcb & 0x20;
        return !(pcb & 0x1f);
    }
    if (!(pcb & 0x40)) {
        block->kind = T1_R;
        block->number = pcb >> 4 & 1;
        block->type = pcb & 0x0f;
        return !(pcb & 0x20) && block->type <= T1_FAULT_OTHER && !block->length;
    }
    block->kind = pcb & 0x20 ? T1_S_RESPONSE : T1_S_REQUEST;
    block->type = pcb & 0x1f;
    switch (block->type) {
    case T1_RESYNCH:
    case T1_ABORT:
        return !block->length;
    case T1_IFS: /* 00 and FF are reserved (11.4.2) */
        return block->length == 1 && block->inf[0] != 0 && block->inf[0] != 0xff;
    case T1_WTX:
        return block->length == 1;
    default:
        return false;
    }
}

enum t1_fault t1_block_read(const uint8_t *bytes, size_t length, uint8_t nad, bool crc,
                            struct t1_block *ret_block)
{
    size_t edc_length = crc ? 2 : 1;
    struct t1_block block = {0};
    uint8_t edc[2];

    /* The length first: a block cut short may have a right LRC by chance. */
    if (length < 3 + edc_length || bytes[2] > T1_INF_MAX || length != 3 + bytes[2] + edc_length)
        return T1_FAULT_OTHER;
    (void)write_edc(bytes, length - edc_length, crc, edc);
    if (memcmp(edc, bytes + length - edc_length, edc_length) != 0)
        return T1_FAULT_EDC;
    block.inf = bytes + 3;
    block.length = bytes[2];
    if (bytes[0] != nad || !read_pcb(bytes[1], &block))
        return T1_FAULT_OTHER;
    *ret_block = block;
    return T1_FAULT_NONE;
}
