/* SPDX-License-Identifier: MIT */
#include "store/cache_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "store/cache.h"

/* Nobody else may put something else there: it is this user's or root's, and others may not write, or as in
 * /dev/shm not rename. */
static bool is_safe_parent(int folder)
{
    struct stat status;

    return !fstat(folder, &status) && (status.st_uid == geteuid() || status.st_uid == 0) &&
           (!(status.st_mode & 022) || status.st_mode & S_ISVTX);
}

static int open_folder(int at, const char *path, bool follow)
{
    return openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
}

static int check_own(const char *path, int folder)
{
    struct stat status;

    if (fstat(folder, &status))
        return detail_set(RC_NO_SERVICE, "%s, the folder of the card cache, cannot be used: %s", path,
                          strerror(errno));
    if (status.st_uid != geteuid())
        return detail_set(RC_NO_SERVICE, "%s, the folder of the card cache, is another user's: take it away",
                          path);
    if (status.st_mode & 077)
        return detail_set(
            RC_NO_SERVICE,
            "%s, the folder of the card cache, is open to others: take it away, or set its mode "
            "to 0700",
            path);
    return RC_OK;
}

int cache_place_open(const char *path, int *ret_folder)
{
    int folder = open_folder(AT_FDCWD, path, false), rc;

    if (folder < 0)
        return detail_set(RC_NO_SERVICE, "%s, the folder of the card cache, cannot be used: %s", path,
                          strerror(errno));
    rc = check_own(path, folder);
    if (rc) {
        close(folder);
        return rc;
    }
    *ret_folder = folder;
    return RC_OK;
}

/* A folder in a safe one, made if it is not there. -1: a reason in errno. */
static int make_below(int parent, const char *name, mode_t mode)
{
    if (!is_safe_parent(parent)) {
        errno = EPERM;
        return -1;
    }
    if (mkdirat(parent, name, mode) && errno != EEXIST)
        return -1;
    return open_folder(parent, name, false);
}

/* PARENT/FOLDER/cache is made and good. The parent must be there. */
static int make_place(const char *parent, const char *folder, mode_t mode, char **ret_path)
{
    int top = open_folder(AT_FDCWD, parent, true), middle = -1, inner = -1, rc;
    char *path;

    if (asprintf(&path, "%s/%s/cache", parent, folder) < 0) {
        rc = RC_NO_MEMORY;
        path = NULL;
    } else {
        if (top >= 0)
            middle = make_below(top, folder, mode);
        if (middle >= 0)
            inner = make_below(middle, "cache", 0700);
        rc = inner >= 0 ? check_own(path, inner)
                        : detail_set(RC_NO_SERVICE, "%s, the folder of the card cache, cannot be made: %s",
                                     path, strerror(errno));
    }
    if (top >= 0)
        close(top);
    if (middle >= 0)
        close(middle);
    if (inner >= 0)
        close(inner);
    if (rc)
        free(path);
    else
        *ret_path = path;
    return rc;
}

int cache_place(char **ret_path)
{
    const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
    unsigned long user = geteuid();
    char name[64];
    int rc = RC_NO_SERVICE;

    /* XDG Base Directory: a relative path counts as unset. */
    if (runtime && runtime[0] == '/')
        rc = make_place(runtime, "scard", 0700, ret_path);
    if (rc == RC_NO_SERVICE && user == 0) {
        /* Sockets for all users are there, too. */
        rc = make_place("/run", "scard", 0755, ret_path);
    } else if (rc == RC_NO_SERVICE) {
        snprintf(name, sizeof name, "/run/user/%lu", user);
        rc = make_place(name, "scard", 0700, ret_path);
    }
    if (rc == RC_NO_SERVICE) {
        snprintf(name, sizeof name, "scard-%lu", user);
        rc = make_place("/dev/shm", name, 0700, ret_path);
    }
    if (!rc)
        detail_clear();
    return rc;
}
