/* SPDX-License-Identifier: MIT */
#include "cli/session_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

#define SHELL_PREFIX "shell-"
#define SOCKET_SUFFIX ".sock"
#define LOCK_SUFFIX ".lock"

/* A name with its suffix. */
#define FILE_SIZE (SESSION_NAME_SIZE + 8)

static void file_of(const char *name, const char *suffix, char file[FILE_SIZE])
{
    snprintf(file, FILE_SIZE, "%s%s", name, suffix);
}

/* A directory that nobody else can reach into, or RC_DENIED; RC_IO with errno kept when it cannot be opened.
 */
static int open_own(int parent, const char *path)
{
    int fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), error;
    struct stat stat;

    if (fd < 0)
        return errno == ELOOP || errno == ENOTDIR ? RC_DENIED : RC_IO;
    if (fstat(fd, &stat) == 0 && stat.st_uid == geteuid() && (stat.st_mode & 077) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return RC_DENIED;
}

static int open_below(int parent, const char *path, bool create, int *ret_directory)
{
    int fd;

    if (create && mkdirat(parent, path, 0700) < 0 && errno != EEXIST)
        return detail_set(RC_IO, "cannot make the directory for sessions: %s", strerror(errno));
    fd = open_own(parent, path);
    if (fd >= 0) {
        *ret_directory = fd;
        return 0;
    }
    if (fd == RC_IO && errno == ENOENT && !create)
        return 1;
    if (fd == RC_DENIED)
        return detail_set(RC_DENIED,
                          "%s, the directory for sessions, is not a directory of this user with mode 0700",
                          path);
    return detail_set(RC_IO, "cannot open %s, the directory for sessions: %s", path, strerror(errno));
}

int session_place_open(bool create, int *ret_directory)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char user[64];
    int parent = RC_IO, rc;

    if (runtime != NULL && runtime[0] == '/')
        parent = open_own(AT_FDCWD, runtime);
    if (parent < 0) {
        snprintf(user, sizeof user, "/run/user/%lu", (unsigned long)geteuid());
        parent = open_own(AT_FDCWD, user);
    }
    if (parent < 0) {
        snprintf(user, sizeof user, "/tmp/scard-%lu", (unsigned long)geteuid());
        return open_below(AT_FDCWD, user, create, ret_directory);
    }
    rc = open_below(parent, "scard", create, ret_directory);
    close(parent);
    return rc;
}

bool session_place_is_name(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t length = strlen(name);

    return length > 0 && length <= SESSION_NAME_MAX && name[0] != '.' && name[0] != '-' &&
           strspn(name, letters) == length;
}

bool session_place_is_shell(const char *name)
{
    return strncmp(name, SHELL_PREFIX, strlen(SHELL_PREFIX)) == 0;
}

bool session_place_process(pid_t pid, struct session_process *ret_process)
{
    char path[64], text[1024], *at;
    unsigned long long start, stack, arguments;
    ssize_t length;
    int fd, parent;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0)
        return false;
    text[length] = '\0';
    /* proc_pid_stat(5): the name, field 2, may hold anything but ends at the last ')'; 4 is the parent, 22
     * the start, 28 the stack, 48 the arguments. */
    at = strrchr(text, ')');
    if (at == NULL ||
        sscanf(at + 1,
               " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu"
               " %*u %*d %*u %*u %*u %llu %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %*d %*u %*u %*u %*u %*d"
               " %*u %*u %*u %llu",
               &parent, &start, &stack, &arguments) != 4)
        return false;
    *ret_process =
        (struct session_process){.parent = parent, .start = start, .stack = stack, .arguments = arguments};
    return true;
}

/* Made by fork alone: exec would have laid out stack and arguments anew, at random. */
static bool is_copy(const struct session_process *process, const struct session_process *of)
{
    return process->arguments != 0 && process->arguments == of->arguments && process->stack == of->stack;
}

bool session_place_shell(pid_t *ret_pid, struct session_process *ret_process)
{
    struct session_process shell, above;
    pid_t pid = getppid();

    if (!session_place_process(pid, &shell))
        return false;
    while (session_place_process(shell.parent, &above) && is_copy(&shell, &above)) {
        pid = shell.parent;
        shell = above;
    }
    *ret_pid = pid;
    *ret_process = shell;
    return true;
}

void session_place_shell_name(pid_t pid, uint64_t start, char name[SESSION_NAME_SIZE])
{
    snprintf(name, SESSION_NAME_SIZE, SHELL_PREFIX "%ld-%llu", (long)pid, (unsigned long long)start);
}

/* Through the descriptor: a path of any length fits, and nobody can put another directory in its place. */
static void address_of(int directory, const char *name, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s" SOCKET_SUFFIX, directory,
             name);
}

int session_place_connect(int directory, const char *name)
{
    struct sockaddr_un address;
    struct ucred peer;
    socklen_t length = sizeof peer;
    int fd, rc = RC_IO;

    address_of(directory, name, &address);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return detail_set(RC_IO, "cannot make a socket: %s", strerror(errno));
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            rc = RC_NO_SERVICE;
        else
            detail_set(RC_IO, "cannot reach the session %s: %s", name, strerror(errno));
    } else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 || peer.uid != geteuid()) {
        rc = detail_set(RC_DENIED, "the session %s belongs to another user", name);
    } else {
        return fd;
    }
    close(fd);
    return rc;
}

int session_place_connect_nearest(int directory, char name[SESSION_NAME_SIZE])
{
    struct session_process process;
    char file[FILE_SIZE];

    /* This process itself may be the shell: a shell executes its last command in its own place. */
    for (pid_t pid = getpid(); pid > 0 && session_place_process(pid, &process); pid = process.parent) {
        int fd;

        session_place_shell_name(pid, process.start, name);
        file_of(name, SOCKET_SUFFIX, file);
        if (faccessat(directory, file, F_OK, 0) < 0)
            continue;
        fd = session_place_connect(directory, name);
        if (fd != RC_NO_SERVICE)
            return fd;
    }
    return RC_NO_SERVICE;
}

/* Is the open file the one that has this name now: its last holder may have taken the name away in between.
 */
static bool is_linked(int directory, const char *file, int fd)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0 && fstatat(directory, file, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

static int lock_file(int directory, const char *file, int create)
{
    for (;;) {
        int fd = openat(directory, file, O_RDWR | create | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (fd < 0)
            return detail_set(RC_IO, "cannot make the lock of the session: %s", strerror(errno));
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            int rc = errno == EWOULDBLOCK ? RC_SHARING : RC_IO;

            detail_set(rc, "cannot lock the session: %s", strerror(errno));
            close(fd);
            return rc;
        }
        if (is_linked(directory, file, fd))
            return fd;
        close(fd);
    }
}

int session_place_lock(int directory, const char *name)
{
    char file[FILE_SIZE];

    file_of(name, LOCK_SUFFIX, file);
    return lock_file(directory, file, O_CREAT);
}

int session_place_listen(int directory, const char *name)
{
    struct sockaddr_un address;
    int fd;

    session_place_remove_socket(directory, name);
    address_of(directory, name, &address);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return detail_set(RC_IO, "cannot make a socket: %s", strerror(errno));
    /* unix(7): the file gets the mode of the socket, less the umask. */
    if (fchmod(fd, 0600) == 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
        if (listen(fd, SOMAXCONN) == 0)
            return fd;
        session_place_remove_socket(directory, name);
    }
    detail_set(RC_IO, "cannot listen for commands: %s", strerror(errno));
    close(fd);
    return RC_IO;
}

void session_place_remove_socket(int directory, const char *name)
{
    char file[FILE_SIZE];

    file_of(name, SOCKET_SUFFIX, file);
    unlinkat(directory, file, 0);
}

void session_place_remove_lock(int directory, const char *name)
{
    char file[FILE_SIZE];

    file_of(name, LOCK_SUFFIX, file);
    unlinkat(directory, file, 0);
}

static int each(int directory, const char *suffix, int (*fn)(void *user, const char *name), void *user)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    if (stream == NULL) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    while (result == 0 && (entry = readdir(stream)) != NULL) {
        size_t length = strlen(entry->d_name), cut = strlen(suffix);
        char name[SESSION_NAME_SIZE];

        if (length <= cut || length - cut > SESSION_NAME_MAX ||
            strcmp(entry->d_name + length - cut, suffix) != 0)
            continue;
        memcpy(name, entry->d_name, length - cut);
        name[length - cut] = '\0';
        if (session_place_is_name(name))
            result = fn(user, name);
    }
    closedir(stream);
    return result;
}

static int sweep_one(void *user, const char *name)
{
    const int *directory = user;
    char file[FILE_SIZE];
    int fd;

    file_of(name, LOCK_SUFFIX, file);
    fd = lock_file(*directory, file, 0);
    if (fd < 0)
        return 0;
    session_place_remove_socket(*directory, name);
    session_place_remove_lock(*directory, name);
    close(fd);
    return 0;
}

void session_place_sweep(int directory)
{
    each(directory, LOCK_SUFFIX, sweep_one, &directory);
}

int session_place_each(int directory, int (*fn)(void *user, const char *name), void *user)
{
    return each(directory, SOCKET_SUFFIX, fn, user);
}
