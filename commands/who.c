/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <scard.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cli/call.h"
#include "cli/choose.h"
#include "cli/doctor/exam.h"
#include "cli/doctor/peers.h"
#include "commands/commands.h"

/* What is looked for, and the processes that have it. */
struct search {
    struct process_target *targets;
    const char **uses;  /* "reader", "file", "server", "client": of each target */
    const char **names; /* the reader's name, or the path */
    size_t count;
};

static bool add(struct search *search, struct process_target target, const char *use, const char *name)
{
    size_t room = search->count + 1;
    struct process_target *targets = reallocarray(search->targets, room, sizeof *targets);
    const char **uses, **names;

    if (targets == NULL)
        return false;
    search->targets = targets;
    uses = reallocarray(search->uses, room, sizeof *uses);
    if (uses == NULL)
        return false;
    search->uses = uses;
    names = reallocarray(search->names, room, sizeof *names);
    if (names == NULL)
        return false;
    search->names = names;
    targets[search->count] = target;
    uses[search->count] = use;
    names[search->count++] = name;
    return true;
}

static bool add_peers(struct search *search, const struct peers *peers, const char *const *paths)
{
    for (size_t i = 0; i < peers->count; i++)
        if (!add(search, (struct process_target){.inode = peers->list[i].inode},
                 peers->list[i].server ? "server" : "client", paths[peers->list[i].path]))
            return false;
    return true;
}

static bool add_device(struct search *search, const struct device *device)
{
    return add(search, (struct process_target){.path = device->node}, "reader", device->name);
}

static int show(struct call *call, const struct exam *exam, const struct search *search,
                const struct process *process)
{
    const struct process_target *target = &search->targets[process->target];
    const char *use = search->uses[process->target], *name = search->names[process->target];
    const char *command = process->command[0] != '\0' ? process->command : process->name;
    struct record record;
    char user[64];
    int status;

    person_user_name(&exam->system, process->uid, user, sizeof user);
    record_init(&record, "holder", RECORD_ROW);
    record_number(&record, SHOW_ALL, "pid", process->pid);
    record_text(&record, SHOW_ALL, "user", user);
    record_text(&record, SHOW_ALL, "program", process->name);
    record_text(&record, SHOW_ALL, "use", use);
    record_text(&record, SHOW_ALL, "of", name);
    record_text(&record, SHOW_JSON | SHOW_BARE, "node", target->path);
    record_text(&record, SHOW_JSON, "command", command);
    record_people(&record, "%7d  %-12s  %-6s  %-40s  %s", (int)process->pid, user, use, name, command);
    status = output_record(call->output, &record);
    record_fini(&record);
    return status;
}

/* A server has a socket for each of its clients, and a program may have several: told once. */
static bool is_told(const struct search *search, const struct processes *found, size_t index)
{
    const struct process *process = &found->list[index];

    for (size_t i = 0; i < index; i++) {
        const struct process *other = &found->list[i];

        if (other->pid == process->pid &&
            strcmp(search->uses[other->target], search->uses[process->target]) == 0 &&
            strcmp(search->names[other->target], search->names[process->target]) == 0)
            return true;
    }
    return false;
}

static void tell_hidden(struct call *call, size_t hidden, size_t found)
{
    struct record record;

    record_init(&record, "hidden", RECORD_FACTS);
    record_number(&record, SHOW_JSON, "processes", (int64_t)hidden);
    if (found == 0)
        record_people(&record, "Nobody is seen. ");
    /* A process of a sandbox or of another container is closed to root, too. */
    if (hidden > 0)
        record_people(&record, "%zu %s could not be looked into%s.", hidden,
                      hidden == 1 ? "process" : "processes",
                      geteuid() == 0 ? ", not even by root" : ": root can (\"sudo scard who\")");
    if (hidden > 0)
        output_notice(call->output, &record);
    else if (call->output->mode == OUTPUT_JSON || found == 0)
        output_remark(call->output, &record);
    record_fini(&record);
}

static int report(struct call *call, const struct exam *exam, const struct search *search)
{
    struct processes found = {0};
    int status = STATUS_DONE;

    if (!processes_find(&found, &exam->system, search->targets, search->count, deadline_never())) {
        status = call_no_memory(call);
    } else if (found.failed) {
        status = call_fail(call, STATUS_PERMISSION, "", "/proc cannot be read");
    } else {
        for (size_t i = 0; i < found.count && status == STATUS_DONE; i++)
            if (!is_told(search, &found, i))
                status = show(call, exam, search, &found.list[i]);
        tell_hidden(call, found.hidden, found.count);
    }
    processes_fini(&found);
    return status;
}

/* The reader by what the service calls it. Its name on USB, owned, goes to *ret_device. */
static int ask_service(struct call *call, const char *choice, char **ret_device)
{
    DWORD length = SCARD_AUTOALLOCATE;
    LPSTR device = NULL;
    char *name = NULL;
    int status;
    LONG code = desk_establish(call->desk, SCARD_SCOPE_SYSTEM);

    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot look for %s", choice);
    status = choose_find(call, choice, &name);
    if (status != STATUS_DONE)
        return status;
    code = scard_reader_fact(call->desk->context, name, "device", (LPSTR)&device, &length);
    *ret_device = strdup(code == SCARD_S_SUCCESS ? device : "");
    if (device != NULL)
        SCardFreeMemory(call->desk->context, device);
    free(name);
    return *ret_device != NULL ? STATUS_DONE : call_no_memory(call);
}

/* Of a prepared system there is no service to ask. */
static int fail_no_device(struct call *call, const struct devices *devices, const char *choice)
{
    struct buffer words = {0};
    bool good = true;
    int status;

    for (size_t i = 0; good && i < devices->count; i++)
        good = (i == 0 || buffer_append(&words, ", ", 2) == 0) &&
               buffer_append(&words, devices->list[i].path, strlen(devices->list[i].path)) == 0 &&
               buffer_append(&words, " ", 1) == 0 &&
               buffer_append(&words, devices->list[i].name, strlen(devices->list[i].name)) == 0;
    if (!good || buffer_append(&words, "", 1) < 0)
        status = call_no_memory(call);
    else
        status = call_fail(call, STATUS_READER, "", "no reader matches \"%s\"; there %s%s", choice,
                           devices->count > 0 ? "are: " : "is none on USB", (const char *)words.data);
    buffer_fini(&words);
    return status;
}

static int add_choice(struct call *call, const struct exam *exam, const char *choice, struct search *search,
                      bool *ret_sockets)
{
    const struct device *device = choice[0] != '/' ? devices_find(&exam->devices, choice) : NULL;
    char *name = NULL;
    int status;

    *ret_sockets = false;
    if (choice[0] == '/')
        return add(search, (struct process_target){.path = choice}, "file", choice) ? STATUS_DONE
                                                                                    : call_no_memory(call);
    if (device == NULL && !exam->system.prepared) {
        status = ask_service(call, choice, &name);
        if (status != STATUS_DONE)
            return status;
        device = name != NULL && name[0] != '\0' ? devices_find(&exam->devices, name) : NULL;
        free(name);
        if (device == NULL) {
            *ret_sockets = true;
            return STATUS_DONE;
        }
    }
    if (device == NULL)
        return fail_no_device(call, &exam->devices, choice);
    return add_device(search, device) ? STATUS_DONE : call_no_memory(call);
}

static int look(struct call *call, const struct exam *exam, struct peers *peers)
{
    const char *choice = call_argument(call, 0), *paths[PLACE_COUNT];
    struct search search = {0};
    bool sockets = true, good = true;
    size_t count = 0;
    int status = STATUS_DONE;

    if (choice != NULL)
        status = add_choice(call, exam, choice, &search, &sockets);
    else
        for (size_t i = 0; good && i < exam->devices.count; i++)
            good = add_device(&search, &exam->devices.list[i]);
    /* A path may be that of a socket, too. */
    for (size_t i = 0; sockets && i < PLACE_COUNT; i++)
        if (exam->servers[i].path[0] != '\0')
            paths[count++] = exam->servers[i].path;
    if (choice != NULL && choice[0] == '/')
        paths[count++] = choice;
    if (status == STATUS_DONE && good && count > 0 && !exam->system.prepared) {
        int error = peers_find(peers, paths, count);

        if (error != 0)
            status = call_fail(call, STATUS_TRANSPORT, "", "the kernel does not tell who is connected: %s",
                               strerror(error));
        else
            good = add_peers(&search, peers, paths);
    }
    if (!good)
        status = call_no_memory(call);
    if (status == STATUS_DONE)
        status = report(call, exam, &search);
    free(search.targets);
    free(search.uses);
    free(search.names);
    return status;
}

static int run(struct call *call)
{
    struct exam_options options = {
        .root = call_option(call, "root"), .silent = true, .deadline = deadline_never()};
    struct peers peers = {0};
    struct exam exam;
    int error = exam_init(&exam, &options), status;

    if (error == ENOMEM)
        return call_no_memory(call);
    if (error != 0)
        return call_fail(call, STATUS_USAGE, "", "%s cannot be examined: %s",
                         options.root != NULL ? options.root : "/", strerror(error));
    status = look(call, &exam, &peers);
    peers_fini(&peers);
    exam_fini(&exam);
    return status;
}

static const struct argument_spec arguments[] = {
    {"READER", VALUE_READER, NULL, true, false,
     "a reader, or the path of a device or socket; all when not given"},
    {0},
};

static const struct option_spec options[] = {
    {"root", 0, VALUE_FILE, "DIRECTORY", NULL, "examine the system whose files are there"},
    {0},
};

const struct command command_who = {
    .name = "who",
    .group = "Readers",
    .summary = "which programs hold a reader, or use a service",
    .description = "Processes that have the USB device of a reader open, and those that serve and use the "
                   "sockets of pcscd and "
                   "of\n"
                   "scard serve: process id, user, use (reader, server, client), of what, command. Processes "
                   "of other users are "
                   "seen by\n"
                   "root alone; how many could not be looked into is said at the end.",
    .examples =
        "  scard who\n  scard who usb:1-2\n  scard who /run/pcscd/pcscd.comm\n  sudo scard --json who",
    .arguments = arguments,
    .options = options,
    .needs = NEED_NOTHING,
    .flags = COMMAND_LOCAL,
    .run = run,
};
