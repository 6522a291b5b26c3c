/* SPDX-License-Identifier: MIT */
#include "cli/doctor/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/parse.h"

/* In the order in which a file of the same name stands for those behind. udev(7). */
static const char *const folders[] = {"/etc/udev/rules.d", "/run/udev/rules.d", "/usr/local/lib/udev/rules.d",
                                      "/usr/lib/udev/rules.d", "/lib/udev/rules.d"};

#define FOLDERS (sizeof folders / sizeof folders[0])

/* This file gives out what is tagged: whoever tags later is not heard. */
#define SEAT_LATE "73-seat-late.rules"

/* Is a file of that name in a folder before this one. */
static bool is_overridden(char **const lists[FOLDERS], size_t folder, const char *name)
{
    for (size_t i = 0; i < folder; i++)
        for (size_t k = 0; lists[i] != NULL && lists[i][k] != NULL; k++)
            if (strcmp(lists[i][k], name) == 0)
                return true;
    return false;
}

struct property {
    bool set, used; /* a file sets ID_SMARTCARD_READER; a file makes uaccess of it */
    char set_by[256];
};

static void take_file(const struct parse_rules *found, const char *path, const char *name,
                      struct property *property, struct rules *rules)
{
    bool late = strcmp(name, SEAT_LATE) > 0;

    if (found->uaccess)
        snprintf(late ? rules->late : rules->uaccess, sizeof rules->late, "%.255s", path);
    if (found->reader) {
        property->set = true;
        snprintf(property->set_by, sizeof property->set_by, "%.255s", path);
    }
    if (found->by_reader && !late)
        property->used = true;
    if (found->group[0] != '\0') {
        snprintf(rules->group, sizeof rules->group, "%.63s", found->group);
        snprintf(rules->group_file, sizeof rules->group_file, "%.255s", path);
    }
    if (found->ignored)
        snprintf(rules->ignored, sizeof rules->ignored, "%.255s", path);
}

static void take_folder(const struct exam *exam, const struct device *device, char **const lists[FOLDERS],
                        size_t folder, struct property *property, struct rules *rules)
{
    for (size_t i = 0; lists[folder] != NULL && lists[folder][i] != NULL; i++) {
        const char *name = lists[folder][i];
        size_t length = strlen(name);
        struct parse_rules found;
        char path[SYSTEM_PATH_MAX];
        char *text;

        if (length < 6 || strcmp(name + length - 6, ".rules") != 0 || is_overridden(lists, folder, name))
            continue;
        rules->any = true;
        snprintf(path, sizeof path, "%s/%.255s", folders[folder], name);
        text = system_text(&exam->system, "%s", path);
        if (text == NULL)
            continue;
        parse_rules(text, device->vendor, device->product, &found);
        take_file(&found, path, name, property, rules);
        free(text);
    }
}

/* What udev remembers of a node: a line "Q:tag" for each tag in force, "G:tag" before that was known. */
static void take_applied(const struct exam *exam, const struct device *device, struct rules *rules)
{
    unsigned minor =
        device->bus > 0 && device->address > 0 ? (device->bus - 1) * 128 + device->address - 1 : 0;
    char *text = system_text(&exam->system, "/run/udev/data/c189:%u", minor);

    if (text == NULL)
        return;
    rules->known = true;
    rules->tagged = parse_has_both(text, "Q:uaccess", NULL) ||
                    (!parse_has_both(text, "Q:", NULL) && parse_has_both(text, "G:uaccess", NULL));
    rules->hidden = parse_has_both(text, "E:PCSCLITE_IGNORE=1", NULL);
    free(text);
}

void rules_find(const struct exam *exam, const struct device *device, struct rules *ret_rules)
{
    char **lists[FOLDERS];
    struct property property = {0};

    *ret_rules = (struct rules){0};
    for (size_t i = 0; i < FOLDERS; i++)
        lists[i] = system_names(&exam->system, "%s", folders[i]);
    for (size_t i = 0; i < FOLDERS; i++)
        take_folder(exam, device, lists, i, &property, ret_rules);
    if (property.set && property.used && ret_rules->uaccess[0] == '\0')
        snprintf(ret_rules->uaccess, sizeof ret_rules->uaccess, "%s", property.set_by);
    for (size_t i = 0; i < FOLDERS; i++)
        system_names_free(lists[i]);
    take_applied(exam, device, ret_rules);
}

bool rules_needed(const struct exam *exam)
{
    return exam->local && exam->looks_at_usb;
}
