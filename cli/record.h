/* SPDX-License-Identifier: MIT */
/*
 * A record: what a command says, before it is known to whom. A type and ordered fields; cli/output.h renders
 * it for people, for pipes or as JSON.
 *
 * A failure to allocate is sticky: build the whole record, output_record() reports it once.
 */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

enum record_show { /* which renderings show a field; JSON shows all but SHOW_PEOPLE alone */
                   SHOW_JSON = 1,
                   SHOW_BARE = 2,
                   SHOW_PEOPLE = 4,
                   SHOW_ALL = 7,
};

enum record_shape {
    RECORD_ROW,   /* people: one line in columns; bare: one line, fields separated by tabs */
    RECORD_FACTS, /* people and bare: one line "key value" for each field; bare separates with a tab */
};

enum field_kind { FIELD_TEXT, FIELD_HEX, FIELD_NUMBER, FIELD_REAL, FIELD_BOOL, FIELD_LIST };

struct field {
    const char *key; /* JSON name: lower case, '_' between words; static */
    unsigned show;   /* enum record_show */
    enum field_kind kind;
    char
        *text; /* TEXT; HEX: upper case without blanks; LIST: entries, each with a NUL, one more at the end */
    int64_t number; /* NUMBER; BOOL */
    double real;    /* REAL */
};

struct record {
    const char *type; /* JSON "t"; static */
    enum record_shape shape;
    struct field *fields;
    size_t count;
    struct buffer *people; /* if set, text with a NUL for people, in place of the fields; several lines */
    bool failed;
};

void record_init(struct record *record, const char *type, enum record_shape shape);
void record_fini(struct record *record); /* wipes */

/* key is borrowed for ever (a literal); values are copied. text NULL is JSON null and an empty column. */
void record_text(struct record *record, unsigned show, const char *key, const char *text);
void record_format(struct record *record, unsigned show, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void record_hex(struct record *record, unsigned show, const char *key, const uint8_t *bytes, size_t count);
void record_number(struct record *record, unsigned show, const char *key, int64_t number);
void record_real(struct record *record, unsigned show, const char *key, double number);
void record_bool(struct record *record, unsigned show, const char *key, bool value);

/* A list of texts: begin, then add entries to the field added last. */
void record_list(struct record *record, unsigned show, const char *key);
void record_list_add(struct record *record, const char *entry);

/* The text for people. Called again, it appends. */
void record_people(struct record *record, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
