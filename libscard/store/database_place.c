/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rc.h"
#include "store/database_folder.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

int database_place_find(struct database_place *ret_place)
{
    const char *home = secure_getenv("XDG_CONFIG_HOME"), *below = "";
    struct database_place place = {.system = strdup(SYSCONFDIR "/scard")};

    if (!place.system)
        return RC_NO_MEMORY;
    /* XDG Base Directory: a relative path counts as unset. */
    if (!home || home[0] != '/') {
        home = secure_getenv("HOME");
        below = "/.config";
    }
    if (home && home[0] == '/' && asprintf(&place.user, "%s%s/scard", home, below) < 0) {
        free(place.system);
        return RC_NO_MEMORY;
    }
    *ret_place = place;
    return RC_OK;
}

void database_place_fini(struct database_place *place)
{
    free(place->system);
    free(place->user);
    *place = (struct database_place){0};
}

/* FNV-1a, 64 bits. */
static uint64_t mix(uint64_t sum, const void *data, size_t count)
{
    const uint8_t *at = data;

    while (count-- > 0)
        sum = (sum ^ *at++) * 0x100000001B3u;
    return sum;
}

/* What changes when the file does. The name is in it, so that one that takes another's place counts. */
static uint64_t file_value(int folder, const char *name)
{
    uint64_t sum = mix(0xCBF29CE484222325u, name, strlen(name)), parts[5] = {0};
    struct stat status;

    if (fstatat(folder, name, &status, 0)) {
        parts[0] = (uint64_t)errno;
    } else {
        parts[0] = status.st_ino;
        parts[1] = (uint64_t)status.st_size;
        parts[2] = (uint64_t)status.st_mtim.tv_sec;
        parts[3] = (uint64_t)status.st_mtim.tv_nsec;
        /* A program may set the other time back; this one it cannot. */
        parts[4] = (uint64_t)status.st_ctim.tv_sec * 1000000000u + (uint64_t)status.st_ctim.tv_nsec;
    }
    return mix(sum, parts, sizeof parts);
}

static void stamp_folder(int base, const char *name, struct timespec *ret_changed, uint64_t *ret_inode,
                         uint64_t *files)
{
    int fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct dirent *entry;
    struct stat status;
    DIR *folder;

    /* One that may not be read is another than one that is not there. */
    if (fd < 0 || fstat(fd, &status)) {
        *ret_inode = errno == ENOENT ? 0 : (uint64_t)errno;
    } else {
        *ret_changed = status.st_ctim;
        *ret_inode = status.st_ino;
    }
    folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(folder)))
        if (database_folder_has(entry->d_name))
            *files += file_value(dirfd(folder), entry->d_name);
    closedir(folder);
}

void database_stamp(const struct database_place *place, struct database_stamp *ret_stamp)
{
    const char *const bases[] = {place->user, place->system};
    struct database_stamp stamp = {0};

    for (size_t i = 0; i < 2 * DATABASE_KINDS; i++) {
        const char *path = bases[i / DATABASE_KINDS];
        int base = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

        if (base < 0)
            continue;
        stamp_folder(base, database_folder_names[i % DATABASE_KINDS], &stamp.changed[i], &stamp.inode[i],
                     &stamp.files);
        close(base);
    }
    *ret_stamp = stamp;
}
