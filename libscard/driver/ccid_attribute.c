/* SPDX-License-Identifier: MIT */
#include "driver/ccid_attribute.h"

#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_features.h"
#include "base/give.h"

enum tag {
    TAG_VENDOR_NAME = 0x00010100,
    TAG_VENDOR_IFD_TYPE = 0x00010101,
    TAG_VENDOR_IFD_VERSION = 0x00010102,
    TAG_VENDOR_IFD_SERIAL_NO = 0x00010103,
    TAG_CHANNEL_ID = 0x00020110,
    TAG_ASYNC_PROTOCOL_TYPES = 0x00030120,
    TAG_DEFAULT_CLK = 0x00030121,
    TAG_MAX_CLK = 0x00030122,
    TAG_DEFAULT_DATA_RATE = 0x00030123,
    TAG_MAX_DATA_RATE = 0x00030124,
    TAG_MAX_IFSD = 0x00030125,
    TAG_SYNC_PROTOCOL_TYPES = 0x00030126,
    TAG_POWER_MGMT_SUPPORT = 0x00040131,
    TAG_USER_TO_CARD_AUTH_DEVICE = 0x00050140,
    TAG_USER_AUTH_INPUT_DEVICE = 0x00050142,
    TAG_CHARACTERISTICS = 0x00060150,
    TAG_MAXINPUT = 0x0007A007,
    TAG_CURRENT_PROTOCOL_TYPE = 0x00080201,
    TAG_CURRENT_CLK = 0x00080202,
    TAG_CURRENT_F = 0x00080203,
    TAG_CURRENT_D = 0x00080204,
    TAG_CURRENT_N = 0x00080205,
    TAG_CURRENT_W = 0x00080206,
    TAG_CURRENT_IFSC = 0x00080207,
    TAG_CURRENT_IFSD = 0x00080208,
    TAG_CURRENT_BWT = 0x00080209,
    TAG_CURRENT_CWT = 0x0008020A,
    TAG_CURRENT_EBC_ENCODING = 0x0008020B,
    TAG_ICC_PRESENCE = 0x00090300,
    TAG_ICC_INTERFACE_STATUS = 0x00090301,
    TAG_ATR_STRING = 0x00090303,
    TAG_ICC_TYPE_PER_ATR = 0x00090304,
};

#define CHANNEL_USB 0x00200000U
#define INPUT_PIN_PAD 0x02U
#define INPUT_DISPLAY 0x80U
#define SWALLOW_EJECT_CAPTURE 7U
#define PRESENT 2 /* in, as far as such readers can tell */
#define TYPE_ASYNCHRONOUS 1

static bool find_text(const struct ccid_slot *slot, uint32_t tag, const char **ret_text)
{
    switch (tag) {
    case TAG_VENDOR_NAME:
        *ret_text = slot->reader.vendor;
        return true;
    case TAG_VENDOR_IFD_TYPE:
        *ret_text = slot->reader.model;
        return true;
    case TAG_VENDOR_IFD_SERIAL_NO:
        *ret_text = slot->reader.serial;
        return true;
    default:
        return false;
    }
}

static uint32_t input_devices(const struct ccid_device *device)
{
    if (!ccid_features_can_verify(device) && !ccid_features_can_modify(device))
        return 0;
    return INPUT_PIN_PAD |
           (device->descriptor.lcd_columns && device->descriptor.lcd_lines ? INPUT_DISPLAY : 0);
}

/* What the reader is, whatever is in it. */
static bool find_constant(const struct ccid_slot *slot, uint32_t tag, uint32_t *ret_number)
{
    const struct ccid_descriptor *descriptor = &slot->device->descriptor;
    const struct ccid_identity *identity = &slot->device->identity;

    switch (tag) {
    case TAG_VENDOR_IFD_VERSION: /* MMmmbbbb: bcdDevice has major and minor number */
        *ret_number = (uint32_t)identity->bcd_device << 16;
        return true;
    case TAG_CHANNEL_ID:
        *ret_number = CHANNEL_USB | (uint32_t)identity->bus << 8 | identity->address;
        return true;
    case TAG_ASYNC_PROTOCOL_TYPES:
        *ret_number = descriptor->protocols;
        return true;
    case TAG_SYNC_PROTOCOL_TYPES:
        *ret_number = descriptor->synchronous;
        return true;
    case TAG_DEFAULT_CLK:
        *ret_number = descriptor->clock_khz;
        return true;
    case TAG_MAX_CLK:
        *ret_number = descriptor->max_clock_khz;
        return true;
    case TAG_DEFAULT_DATA_RATE:
        *ret_number = descriptor->rate;
        return true;
    case TAG_MAX_DATA_RATE:
        *ret_number = descriptor->max_rate;
        return true;
    case TAG_MAX_IFSD:
        *ret_number = descriptor->max_ifsd;
        return true;
    case TAG_POWER_MGMT_SUPPORT: /* a card that is in can be switched off */
        *ret_number = 1;
        return true;
    case TAG_USER_TO_CARD_AUTH_DEVICE:
    case TAG_USER_AUTH_INPUT_DEVICE:
        *ret_number = input_devices(slot->device);
        return true;
    case TAG_CHARACTERISTICS: /* of the four bits of dwMechanical, locking has no place here */
        *ret_number = descriptor->mechanical & SWALLOW_EJECT_CAPTURE;
        return true;
    case TAG_MAXINPUT:
        *ret_number = descriptor->max_message - CCID_HEADER;
        return true;
    case TAG_CURRENT_PROTOCOL_TYPE:
        *ret_number = slot->protocol;
        return true;
    default:
        return false;
    }
}

/* For a powered card in any protocol. Before PPS it is the default that is in force. */
static bool find_current(const struct ccid_slot *slot, uint32_t tag, uint32_t *ret_number)
{
    unsigned f = 372, d = 1, fmax_khz;

    if (slot->protocol != PROTOCOL_NONE)
        (void)atr_fi_di(slot->fd, &f, &d, &fmax_khz);
    switch (tag) {
    case TAG_CURRENT_CLK:
        *ret_number = slot->device->descriptor.clock_khz;
        return true;
    case TAG_CURRENT_F:
        *ret_number = f;
        return true;
    case TAG_CURRENT_D:
        *ret_number = d;
        return true;
    case TAG_CURRENT_N:
        *ret_number = slot->atr.n;
        return true;
    default:
        return false;
    }
}

/* With T=1 by the reader nothing is known but what the card and the reader have said of themselves. */
static bool find_t1(const struct ccid_slot *slot, uint32_t tag, uint32_t *ret_number)
{
    bool ours = slot->device->descriptor.level <= CCID_TPDU && slot->protocol == PROTOCOL_T1;

    switch (tag) {
    case TAG_CURRENT_IFSC:
        *ret_number = ours ? slot->t1.ifsc : slot->atr.ifsc;
        return true;
    case TAG_CURRENT_IFSD:
        *ret_number = ours ? slot->t1.ifsd : slot->device->descriptor.max_ifsd;
        return true;
    case TAG_CURRENT_BWT:
        *ret_number = slot->atr.bwi;
        return true;
    case TAG_CURRENT_CWT:
        *ret_number = slot->atr.cwi;
        return true;
    case TAG_CURRENT_EBC_ENCODING:
        *ret_number = slot->atr.crc;
        return true;
    default:
        return false;
    }
}

/* 1: found; 0: no such attribute; RC_*. */
static int find_of_card(const struct ccid_slot *slot, uint32_t tag, uint32_t *ret_number)
{
    enum protocol protocol = PROTOCOL_NONE; /* that it is about */

    if (find_t1(slot, tag, ret_number)) {
        protocol = PROTOCOL_T1;
    } else if (tag == TAG_CURRENT_W) {
        *ret_number = slot->atr.wi;
        protocol = PROTOCOL_T0;
    } else if (!find_current(slot, tag, ret_number)) {
        return 0;
    }
    if (!slot->atr_length)
        return detail_set(RC_NO_CARD, "%s: attribute %08lX is about a card, and none is powered",
                          slot->reader.device, (unsigned long)tag);
    if (protocol != PROTOCOL_NONE && slot->protocol != protocol)
        return detail_set(RC_UNSUPPORTED, "%s: attribute %08lX is about T=%d, which is not in use",
                          slot->reader.device, (unsigned long)tag, protocol == PROTOCOL_T1);
    return 1;
}

static int ask_reader(struct ccid_slot *slot, uint32_t tag, uint8_t *out, size_t capacity, size_t *ret_length)
{
    enum ccid_card card = CCID_CARD_ABSENT;
    int rc = capacity ? ccid_slot_look(slot, &card) : RC_OK;
    uint8_t byte;

    if (rc)
        return rc;
    if (tag == TAG_ICC_PRESENCE)
        byte = card == CCID_CARD_ABSENT ? 0 : PRESENT;
    else
        byte = card == CCID_CARD_ACTIVE;
    return give(&byte, sizeof byte, out, capacity, ret_length);
}

int ccid_attribute_get(struct ccid_slot *slot, uint32_t tag, uint8_t *out, size_t capacity,
                       size_t *ret_length)
{
    const char *text = NULL;
    uint32_t number;
    uint8_t type;
    int rc;

    if (tag == TAG_ICC_PRESENCE || tag == TAG_ICC_INTERFACE_STATUS)
        return ask_reader(slot, tag, out, capacity, ret_length);
    if (tag == READER_CARD_TIME)
        return give(&slot->card_ns, sizeof slot->card_ns, out, capacity, ret_length);
    if (tag == TAG_ATR_STRING)
        return give(slot->atr_bytes, slot->atr_length, out, capacity, ret_length);
    if (tag == TAG_ICC_TYPE_PER_ATR) {
        type = slot->atr_length ? TYPE_ASYNCHRONOUS : 0;
        return give(&type, sizeof type, out, capacity, ret_length);
    }
    if (find_text(slot, tag, &text) && text)
        return give(text, strlen(text) + 1, out, capacity, ret_length);
    if (find_constant(slot, tag, &number))
        return give(&number, sizeof number, out, capacity, ret_length);
    rc = find_of_card(slot, tag, &number);
    if (rc > 0)
        return give(&number, sizeof number, out, capacity, ret_length);
    if (rc < 0)
        return rc;
    return detail_set(RC_UNSUPPORTED, "%s: no attribute %08lX in this reader", slot->reader.device,
                      (unsigned long)tag);
}

int ccid_attribute_set(struct ccid_slot *slot, uint32_t tag, const uint8_t *value, size_t length)
{
    (void)value;
    (void)length;
    return detail_set(RC_UNSUPPORTED, "%s: attribute %08lX cannot be set", slot->reader.device,
                      (unsigned long)tag);
}
