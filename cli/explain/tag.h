/* SPDX-License-Identifier: MIT */
/* Names of data objects, by application. */
#ifndef CLI_EXPLAIN_TAG_H
#define CLI_EXPLAIN_TAG_H

#include "cli/explain/context.h"

enum tag_value {            /* what the value is, for who shows it */
                 TAG_BYTES, /* also of a tag that looks constructed */
                 TAG_PLAIN, /* as the tag says: objects if constructed, else bytes or text */
                 TAG_OBJECTS,
                 TAG_TEXT,
                 TAG_DIGITS, /* two in a byte */
                 TAG_DATE,   /* YYMMDD in digits */
                 TAG_NUMBER, /* big endian */
                 TAG_AID,
                 TAG_OID,
                 TAG_CERTIFICATE,
                 TAG_TAGS,         /* a list of tags */
                 TAG_TAGS_LENGTHS, /* tags, each with a length: DOL */
                 TAG_LIFE_CYCLE,
                 TAG_DESCRIPTOR, /* file descriptor byte and what follows */
                 TAG_SECRET,
};

struct tag_fact {
    uint32_t tag;    /* as written: 6F, 9F7F, 5FC102 */
    uint32_t parent; /* only in this one; 0 = anywhere */
    const char *name;
    enum tag_value value;
};

/* What is known of a tag inside another (0 = at the top): of the application, then of ISO 7816-4. NULL. */
const struct tag_fact *explain_tag_fact(uint32_t tag, uint32_t parent, enum explain_context context);

/* Its name wherever it stands, or NULL. */
const char *explain_tag(uint32_t tag, enum explain_context context);

#endif
