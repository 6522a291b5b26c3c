/* SPDX-License-Identifier: MIT */
#include "cli/doctor/processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/parse.h"

static bool pid_of(const char *name, pid_t *ret_pid)
{
    unsigned long number;

    if (name[0] < '0' || name[0] > '9' || !parse_number(name, 10, INT_MAX, &number) || number == 0)
        return false;
    *ret_pid = (pid_t)number;
    return true;
}

/* Name, user and arguments of a process. */
static bool describe(const struct system *system, pid_t pid, struct process *ret_process)
{
    char *status, *arguments, user[64] = "";
    size_t length = 0;
    unsigned long uid = 0;

    *ret_process = (struct process){.pid = pid};
    if (!system_line(system, ret_process->name, sizeof ret_process->name, "/proc/%d/comm", (int)pid))
        return false;
    status = system_text(system, "/proc/%d/status", (int)pid);
    if (status != NULL && parse_word(status, "Uid:", user, sizeof user)) {
        user[strcspn(user, " \t")] = '\0';
        if (parse_number(user, 10, UINT32_MAX - 1, &uid))
            ret_process->uid = (uid_t)uid;
    }
    free(status);
    arguments = system_bytes(system, &length, "/proc/%d/cmdline", (int)pid);
    /* A NUL behind each argument. */
    for (size_t i = 0; arguments != NULL && i + 1 < length; i++)
        if (arguments[i] == '\0')
            arguments[i] = ' ';
    if (arguments != NULL)
        snprintf(ret_process->command, sizeof ret_process->command, "%s", arguments);
    system_clean(ret_process->command);
    free(arguments);
    return true;
}

static bool add(struct processes *processes, const struct process *process)
{
    struct process *grown = reallocarray(processes->list, processes->count + 1, sizeof *grown);

    if (grown == NULL)
        return false;
    processes->list = grown;
    grown[processes->count++] = *process;
    return true;
}

static bool is_target(const struct process_target *target, const char *link)
{
    char socket[40];

    if (target->path != NULL)
        return strcmp(link, target->path) == 0;
    snprintf(socket, sizeof socket, "socket:[%llu]", (unsigned long long)target->inode);
    return strcmp(link, socket) == 0;
}

static bool take(struct processes *processes, const struct system *system, pid_t pid, size_t target)
{
    struct process process;

    for (size_t i = processes->count; i > 0 && processes->list[i - 1].pid == pid; i--)
        if (processes->list[i - 1].target == target)
            return true;
    if (!describe(system, pid, &process))
        return true;
    process.target = target;
    return add(processes, &process);
}

/* false: out of memory. */
static bool search(struct processes *processes, const struct system *system, pid_t pid,
                   const struct process_target *targets, size_t count)
{
    int fd = system_open(system, O_RDONLY | O_DIRECTORY, "/proc/%d/fd", (int)pid), error = errno;
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    char link[256];
    bool good = true;

    if (folder == NULL) {
        processes->hidden += error == EACCES || error == EPERM;
        if (fd >= 0)
            close(fd);
        return true;
    }
    while (good && (entry = readdir(folder)) != NULL) {
        ssize_t length = readlinkat(fd, entry->d_name, link, sizeof link - 1);

        if (length < 0) {
            /* The folder can be read, but not what is in it. */
            if (errno == EACCES && entry->d_name[0] != '.') {
                processes->hidden++;
                break;
            }
            continue;
        }
        link[length] = '\0';
        for (size_t i = 0; good && i < count; i++)
            if (is_target(&targets[i], link))
                good = take(processes, system, pid, i);
    }
    closedir(folder);
    return good;
}

bool processes_find(struct processes *processes, const struct system *system,
                    const struct process_target *targets, size_t count, struct deadline deadline)
{
    char **names = system_names(system, "/proc");
    bool good = true;
    pid_t pid;

    *processes = (struct processes){.failed = names == NULL};
    for (size_t i = 0; good && names != NULL && names[i] != NULL; i++) {
        if (!pid_of(names[i], &pid))
            continue;
        if (deadline_passed(deadline)) {
            processes->cut = true;
            break;
        }
        good = search(processes, system, pid, targets, count);
    }
    system_names_free(names);
    return good;
}

void processes_fini(struct processes *processes)
{
    free(processes->list);
    *processes = (struct processes){0};
}

bool processes_named(const struct system *system, const char *name, struct deadline deadline,
                     struct process *ret_process)
{
    char **names = system_names(system, "/proc"), comm[64];
    bool found = false;
    pid_t pid;

    for (size_t i = 0; !found && names != NULL && names[i] != NULL && !deadline_passed(deadline); i++)
        found = pid_of(names[i], &pid) && system_line(system, comm, sizeof comm, "/proc/%s/comm", names[i]) &&
                strcmp(comm, name) == 0 && describe(system, pid, ret_process);
    system_names_free(names);
    return found;
}
