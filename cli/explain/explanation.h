/* SPDX-License-Identifier: MIT */
/*
 * What some bytes mean, part by part: an indented list in the order of the bytes, each part a range of them
 * with a label and words. The bytes themselves stay where they are; cli/explain_show.h makes records of both.
 *
 * A failure to allocate is sticky, as in a record: ask once at the end (failed).
 */
#ifndef CLI_EXPLAIN_EXPLANATION_H
#define CLI_EXPLAIN_EXPLANATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct explain_part {
    unsigned depth;
    size_t offset, length; /* the range; length 0: words about all of it */
    char *label;           /* "TA1", "6F", "CLA"; never NULL */
    char *text;            /* "Fi=512, Di=32"; never NULL */
    bool secret;           /* the range is not to be shown */
};

struct explanation { /* {0} is an empty one */
    struct explain_part *parts;
    size_t count;
    bool failed;
    bool show_secrets; /* for those who fill it: they hide nothing then */
};

void explanation_fini(struct explanation *explanation); /* wipes */

/* Adds a part, label copied. */
void explanation_add(struct explanation *explanation, unsigned depth, size_t offset, size_t length,
                     const char *label, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Adds words to the text of the part added last. */
void explanation_more(struct explanation *explanation, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The range of the part added last is a secret, unless they are to be shown. */
void explanation_hide(struct explanation *explanation);

/* The bytes in hex with "**" in place of every hidden range, a new string; NULL when out of memory. Caller
 * wipes and frees. */
char *explanation_hex(const struct explanation *explanation, const uint8_t *bytes, size_t length);

#endif
