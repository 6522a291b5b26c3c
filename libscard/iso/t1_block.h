/* SPDX-License-Identifier: MIT */
/* The block of T=1 (ISO 7816-3:2006, 11.3): NAD PCB LEN INF EDC. Pure; buffers are the caller's. */
#ifndef ISO_T1_BLOCK_H
#define ISO_T1_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define T1_INF_MAX 254
#define T1_BLOCK_MAX (3 + T1_INF_MAX + 2)

enum t1_kind {
    T1_I,
    T1_R,
    T1_S_REQUEST,
    T1_S_RESPONSE,
};

enum t1_supervision { /* bits 5-1 of the PCB of an S-block */
                      T1_RESYNCH,
                      T1_IFS,
                      T1_ABORT,
                      T1_WTX,
};

enum t1_fault { /* bits 4-1 of the PCB of an R-block, and what t1_block_read finds */
                T1_FAULT_NONE,
                T1_FAULT_EDC, /* EDC wrong, or a parity error */
                T1_FAULT_OTHER,
};

struct t1_block {
    enum t1_kind kind;
    uint8_t number;     /* I: N(S), R: N(R) */
    bool more;          /* I: M */
    uint8_t type;       /* R: enum t1_fault, S: enum t1_supervision */
    const uint8_t *inf; /* borrowed */
    size_t length;      /* of inf, at most 254 */
};

/* Writes a block whose fields are all valid; the number of bytes. inf and out do not overlap. */
size_t t1_block_write(const struct t1_block *block, uint8_t nad, bool crc, uint8_t out[static T1_BLOCK_MAX]);

/* Reads what a card sent. T1_FAULT_NONE, or why the bytes are no valid block (11.6.3): a length other than
 * the one that LEN asks for, an EDC, NAD, PCB or LEN that is wrong whatever the state of the protocol.
 * Without a result, out of a block with a fault nothing is to be believed. The result borrows bytes. */
enum t1_fault t1_block_read(const uint8_t *bytes, size_t length, uint8_t nad, bool crc,
                            struct t1_block *ret_block);

#endif
