/* SPDX-License-Identifier: MIT */
#include "sim/iso_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/rc.h"

int iso_file_add(struct iso_file *parent, const struct iso_file *model, struct iso_file **ret_file)
{
    struct iso_file *file = malloc(sizeof *file);

    if (!file)
        return RC_NO_MEMORY;
    *file = *model;
    file->parent = parent;
    file->children = file->next = NULL;
    if (file->record_limit) {
        file->records = calloc(file->record_limit, sizeof *file->records);
        if (!file->records) {
            free(file);
            return RC_NO_MEMORY;
        }
    }
    if (parent) {
        struct iso_file **end = &parent->children;

        while (*end)
            end = &(*end)->next;
        *end = file;
    }
    *ret_file = file;
    return RC_OK;
}

static void free_one(struct iso_file *file)
{
    for (size_t i = 0; i < file->record_count; i++)
        buffer_fini(&file->records[i]);
    free(file->records);
    buffer_fini(&file->content);
    free(file);
}

void iso_file_free(struct iso_file *root)
{
    struct iso_file *file = root;

    /* Leaves first: unhang the first child until there is none. */
    while (file) {
        struct iso_file *parent = file->parent;

        if (file->children) {
            file = file->children;
            continue;
        }
        if (parent)
            parent->children = file->next;
        free_one(file);
        file = parent;
    }
}

struct iso_file *iso_file_child(const struct iso_file *df, uint16_t id)
{
    for (struct iso_file *file = df->children; file; file = file->next)
        if (file->id == id)
            return file;
    return NULL;
}

struct iso_file *iso_file_by_sfi(const struct iso_file *df, unsigned sfi)
{
    for (struct iso_file *file = df->children; file; file = file->next)
        if (file->sfi && file->sfi == sfi)
            return file;
    return NULL;
}

struct iso_file *iso_file_following(struct iso_file *file)
{
    if (file->children)
        return file->children;
    while (file && !file->next)
        file = file->parent;
    return file ? file->next : NULL;
}

int iso_file_append_record(struct iso_file *ef, const uint8_t *data, size_t length)
{
    struct buffer record = {0};
    int rc;

    if (ef->record_count == ef->record_limit && ef->kind != ISO_CYCLIC)
        return RC_INSUFFICIENT_BUFFER;
    rc = buffer_append(&record, data, length);
    if (rc)
        return rc;
    if (ef->kind != ISO_CYCLIC) {
        ef->records[ef->record_count++] = record;
        return RC_OK;
    }
    if (ef->record_count == ef->record_limit)
        buffer_fini(&ef->records[--ef->record_count]);
    memmove(ef->records + 1, ef->records, ef->record_count * sizeof *ef->records);
    ef->records[0] = record;
    ef->record_count++;
    return RC_OK;
}

bool iso_file_has_record(const struct iso_file *ef, size_t number)
{
    return number >= 1 && number <= ef->record_count;
}
