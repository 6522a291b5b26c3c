/* SPDX-License-Identifier: MIT */
#include "store/database_text.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rc.h"

/* The length of the comment that begins there, 0 if none does. One that does not end is none. */
static size_t comment(const char *at)
{
    const char *end;

    if (at[0] == '#' || (at[0] == '/' && at[1] == '/'))
        return strcspn(at, "\n");
    if (at[0] != '/' || at[1] != '*')
        return 0;
    end = strstr(at + 2, "*/");
    return end ? (size_t)(end + 2 - at) : 0;
}

size_t database_text_head(const char *text, size_t length)
{
    const char *at = text, *end = text;
    size_t count;

    if (length >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3))
        at += 3;
    do {
        at += strspn(at, " \t\r\n\f");
        count = comment(at);
        at += count;
        if (count)
            end = at;
    } while (count);
    return (size_t)(end - text);
}

static bool add_string(config_setting_t *root, const char *name, const char *text)
{
    config_setting_t *setting = config_setting_add(root, name, CONFIG_TYPE_STRING);

    return setting && config_setting_set_string(setting, text);
}

static bool add_bytes(config_setting_t *root, const char *name, const uint8_t *bytes, size_t count)
{
    char text[3 * DATABASE_ATR_MAX + 1] = "";

    for (size_t i = 0; i < count; i++)
        snprintf(text + 3 * i, 4, i + 1 < count ? "%02X " : "%02X", bytes[i]);
    return add_string(root, name, text);
}

static bool is_all_ones(const uint8_t *mask, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (mask[i] != 0xFF)
            return false;
    return true;
}

static bool add_interfaces(config_setting_t *root, const struct database_card *card)
{
    config_setting_t *list = config_setting_add(root, "interfaces", CONFIG_TYPE_LIST);
    char text[GUID_TEXT_MAX];

    for (size_t i = 0; list && i < card->interface_count; i++) {
        guid_format(&card->interfaces[i], text);
        if (!config_setting_set_string_elem(list, -1, text))
            return false;
    }
    return list;
}

static bool add_card(config_setting_t *root, const void *entry)
{
    static const char *const names[PROVIDER_COUNT] = {"primary", "csp", "ksp", "module"};
    const struct database_card *card = entry;

    if (!add_string(root, "name", card->name))
        return false;
    if (card->atr_length && !add_bytes(root, "atr", card->atr, card->atr_length))
        return false;
    if (!is_all_ones(card->mask, card->atr_length) && !add_bytes(root, "mask", card->mask, card->atr_length))
        return false;
    if (card->interface_count && !add_interfaces(root, card))
        return false;
    for (size_t i = 0; i < PROVIDER_COUNT; i++)
        if (card->providers[i] && !add_string(root, names[i], card->providers[i]))
            return false;
    return true;
}

static bool add_reader(config_setting_t *root, const void *entry)
{
    const struct database_reader *reader = entry;
    config_setting_t *hidden;

    if (!add_string(root, "name", reader->name))
        return false;
    if (!reader->hidden)
        return add_string(root, "device", reader->device);
    hidden = config_setting_add(root, "hidden", CONFIG_TYPE_BOOL);
    return hidden && config_setting_set_bool(hidden, 1);
}

static bool add_group(config_setting_t *root, const void *entry)
{
    const struct database_group *group = entry;
    config_setting_t *list;

    if (!add_string(root, "name", group->name))
        return false;
    list = config_setting_add(root, "readers", CONFIG_TYPE_LIST);
    for (size_t i = 0; list && i < group->reader_count; i++)
        if (!config_setting_set_string_elem(list, -1, group->readers[i]))
            return false;
    return list;
}

/* The setting of an entry as libconfig writes them, behind the head. */
static int format(bool (*add)(config_setting_t *root, const void *entry), const void *entry, const char *head,
                  char **ret_text, size_t *ret_length)
{
    char *text = NULL;
    size_t length = 0;
    bool written = false;
    config_t config;
    FILE *file;

    config_init(&config);
    if (add(config_root_setting(&config), entry) && (file = open_memstream(&text, &length))) {
        fprintf(file, "%s%s", head, *head ? "\n" : "");
        config_write(&config, file);
        written = !ferror(file);
        written &= !fclose(file);
    }
    config_destroy(&config);
    if (!written) {
        free(text);
        return RC_NO_MEMORY;
    }
    *ret_text = text;
    *ret_length = length;
    return RC_OK;
}

int database_text_card(const struct database_card *card, const char *head, char **ret_text,
                       size_t *ret_length)
{
    return format(add_card, card, head ? head : "# A type of smart card: see scard-database(5).", ret_text,
                  ret_length);
}

int database_text_reader(const struct database_reader *reader, const char *head, char **ret_text,
                         size_t *ret_length)
{
    return format(add_reader, reader, head ? head : "# A name of a smart-card reader: see scard-database(5).",
                  ret_text, ret_length);
}

int database_text_group(const struct database_group *group, const char *head, char **ret_text,
                        size_t *ret_length)
{
    return format(add_group, group, head ? head : "# A group of smart-card readers: see scard-database(5).",
                  ret_text, ret_length);
}
