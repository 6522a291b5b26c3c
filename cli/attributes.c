/* SPDX-License-Identifier: MIT */
#include "cli/attributes.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/names.h"

const struct attribute attributes[] = {
    {SCARD_ATTR_VENDOR_NAME, "vendor-name", ATTRIBUTE_TEXT, ""},
    {SCARD_ATTR_VENDOR_IFD_TYPE, "vendor-ifd-type", ATTRIBUTE_TEXT, ""},
    {SCARD_ATTR_VENDOR_IFD_VERSION, "vendor-ifd-version", ATTRIBUTE_VERSION, ""},
    {SCARD_ATTR_VENDOR_IFD_SERIAL_NO, "vendor-ifd-serial-no", ATTRIBUTE_TEXT, ""},
    {SCARD_ATTR_CHANNEL_ID, "channel-id", ATTRIBUTE_CHANNEL, ""},
    {SCARD_ATTR_ASYNC_PROTOCOL_TYPES, "async-protocol-types", ATTRIBUTE_PROTOCOL, ""},
    {SCARD_ATTR_DEFAULT_CLK, "default-clk", ATTRIBUTE_NUMBER, "kHz"},
    {SCARD_ATTR_MAX_CLK, "max-clk", ATTRIBUTE_NUMBER, "kHz"},
    {SCARD_ATTR_DEFAULT_DATA_RATE, "default-data-rate", ATTRIBUTE_NUMBER, "bit/s"},
    {SCARD_ATTR_MAX_DATA_RATE, "max-data-rate", ATTRIBUTE_NUMBER, "bit/s"},
    {SCARD_ATTR_MAX_IFSD, "max-ifsd", ATTRIBUTE_NUMBER, "bytes"},
    {SCARD_ATTR_SYNC_PROTOCOL_TYPES, "sync-protocol-types", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_POWER_MGMT_SUPPORT, "power-mgmt-support", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_USER_TO_CARD_AUTH_DEVICE, "user-to-card-auth-device", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_USER_AUTH_INPUT_DEVICE, "user-auth-input-device", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_CHARACTERISTICS, "characteristics", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_CURRENT_PROTOCOL_TYPE, "current-protocol-type", ATTRIBUTE_PROTOCOL, ""},
    {SCARD_ATTR_CURRENT_CLK, "current-clk", ATTRIBUTE_NUMBER, "kHz"},
    {SCARD_ATTR_CURRENT_F, "current-f", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_CURRENT_D, "current-d", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_CURRENT_N, "current-n", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_CURRENT_W, "current-w", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_CURRENT_IFSC, "current-ifsc", ATTRIBUTE_NUMBER, "bytes"},
    {SCARD_ATTR_CURRENT_IFSD, "current-ifsd", ATTRIBUTE_NUMBER, "bytes"},
    {SCARD_ATTR_CURRENT_BWT, "current-bwt", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_CURRENT_CWT, "current-cwt", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_CURRENT_EBC_ENCODING, "current-ebc-encoding", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_EXTENDED_BWT, "extended-bwt", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_ICC_PRESENCE, "icc-presence", ATTRIBUTE_PRESENCE, ""},
    {SCARD_ATTR_ICC_INTERFACE_STATUS, "icc-interface-status", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_CURRENT_IO_STATE, "current-io-state", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_ATR_STRING, "atr-string", ATTRIBUTE_BYTES, ""},
    {SCARD_ATTR_ICC_TYPE_PER_ATR, "icc-type-per-atr", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_ESC_RESET, "esc-reset", ATTRIBUTE_BYTES, ""},
    {SCARD_ATTR_ESC_CANCEL, "esc-cancel", ATTRIBUTE_BYTES, ""},
    {SCARD_ATTR_ESC_AUTHREQUEST, "esc-authrequest", ATTRIBUTE_BYTES, ""},
    {SCARD_ATTR_MAXINPUT, "maxinput", ATTRIBUTE_NUMBER, "bytes"},
    {SCARD_ATTR_CARD_TIME, "card-time", ATTRIBUTE_TIME, ""},
    {SCARD_ATTR_DEVICE_UNIT, "device-unit", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_DEVICE_IN_USE, "device-in-use", ATTRIBUTE_NUMBER, ""},
    {SCARD_ATTR_DEVICE_FRIENDLY_NAME, "device-friendly-name", ATTRIBUTE_TEXT, ""},
    {SCARD_ATTR_DEVICE_SYSTEM_NAME, "device-system-name", ATTRIBUTE_TEXT, ""},
    {SCARD_ATTR_SUPRESS_T1_IFS_REQUEST, "supress-t1-ifs-request", ATTRIBUTE_NUMBER, ""},
    {0},
};

/* Case and '-' or '_' do not matter. */
static bool same_name(const char *name, const char *text)
{
    static const char prefix[] = "SCARD_ATTR_";

    if (strncasecmp(text, prefix, sizeof prefix - 1) == 0)
        text += sizeof prefix - 1;
    for (; *name != '\0' && *text != '\0'; name++, text++) {
        char c = *text == '_' ? '-' : (char)tolower((unsigned char)*text);

        if (c != *name)
            return false;
    }
    return *name == *text;
}

bool attributes_find(const char *text, DWORD *ret_id, const struct attribute **ret_attribute)
{
    uint64_t number = 0;
    bool numeric = names_number_parse(text, &number) && number <= UINT32_MAX;

    for (const struct attribute *attribute = attributes; attribute->name != NULL; attribute++) {
        if (numeric ? attribute->id == number : same_name(attribute->name, text)) {
            *ret_id = attribute->id;
            *ret_attribute = attribute;
            return true;
        }
    }
    if (!numeric)
        return false;
    *ret_id = number;
    *ret_attribute = NULL;
    return true;
}

static void describe_protocols(uint32_t mask, char *text, size_t capacity)
{
    snprintf(text, capacity, "%s%s%s", mask & SCARD_PROTOCOL_T0 ? "T=0" : "",
             (mask & SCARD_PROTOCOL_ANY) == SCARD_PROTOCOL_ANY ? ", " : "",
             mask & SCARD_PROTOCOL_T1   ? "T=1"
             : mask & SCARD_PROTOCOL_T0 ? ""
             : mask == 0                ? "none"
                                        : "other");
}

static void describe_number(const struct attribute *attribute, uint32_t number, char *text, size_t capacity)
{
    switch (attribute->kind) {
    case ATTRIBUTE_PROTOCOL:
        describe_protocols(number, text, capacity);
        break;
    case ATTRIBUTE_VERSION: /* PC/SC part 3, 3.1.4 */
        snprintf(text, capacity, "%u.%u.%u", number >> 24, number >> 16 & 0xFF, number & 0xFFFF);
        break;
    case ATTRIBUTE_CHANNEL:
        snprintf(text, capacity, "%s, channel 0x%04X",
                 number >> 16 == 0x01   ? "serial"
                 : number >> 16 == 0x02 ? "parallel"
                 : number >> 16 == 0x20 ? "USB"
                                        : "other",
                 number & 0xFFFF);
        break;
    case ATTRIBUTE_PRESENCE: /* PC/SC part 3, 3.1.4: 0 none, 1 in but not powered up, 2 in, 4 confiscated */
        snprintf(text, capacity, "%s", number == 0 ? "no card" : "card");
        break;
    default:
        snprintf(text, capacity, "%u%s%s", number, attribute->unit[0] != '\0' ? " " : "", attribute->unit);
    }
}

const char *attributes_describe(const struct attribute *attribute, const uint8_t *value, size_t length,
                                char *text, size_t capacity)
{
    uint32_t number = 0;
    int64_t ns;
    size_t text_length = strnlen((const char *)value, length);

    text[0] = '\0';
    if (attribute == NULL || attribute->kind == ATTRIBUTE_BYTES || length == 0)
        return text;
    if (attribute->kind == ATTRIBUTE_TEXT) {
        snprintf(text, capacity, "%.*s", (int)text_length, (const char *)value);
        return text;
    }
    if (attribute->kind == ATTRIBUTE_TIME && length == sizeof ns) {
        memcpy(&ns, value, sizeof ns);
        snprintf(text, capacity, "%.2f us", (double)ns / 1e3);
    }
    if (length > sizeof number)
        return text;
    if (length == sizeof number)
        memcpy(&number, value, sizeof number);
    else if (length == sizeof(uint16_t))
        number = (uint32_t)(value[0] | value[1] << 8);
    else
        number = value[0];
    describe_number(attribute, number, text, capacity);
    return text;
}
