/* SPDX-License-Identifier: MIT */
#include "driver/ccid_descriptor.h"

#include <string.h>

#include "base/log.h"

#define TYPE_INTERFACE 0x04
#define TYPE_ENDPOINT 0x05
#define TYPE_CCID 0x21
#define TYPE_VENDOR 0xFF
#define CLASS_CCID 0x0B
#define CLASS_VENDOR 0xFF
#define INTERFACE_LENGTH 9
#define USUAL_PACKET 64       /* full speed bulk (USB 2.0, 5.8.3) */
#define USUAL_MESSAGE 271     /* header and the longest short APDU */
#define LONGEST_MESSAGE 65554 /* header and the longest extended APDU */
#define LONGEST_IFSD 254      /* ISO 7816-3:2006, 11.4.2 */
#define USUAL_CLOCK_KHZ 4000

struct item {
    uint8_t type;
    size_t length;
    const uint8_t *at; /* from bLength on */
};

/* USB 2.0, 9.5: each descriptor begins with its length and type. false at the end, or where no walking is
 * possible. */
static bool next_item(struct bytes *in, struct item *ret_item)
{
    if (in->left < 2 || in->at[0] < 2 || in->at[0] > in->left)
        return false;
    ret_item->length = in->at[0];
    ret_item->type = in->at[1];
    ret_item->at = bytes_take(in, ret_item->length);
    return true;
}

static uint16_t u16le(struct bytes *in)
{
    unsigned low = bytes_u8(in);

    return (uint16_t)(low | (unsigned)bytes_u8(in) << 8);
}

static uint32_t u32le(struct bytes *in)
{
    uint32_t low = u16le(in);

    return low | (uint32_t)u16le(in) << 16;
}

static void take_endpoint(const struct item *item, struct ccid_descriptor *descriptor)
{
    struct bytes in = bytes_of(item->at + 2, item->length - 2);
    uint8_t address = bytes_u8(&in), type = bytes_u8(&in) & 3;
    uint16_t packet = u16le(&in) & 0x7FF; /* 9.6.6: the bits above count transactions */
    struct ccid_endpoint *endpoint = NULL;

    if (!bytes_ok(&in) || !(address & 0x0F))
        return;
    if (type == 2)
        endpoint = address & 0x80 ? &descriptor->in : &descriptor->out;
    else if (type == 3 && address & 0x80)
        endpoint = &descriptor->interrupt;
    if (endpoint && !endpoint->address)
        *endpoint = (struct ccid_endpoint){address, packet ? packet : USUAL_PACKET};
}

static bool is_class_descriptor(const struct item *item, uint8_t class_code)
{
    if (item->length != CCID_CLASS_LENGTH)
        return false;
    if (item->type == TYPE_CCID)
        return true;
    /* A vendor's descriptor on a vendor's interface may be anything: only one that names a CCID version
     * counts. */
    return item->type == TYPE_VENDOR &&
           (class_code == CLASS_CCID ||
            (item->at[3] == 0x01 && (item->at[2] == 0x00 || item->at[2] == 0x10)));
}

/* At least one device has the bytes in the other order. */
static uint8_t which_protocols(uint32_t announced)
{
    for (; announced; announced >>= 8)
        if (announced & 3)
            return announced & 3;
    return 3; /* the reader will say when it does not speak the one that is set */
}

static enum ccid_level which_level(uint32_t features)
{
    if (features & CCID_LEVEL_EXTENDED)
        return CCID_EXTENDED_APDU;
    if (features & CCID_LEVEL_SHORT)
        return CCID_SHORT_APDU;
    return features & CCID_LEVEL_TPDU ? CCID_TPDU : CCID_CHARACTER;
}

static void correct(struct ccid_descriptor *d)
{
    if (!d->voltages)
        d->voltages = 7;
    if (!d->clock_khz)
        d->clock_khz = USUAL_CLOCK_KHZ;
    if (d->max_clock_khz < d->clock_khz)
        d->max_clock_khz = d->clock_khz;
    if (!d->rate)
        d->rate = pps_rate(d->clock_khz, PPS_DEFAULT_FD);
    if (d->max_rate < d->rate)
        d->max_rate = d->rate;
    if (!(d->protocols & 2))
        d->max_ifsd = d->max_ifsd > LONGEST_IFSD ? LONGEST_IFSD : d->max_ifsd;
    else if (!d->max_ifsd || d->max_ifsd > LONGEST_IFSD)
        d->max_ifsd = LONGEST_IFSD;
    if (d->max_message < 10)
        d->max_message = USUAL_MESSAGE;
    if (d->max_message > LONGEST_MESSAGE)
        d->max_message = LONGEST_MESSAGE;
    if (!d->busy_slots)
        d->busy_slots = 1;
    if (d->busy_slots > d->slots)
        d->busy_slots = d->slots;
}

/* CCID 1.1, table 5.1-1. */
static void take_class(const struct item *item, struct ccid_descriptor *d)
{
    struct bytes in =
        bytes_of(item->at + 4, item->length - 4); /* bcdCCID: several have none of the two versions */
    unsigned pin;

    memcpy(d->raw, item->at, sizeof d->raw);
    d->slots = bytes_u8(&in) + 1U;
    d->voltages = bytes_u8(&in) & 7;
    d->protocols = which_protocols(u32le(&in));
    d->clock_khz = u32le(&in);
    d->max_clock_khz = u32le(&in);
    d->clock_count = bytes_u8(&in);
    d->rate = u32le(&in);
    d->max_rate = u32le(&in);
    d->rate_count = bytes_u8(&in);
    d->max_ifsd = u32le(&in);
    d->synchronous = u32le(&in);
    d->mechanical = u32le(&in);
    d->features = u32le(&in);
    d->level = which_level(d->features);
    d->max_message = u32le(&in);
    d->class_get_response = bytes_u8(&in);
    d->class_envelope = bytes_u8(&in);
    d->lcd_columns = bytes_u8(&in);
    d->lcd_lines = bytes_u8(&in);
    pin = bytes_u8(&in);
    d->pin_verify = pin & 1;
    d->pin_modify = pin & 2;
    d->busy_slots = bytes_u8(&in);
    correct(d);
}

static enum ccid_defect find_defect(const struct ccid_descriptor *descriptor, bool has_class)
{
    if (!has_class)
        return CCID_NO_CLASS_DESCRIPTOR;
    if (descriptor->transport > CCID_ICCD_B)
        return CCID_BAD_TRANSPORT;
    if (descriptor->transport == CCID_BULK && !(descriptor->out.address && descriptor->in.address))
        return CCID_NO_ENDPOINTS;
    return CCID_SOUND;
}

/* What belongs to one interface: everything up to the next one. The class descriptor should come first
 * (CCID 1.1, 5.1), but some devices have it behind the endpoints. */
static bool take_interface(const struct item *interface, struct bytes *in, struct ccid_descriptor *descriptor)
{
    bool has_class = false;
    struct bytes rest = *in;
    struct item item;

    descriptor->interface = interface->at[2];
    descriptor->class_code = interface->at[5];
    descriptor->transport = interface->at[7];
    descriptor->name_index = interface->at[8];
    while (next_item(&rest, &item) && item.type != TYPE_INTERFACE) {
        if (item.type == TYPE_ENDPOINT) {
            take_endpoint(&item, descriptor);
        } else if (!has_class && is_class_descriptor(&item, descriptor->class_code)) {
            take_class(&item, descriptor);
            has_class = true;
        }
        *in = rest;
    }
    descriptor->defect = find_defect(descriptor, has_class);
    return has_class || descriptor->class_code == CLASS_CCID;
}

int ccid_descriptor_next(struct bytes *in, struct ccid_descriptor *ret_descriptor)
{
    struct item item;

    while (next_item(in, &item)) {
        struct ccid_descriptor descriptor = {0};

        if (item.type != TYPE_INTERFACE || item.length < INTERFACE_LENGTH || item.at[3] ||
            (item.at[5] != CLASS_CCID && item.at[5] != CLASS_VENDOR))
            continue;
        if (!take_interface(&item, in, &descriptor))
            continue;
        if (descriptor.defect)
            log_debug("CCID interface %u cannot be used: %s", (unsigned)descriptor.interface,
                      ccid_defect_text(descriptor.defect));
        *ret_descriptor = descriptor;
        return 1;
    }
    return 0;
}

const char *ccid_defect_text(enum ccid_defect defect)
{
    switch (defect) {
    case CCID_SOUND:
        break;
    case CCID_NO_CLASS_DESCRIPTOR:
        return "its class descriptor is missing";
    case CCID_NO_ENDPOINTS:
        return "it has no pair of bulk endpoints";
    case CCID_BAD_TRANSPORT:
        return "its bInterfaceProtocol is unknown";
    }
    return "";
}

size_t ccid_rates(const uint8_t *answer, size_t length, unsigned announced,
                  uint32_t ret_rates[CCID_RATES_MAX])
{
    struct bytes in = bytes_of(answer, length);
    size_t count = 0;

    if (length % 4)
        return 0;
    for (size_t i = 0; i < length / 4 && i < announced && i < CCID_RATES_MAX; i++) {
        uint32_t rate = u32le(&in);

        if (rate)
            ret_rates[count++] = rate;
    }
    return count;
}

enum pps_who ccid_pps_who(const struct ccid_descriptor *descriptor)
{
    if (descriptor->features & (CCID_AUTO_NEGOTIATION | CCID_AUTO_PARAMETERS))
        return PPS_READER;
    if (descriptor->features & CCID_AUTO_PPS || descriptor->level >= CCID_SHORT_APDU)
        return PPS_PARAMETERS;
    return PPS_HOST;
}
