/* SPDX-License-Identifier: MIT */
#include "store/database_setting.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rc.h"

/* One setting of a kind of file. */
struct setting {
    const char *name;
    int (*take)(struct database_reading *reading, const config_setting_t *setting);
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

static int take_string(struct database_reading *reading, const config_setting_t *setting, const char *what,
                       char **ret_text)
{
    const char *text = config_setting_get_string(setting);

    if (!text)
        return DATABASE_UNUSABLE_LINE(reading, line_of(setting), "%s is a text in quotes: %s = \"…\";", what,
                                      what);
    if (!name_is_valid(text))
        return DATABASE_UNUSABLE_LINE(reading, line_of(setting),
                                      "%s is no text of 1 to %u bytes of UTF-8 without control characters",
                                      what, NAME_MAX_BYTES);
    *ret_text = strdup(text);
    return *ret_text ? RC_OK : RC_NO_MEMORY;
}

static int take_name(struct database_reading *reading, const config_setting_t *setting)
{
    return take_string(reading, setting, "name", &reading->name);
}

static int take_bytes(struct database_reading *reading, const config_setting_t *setting,
                      uint8_t bytes[DATABASE_ATR_MAX], size_t *ret_length)
{
    const char *text = config_setting_get_string(setting), *what = config_setting_name(setting);
    size_t length = text ? strlen(text) : 0, at;
    uint8_t *parsed;
    int rc;

    if (!text)
        return DATABASE_UNUSABLE_LINE(reading, line_of(setting), "%s is a text in quotes: %s = \"3B 65 …\";",
                                      what, what);
    parsed = malloc(length / 2 + 1);
    if (!parsed)
        return RC_NO_MEMORY;
    rc = hex_parse(text, length, parsed, ret_length, &at);
    if (rc == RC_INVALID_VALUE)
        rc = DATABASE_UNUSABLE_LINE(reading, line_of(setting),
                                    at < length ? "%s is no text of hexadecimal bytes: see its character %zu"
                                                : "%s ends with half a byte, behind character %zu",
                                    what, at < length ? at + 1 : at);
    else if (*ret_length == 0 || *ret_length > DATABASE_ATR_MAX)
        rc = DATABASE_UNUSABLE_LINE(reading, line_of(setting), "%s has %zu bytes: it can have 1 to %d", what,
                                    *ret_length, DATABASE_ATR_MAX);
    else
        memcpy(bytes, parsed, *ret_length);
    free(parsed);
    return rc;
}

static int take_atr(struct database_reading *reading, const config_setting_t *setting)
{
    return take_bytes(reading, setting, reading->card.atr, &reading->card.atr_length);
}

static int take_mask(struct database_reading *reading, const config_setting_t *setting)
{
    reading->has_mask = true;
    reading->mask_line = line_of(setting);
    return take_bytes(reading, setting, reading->card.mask, &reading->mask_length);
}

static bool is_sequence(const config_setting_t *setting)
{
    return config_setting_is_list(setting) || config_setting_is_array(setting);
}

static int take_interfaces(struct database_reading *reading, const config_setting_t *setting)
{
    struct database_card *card = &reading->card;

    if (!is_sequence(setting))
        return DATABASE_UNUSABLE_LINE(reading, line_of(setting), "write interfaces = ( \"{GUID}\", … );");
    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
        const char *text = config_setting_get_string(item);
        struct guid guid, *grown;

        if (!text || !guid_scan(text, &guid))
            return DATABASE_UNUSABLE_LINE(
                reading, line_of(item),
                "an interface is a GUID, as \"{01234567-89AB-CDEF-0123-456789ABCDEF}\"");
        grown = grow(card->interfaces, card->interface_count, sizeof guid);
        if (!grown)
            return RC_NO_MEMORY;
        card->interfaces = grown;
        grown[card->interface_count++] = guid;
    }
    return RC_OK;
}

static int take_primary(struct database_reading *reading, const config_setting_t *setting)
{
    const char *text = config_setting_get_string(setting);
    struct guid guid;

    if (!text || !guid_scan(text, &guid))
        return DATABASE_UNUSABLE_LINE(reading, line_of(setting),
                                      "primary is a GUID, as \"{01234567-89AB-CDEF-0123-456789ABCDEF}\"");
    return take_string(reading, setting, "primary", &reading->card.providers[PROVIDER_PRIMARY]);
}

static int take_csp(struct database_reading *reading, const config_setting_t *setting)
{
    return take_string(reading, setting, "csp", &reading->card.providers[PROVIDER_CSP]);
}

static int take_ksp(struct database_reading *reading, const config_setting_t *setting)
{
    return take_string(reading, setting, "ksp", &reading->card.providers[PROVIDER_KSP]);
}

static int take_module(struct database_reading *reading, const config_setting_t *setting)
{
    return take_string(reading, setting, "module", &reading->card.providers[PROVIDER_MODULE]);
}

static int take_device(struct database_reading *reading, const config_setting_t *setting)
{
    return take_string(reading, setting, "device", &reading->reader.device);
}

static int take_hidden(struct database_reading *reading, const config_setting_t *setting)
{
    if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
        return DATABASE_UNUSABLE_LINE(reading, line_of(setting), "write hidden = true;");
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

static int take_readers(struct database_reading *reading, const config_setting_t *setting)
{
    struct database_group *group = &reading->group;

    if (!is_sequence(setting))
        return DATABASE_UNUSABLE_LINE(reading, line_of(setting),
                                      "write readers = ( \"Name of a reader\", … );");
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
int database_setting_take(struct database_reading *reading, enum database_kind kind,
                          const config_setting_t *root)
{
    int rc = RC_OK;

    for (int i = 0; i < config_setting_length(root) && !rc; i++) {
        const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
        const struct setting *known = kinds[kind].settings;

        while (known->name && strcmp(known->name, config_setting_name(setting)) != 0)
            known++;
        rc = known->name
                 ? known->take(reading, setting)
                 : DATABASE_UNUSABLE_LINE(reading, line_of(setting), "unknown setting '%s'; known are %s",
                                          config_setting_name(setting), kinds[kind].known);
    }
    return rc;
}
