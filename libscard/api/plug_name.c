/* SPDX-License-Identifier: MIT */
#include "api/plug_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/rc.h"

/* Length of the blank or control character at text, 0 if it is none. U+0080…9F are controls too: they would
 * steer a terminal. */
static size_t blank_at(const unsigned char *text)
{
    if (text[0] && (text[0] <= 0x20 || text[0] == 0x7F))
        return 1;
    return text[0] == 0xC2 && text[1] >= 0x80 && text[1] <= 0xA0 ? 2 : 0;
}

int plug_name_clean(const char *text, char **ret_text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t used = 0;
    bool gap = false;
    char *out;

    *ret_text = NULL;
    if (!text)
        return RC_OK;
    out = malloc(strlen(text) + 1);
    if (!out)
        return RC_NO_MEMORY;
    while (*at) {
        size_t blank = blank_at(at);

        if (blank) {
            gap = used > 0;
            at += blank;
            continue;
        }
        if (gap)
            out[used++] = ' ';
        gap = false;
        out[used++] = (char)*at++;
    }
    out[used] = '\0';
    if (used)
        *ret_text = out;
    else
        free(out);
    return RC_OK;
}

static bool begins_with(const char *text, const char *start)
{
    return !strncasecmp(text, start, strlen(start));
}

char *plug_name_model(const char *vendor_name, const char *product_name, const char *interface_name,
                      uint16_t vendor, uint16_t product)
{
    char id[sizeof "USB 072F:2200"], *model;
    bool named;

    if (vendor_name && product_name && begins_with(product_name, vendor_name))
        vendor_name = NULL;
    if (!vendor_name && !product_name) {
        snprintf(id, sizeof id, "USB %04X:%04X", vendor, product);
        product_name = id;
    }
    named = interface_name && !(product_name && !strcasecmp(interface_name, product_name));
    if (asprintf(&model, "%s%s%s%s%s%s", vendor_name ? vendor_name : "",
                 vendor_name && product_name ? " " : "", product_name ? product_name : "", named ? " [" : "",
                 named ? interface_name : "", named ? "]" : "") < 0)
        return NULL;
    return model;
}
