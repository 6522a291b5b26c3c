/* SPDX-License-Identifier: MIT */
#include "driver/ccid_control.h"

#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_features.h"
#include "driver/ccid_pin.h"
#include "base/give.h"

#define ESCAPE_MS 30000 /* a reader may ask its user, or write its flash memory */

/* Escape commands that change nothing for good. */
static const struct {
    uint16_t vendor, product; /* product 0: all of this vendor */
    uint8_t length;           /* of the whole command */
    uint8_t known;            /* so many bytes of it are known */
    uint8_t bytes[5];
} harmless[] = {
    {0x08E6, 0, 1, 1, {0x02}},                              /* firmware's name */
    {0x08E6, 0x5503, 6, 5, {0x52, 0xF8, 0x04, 0x01, 0x00}}, /* which of its interfaces is used */
};

static bool is_harmless(const struct ccid_identity *identity, const uint8_t *in, size_t length)
{
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (harmless[i].vendor == identity->vendor &&
            (!harmless[i].product || harmless[i].product == identity->product) &&
            harmless[i].length == length && !memcmp(harmless[i].bytes, in, harmless[i].known))
            return true;
    return false;
}

int ccid_escape(struct ccid_slot *slot, const uint8_t *in, size_t in_length, uint8_t *out, size_t capacity,
                size_t *ret_length)
{
    struct ccid_command command = {.type = CCID_ESCAPE, .slot = slot->index, .data = in, .length = in_length};
    size_t room = slot->device->descriptor.max_message - CCID_HEADER;
    struct ccid_answer answer = {0};
    int rc;

    if (in_length > room)
        return detail_set(RC_INVALID_VALUE, "%s: an escape command of %zu bytes; this reader takes %zu",
                          slot->reader.device, in_length, room);
    rc = ccid_slot_command(slot, &command, ESCAPE_MS, &answer);
    if (rc)
        return rc;
    rc = give(answer.data, answer.length, out, capacity, ret_length);
    if (rc)
        return detail_set(rc, "%s: the answer to the escape command has %zu bytes, there is room for %zu",
                          slot->reader.device, *ret_length, capacity);
    return RC_OK;
}

static int escape_if_allowed(struct ccid_slot *slot, const uint8_t *in, size_t in_length, uint8_t *out,
                             size_t capacity, size_t *ret_length)
{
    if (!slot->device->escape_allowed && !is_harmless(&slot->device->identity, in, in_length))
        return detail_set(RC_DENIED,
                          "%s: escape commands are switched off for this reader; switch them on by naming it "
                          "\"usb:%04x:%04x?escape=yes\" in readers of scard.conf, SCARD_READERS or --readers",
                          slot->reader.device, (unsigned)slot->device->identity.vendor,
                          (unsigned)slot->device->identity.product);
    return ccid_escape(slot, in, in_length, out, capacity, ret_length);
}

static int tell_features(const struct ccid_slot *slot, uint8_t *out, size_t capacity, size_t *ret_length)
{
    uint8_t list[CCID_FEATURES_MAX];

    return give(list, ccid_features_list(slot->device, list), out, capacity, ret_length);
}

static int tell_properties(const struct ccid_slot *slot, uint8_t *out, size_t capacity, size_t *ret_length)
{
    uint8_t list[CCID_PROPERTIES_MAX];

    return give(list, ccid_features_properties(slot, list), out, capacity, ret_length);
}

static int tell_pin_properties(const struct ccid_slot *slot, uint8_t *out, size_t capacity,
                               size_t *ret_length)
{
    uint8_t properties[CCID_PIN_PROPERTIES_LENGTH];

    if (!ccid_features_can_verify(slot->device) && !ccid_features_can_modify(slot->device))
        return detail_set(RC_UNSUPPORTED, "%s: this reader has no PIN pad that can be used",
                          slot->reader.device);
    ccid_features_pin(slot->device, properties);
    return give(properties, sizeof properties, out, capacity, ret_length);
}

int ccid_control(struct ccid_slot *slot, uint32_t code, const uint8_t *in, size_t in_length, uint8_t *out,
                 size_t capacity, size_t *ret_length)
{
    switch (code) {
    case CCID_CONTROL_FEATURES:
    case CCID_CONTROL_FEATURES_WINDOWS:
        return tell_features(slot, out, capacity, ret_length);
    case CCID_CONTROL_PROPERTIES:
        return tell_properties(slot, out, capacity, ret_length);
    case CCID_CONTROL_PIN_PROPERTIES:
        return tell_pin_properties(slot, out, capacity, ret_length);
    case CCID_CONTROL_VERIFY_PIN:
    case CCID_CONTROL_MODIFY_PIN:
        return ccid_pin(slot, code == CCID_CONTROL_MODIFY_PIN, in, in_length, out, capacity, ret_length);
    case CCID_CONTROL_ESCAPE:
    case CCID_CONTROL_ESCAPE_WINDOWS:
        return escape_if_allowed(slot, in, in_length, out, capacity, ret_length);
    default:
        return detail_set(
            RC_UNSUPPORTED,
            "%s: no control code %08lX in this reader; the feature list (%08X) names those that "
            "there are",
            slot->reader.device, (unsigned long)code, (unsigned)CCID_CONTROL_FEATURES);
    }
}
