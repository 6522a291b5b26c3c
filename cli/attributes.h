/* SPDX-License-Identifier: MIT */
/* Reader attributes by name, and their values in words. Pure. */
#ifndef CLI_ATTRIBUTES_H
#define CLI_ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <reader.h>
#include <reader.h>
#include <scard.h>

enum attribute_kind {
    ATTRIBUTE_TEXT,
    ATTRIBUTE_NUMBER,   /* 1 to 4 bytes, host order */
    ATTRIBUTE_PROTOCOL, /* mask or one */
    ATTRIBUTE_VERSION,  /* 0xMMmmbbbb */
    ATTRIBUTE_CHANNEL,  /* 0xDDDDCCCC */
    ATTRIBUTE_PRESENCE,
    ATTRIBUTE_TIME, /* 8 bytes, nanoseconds, host order */
    ATTRIBUTE_BYTES,
};

struct attribute {
    DWORD id;
    const char *name; /* "vendor-name" */
    enum attribute_kind kind;
    const char *unit; /* "kHz"; "" */
};

/* Ended by name NULL. */
extern const struct attribute attributes[];

/* By name (also "SCARD_ATTR_VENDOR_NAME"), or by number: then an entry may be missing (*ret_attribute NULL).
 */
bool attributes_find(const char *text, DWORD *ret_id, const struct attribute **ret_attribute);

/* The value in words, into text; "" if there are none beyond the bytes. attribute may be NULL. Returns text.
 */
const char *attributes_describe(const struct attribute *attribute, const uint8_t *value, size_t length,
                                char *text, size_t capacity);

#endif
