/* SPDX-License-Identifier: MIT */
#include "cli/doctor/person.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/doctor/parse.h"

#define ID_MAX (UINT32_MAX - 1)

static int add_group(struct person *person, gid_t group)
{
    gid_t *grown = reallocarray(person->groups, person->group_count + 1, sizeof *grown);

    if (grown == NULL)
        return ENOMEM;
    person->groups = grown;
    grown[person->group_count++] = group;
    return 0;
}

bool person_in_group(const struct person *person, gid_t group)
{
    for (size_t i = 0; i < person->group_count; i++)
        if (person->groups[i] == group)
            return true;
    return false;
}

static int take_own_groups(struct person *person)
{
    int count = getgroups(0, NULL);

    if (add_group(person, getegid()) != 0)
        return ENOMEM;
    if (count <= 0)
        return 0;
    person->groups = reallocarray(person->groups, (size_t)count + 1, sizeof *person->groups);
    if (person->groups == NULL)
        return ENOMEM;
    count = getgroups(count, person->groups + 1);
    person->group_count = count < 0 ? 1 : (size_t)count + 1;
    return 0;
}

/* One line "name:x:gid:user,user", which is written into. */
static int take_group_line(struct person *person, char *line, const char *name)
{
    char *number;
    unsigned long gid;

    (void)strsep(&line, ":");
    (void)strsep(&line, ":");
    number = strsep(&line, ":");
    if (number == NULL || line == NULL || !parse_number(number, 10, ID_MAX, &gid))
        return 0;
    for (char *member = strsep(&line, ","); member != NULL; member = strsep(&line, ","))
        if (strcmp(member, name) == 0)
            return add_group(person, (gid_t)gid);
    return 0;
}

/* The groups that list the user. */
static int take_listed_groups(struct person *person, const char *text, const char *name)
{
    int error = 0;

    for (; *text != '\0' && error == 0; text += strcspn(text, "\n"), text += *text == '\n') {
        char *line = strndup(text, strcspn(text, "\n"));

        error = line != NULL ? take_group_line(person, line, name) : ENOMEM;
        free(line);
    }
    return error;
}

/* From the files of a prepared system. A number needs no line there. */
static int take_from_files(struct person *person, const struct system *system, const char *user)
{
    char *passwd = system_text(system, "/etc/passwd"), *group = system_text(system, "/etc/group");
    char value[32];
    unsigned long number, gid;
    int error = 0;

    if (parse_number(user, 10, ID_MAX, &number)) {
        person->uid = (uid_t)number;
        if (passwd == NULL || !parse_account_number(passwd, number, 0, person->name, sizeof person->name))
            snprintf(person->name, sizeof person->name, "uid %lu", number);
    } else if (passwd != NULL && parse_account(passwd, user, 2, value, sizeof value) &&
               parse_number(value, 10, ID_MAX, &number)) {
        person->uid = (uid_t)number;
        snprintf(person->name, sizeof person->name, "%.63s", user);
    } else {
        error = ENOENT;
    }
    if (error == 0 && passwd != NULL) {
        (void)parse_account(passwd, person->name, 5, person->home, sizeof person->home);
        if (parse_account(passwd, person->name, 3, value, sizeof value) &&
            parse_number(value, 10, ID_MAX, &gid))
            error = add_group(person, (gid_t)gid);
    }
    if (error == 0 && group != NULL)
        error = take_listed_groups(person, group, person->name);
    free(passwd);
    free(group);
    return error;
}

static int take_passwd(struct person *person, const struct passwd *entry)
{
    int count = 0;

    person->uid = entry->pw_uid;
    snprintf(person->name, sizeof person->name, "%.63s", entry->pw_name);
    snprintf(person->home, sizeof person->home, "%.511s", entry->pw_dir);
    if (person->self)
        return take_own_groups(person);
    (void)getgrouplist(entry->pw_name, entry->pw_gid, NULL, &count);
    if (count <= 0)
        return 0;
    person->groups = calloc((size_t)count, sizeof *person->groups);
    if (person->groups == NULL)
        return ENOMEM;
    count = getgrouplist(entry->pw_name, entry->pw_gid, person->groups, &count);
    person->group_count = count > 0 ? (size_t)count : 0;
    return 0;
}

/* The file has to end somewhere: a line of passwd is short. */
#define ENTRY_ROOM 16384

static int take_from_names(struct person *person, const char *user)
{
    struct passwd entry, *found = NULL;
    char *room = malloc(ENTRY_ROOM);
    unsigned long number;
    int error = 0;

    if (room == NULL)
        return ENOMEM;
    if (user != NULL && !parse_number(user, 10, ID_MAX, &number))
        (void)getpwnam_r(user, &entry, room, ENTRY_ROOM, &found);
    else
        (void)getpwuid_r(user != NULL ? (uid_t)number : geteuid(), &entry, room, ENTRY_ROOM, &found);
    if (found != NULL) {
        error = take_passwd(person, found);
    } else if (user == NULL || parse_number(user, 10, ID_MAX, &number)) {
        person->uid = user != NULL ? (uid_t)number : geteuid();
        snprintf(person->name, sizeof person->name, "uid %lu", (unsigned long)person->uid);
        if (person->self)
            error = take_own_groups(person);
    } else {
        error = ENOENT;
    }
    free(room);
    return error;
}

/* Programs look for their files below HOME, whatever the user's entry in passwd says. */
static void take_own_home(struct person *person)
{
    const char *home = getenv("HOME");

    if (home != NULL && home[0] == '/')
        snprintf(person->home, sizeof person->home, "%.511s", home);
}

int person_init(struct person *person, const struct system *system, const char *user)
{
    char number[24];
    int error;

    *person = (struct person){.self = user == NULL};
    if (system->plain) {
        snprintf(number, sizeof number, "%lu", (unsigned long)geteuid());
        error = take_from_files(person, system, user != NULL ? user : number);
        if (error == 0 && person->self)
            error = take_own_groups(person);
    } else {
        error = take_from_names(person, user);
    }
    if (error == 0 && person->self && !system->prepared)
        take_own_home(person);
    if (error != 0)
        person_fini(person);
    return error;
}

void person_fini(struct person *person)
{
    free(person->groups);
    person->groups = NULL;
    person->group_count = 0;
}

bool person_may(const struct person *person, const struct system *system, const char *path, int want)
{
    struct stat status;
    uint8_t acl[1028]; /* 128 entries */
    size_t length;
    mode_t bits = (mode_t)want;
    int granted;

    if (person->self && !system->prepared)
        return faccessat(AT_FDCWD, path, want, AT_EACCESS) == 0;
    if (system_stat(system, &status, "%s", path) != 0)
        return false;
    if (person->uid == 0)
        return true;
    length = system_acl(system, path, acl, sizeof acl);
    granted = parse_acl(acl, length, status.st_uid, status.st_gid, person, (unsigned)want);
    if (granted >= 0)
        return granted;
    if (status.st_uid == person->uid)
        bits <<= 6;
    else if (person_in_group(person, status.st_gid))
        bits <<= 3;
    return (status.st_mode & bits) == bits;
}

void person_user_name(const struct system *system, uid_t uid, char *name, size_t room)
{
    char *text = system_text(system, "/etc/passwd");
    char *entries = malloc(ENTRY_ROOM);
    struct passwd entry, *found = NULL;

    snprintf(name, room, "%lu", (unsigned long)uid);
    if (text != NULL && !parse_account_number(text, uid, 0, name, room)) {
        snprintf(name, room, "%lu", (unsigned long)uid);
        if (!system->plain && entries != NULL && getpwuid_r(uid, &entry, entries, ENTRY_ROOM, &found) == 0 &&
            found != NULL)
            snprintf(name, room, "%s", found->pw_name);
    }
    free(entries);
    free(text);
}

void person_group_name(const struct system *system, gid_t gid, char *name, size_t room)
{
    char *text = system_text(system, "/etc/group");

    if (text == NULL || !parse_account_number(text, gid, 0, name, room))
        snprintf(name, room, "%lu", (unsigned long)gid);
    free(text);
}

bool person_group_number(const struct system *system, const char *name, gid_t *ret_gid)
{
    char *text = system_text(system, "/etc/group"), value[24];
    bool found = text != NULL && parse_account(text, name, 2, value, sizeof value);
    char *room = found || system->plain ? NULL : malloc(ENTRY_ROOM);
    struct group entry, *known = NULL;
    unsigned long number = 0;

    if (found)
        found = parse_number(value, 10, ID_MAX, &number);
    else if (room != NULL && getgrnam_r(name, &entry, room, ENTRY_ROOM, &known) == 0 && known != NULL) {
        number = known->gr_gid;
        found = true;
    }
    free(room);
    free(text);
    if (found)
        *ret_gid = (gid_t)number;
    return found;
}
