/* SPDX-License-Identifier: MIT */
#include "usb/usb_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rc.h"

/* Length of the well-formed, printable character at text, or 0 (Unicode, table 3-7). */
static size_t character(const unsigned char *text)
{
    unsigned char first = text[0], low = 0x80, high = 0xBF;
    size_t length;

    if (first < 0x80)
        return first >= 0x20 && first != 0x7F;
    if (first >= 0xC2 && first <= 0xDF)
        length = 2;
    else if (first >= 0xE0 && first <= 0xEF)
        length = 3;
    else if (first >= 0xF0 && first <= 0xF4)
        length = 4;
    else
        return 0;
    if (first == 0xC2 || first == 0xE0)
        low = 0xA0; /* C2 80…9F are control characters */
    else if (first == 0xED)
        high = 0x9F;
    else if (first == 0xF0)
        low = 0x90;
    else if (first == 0xF4)
        high = 0x8F;
    if (text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    }
    return length;
}

void usb_text_clean(char *text)
{
    const char *in = text + strspn(text, " \t\r\n");
    char *out = text, *end = text;

    while (*in) {
        size_t length = character((const unsigned char *)in);

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

static size_t put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
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
        at += put_utf8(text + at, code);
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
