/* SPDX-License-Identifier: MIT */
#include "cli/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/rc.h"
#include "cli/apdu_text.h"

/* A full file is shortened by this many lines at once, so that not every line typed writes it anew. */
#define HISTORY_SLACK 500

char *history_path(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *path;
    int length;

    /* XDG base directories: a path that is not absolute is to be ignored. */
    if (state != NULL && state[0] == '/')
        length = asprintf(&path, "%s/scard/history", state);
    else if (home != NULL && home[0] == '/')
        length = asprintf(&path, "%s/.local/state/scard/history", home);
    else
        return NULL;
    return length < 0 ? NULL : path;
}

/* No option of scard takes a secret as its value; who types one all the same must not find it in a file. */
static bool has_secret_option(const char *line)
{
    static const char *const names[] = {"--pin", "--newpin", "--new-pin", "--puk", "--key", "--password"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i]);

        for (const char *at = strstr(line, names[i]); at != NULL; at = strstr(at + 1, names[i]))
            if (at[length] == '=' || at[length] == ' ' || at[length] == '\t')
                return true;
    }
    return false;
}

static bool has_control(const char *line)
{
    for (; *line != '\0'; line++)
        if (((unsigned char)*line < 0x20 && *line != '\t') || *line == 0x7F)
            return true;
    return false;
}

/* Is there an APDU with a secret in it? true as well when memory is out. */
static bool has_secret_apdu(const char *line)
{
    char *masked = apdu_text_masked(line);
    bool differs = masked == NULL || strcmp(masked, line) != 0;

    free(masked);
    return differs;
}

/* An APDU in quotes or with backslashes is refused where it is typed; its bytes are a PIN's all the same. */
static bool has_quoted_secret(const char *line)
{
    char *plain = strdup(line), *to = plain;
    bool has;

    for (const char *at = line; plain != NULL && *at != '\0'; at++)
        if (strchr("\"'\\", *at) == NULL)
            *to++ = *at;
    if (plain != NULL)
        *to = '\0';
    has = plain == NULL || has_secret_apdu(plain);
    free(plain);
    return has;
}

char *history_storable(const char *line)
{
    if (line[0] == '\0' || line[0] == ' ' || line[0] == '\t' || has_control(line) ||
        has_secret_option(line) || has_secret_apdu(line) || has_quoted_secret(line))
        return NULL;
    return strdup(line);
}

static int fail(const char *path, const char *what)
{
    return detail_set(RC_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

static int read_all(int fd, const char *path, struct buffer *text)
{
    int rc = file_read(fd, SIZE_MAX, text);

    return rc == RC_IO ? fail(path, "read") : rc;
}

static int write_all(int fd, const char *path, const uint8_t *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);

        if (n > 0) {
            data += n;
            length -= (size_t)n;
        } else if (errno != EINTR) {
            return fail(path, "write");
        }
    }
    return RC_OK;
}

int history_load(const char *path, struct buffer *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;
    struct stat about;

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? RC_OK : fail(path, "open");
    if (fstat(fd, &about) < 0 || !S_ISREG(about.st_mode))
        rc = detail_set(RC_IO, "%s is no file", path); /* a device may have no end */
    else
        rc = read_all(fd, path, text);
    close(fd);
    return rc;
}

/* The folders above the file. */
static int make_folders(const char *path)
{
    char *folder = strdup(path);

    if (folder == NULL)
        return RC_NO_MEMORY;
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
            int rc = fail(folder, "make the folder");

            free(folder);
            return rc;
        }
        *slash = '/';
    }
    free(folder);
    return RC_OK;
}

/* Is the locked file still the one that the path names? Another shell may have put a shorter one in its
 * place. */
static bool is_current(int fd, const char *path)
{
    struct stat ours, theirs;

    return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

static int open_locked(const char *path, int *ret_fd)
{
    struct stat about;
    int fd;

    for (;;) {
        fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
        if (fd < 0)
            return fail(path, "open");
        while (flock(fd, LOCK_EX) < 0) {
            if (errno != EINTR) {
                int rc = fail(path, "lock");

                close(fd);
                return rc;
            }
        }
        if (is_current(fd, path))
            break;
        close(fd);
    }
    if (fstat(fd, &about) < 0 || !S_ISREG(about.st_mode) ||
        ((about.st_mode & 077) != 0 && fchmod(fd, 0600) < 0)) {
        close(fd);
        return detail_set(RC_IO, "%s is no file that only you can read", path);
    }
    *ret_fd = fd;
    return RC_OK;
}

static size_t count_lines(const struct buffer *text)
{
    size_t count = 0;

    for (size_t i = 0; i < text->length; i++)
        count += text->data[i] == '\n';
    return count;
}

/* Puts the newest lines into a new file, and that in the place of the old one: whoever reads sees one or the
 * other. */
static int shorten(const char *path, const struct buffer *text, size_t lines)
{
    size_t from = 0, drop = lines - (HISTORY_LINES - HISTORY_SLACK);
    char *fresh;
    int fd, rc;

    while (drop > 0)
        drop -= text->data[from++] == '\n';
    if (asprintf(&fresh, "%s.XXXXXX", path) < 0)
        return RC_NO_MEMORY;
    fd = mkostemp(fresh, O_CLOEXEC); /* mode 0600 */
    if (fd < 0) {
        rc = fail(fresh, "make");
    } else {
        rc = write_all(fd, fresh, text->data + from, text->length - from);
        if (close(fd) < 0 && rc == RC_OK)
            rc = fail(fresh, "write");
        if (rc == RC_OK && rename(fresh, path) < 0)
            rc = fail(path, "replace");
        if (rc < 0)
            unlink(fresh);
    }
    free(fresh);
    return rc;
}

char *history_find(const struct buffer *text, const char *event)
{
    const char *want = event + 1, *found = NULL, *at = (const char *)text->data;
    const char *end = at + text->length, *newline;
    size_t want_length = strlen(want), found_length = 0;
    bool last = strcmp(want, "!") == 0, by_number = strspn(want, "0123456789") == want_length;
    unsigned long number = strtoul(want, NULL, 10), count = 0;

    if (want_length == 0)
        return NULL;
    for (; at < end && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL; at = newline + 1) {
        size_t length = (size_t)(newline - at);

        count++;
        if (last || (by_number && count == number) ||
            (!by_number && length >= want_length && memcmp(at, want, want_length) == 0)) {
            found = at;
            found_length = length;
        }
    }
    return found != NULL ? strndup(found, found_length) : NULL;
}

int history_append(const char *path, const char *line)
{
    struct buffer text = {0}, added = {0};
    int fd = -1, rc = make_folders(path);

    if (rc == RC_OK)
        rc = open_locked(path, &fd);
    if (rc == RC_OK)
        rc = read_all(fd, path, &text);
    /* A write that was cut off must not swallow this line. */
    if (rc == RC_OK && text.length > 0 && text.data[text.length - 1] != '\n')
        rc = buffer_append(&added, "\n", 1);
    if (rc == RC_OK)
        rc = buffer_append(&added, line, strlen(line));
    if (rc == RC_OK)
        rc = buffer_append(&added, "\n", 1);
    if (rc == RC_OK)
        rc = buffer_append(&text, added.data, added.length);
    if (rc == RC_OK) {
        size_t lines = count_lines(&text);

        rc = lines > HISTORY_LINES ? shorten(path, &text, lines)
                                   : write_all(fd, path, added.data, added.length);
    }
    if (fd >= 0)
        close(fd);
    buffer_fini(&text);
    buffer_fini(&added);
    return rc;
}
