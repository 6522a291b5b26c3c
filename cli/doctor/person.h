/* SPDX-License-Identifier: MIT */
/* The user whose rights are looked at: whoever runs the program, or one who is named. */
#ifndef CLI_DOCTOR_PERSON_H
#define CLI_DOCTOR_PERSON_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cli/doctor/system.h"

struct person {
    uid_t uid;
    gid_t *groups; /* owned; with the primary one */
    size_t group_count;
    char name[64]; /* "uid 1000" without a name */
    char home[SYSTEM_PATH_MAX];
    bool self; /* whoever runs the program */
};

/* user: a name or number; NULL: whoever runs the program. Names are looked up in the system's /etc/passwd and
 * /etc/group; on the running one the name service is asked. 0, ENOENT: there is no such user, ENOMEM. */
int person_init(struct person *person, const struct system *system, const char *user);
void person_fini(struct person *person);

bool person_in_group(const struct person *person, gid_t group);

/* May the person do what want says (R_OK, W_OK) with a file: owner, group, mode, ACL. Root may. On the
 * running system, for whoever runs the program, the kernel is asked. path: for the ACL. */
bool person_may(const struct person *person, const struct system *system, const char *path, int want);

/* The name of a user, a group; the number where there is none. */
void person_user_name(const struct system *system, uid_t uid, char *name, size_t room);
void person_group_name(const struct system *system, gid_t gid, char *name, size_t room);

/* A group's number by its name; false: there is no such group. */
bool person_group_number(const struct system *system, const char *name, gid_t *ret_gid);

#endif
