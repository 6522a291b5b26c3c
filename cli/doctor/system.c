/* SPDX-License-Identifier: MIT */
#include "cli/doctor/system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rc.h"
#include "usb/usb_text.h"

int system_init(struct system *system, const char *root)
{
    int folder = -1;
    char *copy;

    if (root != NULL) {
        folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
            return errno;
    }
    copy = strdup(root != NULL ? root : "");
    if (copy == NULL) {
        if (folder >= 0)
            close(folder);
        return ENOMEM;
    }
    *system =
        (struct system){.prepared = root != NULL, .plain = root != NULL, .folder = folder, .root = copy};
    return 0;
}

void system_fini(struct system *system)
{
    if (system->folder >= 0)
        close(system->folder);
    free(system->root);
    *system = (struct system){.folder = -1};
}

static int open_path(const struct system *system, int flags, const char *path)
{
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT};
    int fd;

    if (!system->prepared)
        return open(path, flags | O_CLOEXEC);
    fd = (int)syscall(SYS_openat2, system->folder, path, &how, sizeof how);
    /* Kernels before 5.6 lack it, and some containers forbid what they do not know. */
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        fd = openat(system->folder, path + strspn(path, "/"), flags | O_CLOEXEC);
    return fd;
}

/* A pipe or a device may block whoever opens it, or do something. */
static int open_plain(const struct system *system, int flags, const char *path)
{
    /* With O_PATH nothing is opened, and openat2 takes no other flag beside. */
    int fd = open_path(system, flags & O_PATH ? flags : flags | O_NONBLOCK | O_NOCTTY, path);
    struct stat status;

    if (fd < 0 || flags & O_PATH)
        return fd;
    if (fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

/* false with errno: the path is too long. */
__attribute__((format(printf, 2, 0))) static bool make_path(char path[SYSTEM_PATH_MAX], const char *format,
                                                            va_list args)
{
    int length = vsnprintf(path, SYSTEM_PATH_MAX, format, args);

    errno = ENAMETOOLONG;
    return length > 0 && length < SYSTEM_PATH_MAX;
}

#define PATH(path, format)                                                                                   \
    char path[SYSTEM_PATH_MAX];                                                                              \
    va_list args;                                                                                            \
    bool fits;                                                                                               \
    va_start(args, format);                                                                                  \
    fits = make_path(path, format, args);                                                                    \
    va_end(args)

int system_open(const struct system *system, int flags, const char *format, ...)
{
    PATH(path, format);
    return fits ? open_plain(system, flags, path) : -1;
}

static char *read_bytes(int fd, size_t *ret_length)
{
    struct buffer content = {0};
    int rc = file_read(fd, SYSTEM_TEXT_MAX - 1, &content), error = rc == RC_IO ? errno : ENOMEM;

    if (rc != RC_OK) {
        buffer_fini(&content);
        errno = error;
        return NULL;
    }
    content.data[content.length] = '\0';
    if (ret_length != NULL)
        *ret_length = content.length;
    return (char *)content.data;
}

static char *load(const struct system *system, size_t *ret_length, const char *path)
{
    int fd = open_plain(system, O_RDONLY, path), error;
    char *content;

    if (fd < 0)
        return NULL;
    content = read_bytes(fd, ret_length);
    error = errno;
    close(fd);
    errno = error;
    return content;
}

char *system_bytes(const struct system *system, size_t *ret_length, const char *format, ...)
{
    PATH(path, format);
    return fits ? load(system, ret_length, path) : NULL;
}

void system_clean(char *text)
{
    usb_text_clean(text);
}

/* Each line for itself: usb_text_clean takes line ends for control characters. */
static void clean_lines(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = '?';
    for (char *line = text; *line != '\0';) {
        char *end = strchrnul(line, '\n');
        bool last = *end == '\0';

        *end = '\0';
        for (char *at = line; *at != '\0'; at++)
            if (*at == '\t')
                *at = ' ';
        system_clean(line);
        if (last)
            return;
        /* It may be shorter now: fill up, so that lines stay where they are. */
        for (char *at = line + strlen(line); at < end; at++)
            *at = ' ';
        *end = '\n';
        line = end + 1;
    }
}

char *system_tail(const struct system *system, const char *path)
{
    int fd = open_plain(system, O_RDONLY, path);
    size_t length = 0;
    char *content;

    if (fd < 0)
        return NULL;
    if (lseek(fd, -(off_t)SYSTEM_TEXT_MAX, SEEK_END) < 0)
        (void)lseek(fd, 0, SEEK_SET);
    content = read_bytes(fd, &length);
    close(fd);
    if (content != NULL)
        clean_lines(content, length);
    return content;
}

char *system_text(const struct system *system, const char *format, ...)
{
    size_t length = 0;
    char *content;
    PATH(path, format);

    content = fits ? load(system, &length, path) : NULL;
    if (content != NULL)
        clean_lines(content, length);
    return content;
}

bool system_line(const struct system *system, char *line, size_t room, const char *format, ...)
{
    char *content;
    PATH(path, format);

    content = fits ? load(system, NULL, path) : NULL;
    line[0] = '\0';
    if (content == NULL)
        return false;
    snprintf(line, room, "%.*s", (int)strcspn(content, "\n"), content);
    system_clean(line);
    free(content);
    return true;
}

bool system_exists(const struct system *system, const char *format, ...)
{
    int fd;
    PATH(path, format);

    fd = fits ? open_path(system, O_PATH, path) : -1;
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

int system_stat(const struct system *system, struct stat *ret_stat, const char *format, ...)
{
    int fd, error = 0;
    PATH(path, format);

    fd = fits ? open_path(system, O_PATH, path) : -1;
    if (fd < 0)
        return errno;
    if (fstat(fd, ret_stat) < 0)
        error = errno;
    close(fd);
    return error;
}

bool system_link(const struct system *system, char *target, size_t room, const char *format, ...)
{
    ssize_t length;
    int fd;
    PATH(path, format);

    fd = fits ? open_path(system, O_PATH | O_NOFOLLOW, path) : -1;
    length = fd < 0 ? -1 : readlinkat(fd, "", target, room - 1);
    if (fd >= 0)
        close(fd);
    target[length > 0 ? length : 0] = '\0';
    return length > 0;
}

size_t system_acl(const struct system *system, const char *path, uint8_t *acl, size_t room)
{
    int fd = open_path(system, O_PATH, path);
    char name[64];
    ssize_t length;

    if (fd < 0)
        return 0;
    /* Such a descriptor has no attributes itself, what it stands for has. */
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    length = getxattr(name, "system.posix_acl_access", acl, room);
    close(fd);
    return length > 0 ? (size_t)length : 0;
}

static int by_name(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;

    return strverscmp(*left, *right);
}

void system_names_free(char **names)
{
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        free(names[i]);
    free(names);
}

static char **read_names(DIR *folder)
{
    size_t count = 0, capacity = 0;
    char **names = NULL;
    struct dirent *entry;

    do {
        entry = readdir(folder);
        if (entry != NULL && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0))
            continue;
        if (count == capacity) {
            char **grown = reallocarray(names, capacity + 64, sizeof *names);

            if (grown == NULL)
                goto fail;
            names = grown;
            capacity += 64;
        }
        names[count] = NULL;
        if (entry == NULL)
            break;
        names[count] = strdup(entry->d_name);
        if (names[count] == NULL)
            goto fail;
        count++;
    } while (count < SYSTEM_NAMES_MAX - 1);
    names[count] = NULL; /* capacity is a part of SYSTEM_NAMES_MAX, so there is room */
    qsort(names, count, sizeof *names, by_name);
    return names;
fail:
    while (count > 0)
        free(names[--count]);
    free(names);
    errno = ENOMEM;
    return NULL;
}

char **system_names(const struct system *system, const char *format, ...)
{
    DIR *folder;
    char **names;
    int fd;
    PATH(path, format);

    fd = fits ? open_path(system, O_RDONLY | O_DIRECTORY | O_NONBLOCK, path) : -1;
    folder = fd < 0 ? NULL : fdopendir(fd);
    if (folder == NULL) {
        int error = errno;

        if (fd >= 0)
            close(fd);
        errno = error;
        return NULL;
    }
    names = read_names(folder);
    closedir(folder);
    return names;
}
