/* SPDX-License-Identifier: MIT */
#include "sim/attribute.h"

#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "base/give.h"
#include "iso/apdu.h"

#define FEATURE_GET_TLV_PROPERTIES 0x12
#define PROPERTY_MAX_APDU_DATA_SIZE 0x0A

enum tag {
    TAG_VENDOR_NAME = 0x00010100,
    TAG_VENDOR_IFD_TYPE = 0x00010101,
    TAG_VENDOR_IFD_VERSION = 0x00010102,
    TAG_VENDOR_IFD_SERIAL_NO = 0x00010103,
    TAG_CHANNEL_ID = 0x00020110,
    TAG_ASYNC_PROTOCOL_TYPES = 0x00030120,
    TAG_CURRENT_PROTOCOL_TYPE = 0x00080201,
    TAG_ICC_PRESENCE = 0x00090300,
    TAG_ICC_INTERFACE_STATUS = 0x00090301,
    TAG_ATR_STRING = 0x00090303,
    TAG_ICC_TYPE_PER_ATR = 0x00090304,
    TAG_MAXINPUT = 0x0007A007,
};

static bool find_text(const struct reader_facts *facts, uint32_t tag, const char **ret_text)
{
    switch (tag) {
    case TAG_VENDOR_NAME:
        *ret_text = facts->reader->vendor;
        return true;
    case TAG_VENDOR_IFD_TYPE:
        *ret_text = facts->reader->model;
        return true;
    case TAG_VENDOR_IFD_SERIAL_NO:
        *ret_text = facts->reader->serial;
        return true;
    default:
        return false;
    }
}

static bool find_number(const struct reader_facts *facts, uint32_t tag, uint32_t *ret_number)
{
    switch (tag) {
    case TAG_VENDOR_IFD_VERSION:
        *ret_number = 0x01000000; /* 1.0 */
        return true;
    case TAG_CHANNEL_ID:
        *ret_number = 0x00F00000 | (facts->reader->slot & 0xFFFF); /* vendor-defined kind of channel */
        return true;
    case TAG_ASYNC_PROTOCOL_TYPES:
        *ret_number = PROTOCOL_T0 | PROTOCOL_T1;
        return true;
    case TAG_CURRENT_PROTOCOL_TYPE:
        *ret_number = facts->protocol;
        return true;
    case TAG_MAXINPUT:
        *ret_number = APDU_COMMAND_MAX;
        return true;
    default:
        return false;
    }
}

static bool find_byte(const struct reader_facts *facts, uint32_t tag, uint8_t *ret_byte)
{
    bool powered = facts->atr_length != 0;

    switch (tag) {
    case TAG_ICC_PRESENCE:
        *ret_byte = facts->present ? 2 : 0;
        return true;
    case TAG_ICC_INTERFACE_STATUS:
        *ret_byte = powered;
        return true;
    case TAG_ICC_TYPE_PER_ATR:
        *ret_byte = powered; /* 1: ISO 7816, asynchronous; 0: unknown */
        return true;
    default:
        return false;
    }
}

static int none(const struct reader_facts *facts, uint32_t tag)
{
    return detail_set(RC_UNSUPPORTED, "%s: no attribute %08X in a simulated reader", facts->reader->device,
                      tag);
}

int attribute_get(const struct reader_facts *facts, uint32_t tag, uint8_t *out, size_t capacity,
                  size_t *ret_length)
{
    const char *text;
    uint32_t number;
    uint8_t byte;

    if (tag == READER_CARD_TIME)
        return give(&facts->card_ns, sizeof facts->card_ns, out, capacity, ret_length);
    if (tag == TAG_ATR_STRING)
        return give(facts->atr, facts->atr_length, out, capacity, ret_length);
    if (find_text(facts, tag, &text))
        return text ? give(text, strlen(text) + 1, out, capacity, ret_length) : none(facts, tag);
    if (find_number(facts, tag, &number))
        return give(&number, sizeof number, out, capacity, ret_length);
    if (find_byte(facts, tag, &byte))
        return give(&byte, sizeof byte, out, capacity, ret_length);
    return none(facts, tag);
}

void attribute_features(uint8_t out[FEATURE_LIST_LENGTH])
{
    const uint8_t list[FEATURE_LIST_LENGTH] = {
        FEATURE_GET_TLV_PROPERTIES,           4,
        CONTROL_GET_PROPERTIES >> 24,         (CONTROL_GET_PROPERTIES >> 16) & 0xFF,
        (CONTROL_GET_PROPERTIES >> 8) & 0xFF, CONTROL_GET_PROPERTIES & 0xFF,
    };

    memcpy(out, list, sizeof list);
}

void attribute_properties(const struct reader_facts *facts, uint8_t out[PROPERTIES_LENGTH])
{
    /* Little-endian 00010000: extended APDUs; 0: short ones only, as with a card of T=0. */
    const uint8_t high = facts->protocols == PROTOCOL_T0 || facts->protocol == PROTOCOL_T0 ? 0 : 1;
    const uint8_t list[PROPERTIES_LENGTH] = {PROPERTY_MAX_APDU_DATA_SIZE, 4, 0, 0, high, 0};

    memcpy(out, list, sizeof list);
}
