/* SPDX-License-Identifier: MIT */
#include "store/database_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rc.h"

const char *const database_folder_names[DATABASE_KINDS] = {"cards.d", "readers.d", "groups.d"};

struct list {
    char **names;
    size_t count;
};

static void list_fini(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
}

bool database_folder_has(const char *file)
{
    static const char suffix[] = ".conf";
    size_t length = strlen(file);

    return file[0] != '.' && length >= sizeof suffix && !strcmp(file + length - (sizeof suffix - 1), suffix);
}

static int list_add(struct list *list, const char *name)
{
    char **grown = realloc(list->names, (list->count + 1) * sizeof *grown);

    if (!grown)
        return RC_NO_MEMORY;
    list->names = grown;
    grown[list->count] = strdup(name);
    if (!grown[list->count])
        return RC_NO_MEMORY;
    list->count++;
    return RC_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int cannot_read(struct database *database, const char *path, int error)
{
    if (error == ENOMEM)
        return RC_NO_MEMORY;
    return database_problem_add(database, path, 0, "cannot be read: %s", strerror(error));
}

/* The names of its files, in order. */
static int read_names(DIR *folder, const char *path, struct database *database, struct list *list)
{
    const struct dirent *entry;
    int rc = RC_OK;

    while (errno = 0, !rc && (entry = readdir(folder)))
        if (database_folder_has(entry->d_name))
            rc = list_add(list, entry->d_name);
    if (!rc && errno)
        rc = cannot_read(database, path, errno);
    if (list->count > 1)
        qsort(list->names, list->count, sizeof *list->names, by_text);
    return rc;
}

/* Only a regular file is opened: opening a device may do something, and a FIFO has nobody at its other end.
 */
static int open_regular(int folder, const char *file, bool *ret_regular)
{
    struct stat status;
    int fd;

    *ret_regular = true;
    if (fstatat(folder, file, &status, 0))
        return -1;
    *ret_regular = S_ISREG(status.st_mode);
    if (!*ret_regular)
        return -1;
    fd = openat(folder, file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &status) || !S_ISREG(status.st_mode))) {
        *ret_regular = false;
        close(fd);
        return -1;
    }
    return fd;
}

int database_folder_read(int folder, const char *file, const char *path, struct database *database,
                         char **ret_text, size_t *ret_length)
{
    struct buffer text = {0};
    bool regular;
    int fd = open_regular(folder, file, &regular), rc;

    *ret_text = NULL;
    if (!regular)
        return database_problem_add(database, path, 0, "is not a file: take it away");
    if (fd < 0)
        return errno == ENOENT && fstatat(folder, file, &(struct stat){0}, AT_SYMLINK_NOFOLLOW)
                   ? RC_OK
                   : cannot_read(database, path, errno);
    rc = file_read(fd, DATABASE_FILE_MAX, &text);
    if (!rc && text.length > DATABASE_FILE_MAX)
        rc = database_problem_add(database, path, 0, "has more than %u bytes: no entry is that long",
                                  DATABASE_FILE_MAX);
    else if (rc == RC_IO)
        rc = cannot_read(database, path, errno);
    else if (!rc) {
        text.data[text.length] = '\0';
        *ret_text = (char *)text.data;
        *ret_length = text.length;
    }
    close(fd);
    if (!*ret_text)
        buffer_fini(&text);
    return rc;
}

static size_t *count_of(struct database *database, enum database_kind kind)
{
    return kind == DATABASE_CARDS     ? &database->card_count
           : kind == DATABASE_READERS ? &database->reader_count
                                      : &database->group_count;
}

static void *entry_of(const struct database *database, enum database_kind kind, size_t index)
{
    return kind == DATABASE_CARDS     ? (void *)&database->cards[index]
           : kind == DATABASE_READERS ? (void *)&database->readers[index]
                                      : (void *)&database->groups[index];
}

static const char *name_of(enum database_kind kind, const void *entry)
{
    return kind == DATABASE_CARDS     ? ((const struct database_card *)entry)->name
           : kind == DATABASE_READERS ? ((const struct database_reader *)entry)->name
                                      : ((const struct database_group *)entry)->name;
}

static const char *path_of(enum database_kind kind, const void *entry)
{
    return kind == DATABASE_CARDS     ? ((const struct database_card *)entry)->path
           : kind == DATABASE_READERS ? ((const struct database_reader *)entry)->path
                                      : ((const struct database_group *)entry)->path;
}

static void drop_last(struct database *database, enum database_kind kind)
{
    void *last = entry_of(database, kind, --*count_of(database, kind));

    if (kind == DATABASE_CARDS)
        database_card_fini(last);
    else if (kind == DATABASE_READERS)
        database_reader_fini(last);
    else
        database_group_fini(last);
}

/* Of two files with one name the first counts: the last entry goes if one from first on is called so. */
static int check_name(struct database *database, enum database_kind kind, size_t first, const char *path)
{
    size_t last = *count_of(database, kind) - 1;
    const char *name = name_of(kind, entry_of(database, kind, last));
    int rc;

    for (size_t i = first; i < last; i++) {
        const void *entry = entry_of(database, kind, i);

        if (strcmp(name_of(kind, entry), name) != 0)
            continue;
        rc = database_problem_add(database, path, 0, "'%s' is in %s already: take one of the two away", name,
                                  path_of(kind, entry));
        drop_last(database, kind);
        return rc;
    }
    return RC_OK;
}

static int take_file(int folder, const char *file, const char *folder_path, enum database_scope scope,
                     enum database_kind kind, size_t first, struct database *database)
{
    size_t *count = count_of(database, kind), before = *count, length;
    char *path, *text = NULL;
    int rc;

    if (asprintf(&path, "%s/%s", folder_path, file) < 0)
        return RC_NO_MEMORY;
    rc = database_folder_read(folder, file, path, database, &text, &length);
    if (!rc && text)
        rc = database_file_take(path, scope, kind, text, length, database);
    if (!rc && *count > before)
        rc = check_name(database, kind, first, path);
    free(text);
    free(path);
    return rc;
}

static int by_name(const void *a, const void *b, void *kind)
{
    enum database_kind of = *(const enum database_kind *)kind;

    return strcmp(name_of(of, a), name_of(of, b));
}

static void sort(struct database *database, enum database_kind kind, size_t first)
{
    static const size_t sizes[DATABASE_KINDS] = {sizeof(struct database_card), sizeof(struct database_reader),
                                                 sizeof(struct database_group)};
    size_t count = *count_of(database, kind) - first;

    if (count > 1)
        qsort_r(entry_of(database, kind, first), count, sizes[kind], by_name, &kind);
}

static int load(DIR *folder, const char *path, enum database_scope scope, enum database_kind kind,
                struct database *database)
{
    size_t first = *count_of(database, kind);
    struct list list = {0};
    int rc = read_names(folder, path, database, &list);

    for (size_t i = 0; i < list.count && !rc; i++)
        rc = take_file(dirfd(folder), list.names[i], path, scope, kind, first, database);
    sort(database, kind, first);
    list_fini(&list);
    return rc;
}

int database_folder_load(const char *base, enum database_scope scope, enum database_kind kind,
                         struct database *database)
{
    DIR *folder;
    char *path;
    int rc;

    if (asprintf(&path, "%s/%s", base, database_folder_names[kind]) < 0)
        return RC_NO_MEMORY;
    folder = opendir(path);
    if (folder) {
        rc = load(folder, path, scope, kind, database);
        closedir(folder);
    } else {
        rc = errno == ENOENT ? RC_OK : cannot_read(database, path, errno);
    }
    free(path);
    return rc;
}
