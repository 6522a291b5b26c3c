/* SPDX-License-Identifier: MIT */
/* Which processes have a file or a socket open: read from /proc/PID/fd. */
#ifndef CLI_DOCTOR_PROCESSES_H
#define CLI_DOCTOR_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"
#include "cli/doctor/system.h"

/* What is looked for, and what it is for whoever asks. */
struct process_target {
    const char *path; /* of a file or node; NULL: a socket */
    uint64_t inode;   /* of the socket */
};

struct process {
    pid_t pid;
    uid_t uid;
    size_t target;     /* index of what it has open */
    char name[64];     /* of the program, cleaned */
    char command[256]; /* its arguments, cleaned; "" when they cannot be read */
};

struct processes {
    bool failed;   /* /proc cannot be read */
    bool cut;      /* the deadline passed first */
    size_t hidden; /* processes whose descriptors only root may see */
    struct process *list;
    size_t count;
};

/* All that have one of the targets open, one entry for each pair. false: out of memory. */
bool processes_find(struct processes *processes, const struct system *system,
                    const struct process_target *targets, size_t count, struct deadline deadline);
void processes_fini(struct processes *processes);

/* The first process with that name; false: none is seen in time. */
bool processes_named(const struct system *system, const char *name, struct deadline deadline,
                     struct process *ret_process);

#endif
