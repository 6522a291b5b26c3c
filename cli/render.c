/* SPDX-License-Identifier: MIT */
#include "cli/render.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "base/utf8.h"

static json_t *json_text(const char *text)
{
    struct buffer clean = {0};
    size_t left = strlen(text);
    json_t *json = NULL;
    uint32_t code;
    int rc = RC_OK;

    while (left > 0 && rc == RC_OK) {
        size_t length = utf8_take((const uint8_t *)text, left, &code);

        rc = length > 0 ? buffer_append(&clean, text, length) : buffer_append(&clean, "\xEF\xBF\xBD", 3);
        length = length > 0 ? length : 1;
        text += length;
        left -= length;
    }
    if (rc == RC_OK)
        json = json_stringn(clean.length > 0 ? (const char *)clean.data : "", clean.length);
    buffer_fini(&clean);
    return json;
}

static json_t *json_list(const char *entries)
{
    json_t *list = json_array();

    for (; list != NULL && *entries != '\0'; entries += strlen(entries) + 1) {
        if (json_array_append_new(list, json_text(entries)) < 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static json_t *json_field(const struct field *field)
{
    switch (field->kind) {
    case FIELD_NUMBER:
        return json_integer(field->number);
    case FIELD_REAL:
        return json_real(field->real);
    case FIELD_BOOL:
        return json_boolean(field->number);
    case FIELD_LIST:
        return json_list(field->text);
    default:
        return field->text != NULL ? json_text(field->text) : json_null();
    }
}

static int render_json(const struct record *record, struct buffer *text)
{
    json_t *object = json_object();
    int rc = RC_NO_MEMORY;
    char *dump;

    if (json_object_set_new(object, "v", json_integer(1)) < 0 ||
        json_object_set_new(object, "t", json_text(record->type)) < 0)
        goto out;
    for (size_t i = 0; i < record->count; i++) {
        const struct field *field = &record->fields[i];

        if ((field->show & SHOW_JSON) && json_object_set_new(object, field->key, json_field(field)) < 0)
            goto out;
    }
    dump = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    if (dump == NULL)
        goto out;
    rc = buffer_append(text, dump, strlen(dump));
    secret_wipe(dump, strlen(dump));
    free(dump);
    if (rc == RC_OK)
        rc = buffer_append(text, "\n", 1);
out:
    json_decref(object);
    return rc;
}

/* "\033[31m": the only control sequence that a people text may hold. */
static size_t paint_length(const char *text)
{
    size_t length = 2;

    if (text[0] != '\033' || text[1] != '[')
        return 0;
    while ((text[length] >= '0' && text[length] <= '9') || text[length] == ';')
        length++;
    return text[length] == 'm' ? length + 1 : 0;
}

/* A control character, also one of U+0080 to U+009F, to which terminals listen too: its length, else 0. */
static size_t control_length(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    if (at[0] < 0x20 || at[0] == 0x7F)
        return 1;
    return at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F ? 2 : 0;
}

static int append_people(struct buffer *out, const char *text)
{
    int rc = RC_OK;

    while (*text != '\0' && rc == RC_OK) {
        size_t paint = paint_length(text), control = *text == '\n' ? 0 : control_length(text);

        if (paint > 0)
            rc = buffer_append(out, text, paint);
        else
            rc = buffer_append(out, control > 0 ? "?" : text, 1);
        text += paint > 0 ? paint : control > 0 ? control : 1;
    }
    return rc;
}

static int append_column(struct buffer *out, const char *text)
{
    int rc = RC_OK;

    while (*text != '\0' && rc == RC_OK) {
        size_t control = control_length(text);

        rc = buffer_append(out, control > 0 ? " " : text, 1);
        text += control > 0 ? control : 1;
    }
    return rc;
}

static int append_value(struct buffer *out, enum output_mode mode, const struct field *field)
{
    char number[48];
    int rc = RC_OK;

    switch (field->kind) {
    case FIELD_NUMBER:
        snprintf(number, sizeof number, "%lld", (long long)field->number);
        return buffer_append(out, number, strlen(number));
    case FIELD_REAL:
        snprintf(number, sizeof number, "%.3f", field->real);
        return buffer_append(out, number, strlen(number));
    case FIELD_BOOL:
        return append_column(out, field->number ? "yes" : "no");
    case FIELD_LIST:
        for (const char *entry = field->text; *entry != '\0' && rc == RC_OK; entry += strlen(entry) + 1) {
            if (entry != field->text)
                rc = buffer_append(out, mode == OUTPUT_PEOPLE ? ", " : ",", mode == OUTPUT_PEOPLE ? 2 : 1);
            if (rc == RC_OK)
                rc = append_column(out, entry);
        }
        return rc;
    default:
        return field->text != NULL ? append_column(out, field->text) : RC_OK;
    }
}

static bool is_empty(const struct field *field)
{
    return (field->kind == FIELD_TEXT || field->kind == FIELD_HEX || field->kind == FIELD_LIST) &&
           (field->text == NULL || field->text[0] == '\0');
}

static int render_row(enum output_mode mode, const struct record *record, struct buffer *text)
{
    unsigned show = mode == OUTPUT_PEOPLE ? SHOW_PEOPLE : SHOW_BARE;
    bool any = false;

    for (size_t i = 0; i < record->count; i++) {
        const struct field *field = &record->fields[i];

        if (!(field->show & show) || (mode == OUTPUT_PEOPLE && is_empty(field)))
            continue;
        if (any &&
            buffer_append(text, mode == OUTPUT_PEOPLE ? "  " : "\t", mode == OUTPUT_PEOPLE ? 2 : 1) < 0)
            return RC_NO_MEMORY;
        if (append_value(text, mode, field) < 0)
            return RC_NO_MEMORY;
        any = true;
    }
    return any ? buffer_append(text, "\n", 1) : RC_OK;
}

static int render_key(enum output_mode mode, const char *key, size_t width, struct buffer *text)
{
    static const char blanks[] = "                                ";
    size_t length = strlen(key), pad = width > length ? width - length : 0;
    int rc = RC_OK;

    if (mode == OUTPUT_BARE)
        return buffer_append(text, key, length) < 0 ? RC_NO_MEMORY : buffer_append(text, "\t", 1);
    for (size_t i = 0; i < length && rc == RC_OK; i++)
        rc = buffer_append(text, key[i] == '_' ? " " : key + i, 1);
    pad = pad < sizeof blanks - 3 ? pad : sizeof blanks - 3;
    return rc < 0 ? rc : buffer_append(text, blanks, pad + 2);
}

static int render_facts(enum output_mode mode, const struct record *record, struct buffer *text)
{
    unsigned show = mode == OUTPUT_PEOPLE ? SHOW_PEOPLE : SHOW_BARE;
    size_t width = 0;

    for (size_t i = 0; i < record->count; i++) {
        const struct field *field = &record->fields[i];

        if ((field->show & show) && !is_empty(field) && strlen(field->key) > width)
            width = strlen(field->key);
    }
    for (size_t i = 0; i < record->count; i++) {
        const struct field *field = &record->fields[i];

        if (!(field->show & show) || (mode == OUTPUT_PEOPLE && is_empty(field)))
            continue;
        if (render_key(mode, field->key, width, text) < 0 || append_value(text, mode, field) < 0 ||
            buffer_append(text, "\n", 1) < 0)
            return RC_NO_MEMORY;
    }
    return RC_OK;
}

int render_record(enum output_mode mode, const struct record *record, struct buffer *text)
{
    if (mode == OUTPUT_JSON)
        return render_json(record, text);
    if (mode == OUTPUT_PEOPLE && record->people != NULL) {
        const char *people = (const char *)record->people->data;
        bool newline = people[0] != '\0' && people[record->people->length - 2] == '\n';

        if (append_people(text, people) < 0)
            return RC_NO_MEMORY;
        return newline ? RC_OK : buffer_append(text, "\n", 1);
    }
    return record->shape == RECORD_ROW ? render_row(mode, record, text) : render_facts(mode, record, text);
}
