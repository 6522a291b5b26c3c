/* SPDX-License-Identifier: MIT */
#include "cli/save.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const uint8_t *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        length -= (size_t)n;
    }
    return 0;
}

int save_file(struct call *call, const char *name, const uint8_t *data, size_t length)
{
    int fd, error = 0;

    if (strcmp(name, "-") == 0)
        return output_text(call->output, (const char *)data, length);
    fd = openat(call->front->directory, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd < 0 || write_all(fd, data, length) < 0 || ftruncate(fd, (off_t)length) < 0)
        error = errno;
    /* Terminals and pipes have no length. */
    if (error == EINVAL && fd >= 0)
        error = 0;
    if (fd >= 0 && close(fd) < 0 && error == 0)
        error = errno;
    return error == 0 ? STATUS_DONE
                      : call_fail(call, STATUS_TRANSPORT, "", "cannot write %s: %s", name, strerror(error));
}

int save_answer(struct call *call, const char *name, bool append, const uint8_t *data, size_t length)
{
    /* A pipe would wait for its reader in open; one that is waiting is no file either. */
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK | (append ? O_APPEND : 0);
    int fd = openat(call->front->directory, name, flags, 0666), error = fd < 0 ? errno : 0;
    struct stat facts;

    if (error == ELOOP)
        return call_fail(call, STATUS_TRANSPORT, "Name the file that it leads to.",
                         "%s is a symbolic link: the answer is not written", name);
    if (fd >= 0 && fstat(fd, &facts) < 0)
        error = errno;
    if (error == ENXIO || (fd >= 0 && error == 0 && !S_ISREG(facts.st_mode))) {
        if (fd >= 0)
            close(fd);
        return call_fail(call, STATUS_TRANSPORT, "\"apdu -o\" writes to devices and pipes.",
                         "%s is no regular file: the answer is not written", name);
    }
    if (error == 0 && ((!append && ftruncate(fd, 0) < 0) || write_all(fd, data, length) < 0))
        error = errno;
    if (fd >= 0 && close(fd) < 0 && error == 0)
        error = errno;
    return error == 0 ? STATUS_DONE
                      : call_fail(call, STATUS_TRANSPORT, "", "cannot write %s: %s", name, strerror(error));
}
