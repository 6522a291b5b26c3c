/* SPDX-License-Identifier: MIT */
#include "emu_ctl.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu_bus.h"
#include "emu_usb.h"

struct verb {
    struct verb *next;
    const char *name, *usage;
    emu_ctl_fn *run;
};

static struct verb *verbs;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

void emu_ctl_register(const char *name, const char *usage, emu_ctl_fn *run)
{
    struct verb *verb = malloc(sizeof *verb);

    if (verb == NULL)
        abort();
    *verb = (struct verb){.next = verbs, .name = name, .usage = usage, .run = run};
    verbs = verb;
}

/* Cuts a line into words, in place. Result: how many, at most most. */
static int cut(char *line, char **words, int most)
{
    int count = 0;

    for (char *at = line; count < most;) {
        char end = ' ';

        at += strspn(at, " \t\r\n");
        if (*at == '\0')
            break;
        if (*at == '"') {
            end = '"';
            at++;
        }
        words[count++] = at;
        while (*at != '\0' && *at != end && (end != ' ' || strchr("\t\r\n", *at) == NULL))
            at++;
        if (*at != '\0')
            *at++ = '\0';
    }
    words[count] = NULL;
    return count;
}

int emu_ctl_line(const char *line, char *reply, size_t room)
{
    char *copy = strdup(line), **words;
    const struct verb *verb = verbs;
    int count, result = -ENOMEM;

    reply[0] = '\0';
    words = calloc(strlen(line) / 2 + 2, sizeof *words);
    if (copy != NULL && words != NULL) {
        count = cut(copy, words, (int)(strlen(line) / 2 + 1));
        while (verb != NULL && count > 0 && strcmp(verb->name, words[0]) != 0)
            verb = verb->next;
        if (count == 0) {
            result = 0;
        } else if (verb == NULL) {
            snprintf(reply, room, "there is no verb '%s'", words[0]);
            result = -EINVAL;
        } else {
            pthread_mutex_lock(&one_at_a_time);
            result = verb->run(count, words, reply, room);
            pthread_mutex_unlock(&one_at_a_time);
        }
        if (result == -EINVAL && reply[0] == '\0')
            snprintf(reply, room, "usage: %s %s", verb->name, verb->usage);
        else if (result < 0 && reply[0] == '\0')
            snprintf(reply, room, "%s", strerror(-result));
    }
    free(words);
    free(copy);
    return result;
}

static int help(int argc, char **argv, char *reply, size_t room)
{
    size_t length = 0;

    (void)argc;
    (void)argv;
    for (const struct verb *verb = verbs; verb != NULL && length < room; verb = verb->next)
        length += (size_t)snprintf(reply + length, room - length, "%s%s %s", length > 0 ? "; " : "",
                                   verb->name, verb->usage);
    return 0;
}

static struct emu_device *device_at(const char *path)
{
    struct emu_usb *usb = path != NULL ? emu_usb_by_path(path, strlen(path)) : NULL;

    return usb != NULL && usb->device->host != NULL ? usb->device : NULL;
}

static int switched(const char *word)
{
    if (word == NULL)
        return -EINVAL;
    return strcmp(word, "on") == 0 ? 1 : strcmp(word, "off") == 0 ? 0 : -EINVAL;
}

static int seed(int argc, char **argv, char *reply, size_t room)
{
    (void)reply;
    (void)room;
    if (argc != 2)
        return -EINVAL;
    emu_bus_seed(strtoull(argv[1], NULL, 0));
    return 0;
}

static int split(int argc, char **argv, char *reply, size_t room)
{
    int on = argc == 2 ? switched(argv[1]) : -EINVAL;

    (void)reply;
    (void)room;
    if (on >= 0)
        emu_bus_split(on != 0);
    return on < 0 ? on : 0;
}

/* The verbs about one device: what they do to it. */
static int with_device(int argc, char **argv)
{
    struct emu_device *device = device_at(argv[1]);
    int on = argc > 2 ? switched(argv[argc - 1]) : -EINVAL;

    if (device == NULL)
        return -ENODEV;
    if (strcmp(argv[0], "pull") == 0 && argc == 2) {
        emu_unplug(device);
    } else if (strcmp(argv[0], "permit") == 0 && argc == 3 && on >= 0) {
        emu_bus_permit(device, on != 0);
    } else if (strcmp(argv[0], "hold") == 0 && argc == 4 && on >= 0) {
        emu_bus_hold(device, (unsigned)strtoul(argv[2], NULL, 10), on != 0);
    } else if (strcmp(argv[0], "bind") == 0 && argc == 4) {
        emu_bus_bind(device, (unsigned)strtoul(argv[2], NULL, 10), on == 0 ? NULL : argv[3]);
    } else {
        return -EINVAL;
    }
    return 0;
}

static int about_device(int argc, char **argv, char *reply, size_t room)
{
    int result;

    (void)reply;
    (void)room;
    if (argc < 2)
        return -EINVAL;
    emu_lock();
    result = with_device(argc, argv);
    emu_unlock();
    return result;
}

static int list(int argc, char **argv, char *reply, size_t room)
{
    size_t length = 0;

    (void)argc;
    (void)argv;
    emu_lock();
    for (const struct emu_usb *usb = emu_bus_first; usb != NULL && length < room; usb = usb->next) {
        if (usb->device->host != NULL)
            length += (size_t)snprintf(reply + length, room - length, "%s%s=%u.%u", length > 0 ? " " : "",
                                       usb->path, usb->bus, usb->address);
    }
    emu_unlock();
    return 0;
}

static int count(int argc, char **argv, char *reply, size_t room)
{
    (void)argc;
    if (strcmp(argv[0], "blamed") == 0)
        snprintf(reply, room, "%u", emu_blamed());
    else
        snprintf(reply, room, "%lu", emu_bus_transfers());
    return 0;
}

/* Before the constructor that executes EMU_INIT. */
__attribute__((constructor(101))) static void own_verbs(void)
{
    emu_ctl_register("help", "", help);
    emu_ctl_register("seed", "NUMBER", seed);
    emu_ctl_register("split", "on|off", split);
    emu_ctl_register("pull", "PATH", about_device);
    emu_ctl_register("permit", "PATH on|off", about_device);
    emu_ctl_register("hold", "PATH INTERFACE on|off", about_device);
    emu_ctl_register("bind", "PATH INTERFACE DRIVER|off", about_device);
    emu_ctl_register("list", "", list);
    emu_ctl_register("blamed", "", count);
    emu_ctl_register("transfers", "", count);
}
