/* SPDX-License-Identifier: MIT */
#include "base/guid.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"

void guid_format(const struct guid *guid, char text[GUID_TEXT_MAX])
{
    const uint8_t *d = guid->data4;

    snprintf(text, GUID_TEXT_MAX, "{%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}", (unsigned)guid->data1,
             guid->data2, guid->data3, d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
}

/* RFC 4122, 3: 8-4-4-4-12 digits. */
static bool parse_digits(const char *text, size_t length, uint8_t bytes[16])
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t digits = 0;

    if (length != sizeof form - 1)
        return false;
    for (size_t i = 0; i < length; i++) {
        int digit = hex_digit(text[i]);

        if (form[i] == '-' ? text[i] != '-' : digit < 0)
            return false;
        if (form[i] == '-')
            continue;
        bytes[digits / 2] = (uint8_t)(digits % 2 ? bytes[digits / 2] | digit : digit << 4);
        digits++;
    }
    return true;
}

bool guid_scan(const char *text, struct guid *ret_guid)
{
    size_t length = strlen(text);
    const char *digits = text;
    uint8_t bytes[16] = {0};
    struct bytes in;

    if (length > 2 && text[0] == '{' && text[length - 1] == '}') {
        digits++;
        length -= 2;
    }
    if (!parse_digits(digits, length, bytes))
        return false;
    in = bytes_of(bytes, sizeof bytes);
    ret_guid->data1 = bytes_u32be(&in);
    ret_guid->data2 = bytes_u16be(&in);
    ret_guid->data3 = bytes_u16be(&in);
    memcpy(ret_guid->data4, bytes_take(&in, 8), 8);
    return true;
}

int guid_parse(const char *text, struct guid *ret_guid)
{
    if (guid_scan(text, ret_guid))
        return RC_OK;
    return detail_set(RC_INVALID_VALUE,
                      "'%.60s' is no GUID: write it as {01234567-89AB-CDEF-0123-456789ABCDEF}", text);
}
