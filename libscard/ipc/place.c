/* SPDX-License-Identifier: MIT */
#include "ipc/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"

#define LOCK_SUFFIX ".lock"
#define HIDDEN_SUFFIX ".idle"

_Static_assert(sizeof((struct sockaddr_un){0}.sun_path) == PLACE_PATH_MAX, "unix(7)");

static bool is_own_directory(const char *path)
{
    struct stat stat;

    return path[0] == '/' && lstat(path, &stat) == 0 && S_ISDIR(stat.st_mode) && stat.st_uid == geteuid() &&
           !(stat.st_mode & 022);
}

int place_user(char path[PLACE_PATH_MAX])
{
    const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
    char user[64];

    snprintf(user, sizeof user, "/run/user/%lu", (unsigned long)geteuid());
    if (!runtime || !is_own_directory(runtime))
        runtime = user;
    if (!is_own_directory(runtime))
        return detail_set(RC_NO_SERVICE, "this user has no directory for sockets; set XDG_RUNTIME_DIR to one "
                                         "with mode 0700");
    if (snprintf(path, PLACE_PATH_MAX, "%s/scard/scard.comm", runtime) >= PLACE_PATH_MAX)
        return detail_set(RC_NO_SERVICE, "XDG_RUNTIME_DIR is too long for a socket in it");
    return RC_OK;
}

static int failed(const char *path, const char *what)
{
    int rc = errno == EACCES || errno == EPERM || errno == EROFS ? RC_DENIED : RC_IO;

    return detail_set(rc, "%s: %s: %s", path, what, strerror(errno));
}

/* Nobody but this user and root may put another socket there. */
static int make_directory(const char *path, bool shared)
{
    char directory[PLACE_PATH_MAX];
    struct stat info;
    char *end;

    strcpy(directory, path);
    end = strrchr(directory, '/');
    if (end == directory)
        end++;
    *end = '\0';
    if (mkdir(directory, shared ? 0755 : 0700) && errno != EEXIST)
        return failed(directory, "cannot be made");
    if (stat(directory, &info))
        return failed(directory, "cannot be used");
    if ((info.st_uid != geteuid() && info.st_uid != 0) || (info.st_mode & 022 && !(info.st_mode & S_ISVTX)))
        return detail_set(RC_DENIED,
                          "%s: others may write there, and could put their socket in the place of this one; "
                          "choose a directory of your own",
                          directory);
    return RC_OK;
}

static void address_of(const char *path, struct sockaddr_un *ret_address)
{
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret_address->sun_path, path, strlen(path));
}

/* The name that the kernel has for a process, or "". */
static void name_of(pid_t pid, char name[32])
{
    char path[64];
    ssize_t length = -1;
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        length = read(fd, name, 31);
        close(fd);
    }
    name[length > 0 ? length - 1 : 0] = '\0'; /* a newline ends it */
}

/* RC_OK: nobody listens there. */
static int find_listener(const char *path)
{
    struct sockaddr_un address;
    struct ucred peer;
    socklen_t size = sizeof peer;
    char name[32];
    /* Does not wait for one that does not accept. */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc = RC_OK;

    if (fd < 0)
        return failed(path, "no socket can be made");
    address_of(path, &address);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) {
        name_of(peer.pid, name);
        rc = detail_set(RC_SHARING,
                        "%s: process %ld (%s) of user %lu listens there; end it, or say another "
                        "--socket",
                        path, (long)peer.pid, name, (unsigned long)peer.uid);
    } else if (errno == EAGAIN) {
        rc = detail_set(RC_SHARING, "%s: another process listens there", path);
    } else if (errno != ENOENT && errno != ECONNREFUSED) {
        rc = failed(path, "is in the way");
    }
    close(fd);
    return rc;
}

/* Holds the path for this process, as long as it lives. */
static int lock_path(const char *path, int *ret_lock)
{
    char file[PLACE_PATH_MAX + sizeof LOCK_SUFFIX];
    struct stat opened, named;

    snprintf(file, sizeof file, "%s" LOCK_SUFFIX, path);
    for (;;) {
        int fd = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        int rc;

        if (fd < 0)
            return failed(file, "cannot be made");
        if (flock(fd, LOCK_EX | LOCK_NB)) {
            rc = errno == EWOULDBLOCK ? RC_SHARING : failed(file, "cannot be locked");
            close(fd);
            if (rc == RC_SHARING && !find_listener(path))
                rc = detail_set(RC_SHARING, "%s: another server is starting or stopping there", path);
            return rc;
        }
        /* Its last holder may have taken the file away meanwhile. */
        if (!fstat(fd, &opened) && !lstat(file, &named) && opened.st_dev == named.st_dev &&
            opened.st_ino == named.st_ino) {
            *ret_lock = fd;
            return RC_OK;
        }
        close(fd);
    }
}

/* A file of another kind is not taken away. */
static int remove_stale(const char *path)
{
    struct stat info;
    int rc = find_listener(path);

    if (rc || lstat(path, &info))
        return rc;
    if (!S_ISSOCK(info.st_mode))
        return detail_set(RC_INVALID_VALUE, "%s: is a file, and not a socket", path);
    if (unlink(path))
        return failed(path, "the socket of a server that has ended cannot be removed");
    return RC_OK;
}

static int listen_there(const char *path, mode_t mode, gid_t group, int *ret_listener)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;

    if (fd < 0)
        return failed(path, "no socket can be made");
    address_of(path, &address);
    /* unix(7): the file gets the mode of the socket, so that it never has a wider one. */
    if (!fchmod(fd, 0600) && !bind(fd, (const struct sockaddr *)&address, sizeof address)) {
        /* The change of its mode shows whoever watches the folder that it is listened at. */
        if (!chown(path, (uid_t)-1, group) && !listen(fd, SOMAXCONN) && !chmod(path, mode)) {
            *ret_listener = fd;
            return RC_OK;
        }
        rc = failed(path, "cannot be listened at");
        unlink(path);
    } else {
        rc = failed(path, "cannot be listened at");
    }
    close(fd);
    return rc;
}

int place_listen(const char *path, mode_t mode, gid_t group, struct place *ret_place)
{
    struct place place;
    int rc;

    if (path[0] != '/' || strlen(path) >= PLACE_PATH_MAX)
        return detail_set(RC_INVALID_VALUE,
                          "%s: the path of a socket begins with / and has at most %d characters", path,
                          PLACE_PATH_MAX - 1);
    strcpy(place.path, path);
    rc = make_directory(path, mode != 0600);
    if (!rc)
        rc = lock_path(path, &place.lock);
    if (rc)
        return rc;
    rc = remove_stale(path);
    if (!rc)
        rc = listen_there(path, mode, group, &place.listener);
    if (rc) {
        close(place.lock);
        return rc;
    }
    *ret_place = place;
    return RC_OK;
}

/* Where it is meanwhile: nobody else has the lock. */
static void hidden_path(const struct place *place, char path[PLACE_PATH_MAX + sizeof HIDDEN_SUFFIX])
{
    snprintf(path, PLACE_PATH_MAX + sizeof HIDDEN_SUFFIX, "%s" HIDDEN_SUFFIX, place->path);
}

static void move(const char *from, const char *to)
{
    if (rename(from, to))
        log_debug("%s cannot become %s: error %d", from, to, errno);
}

void place_hide(const struct place *place)
{
    char hidden[PLACE_PATH_MAX + sizeof HIDDEN_SUFFIX];

    hidden_path(place, hidden);
    move(place->path, hidden);
}

void place_show(const struct place *place)
{
    char hidden[PLACE_PATH_MAX + sizeof HIDDEN_SUFFIX];

    hidden_path(place, hidden);
    move(hidden, place->path);
}

void place_close(struct place *place)
{
    char file[PLACE_PATH_MAX + sizeof LOCK_SUFFIX], hidden[PLACE_PATH_MAX + sizeof HIDDEN_SUFFIX];

    hidden_path(place, hidden);
    snprintf(file, sizeof file, "%s" LOCK_SUFFIX, place->path);
    unlink(place->path);
    unlink(hidden);
    unlink(file);
    close(place->lock);
}
