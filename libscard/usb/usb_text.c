/* SPDX-License-Identifier: MIT */
#include "usb/usb_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rc.h"
#include "base/utf8.h"

/* The length of the printable character that text begins with, or 0. */
static size_t character(const char *text)
{
    uint32_t code;
    size_t length = utf8_take((const uint8_t *)text, strnlen(text, UTF8_MAX), &code);

    return length && code >= 0x20 && (code < 0x7F || code >= 0xA0) ? length : 0;
}

void usb_text_clean(char *text)
{
    const char *in = text + strspn(text, " \t\r\n");
    char *out = text, *end = text;

    while (*in) {
        size_t length = character(in);

        if (length) {
            memmove(out, in, length);
            out += length;
            in += length;
        } else {
            /* A blank that ends the line is none to be shown. */
            *out++ = strchr("\t\r\n", *in) ? ' ' : '?';
            in++;
        }
        if (out[-1] != ' ')
            end = out;
    }
    *end = '\0';
}

char *usb_text_from_utf16(const uint8_t *bytes, size_t length)
{
    size_t units = length / 2, at = 0;
    char *text = malloc(units * 3 + 1); /* a pair of units makes 4 bytes */

    if (!text)
        return NULL;
    for (size_t i = 0; i < units; i++) {
        uint32_t code = (uint32_t)(bytes[2 * i] | bytes[2 * i + 1] << 8);

        if (code == 0)
            break;
        if (code >= 0xD800 && code <= 0xDBFF && i + 1 < units && (bytes[2 * i + 3] & 0xFC) == 0xDC) {
            code =
                0x10000 + ((code & 0x3FF) << 10 | (uint32_t)((bytes[2 * i + 3] & 3) << 8) | bytes[2 * i + 2]);
            i++;
        } else if (code >= 0xD800 && code <= 0xDFFF) {
            code = '?';
        }
        at += utf8_put(code, text + at);
    }
    text[at] = '\0';
    usb_text_clean(text);
    return text;
}

int usb_file_read(const char *path, struct buffer *content)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc = RC_OK;

    if (fd < 0)
        return RC_IO;
    for (;;) {
        ssize_t got;

        rc = buffer_reserve(content, 4096);
        if (rc)
            break;
        got = read(fd, content->data + content->length, content->capacity - content->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            rc = RC_IO;
        if (got <= 0)
            break;
        content->length += (size_t)got;
    }
    close(fd);
    return rc;
}

char *usb_file_text(const char *path)
{
    struct buffer content = {0};
    char *text = NULL;

    if (usb_file_read(path, &content) == RC_OK && buffer_append(&content, "", 1) == RC_OK) {
        usb_text_clean((char *)content.data);
        if (content.data[0])
            text = strdup((char *)content.data);
    }
    buffer_fini(&content);
    return text;
}
