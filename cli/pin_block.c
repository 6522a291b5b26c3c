/* SPDX-License-Identifier: MIT */
#include "cli/pin_block.h"

#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "cli/names.h"

#define ISO9564_DIGITS_MIN 4
#define ISO9564_DIGITS_MAX 12

static int parse_pad(const char *pad, struct pin_format *format)
{
    uint64_t length;
    int high = hex_digit(pad[0]), low = high < 0 ? -1 : hex_digit(pad[1]);

    if (low < 0 || pad[2] != ':' || !names_number_parse(pad + 3, &length) || length == 0 ||
        length > PIN_BLOCK_MAX)
        return detail_set(RC_INVALID_VALUE, "--pad is a byte in hex and a length of 1 to %d, as in FF:8",
                          PIN_BLOCK_MAX);
    format->filled = true;
    format->fill = (uint8_t)(high << 4 | low);
    format->length = (size_t)length;
    return RC_OK;
}

int pin_format_parse(const char *coding, const char *pad, struct pin_format *ret_format)
{
    static const char *const names[] = {
        [PIN_ASCII] = "ascii", [PIN_BCD] = "bcd", [PIN_ISO9564] = "iso9564", [PIN_HEX] = "hex"};
    struct pin_format format = {.coding = PIN_ASCII};
    int rc;

    for (size_t i = 0; coding != NULL && i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(names[i], coding) == 0)
            format.coding = (enum pin_coding)i;
    if (pad != NULL && format.coding == PIN_ISO9564)
        return detail_set(RC_INVALID_VALUE,
                          "--pad has no place in the format iso9564, which is filled with F");
    rc = pad != NULL ? parse_pad(pad, &format) : RC_OK;
    if (rc == RC_OK)
        *ret_format = format;
    return rc;
}

static bool is_digits(const uint8_t *pin, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (pin[i] < '0' || pin[i] > '9')
            return false;
    return true;
}

static int append_digits(const uint8_t *pin, size_t length, struct buffer *block)
{
    int rc = RC_OK;

    for (size_t i = 0; i < length && rc == RC_OK; i += 2) {
        unsigned low = i + 1 < length ? pin[i + 1] - (unsigned)'0' : 0xF;
        uint8_t both = (uint8_t)((pin[i] - (unsigned)'0') << 4 | low);

        rc = buffer_append(block, &both, 1);
        secret_wipe(&both, 1);
    }
    return rc;
}

static int append_hex(const uint8_t *pin, size_t length, struct buffer *block)
{
    size_t count, at;

    if (buffer_reserve(block, length / 2 + 1) < 0)
        return RC_NO_MEMORY;
    if (hex_parse((const char *)pin, length, block->data + block->length, &count, &at) < 0)
        return detail_set(RC_INVALID_VALUE,
                          "in the format hex it is written in digits 0-9, A-F, two for each byte");
    block->length += count;
    return RC_OK;
}

static int append_fill(uint8_t fill, size_t count, struct buffer *block)
{
    int rc = RC_OK;

    while (count-- > 0 && rc == RC_OK)
        rc = buffer_append(block, &fill, 1);
    return rc;
}

static int append_iso9564(const uint8_t *pin, size_t length, struct buffer *block)
{
    size_t start = block->length;
    uint8_t first = (uint8_t)(0x20 | length);
    int rc;

    if (length < ISO9564_DIGITS_MIN || length > ISO9564_DIGITS_MAX)
        return detail_set(RC_INVALID_VALUE, "in the format iso9564 it has %d to %d digits",
                          ISO9564_DIGITS_MIN, ISO9564_DIGITS_MAX);
    rc = buffer_append(block, &first, 1);
    if (rc == RC_OK)
        rc = append_digits(pin, length, block);
    return rc < 0 ? rc : append_fill(0xFF, PIN_ISO9564_LENGTH - (block->length - start), block);
}

int pin_block_append(const struct pin_format *format, const uint8_t *pin, size_t length, struct buffer *block)
{
    bool digits = format->coding == PIN_BCD || format->coding == PIN_ISO9564;
    size_t start = block->length, made;
    int rc;

    if (length == 0)
        return detail_set(RC_INVALID_VALUE, "it is empty");
    if (digits && !is_digits(pin, length))
        return detail_set(RC_INVALID_VALUE, "in this format it has digits only");
    if (format->coding == PIN_ISO9564)
        rc = append_iso9564(pin, length, block);
    else if (format->coding == PIN_BCD)
        rc = append_digits(pin, length, block);
    else if (format->coding == PIN_HEX)
        rc = append_hex(pin, length, block);
    else
        rc = buffer_append(block, pin, length);
    if (rc < 0)
        return rc;
    made = block->length - start;
    if (made == 0 || made > (format->filled ? format->length : PIN_BLOCK_MAX))
        return detail_set(RC_INVALID_VALUE, "it is longer than the %zu bytes that it may have",
                          format->filled ? format->length : (size_t)PIN_BLOCK_MAX);
    return format->filled ? append_fill(format->fill, format->length - made, block) : RC_OK;
}
