/* SPDX-License-Identifier: MIT */
#include "cli/doctor/own_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/parse.h"
#include "cli/session_start.h"

const char *own_session_name(const struct exam *exam, const struct process *process,
                             char name[OWN_SESSION_ROOM])
{
    const char *at = strstr(process->command, " " SESSION_WORD " ");

    if (at == NULL || strcmp(process->name, "scard") != 0 || process->uid != exam->person.uid)
        return NULL;
    at += strlen(" " SESSION_WORD " ");
    snprintf(name, OWN_SESSION_ROOM, "%.*s", (int)strcspn(at, " "), at);
    return parse_is_plain(name, "._-") ? name : NULL;
}

/* The socket that listens at a port, of a table as proc_net(5) has it; 0 none. */
static uint64_t listener_at(const char *table, unsigned port)
{
    for (const char *line = strchr(table, '\n'); line != NULL; line = strchr(line + 1, '\n')) {
        unsigned local, state;
        unsigned long inode;

        if (sscanf(line, " %*u: %*32[0-9A-F]:%4X %*32[0-9A-F]:%*4X %2X %*s %*s %*s %*u %*u %lu", &local,
                   &state, &inode) == 3 &&
            local == port && state == 0x0A)
            return inode;
    }
    return 0;
}

static bool find_listener(struct exam *exam, unsigned port, struct processes *ret_found)
{
    static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
    struct process_target target = {0};

    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && target.inode == 0; i++) {
        char *text = system_text(&exam->system, "%s", tables[i]);

        if (text != NULL)
            target.inode = listener_at(text, port);
        free(text);
    }
    if (target.inode == 0)
        return false;
    exam->failed |= !processes_find(ret_found, &exam->system, &target, 1, exam->deadline);
    return !exam->failed;
}

static bool first_session(const struct exam *exam, const struct processes *found, size_t target,
                          char name[OWN_SESSION_ROOM], pid_t *ret_pid)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->list[i].target == target && own_session_name(exam, &found->list[i], name) != NULL) {
            *ret_pid = found->list[i].pid;
            return true;
        }
    return false;
}

bool own_session_find(struct exam *exam, const char *device, char name[OWN_SESSION_ROOM], pid_t *ret_pid)
{
    const char *colon = strrchr(device, ':');
    const struct device *on_bus;
    struct processes found = {0};
    unsigned long port;
    bool is_session = false;

    if (strncmp(device, "usb:", 4) == 0) {
        on_bus = devices_find(&exam->devices, device);
        return on_bus != NULL &&
               first_session(exam, &exam->holders, (size_t)(on_bus - exam->devices.list), name, ret_pid);
    }
    if (strncmp(device, "vpcd:", 5) == 0 && parse_number(colon + 1, 10, UINT16_MAX, &port) &&
        find_listener(exam, (unsigned)port, &found))
        is_session = first_session(exam, &found, 0, name, ret_pid);
    processes_fini(&found);
    return is_session;
}
