/* SPDX-License-Identifier: MIT */
#include "store/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/rc.h"
#include "store/cache_item.h"
#include "store/cache_place.h"

/* Written under the lock by one process at a time. */
#define NEW_FILE "new"

static int failed(const char *place, const char *what)
{
    int error = errno;

    if (error == ENOMEM)
        return RC_NO_MEMORY;
    return detail_set(RC_IO, "the card cache in %s cannot be %s: %s", place, what, strerror(error));
}

/* When it was used last. The file system's own times move in steps that are longer than a call takes. */
static void touch(int fd)
{
    struct timespec times[2];

    clock_gettime(CLOCK_REALTIME, &times[0]);
    times[1] = times[0];
    if (futimens(fd, times))
        log_debug("an item of the card cache keeps its old time: error %d", errno);
}

/* What is not whole is of no use to anybody. It may be a new one by now, which is then lost: a saving of
 * time. */
static int drop(int folder, const char *file, int rc)
{
    if (unlinkat(folder, file, 0) && errno != ENOENT)
        unlinkat(folder, file, AT_REMOVEDIR);
    return rc;
}

static int take_value(int folder, const char *file, const struct cache_item *wanted,
                      const struct buffer *bytes, uint8_t **ret_value, size_t *ret_length)
{
    struct cache_item item;
    uint8_t *value;

    if (!cache_item_parse(bytes->data, bytes->length, &item))
        return drop(folder, file, RC_NOT_FOUND);
    if (!cache_item_same(&item, wanted))
        return RC_NOT_FOUND;
    if (item.freshness != wanted->freshness)
        return item.freshness < wanted->freshness ? drop(folder, file, RC_STALE) : RC_STALE;
    value = malloc(item.value_length + !item.value_length);
    if (!value)
        return RC_NO_MEMORY;
    memcpy(value, item.value, item.value_length);
    *ret_value = value;
    *ret_length = item.value_length;
    return RC_OK;
}

static int read_item(int folder, const char *place, const struct cache_item *wanted, uint8_t **ret_value,
                     size_t *ret_length)
{
    struct buffer bytes = {0};
    char file[CACHE_ITEM_FILE];
    struct stat status;
    int fd, rc;

    cache_item_file(wanted, file);
    fd = openat(folder, file, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return RC_NOT_FOUND;
    if (fd < 0)
        return errno == ELOOP || errno == ENXIO ? drop(folder, file, RC_NOT_FOUND) : failed(place, "read");
    if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
        rc = drop(folder, file, RC_NOT_FOUND);
    } else {
        rc = file_read(fd, CACHE_FILE_MAX, &bytes);
        if (rc == RC_IO)
            rc = failed(place, "read");
    }
    if (!rc)
        rc = take_value(folder, file, wanted, &bytes, ret_value, ret_length);
    if (!rc)
        touch(fd);
    close(fd);
    buffer_fini(&bytes);
    return rc;
}

static bool fits(const char *name)
{
    return strnlen(name, CACHE_NAME_MAX + 1) <= CACHE_NAME_MAX;
}

int cache_read(const char *place, const struct guid *card, const char *name, uint32_t freshness,
               uint8_t **ret_value, size_t *ret_length)
{
    struct cache_item wanted = {.card = *card,
                                .freshness = freshness,
                                .name = (const uint8_t *)name,
                                .name_length = strnlen(name, CACHE_NAME_MAX + 1)};
    int folder, rc;

    if (!fits(name))
        return RC_NOT_FOUND;
    rc = cache_place_open(place, &folder);
    if (rc)
        return rc;
    rc = read_item(folder, place, &wanted, ret_value, ret_length);
    close(folder);
    return rc;
}

/* What is in the folder. */
struct used {
    struct file {
        char name[CACHE_ITEM_FILE];
        struct timespec at;
        uint64_t size;
    } * files;
    size_t count;
    uint64_t total;
};

static uint64_t pages(uint64_t size)
{
    return (size + CACHE_PAGE - 1) / CACHE_PAGE * CACHE_PAGE;
}

static int add_file(struct used *used, int folder, const char *name)
{
    struct file *grown;
    struct stat status;

    /* A reader may have taken it away meanwhile. */
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW))
        return RC_OK;
    grown = realloc(used->files, (used->count + 1) * sizeof *grown);
    if (!grown)
        return RC_NO_MEMORY;
    used->files = grown;
    grown = &grown[used->count++];
    memcpy(grown->name, name, CACHE_ITEM_FILE);
    grown->at = status.st_mtim;
    grown->size = pages((uint64_t)status.st_size);
    used->total += grown->size;
    return RC_OK;
}

static int by_use(const void *a, const void *b)
{
    const struct timespec *x = &((const struct file *)a)->at, *y = &((const struct file *)b)->at;

    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? -1 : 1;
    return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

/* All but the file that will be replaced, the least recently used first. */
static int list_others(int folder, const char *file, struct used *used)
{
    /* With an offset of its own. */
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = RC_OK;
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!listing) {
        if (fd >= 0)
            close(fd);
        return RC_IO;
    }
    while (!rc && (entry = readdir(listing)))
        if (cache_item_is_file(entry->d_name) && strcmp(entry->d_name, file) != 0)
            rc = add_file(used, folder, entry->d_name);
    closedir(listing);
    if (!rc && used->count > 1)
        qsort(used->files, used->count, sizeof *used->files, by_use);
    return rc;
}

static int make_room(int folder, const char *file, uint64_t size)
{
    struct used used = {0};
    int rc = list_others(folder, file, &used);

    for (size_t i = 0; i < used.count && !rc && used.total + size > CACHE_TOTAL_MAX; i++) {
        used.total -= used.files[i].size;
        rc = drop(folder, used.files[i].name, RC_OK);
    }
    free(used.files);
    return rc;
}

static bool write_all(int fd, const uint8_t *data, size_t count)
{
    while (count > 0) {
        ssize_t done = write(fd, data, count);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        data += done;
        count -= (size_t)done;
    }
    return true;
}

/* Under the lock. Files in memory need no fsync: they do not outlive the machine. */
static int put(int folder, const char *place, const char *file, const struct buffer *bytes)
{
    bool written = false;
    int fd, rc;

    drop(folder, NEW_FILE, RC_OK);
    rc = make_room(folder, file, pages(bytes->length));
    if (rc)
        return rc == RC_IO ? failed(place, "read") : rc;
    fd = openat(folder, NEW_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) {
        written = write_all(fd, bytes->data, bytes->length);
        touch(fd);
        if (close(fd))
            written = false;
    }
    if (written && !renameat(folder, NEW_FILE, folder, file))
        return RC_OK;
    rc = failed(place, "written");
    unlinkat(folder, NEW_FILE, 0);
    return rc;
}

static int write_item(const char *place, const struct cache_item *item, const struct buffer *bytes)
{
    char file[CACHE_ITEM_FILE];
    int folder, locked, rc = cache_place_open(place, &folder);

    if (rc)
        return rc;
    cache_item_file(item, file);
    do
        locked = flock(folder, LOCK_EX);
    while (locked && errno == EINTR);
    rc = locked ? failed(place, "locked") : put(folder, place, file, bytes);
    flock(folder, LOCK_UN);
    close(folder);
    return rc;
}

int cache_write(const char *place, const struct guid *card, const char *name, uint32_t freshness,
                const uint8_t *value, size_t length)
{
    struct cache_item item = {.card = *card,
                              .freshness = freshness,
                              .name = (const uint8_t *)name,
                              .name_length = strnlen(name, CACHE_NAME_MAX + 1),
                              .value = value,
                              .value_length = length};
    struct buffer bytes = {0};
    int rc;

    if (length > CACHE_ITEM_MAX)
        return detail_set(RC_TOO_BIG, "%zu bytes are too many for the card cache: an item has at most %u",
                          length, CACHE_ITEM_MAX);
    if (!fits(name))
        return detail_set(RC_TOO_BIG, "a name in the card cache has at most %u bytes", CACHE_NAME_MAX);
    rc = cache_item_format(&item, &bytes);
    if (!rc)
        rc = write_item(place, &item, &bytes);
    buffer_fini(&bytes);
    return rc;
}
