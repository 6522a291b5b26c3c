/* SPDX-License-Identifier: MIT */
#include "store/database_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "store/database_folder.h"

/* Nobody else writes while the lock is held, so one name is enough; what is left of a writer that died goes
 * with the next one. */
#define NEW_FILE ".new"
#define LOCK_FILE ".lock"

static int failed(const struct database_writer *writer, const char *below, const char *file)
{
    int error = errno;
    bool refused = error == EACCES || error == EPERM;
    const char *advice = !refused                           ? "nothing was changed"
                         : writer->scope == DATABASE_SYSTEM ? "the system's database is root's"
                                                            : "see whose it is, and its mode";

    if (error == ENOMEM)
        return RC_NO_MEMORY;
    return detail_set(refused || error == EROFS ? RC_NO_ACCESS : RC_IO,
                      "%s%s%s%s%s cannot be written: %s; %s", writer->base, *below ? "/" : "", below,
                      *file ? "/" : "", file, strerror(error), advice);
}

/* So that a new name in it outlives a power failure. Not all file systems can do it. */
static void sync_folder(int folder)
{
    if (fsync(folder))
        log_debug("the folder of a change cannot be brought to disk: error %d", errno);
}

/* errno says why not. An existing folder is good as it is. */
static bool make_folder(int at, const char *path, enum database_scope scope)
{
    bool shared = scope == DATABASE_SYSTEM;
    int made, parent;

    if (mkdirat(at, path, shared ? 0755 : 0700))
        return errno == EEXIST;
    made = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (made < 0)
        return false;
    /* All programs read the system's, whatever root's umask. */
    if (shared && fchmod(made, 0755))
        log_debug("%s: its mode cannot be set: error %d", path, errno);
    parent = openat(made, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0) {
        sync_folder(parent);
        close(parent);
    }
    close(made);
    return true;
}

/* One on the way. Of those that are there, some cannot be made for other reasons than that. */
static bool make_parent(const char *path, enum database_scope scope)
{
    int error;

    if (make_folder(AT_FDCWD, path, scope))
        return true;
    error = errno;
    if (!access(path, F_OK))
        return true;
    errno = error;
    return false;
}

static int make_base(const struct database_writer *writer)
{
    char *path = strdup(writer->base);
    bool made = true;

    if (!path)
        return RC_NO_MEMORY;
    for (char *slash = strchr(path + 1, '/'); slash && made; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        made = make_parent(path, writer->scope);
        *slash = '/';
    }
    made = made && make_folder(AT_FDCWD, path, writer->scope);
    free(path);
    return made ? RC_OK : failed(writer, "", "");
}

static int open_base(struct database_writer *writer, bool make)
{
    writer->folder = open(writer->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (writer->folder < 0 && errno == ENOENT) {
        int rc = make ? make_base(writer) : RC_NOT_FOUND;

        if (rc)
            return rc;
        writer->folder = open(writer->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    return writer->folder < 0 ? failed(writer, "", "") : RC_OK;
}

/* flock(2) asks for no more than a file that is open: who may open this one could stop all writers. */
static int take_lock(struct database_writer *writer)
{
    struct stat opened, named;

    for (;;) {
        int locked;

        writer->lock = openat(writer->folder, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (writer->lock < 0)
            return failed(writer, "", LOCK_FILE);
        do
            locked = flock(writer->lock, LOCK_EX);
        while (locked && errno == EINTR);
        if (locked) {
            int rc = failed(writer, "", LOCK_FILE);

            close(writer->lock);
            return rc;
        }
        /* Somebody may have taken the file away meanwhile. */
        if (!fstat(writer->lock, &opened) &&
            !fstatat(writer->folder, LOCK_FILE, &named, AT_SYMLINK_NOFOLLOW) &&
            opened.st_dev == named.st_dev && opened.st_ino == named.st_ino)
            return RC_OK;
        close(writer->lock);
    }
}

int database_writer_open(const struct database_place *place, enum database_scope scope, bool make,
                         struct database_writer *ret_writer)
{
    struct database_writer writer = {.base = scope == DATABASE_USER ? place->user : place->system,
                                     .scope = scope};
    int rc;

    if (!writer.base)
        return detail_set(RC_NO_SERVICE,
                          "this user has no folder for a database: set HOME, or XDG_CONFIG_HOME");
    rc = open_base(&writer, make);
    if (rc)
        return rc;
    rc = take_lock(&writer);
    if (rc) {
        close(writer.folder);
        return rc;
    }
    *ret_writer = writer;
    return RC_OK;
}

void database_writer_close(struct database_writer *writer)
{
    /* A child that was forked meanwhile has the lock's file as well, and would keep it. */
    flock(writer->lock, LOCK_UN);
    close(writer->lock);
    close(writer->folder);
}

static int open_folder(const struct database_writer *writer, enum database_kind kind, bool make,
                       int *ret_folder)
{
    const char *name = database_folder_names[kind];
    int folder = openat(writer->folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0 && errno == ENOENT && make) {
        if (!make_folder(writer->folder, name, writer->scope))
            return failed(writer, name, "");
        folder = openat(writer->folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (folder < 0)
        return failed(writer, name, "");
    *ret_folder = folder;
    return RC_OK;
}

static bool write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t count = write(fd, text, length);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        text += count;
        length -= (size_t)count;
    }
    return true;
}

/* What the file that is replaced had, else what the scope's files have. Some file systems have one mode for
 * all files, which is good if it is the right one. */
static bool set_mode(const struct database_writer *writer, int fd, int folder, const char *file)
{
    mode_t mode = writer->scope == DATABASE_SYSTEM ? 0644 : 0600;
    struct stat own, old;

    if (fstat(fd, &own))
        return false;
    if (file && !fstatat(folder, file, &old, 0)) {
        mode = old.st_mode & 0777;
        if ((old.st_uid != own.st_uid || old.st_gid != own.st_gid) && fchown(fd, old.st_uid, old.st_gid))
            log_debug("%s: the owner cannot be kept: error %d", file, errno);
    }
    return (own.st_mode & 0777) == mode || !fchmod(fd, mode);
}

static bool write_new(const struct database_writer *writer, int folder, const char *file, const char *text,
                      size_t length)
{
    int fd;
    bool written;

    if (unlinkat(folder, NEW_FILE, 0) && errno != ENOENT)
        return false;
    fd = openat(folder, NEW_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    written = set_mode(writer, fd, folder, file) && write_all(fd, text, length) && !fsync(fd);
    if (close(fd))
        written = false;
    return written;
}

/* Not every file system can rename without replacing; nobody else writes under the lock. */
static bool rename_new(int folder, const char *file)
{
    struct stat status;

    if (!renameat2(folder, NEW_FILE, folder, file, RENAME_NOREPLACE))
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (!fstatat(folder, file, &status, AT_SYMLINK_NOFOLLOW)) {
        errno = EEXIST;
        return false;
    }
    return !renameat(folder, NEW_FILE, folder, file);
}

static bool name_new(int folder, const char *name)
{
    char stem[NAME_FILE_MAX], file[NAME_FILE_MAX + 32];
    unsigned number = 1;
    bool named;

    name_to_file(name, stem);
    do {
        if (number == 1)
            snprintf(file, sizeof file, "%s.conf", stem);
        else
            snprintf(file, sizeof file, "%s-%u.conf", stem, number);
        named = rename_new(folder, file);
    } while (!named && errno == EEXIST && number++ < UINT32_MAX);
    return named;
}

int database_writer_put(const struct database_writer *writer, enum database_kind kind, const char *file,
                        const char *name, const char *text, size_t length)
{
    int folder = -1, rc;

    if (length > DATABASE_FILE_MAX)
        return detail_set(RC_INVALID_VALUE, "the entry '%.60s' would be longer than %u bytes", name,
                          DATABASE_FILE_MAX);
    rc = open_folder(writer, kind, true, &folder);
    if (rc)
        return rc;
    if (!write_new(writer, folder, file, text, length) ||
        (file ? renameat(folder, NEW_FILE, folder, file) : !name_new(folder, name))) {
        rc = failed(writer, database_folder_names[kind], file ? file : "");
        unlinkat(folder, NEW_FILE, 0);
    } else {
        sync_folder(folder);
    }
    close(folder);
    return rc;
}

int database_writer_remove(const struct database_writer *writer, enum database_kind kind, const char *file)
{
    int folder = -1, rc = open_folder(writer, kind, false, &folder);

    if (rc)
        return rc;
    if (unlinkat(folder, file, 0))
        rc = failed(writer, database_folder_names[kind], file);
    else
        sync_folder(folder);
    close(folder);
    return rc;
}
