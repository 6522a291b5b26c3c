/* SPDX-License-Identifier: MIT */
/* The verbs of emu_ctl.h about readers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "tests/usbemu/emu_bus.h"
#include "tests/usbemu/emu_ctl.h"
#include "tests/usbemu/emu_reader.h"

struct plugged {
    struct plugged *next;
    char *path;
    struct emu_reader *reader;
};

static struct plugged *readers;

static struct plugged **find(const char *path)
{
    struct plugged **at = &readers;

    while (*at != NULL && path != NULL && strcmp((*at)->path, path) != 0)
        at = &(*at)->next;
    return at;
}

static struct emu_reader *reader_at(const char *path)
{
    struct plugged *plugged = *find(path);

    return plugged != NULL ? plugged->reader : NULL;
}

/* What the library has to say to a failure of ours. */
static int explain(int rc, char *reply, size_t room)
{
    if (rc >= 0)
        return 0;
    snprintf(reply, room, "%s", detail_get());
    return rc == RC_NO_MEMORY ? -ENOMEM : -EINVAL;
}

/* Takes "path=" and "driver=" for the place, everything else for the reader. */
static int configure(int argc, char **argv, struct emu_reader_config *config, struct emu_place *place)
{
    for (int i = 2; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        int rc;

        if (value == NULL)
            return RC_INVALID_VALUE;
        *value++ = '\0';
        if (strcmp(argv[i], "path") == 0) {
            place->path = value;
        } else if (strcmp(argv[i], "denied") == 0) {
            place->denied = strcmp(value, "off") != 0;
        } else if (strcmp(argv[i], "held") == 0) {
            place->held = (uint32_t)strtoul(value, NULL, 0);
        } else if (strcmp(argv[i], "driver") == 0) {
            place->bound = 1;
            place->driver = value;
        } else {
            rc = emu_reader_config_set(config, argv[i], value);
            if (rc < 0)
                return rc;
        }
    }
    return 0;
}

static int plug(int argc, char **argv, char *reply, size_t room)
{
    const struct emu_reader_config *preset = argc > 1 ? emu_reader_preset(argv[1]) : NULL;
    struct plugged *plugged = calloc(1, sizeof *plugged);
    struct emu_reader_config config;
    struct emu_place place = {0};
    int result = -EINVAL;

    if (plugged == NULL)
        return -ENOMEM;
    if (preset == NULL)
        goto fail;
    config = *preset;
    result = explain(configure(argc, argv, &config, &place), reply, room);
    if (result == 0)
        result = explain(emu_reader_new(&config, &plugged->reader), reply, room);
    if (result < 0)
        goto fail;
    result = emu_plug_as(emu_reader_device(plugged->reader), &place);
    if (result < 0) {
        emu_reader_free(plugged->reader);
        goto fail;
    }
    plugged->path = strdup(emu_bus_path(emu_reader_device(plugged->reader)));
    if (plugged->path == NULL)
        abort();
    snprintf(reply, room, "%s", plugged->path);
    plugged->next = readers;
    readers = plugged;
    return 0;

fail:
    free(plugged);
    return result;
}

static int unplug(int argc, char **argv, char *reply, size_t room)
{
    struct plugged **at = find(argc == 2 ? argv[1] : ""), *plugged = *at;

    (void)reply;
    (void)room;
    if (plugged == NULL)
        return -ENODEV;
    *at = plugged->next;
    emu_unplug(emu_reader_device(plugged->reader));
    emu_reader_free(plugged->reader);
    free(plugged->path);
    free(plugged);
    return 0;
}

/* Puts in what was pulled out by "pull", or by a fault. */
static int replug(int argc, char **argv, char *reply, size_t room)
{
    struct emu_reader *reader = reader_at(argc == 2 ? argv[1] : "");

    (void)reply;
    (void)room;
    return reader != NULL ? emu_plug(emu_reader_device(reader), argv[1]) : -ENODEV;
}

static int card(int argc, char **argv, char *reply, size_t room)
{
    struct emu_reader *reader = reader_at(argc > 1 ? argv[1] : "");
    unsigned slot = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;

    if (argc != 4)
        return -EINVAL;
    if (reader == NULL)
        return -ENODEV;
    if (strcmp(argv[3], "out") != 0)
        return explain(emu_reader_insert(reader, slot, argv[3]), reply, room);
    emu_reader_remove(reader, slot);
    return 0;
}

static int keys(int argc, char **argv, char *reply, size_t room)
{
    struct emu_reader *reader = reader_at(argc > 1 ? argv[1] : "");

    if (argc != 4)
        return -EINVAL;
    if (reader == NULL)
        return -ENODEV;
    return explain(emu_reader_keys(reader, (unsigned)strtoul(argv[2], NULL, 10), argv[3]), reply, room);
}

static int fault(int argc, char **argv, char *reply, size_t room)
{
    struct emu_reader *reader = reader_at(argc > 1 ? argv[1] : "");
    char text[256] = "";

    if (argc < 3)
        return -EINVAL;
    if (reader == NULL)
        return -ENODEV;
    if (argc == 3 && strcmp(argv[2], "none") == 0) {
        emu_reader_no_faults(reader);
        return 0;
    }
    for (int i = 2; i < argc; i++) {
        size_t length = strlen(text);

        snprintf(text + length, sizeof text - length, "%s%s", i > 2 ? " " : "", argv[i]);
    }
    return explain(emu_reader_fault_text(reader, text), reply, room);
}

static int messages(int argc, char **argv, char *reply, size_t room)
{
    static const char *const names[] = {
        [EMU_OUT] = "out", [EMU_IN] = "in", [EMU_INTERRUPT] = "interrupt", [EMU_CONTROL] = "control"};
    struct emu_reader *reader = reader_at(argc > 1 ? argv[1] : "");
    uint8_t type = argc > 3 ? (uint8_t)strtoul(argv[3], NULL, 16) : 0;

    if (argc < 3)
        return -EINVAL;
    if (reader == NULL)
        return -ENODEV;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], argv[2]) == 0) {
            snprintf(reply, room, "%zu", emu_reader_count(reader, (enum emu_where)i, type));
            return 0;
        }
    }
    return -EINVAL;
}

/* Before the constructor that executes EMU_INIT. */
__attribute__((constructor(102))) static void reader_verbs(void)
{
    emu_ctl_register("plug", "PRESET [path=1-2] [denied=on] [held=MASK] [driver=NAME] [KEY=VALUE]...", plug);
    emu_ctl_register("unplug", "PATH", unplug);
    emu_ctl_register("replug", "PATH", replug);
    emu_ctl_register("card", "PATH SLOT URI|out", card);
    emu_ctl_register("keys", "PATH SLOT KEYS", keys);
    emu_ctl_register("fault", "PATH none|RULE", fault);
    emu_ctl_register("count", "PATH out|in|interrupt|control [TYPE]", messages);
}
