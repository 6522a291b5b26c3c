/* SPDX-License-Identifier: MIT */
/* A PIN as the bytes that a card takes. Pure. */
#ifndef CLI_PIN_BLOCK_H
#define CLI_PIN_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum pin_coding {
    PIN_ASCII,   /* the characters as they are */
    PIN_BCD,     /* two digits in a byte, the last one filled up with F */
    PIN_ISO9564, /* ISO 9564-1:2017, 9.3.3, format 2: 2, the number of digits, digits, F; 8 bytes */
    PIN_HEX,     /* the bytes themselves, written in hex */
};

#define PIN_CODINGS "ascii|bcd|iso9564|hex"
#define PIN_BLOCK_MAX 255 /* bytes of one, what short Lc counts */
#define PIN_ISO9564_LENGTH 8

struct pin_format {
    enum pin_coding coding;
    bool filled; /* up to length with fill */
    uint8_t fill;
    size_t length;
};

/* coding: one of PIN_CODINGS, NULL = ascii; pad: "FF:8", NULL = none. RC_INVALID_VALUE with a detail. */
int pin_format_parse(const char *coding, const char *pad, struct pin_format *ret_format);

/* Appends the block of a PIN as it was typed. RC_INVALID_VALUE with a detail that tells nothing of the PIN
 * but what it lacks; RC_NO_MEMORY. */
int pin_block_append(const struct pin_format *format, const uint8_t *pin, size_t length,
                     struct buffer *block);

#endif
