/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <errno.h>
#include <unistd.h>

#include "base/rc.h"

int file_read(int fd, size_t most, struct buffer *text)
{
    ssize_t got;

    do {
        size_t room, left = most - text->length;

        if (buffer_reserve(text, 4096))
            return RC_NO_MEMORY;
        room = text->capacity - text->length - 1;
        got = read(fd, text->data + text->length, room <= left ? room : left + 1);
        if (got > 0)
            text->length += (size_t)got;
    } while ((got > 0 && text->length <= most) || (got < 0 && errno == EINTR));
    return got < 0 ? RC_IO : RC_OK;
}
