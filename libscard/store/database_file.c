/* SPDX-License-Identifier: MIT */
#include "store/database_file.h"

#include <libconfig.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rc.h"

/* The file was told as a problem; not a failure. */
#define UNUSABLE 1

struct reading {
    struct database *database;
    const char *path;
    struct database_card card;
    struct database_reader reader;
    struct database_group group;
    char *name;
    size_t mask_length;
    unsigned mask_line;
    bool has_mask, has_readers;
};

/* One setting of a kind of file. */
struct setting {
    const char *name;
    int (*take)(struct reading *reading, const config_setting_t *setting);
};

static unsigned line_of(const config_setting_t *setting)
{
    return (unsigned)config_setting_source_line(setting);
}

/* One more item for an array that is grown by one each time. */
static void *grow(void *items, size_t count, size_t size)
{
    return realloc(items, (count + 1) * size);
}

int database_problem_add(struct database *database, const char *path, unsigned line, const char *format, ...)
{
    struct database_problem problem = {.line = line, .path = strdup(path)}, *grown;
    va_list args;

    va_start(args, format);
    if (vasprintf(&problem.text, format, args) < 0)
        problem.text = NULL;
    va_end(args);
    grown = grow(database->problems, database->problem_count, sizeof *grown);
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

/* A problem with a line of the file. */
#define UNUSABLE_LINE(reading, line, ...)                                                                    \
    (database_problem_add((reading)->database, (reading)->path, line, __VA_ARGS__) ? RC_NO_MEMORY : UNUSABLE)

static int take_string(struct reading *reading, const config_setting_t *setting, const char *what,
                       char **ret_text)
{
    const char *text = config_setting_get_string(setting);

    if (!text)
        return UNUSABLE_LINE(reading, line_of(setting), "%s is a text in quotes: %s = \"…\";", what, what);
    if (!name_is_valid(text))
        return UNUSABLE_LINE(reading, line_of(setting),
                             "%s is no text of 1 to %u bytes of UTF-8 without control characters", what,
                             NAME_MAX_BYTES);
    *ret_text = strdup(text);
    return *ret_text ? RC_OK : RC_NO_MEMORY;
}

static int take_name(struct reading *reading, const config_setting_t *setting)
{
    return take_string(reading, setting, "name", &reading->name);
}

static int take_bytes(struct reading *reading, const config_setting_t *setting,
                      uint8_t bytes[DATABASE_ATR_MAX], size_t *ret_length)
{
    const char *text = config_setting_get_string(setting), *what = config_setting_name(setting);
    size_t length = text ? strlen(text) : 0, at;
    uint8_t *parsed;
    int rc;

    if (!text)
        return UNUSABLE_LINE(reading, line_of(setting), "%s is a text in quotes: %s = \"3B 65 …\";", what,
                             what);
    parsed = malloc(length / 2 + 1);
    if (!parsed)
        return RC_NO_MEMORY;
    rc = hex_parse(text, length, parsed, ret_length, &at);
    if (rc == RC_INVALID_VALUE)
        rc = UNUSABLE_LINE(reading, line_of(setting),
                           at < length ? "%s is no text of hexadecimal bytes: see its character %zu"
                                       : "%s ends with half a byte, behind character %zu",
                           what, at < length ? at + 1 : at);
    else if (*ret_length == 0 || *ret_length > DATABASE_ATR_MAX)
        rc = UNUSABLE_LINE(reading, line_of(setting), "%s has %zu bytes: it can have 1 to %d", what,
                           *ret_length, DATABASE_ATR_MAX);
    else
        memcpy(bytes, parsed, *ret_length);
    free(parsed);
    return rc;
}

static int take_atr(struct reading *reading, const config_setting_t *setting)
{
    return take_bytes(reading, setting, reading->card.atr, &reading->card.atr_length);
}

static int take_mask(struct reading *reading, const config_setting_t *setting)
{
    reading->has_mask = true;
    reading->mask_line = line_of(setting);
    return take_bytes(reading, setting, reading->card.mask, &reading->mask_length);
}

static bool is_sequence(const config_setting_t *setting)
{
    return config_setting_is_list(setting) || config_setting_is_array(setting);
}

static int take_interfaces(struct reading *reading, const config_setting_t *setting)
{
    struct database_card *card = &reading->card;

    if (!is_sequence(setting))
        return UNUSABLE_LINE(reading, line_of(setting), "write interfaces = ( \"{GUID}\", … );");
    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
        const char *text = config_setting_get_string(item);
        struct guid guid, *grown;

        if (!text || !guid_scan(text, &guid))
            return UNUSABLE_LINE(reading, line_of(item),
                                 "an interface is a GUID, as \"{01234567-89AB-CDEF-0123-456789ABCDEF}\"");
        grown = grow(card->interfaces, card->interface_count, sizeof guid);
        if (!grown)
            return RC_NO_MEMORY;
        card->interfaces = grown;
        grown[card->interface_count++] = guid;
    }
    return RC_OK;
}

static int take_primary(struct reading *reading, const config_setting_t *setting)
{
    const char *text = config_setting_get_string(setting);
    struct guid guid;

    if (!text || !guid_scan(text, &guid))
        return UNUSABLE_LINE(reading, line_of(setting),
                             "primary is a GUID, as \"{01234567-89AB-CDEF-0123-456789ABCDEF}\"");
    return take_string(reading, setting, "primary", &reading->card.providers[PROVIDER_PRIMARY]);
}

static int take_csp(struct reading *reading, const config_setting_t *setting)
{
    return take_string(reading, setting, "csp", &reading->card.providers[PROVIDER_CSP]);
}

static int take_ksp(struct reading *reading, const config_setting_t *setting)
{
    return take_string(reading, setting, "ksp", &reading->card.providers[PROVIDER_KSP]);
}

static int take_module(struct reading *reading, const config_setting_t *setting)
{
    return take_string(reading, setting, "module", &reading->card.providers[PROVIDER_MODULE]);
}

static int take_device(struct reading *reading, const config_setting_t *setting)
{
    return take_string(reading, setting, "device", &reading->reader.device);
}

static int take_hidden(struct reading *reading, const config_setting_t *setting)
{
    if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
        return UNUSABLE_LINE(reading, line_of(setting), "write hidden = true;");
    reading->reader.hidden = config_setting_get_bool(setting);
    return RC_OK;
}

static bool is_member(const struct database_group *group, const char *reader)
{
    for (size_t i = 0; i < group->reader_count; i++)
        if (!strcmp(group->readers[i], reader))
            return true;
    return false;
}

static int take_readers(struct reading *reading, const config_setting_t *setting)
{
    struct database_group *group = &reading->group;

    if (!is_sequence(setting))
        return UNUSABLE_LINE(reading, line_of(setting), "write readers = ( \"Name of a reader\", … );");
    reading->has_readers = true;
    for (int i = 0; i < config_setting_length(setting); i++) {
        char *name, **grown;
        int rc = take_string(reading, config_setting_get_elem(setting, (unsigned)i), "readers", &name);

        if (rc)
            return rc;
        grown = is_member(group, name) ? NULL : grow(group->readers, group->reader_count, sizeof *grown);
        if (grown) {
            group->readers = grown;
            grown[group->reader_count++] = name;
        } else {
            bool twice = is_member(group, name);

            free(name);
            if (!twice)
                return RC_NO_MEMORY;
        }
    }
    return RC_OK;
}

static const struct setting card_settings[] = {{"name", take_name},
                                               {"atr", take_atr},
                                               {"mask", take_mask},
                                               {"interfaces", take_interfaces},
                                               {"primary", take_primary},
                                               {"csp", take_csp},
                                               {"ksp", take_ksp},
                                               {"module", take_module},
                                               {NULL, NULL}};
static const struct setting reader_settings[] = {
    {"name", take_name}, {"device", take_device}, {"hidden", take_hidden}, {NULL, NULL}};
static const struct setting group_settings[] = {{"name", take_name}, {"readers", take_readers}, {NULL, NULL}};

/* The settings of each kind, and in words. */
static const struct {
    const struct setting *settings;
    const char *known;
} kinds[DATABASE_KINDS] = {
    [DATABASE_CARDS] = {card_settings, "name, atr, mask, interfaces, primary, csp, ksp and module"},
    [DATABASE_READERS] = {reader_settings, "name, device and hidden"},
    [DATABASE_GROUPS] = {group_settings, "name and readers"},
};

/* A setting that is not known is most often one that is misspelt. */
static int take_settings(struct reading *reading, enum database_kind kind, const config_t *config)
{
    const config_setting_t *root = config_root_setting(config);
    int rc = RC_OK;

    for (int i = 0; i < config_setting_length(root) && !rc; i++) {
        const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
        const struct setting *known = kinds[kind].settings;

        while (known->name && strcmp(known->name, config_setting_name(setting)) != 0)
            known++;
        rc = known->name ? known->take(reading, setting)
                         : UNUSABLE_LINE(reading, line_of(setting), "unknown setting '%s'; known are %s",
                                         config_setting_name(setting), kinds[kind].known);
    }
    return rc;
}

static int check_mask(struct reading *reading)
{
    struct database_card *card = &reading->card;

    if (!reading->has_mask) {
        memset(card->mask, 0xFF, sizeof card->mask);
        return RC_OK;
    }
    if (reading->mask_length == card->atr_length)
        return RC_OK;
    return UNUSABLE_LINE(reading, reading->mask_line,
                         "the mask has %zu bytes, and the ATR %zu: make them equal", reading->mask_length,
                         card->atr_length);
}

/* Is everything there? */
static int check(struct reading *reading, enum database_kind kind)
{
    if (!reading->name)
        return UNUSABLE_LINE(reading, 0, "there is no name in it: write name = \"…\";");
    if (kind == DATABASE_CARDS)
        return check_mask(reading);
    if (kind == DATABASE_READERS && reading->reader.hidden == !!reading->reader.device)
        return UNUSABLE_LINE(reading, 0,
                             "say either what the name stands for, device = \"…\"; or that it is not "
                             "shown, hidden = true;");
    if (kind == DATABASE_GROUPS && !reading->has_readers)
        return UNUSABLE_LINE(reading, 0, "there are no readers in it: write readers = ( \"…\", … );");
    return RC_OK;
}

/* libconfig's scanner would open files that the text includes, and end the process if it cannot. */
static int check_text(struct reading *reading, const char *text, size_t length)
{
    unsigned line = 1;

    if (memchr(text, '\0', length))
        return UNUSABLE_LINE(reading, 0, "it holds a byte 00: it is no text");
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n', line++)
        if (!strncmp(at + strspn(at, " \t"), "@include", 8))
            return UNUSABLE_LINE(reading, line, "files cannot be included: write the settings here");
    return RC_OK;
}

static int parse(struct reading *reading, enum database_kind kind, const char *text)
{
    config_t config;
    int rc;

    config_init(&config);
    if (config_read_string(&config, text))
        rc = take_settings(reading, kind, &config);
    else
        rc = UNUSABLE_LINE(reading, (unsigned)config_error_line(&config), "%s: mend the line or take it out",
                           config_error_text(&config));
    config_destroy(&config);
    return rc ? rc : check(reading, kind);
}

/* The path and the name go over to the entry. */
static int add_card(struct reading *reading, char *path, enum database_scope scope)
{
    struct database *database = reading->database;
    struct database_card *grown = grow(database->cards, database->card_count, sizeof *grown), *card;

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

static int add_reader(struct reading *reading, char *path, enum database_scope scope)
{
    struct database *database = reading->database;
    struct database_reader *grown = grow(database->readers, database->reader_count, sizeof *grown);

    if (!grown)
        return RC_NO_MEMORY;
    database->readers = grown;
    grown[database->reader_count++] =
        (struct database_reader){scope, path, reading->name, reading->reader.device, reading->reader.hidden};
    return RC_OK;
}

static int add_group(struct reading *reading, char *path, enum database_scope scope)
{
    struct database *database = reading->database;
    struct database_group *grown = grow(database->groups, database->group_count, sizeof *grown);

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
    static int (*const add[DATABASE_KINDS])(struct reading *, char *,
                                            enum database_scope) = {add_card, add_reader, add_group};
    struct reading reading = {.database = database, .path = path};
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
    return rc == UNUSABLE ? RC_OK : rc;
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
