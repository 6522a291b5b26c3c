/* SPDX-License-Identifier: MIT */
/* The file tree of the file-system card (ISO 7816-4:2013, 7). */
#ifndef SIM_ISO_FILE_H
#define SIM_ISO_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum iso_kind {
    ISO_DF,
    ISO_TRANSPARENT,
    ISO_LINEAR_FIXED,
    ISO_LINEAR_VARIABLE,
    ISO_CYCLIC,
};

/* Who may; the values are security condition bytes of the compact format. */
enum iso_access {
    ISO_ALWAYS = 0x00,
    ISO_PIN = 0x10,
    ISO_NEVER = 0xFF,
};

#define ISO_NAME_MAX 16
#define ISO_RECORDS_MAX 254

struct iso_file {
    struct iso_file *parent, *next, *children; /* next: sibling */
    enum iso_kind kind;
    uint16_t id;
    uint8_t sfi; /* 1 … 30, or 0: none */
    enum iso_access read, update;
    bool simple_tlv;   /* the first byte of a record is its identifier */
    const char *label; /* of a DF, or NULL; constant */
    uint8_t name[ISO_NAME_MAX];
    size_t name_length; /* 0: none */

    struct buffer content; /* transparent */

    struct buffer *records; /* record number n is records[n - 1]; of a cyclic EF, number 1 is the newest */
    size_t record_count, record_limit;
    size_t record_size; /* exact length, in a linear variable EF the longest */
};

/* Hangs a copy of model (no content, no relatives) under parent, or makes a root of it.
 * RC_NO_MEMORY. */
int iso_file_add(struct iso_file *parent, const struct iso_file *model, struct iso_file **ret_file);

/* Frees a root with everything under it. */
void iso_file_free(struct iso_file *root);

struct iso_file *iso_file_child(const struct iso_file *df, uint16_t id);
struct iso_file *iso_file_by_sfi(const struct iso_file *df, unsigned sfi);

/* The file after this one, parents before children; NULL at the end. */
struct iso_file *iso_file_following(struct iso_file *file);

/* A new record: behind the last one, or in a cyclic EF before number 1 (a full one loses its oldest).
 * RC_INSUFFICIENT_BUFFER: full; RC_NO_MEMORY. */
int iso_file_append_record(struct iso_file *ef, const uint8_t *data, size_t length);

/* Does number, 1 …, name a record? */
bool iso_file_has_record(const struct iso_file *ef, size_t number);

#endif
