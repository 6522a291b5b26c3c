/* SPDX-License-Identifier: MIT */
#include "cli/save.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
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
