/* SPDX-License-Identifier: MIT */
#include "cli/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/rc.h"

void record_init(struct record *record, const char *type, enum record_shape shape)
{
    *record = (struct record){.type = type, .shape = shape};
}

static size_t field_size(const struct field *field)
{
    const char *end = field->text;

    if (field->kind != FIELD_LIST)
        return strlen(end);
    while (*end != '\0')
        end += strlen(end) + 1;
    return (size_t)(end - field->text);
}

void record_fini(struct record *record)
{
    for (size_t i = 0; i < record->count; i++) {
        struct field *field = &record->fields[i];

        if (field->text != NULL)
            secret_wipe(field->text, field_size(field));
        free(field->text);
    }
    if (record->people != NULL)
        buffer_fini(record->people);
    free(record->people);
    free(record->fields);
    *record = (struct record){.type = record->type};
}

static struct field *record_add(struct record *record, unsigned show, const char *key, enum field_kind kind)
{
    struct field *fields;

    if (record->failed)
        return NULL;
    fields = reallocarray(record->fields, record->count + 1, sizeof *fields);
    if (fields == NULL) {
        record->failed = true;
        return NULL;
    }
    record->fields = fields;
    fields[record->count] = (struct field){.key = key, .show = show, .kind = kind};
    return &fields[record->count++];
}

static void record_add_text(struct record *record, unsigned show, const char *key, enum field_kind kind,
                            char *text)
{
    struct field *field = record_add(record, show, key, kind);

    if (field == NULL || text == NULL) {
        free(text);
        record->failed = true;
        return;
    }
    field->text = text;
}

void record_text(struct record *record, unsigned show, const char *key, const char *text)
{
    if (text == NULL)
        record_add(record, show, key, FIELD_TEXT);
    else
        record_add_text(record, show, key, FIELD_TEXT, strdup(text));
}

void record_format(struct record *record, unsigned show, const char *key, const char *format, ...)
{
    char *text;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    record_add_text(record, show, key, FIELD_TEXT, text);
}

void record_hex(struct record *record, unsigned show, const char *key, const uint8_t *bytes, size_t count)
{
    record_add_text(record, show, key, FIELD_HEX, hex_new(bytes, count));
}

void record_number(struct record *record, unsigned show, const char *key, int64_t number)
{
    struct field *field = record_add(record, show, key, FIELD_NUMBER);

    if (field != NULL)
        field->number = number;
}

void record_real(struct record *record, unsigned show, const char *key, double number)
{
    struct field *field = record_add(record, show, key, FIELD_REAL);

    if (field != NULL)
        field->real = number;
}

void record_bool(struct record *record, unsigned show, const char *key, bool value)
{
    struct field *field = record_add(record, show, key, FIELD_BOOL);

    if (field != NULL)
        field->number = value;
}

void record_list(struct record *record, unsigned show, const char *key)
{
    record_add_text(record, show, key, FIELD_LIST, calloc(1, 1));
}

void record_list_add(struct record *record, const char *entry)
{
    struct field *field;
    size_t size, add = strlen(entry) + 1;
    char *text;

    if (record->failed || add == 1)
        return;
    field = &record->fields[record->count - 1];
    size = field_size(field);
    text = realloc(field->text, size + add + 1);
    if (text == NULL) {
        record->failed = true;
        return;
    }
    memcpy(text + size, entry, add);
    text[size + add] = '\0';
    field->text = text;
}

/* Behind what is there already, in place of its NUL. */
static bool append_people(struct record *record, const char *text, size_t length)
{
    if (record->people == NULL)
        record->people = calloc(1, sizeof *record->people);
    if (record->people == NULL)
        return false;
    if (record->people->length > 0)
        record->people->length--;
    return buffer_append(record->people, text, length + 1) == RC_OK;
}

void record_people(struct record *record, const char *format, ...)
{
    va_list args;
    char *text;
    int length;

    va_start(args, format);
    length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0) {
        record->failed = true;
        return;
    }
    if (!record->failed && !append_people(record, text, (size_t)length))
        record->failed = true;
    secret_wipe(text, (size_t)length);
    free(text);
}
