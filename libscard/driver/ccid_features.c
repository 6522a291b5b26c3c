/* SPDX-License-Identifier: MIT */
#include "driver/ccid_features.h"

#include "driver/ccid_predict.h"

enum feature {
    FEATURE_VERIFY_PIN_DIRECT = 0x06,
    FEATURE_MODIFY_PIN_DIRECT = 0x07,
    FEATURE_IFD_PIN_PROPERTIES = 0x0A,
    FEATURE_GET_TLV_PROPERTIES = 0x12,
    FEATURE_CCID_ESC_COMMAND = 0x13,
};

enum property {
    PROPERTY_LCD_LAYOUT = 1,
    PROPERTY_ENTRY_VALIDATION = 2,
    PROPERTY_TIMEOUT_2 = 3,
    PROPERTY_LCD_CHARACTERS = 4,
    PROPERTY_LCD_LINES = 5,
    PROPERTY_MIN_PIN = 6,
    PROPERTY_MAX_PIN = 7,
    PROPERTY_PPDU = 9,
    PROPERTY_MAX_APDU_DATA = 10,
    PROPERTY_VENDOR = 11,
    PROPERTY_PRODUCT = 12,
};

#define VALIDATION_KEY 0x02
#define VALIDATION_ANY 0x07
#define PPDU_BY_ESCAPE 0x01
#define EXTENDED_DATA 0x10000
#define SHORT_LE 256

bool ccid_features_can_verify(const struct ccid_device *device)
{
    return device->pin_verify && device->descriptor.level != CCID_CHARACTER;
}

bool ccid_features_can_modify(const struct ccid_device *device)
{
    return device->pin_modify && device->descriptor.level != CCID_CHARACTER;
}

/* The one place of PC/SC part 10 where a number is big-endian (2.2). */
static size_t add_feature(uint8_t *out, uint8_t feature, uint32_t code)
{
    out[0] = feature;
    out[1] = 4;
    for (unsigned i = 0; i < 4; i++)
        out[2 + i] = (uint8_t)(code >> (24 - 8 * i));
    return 6;
}

size_t ccid_features_list(const struct ccid_device *device, uint8_t out[static CCID_FEATURES_MAX])
{
    bool verify = ccid_features_can_verify(device), modify = ccid_features_can_modify(device);
    size_t length = 0;

    if (verify)
        length += add_feature(out + length, FEATURE_VERIFY_PIN_DIRECT, CCID_CONTROL_VERIFY_PIN);
    if (modify)
        length += add_feature(out + length, FEATURE_MODIFY_PIN_DIRECT, CCID_CONTROL_MODIFY_PIN);
    if (verify || modify)
        length += add_feature(out + length, FEATURE_IFD_PIN_PROPERTIES, CCID_CONTROL_PIN_PROPERTIES);
    length += add_feature(out + length, FEATURE_GET_TLV_PROPERTIES, CCID_CONTROL_PROPERTIES);
    if (device->escape_allowed)
        length += add_feature(out + length, FEATURE_CCID_ESC_COMMAND, CCID_CONTROL_ESCAPE);
    return length;
}

static bool is_key_only(const struct ccid_device *device)
{
    return device->quirk.flags & CCID_PIN_KEY_ONLY;
}

void ccid_features_pin(const struct ccid_device *device, uint8_t out[static CCID_PIN_PROPERTIES_LENGTH])
{
    out[0] = device->descriptor.lcd_columns; /* wLcdLayout, little-endian as all from here on */
    out[1] = device->descriptor.lcd_lines;
    out[2] = is_key_only(device) ? VALIDATION_KEY : VALIDATION_ANY;
    out[3] = 0; /* bTimeOut2: one time limit only */
}

/* A program that learns 0 keeps to short APDUs. */
static uint32_t max_apdu_data(const struct ccid_slot *slot)
{
    const struct ccid_descriptor *descriptor = &slot->device->descriptor;
    uint32_t protocols = slot->protocol;

    if (!(protocols & (PROTOCOL_T0 | PROTOCOL_T1)) && slot->atr_length)
        protocols = atr_protocol_mask(&slot->atr) & descriptor->protocols;
    if (!(protocols & (PROTOCOL_T0 | PROTOCOL_T1)))
        protocols = descriptor->protocols;
    return ccid_limits(descriptor, protocols & PROTOCOL_T1 ? PROTOCOL_T1 : PROTOCOL_T0).le > SHORT_LE
               ? EXTENDED_DATA
               : 0;
}

static size_t add_property(uint8_t *out, uint8_t property, uint8_t length, uint32_t value)
{
    out[0] = property;
    out[1] = length;
    for (unsigned i = 0; i < length; i++)
        out[2 + i] = (uint8_t)(value >> 8 * i);
    return 2U + length;
}

size_t ccid_features_properties(const struct ccid_slot *slot, uint8_t out[static CCID_PROPERTIES_MAX])
{
    const struct ccid_device *device = slot->device;
    const struct ccid_descriptor *descriptor = &device->descriptor;
    size_t length = 0;

    length += add_property(out + length, PROPERTY_LCD_LAYOUT, 2,
                           descriptor->lcd_columns | (uint32_t)descriptor->lcd_lines << 8);
    if (is_key_only(device))
        length += add_property(out + length, PROPERTY_ENTRY_VALIDATION, 1, VALIDATION_KEY);
    length += add_property(out + length, PROPERTY_TIMEOUT_2, 1, 0);
    if (descriptor->lcd_columns && descriptor->lcd_lines) {
        length += add_property(out + length, PROPERTY_LCD_CHARACTERS, 2, descriptor->lcd_columns);
        length += add_property(out + length, PROPERTY_LCD_LINES, 2, descriptor->lcd_lines);
    }
    if (device->quirk.pin_max) {
        length += add_property(out + length, PROPERTY_MIN_PIN, 1, device->quirk.pin_min);
        length += add_property(out + length, PROPERTY_MAX_PIN, 1, device->quirk.pin_max);
    }
    /* Pseudo-APDUs are understood by readers, not by this driver: what can be said is whether they get there.
     */
    length += add_property(out + length, PROPERTY_PPDU, 1, device->escape_allowed ? PPDU_BY_ESCAPE : 0);
    length += add_property(out + length, PROPERTY_MAX_APDU_DATA, 4, max_apdu_data(slot));
    length += add_property(out + length, PROPERTY_VENDOR, 2, device->identity.vendor);
    length += add_property(out + length, PROPERTY_PRODUCT, 2, device->identity.product);
    return length;
}
