/* SPDX-License-Identifier: MIT */
#include "store/database_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "store/database_setting.h"

int database_problem_add(struct database *database, const char *path, unsigned line, const char *format, ...)
{
    struct database_problem problem = {.line = line, .path = strdup(path)}, *grown;
    va_list args;

    va_start(args, format);
    if (vasprintf(&problem.text, format, args) < 0)
        problem.text = NULL;
    va_end(args);
    grown = realloc(database->problems, (database->problem_count + 1) * sizeof *grown);
    if (grown)
        database->problems = grown;
    if (!grown || !problem.path || !problem.text) {
        free(problem.path);
        free(problem.text);
        return RC_NO_MEMORY;
    }
    grown[database->problem_count++] = problem;
    return RC_OK;
}

static int check_mask(struct database_reading *reading)
{
    struct database_card *card = &reading->card;

    if (!reading->has_mask) {
        memset(card->mask, 0xFF, sizeof card->mask);
        return RC_OK;
    }
    if (reading->mask_length == card->atr_length)
        return RC_OK;
    return DATABASE_UNUSABLE_LINE(reading, reading->mask_line,
                                  "the mask has %zu bytes, and the ATR %zu: make them equal",
                                  reading->mask_length, card->atr_length);
}

/* Is everything there? */
static int check(struct database_reading *reading, enum database_kind kind)
{
    if (!reading->name)
        return DATABASE_UNUSABLE_LINE(reading, 0, "there is no name in it: write name = \"…\";");
    if (kind == DATABASE_CARDS)
        return check_mask(reading);
    if (kind == DATABASE_READERS && reading->reader.hidden == !!reading->reader.device)
        return DATABASE_UNUSABLE_LINE(
            reading, 0,
            "say either what the name stands for, device = \"…\"; or that it is not "
            "shown, hidden = true;");
    if (kind == DATABASE_GROUPS && !reading->has_readers)
        return DATABASE_UNUSABLE_LINE(reading, 0,
                                      "there are no readers in it: write readers = ( \"…\", … );");
    return RC_OK;
}

/* libconfig's scanner would open files that the text includes, and end the process if it cannot. */
static int check_text(struct database_reading *reading, const char *text, size_t length)
{
    unsigned line = 1;

    if (memchr(text, '\0', length))
        return DATABASE_UNUSABLE_LINE(reading, 0, "it holds a byte 00: it is no text");
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n', line++)
        if (!strncmp(at + strspn(at, " \t"), "@include", 8))
            return DATABASE_UNUSABLE_LINE(reading, line, "files cannot be included: write the settings here");
    return RC_OK;
}

static int parse(struct database_reading *reading, enum database_kind kind, const char *text)
{
    config_t config;
    int rc;

    config_init(&config);
    if (config_read_string(&config, text))
        rc = database_setting_take(reading, kind, config_root_setting(&config));
    else
        rc = DATABASE_UNUSABLE_LINE(reading, (unsigned)config_error_line(&config),
                                    "%s: mend the line or take it out", config_error_text(&config));
    config_destroy(&config);
    return rc ? rc : check(reading, kind);
}

/* The path and the name go over to the entry. */
static int add_card(struct database_reading *reading, char *path, enum database_scope scope)
{
    struct database *database = reading->database;
    struct database_card *grown = realloc(database->cards, (database->card_count + 1) * sizeof *grown), *card;

    if (!grown)
        return RC_NO_MEMORY;
    database->cards = grown;
    card = &grown[database->card_count++];
    *card = reading->card;
    card->scope = scope;
    card->path = path;
    card->name = reading->name;
    return RC_OK;
}

static int add_reader(struct database_reading *reading, char *path, enum database_scope scope)
{
    struct database *database = reading->database;
    struct database_reader *grown = realloc(database->readers, (database->reader_count + 1) * sizeof *grown);

    if (!grown)
        return RC_NO_MEMORY;
    database->readers = grown;
    grown[database->reader_count++] =
        (struct database_reader){scope, path, reading->name, reading->reader.device, reading->reader.hidden};
    return RC_OK;
}

static int add_group(struct database_reading *reading, char *path, enum database_scope scope)
{
    struct database *database = reading->database;
    struct database_group *grown = realloc(database->groups, (database->group_count + 1) * sizeof *grown);

    if (!grown)
        return RC_NO_MEMORY;
    database->groups = grown;
    grown[database->group_count++] = (struct database_group){
        scope, path, reading->name, reading->group.readers, reading->group.reader_count};
    return RC_OK;
}

int database_file_take(const char *path, enum database_scope scope, enum database_kind kind, const char *text,
                       size_t length, struct database *database)
{
    static int (*const add[DATABASE_KINDS])(struct database_reading *, char *,
                                            enum database_scope) = {add_card, add_reader, add_group};
    struct database_reading reading = {.database = database, .path = path};
    char *own_path = NULL;
    int rc;

    /* Some editors write a mark of UTF-8 at the start. */
    if (length >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) {
        text += 3;
        length -= 3;
    }
    rc = check_text(&reading, text, length);
    if (!rc)
        rc = parse(&reading, kind, text);
    if (!rc) {
        own_path = strdup(path);
        rc = own_path ? add[kind](&reading, own_path, scope) : RC_NO_MEMORY;
        if (!rc)
            return RC_OK;
    }
    free(own_path);
    reading.card.name = reading.name;
    database_card_fini(&reading.card);
    database_reader_fini(&reading.reader);
    database_group_fini(&reading.group);
    return rc == DATABASE_UNUSABLE ? RC_OK : rc;
}

void database_card_fini(struct database_card *card)
{
    free(card->path);
    free(card->name);
    free(card->interfaces);
    for (size_t i = 0; i < PROVIDER_COUNT; i++)
        free(card->providers[i]);
}

void database_reader_fini(struct database_reader *reader)
{
    free(reader->path);
    free(reader->name);
    free(reader->device);
}

void database_group_fini(struct database_group *group)
{
    free(group->path);
    free(group->name);
    for (size_t i = 0; i < group->reader_count; i++)
        free(group->readers[i]);
    free(group->readers);
}
