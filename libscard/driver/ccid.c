/* SPDX-License-Identifier: MIT */
#include "driver/ccid.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_attribute.h"
#include "driver/ccid_control.h"
#include "driver/ccid_device.h"
#include "driver/ccid_exchange.h"
#include "driver/ccid_power.h"
#include "driver/ccid_protocol.h"
#include "iso/apdu.h"

#define GET_DATA_RATES 0x03 /* 5.3.3 */
#define FROM_INTERFACE 0xA1 /* bmRequestType: class, interface, to the host */

/* Each operation is one span of exchanges to a cancel (ccid_link.h). */
static struct ccid_slot *begin(struct reader *reader)
{
    struct ccid_slot *slot = ccid_slot_of_reader(reader);

    ccid_link_begin(slot->device->link, slot->index);
    return slot;
}

static int end(struct ccid_slot *slot, int rc)
{
    ccid_link_end(slot->device->link, slot->index);
    return rc;
}

static int presence(struct reader *reader, bool *ret_present)
{
    struct ccid_slot *slot = begin(reader);

    return end(slot, ccid_power_presence(slot, ret_present));
}

static int power(struct reader *reader, enum power_action action, uint8_t atr[ATR_MAX],
                 size_t *ret_atr_length)
{
    struct ccid_slot *slot = begin(reader);

    return end(slot, ccid_power(slot, action, atr, ret_atr_length));
}

static int set_protocol(struct reader *reader, enum protocol protocol)
{
    struct ccid_slot *slot = begin(reader);

    return end(slot, ccid_protocol_set(slot, protocol));
}

static int transmit(struct reader *reader, enum protocol protocol, const uint8_t *command,
                    size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length)
{
    struct ccid_slot *slot = begin(reader);

    return end(slot, ccid_exchange(slot, protocol, command, command_length, response, capacity, ret_length));
}

static int control(struct reader *reader, uint32_t code, const uint8_t *in, size_t in_length, uint8_t *out,
                   size_t capacity, size_t *ret_length)
{
    struct ccid_slot *slot = begin(reader);

    return end(slot, ccid_control(slot, code, in, in_length, out, capacity, ret_length));
}

static int get_attribute(struct reader *reader, uint32_t tag, uint8_t *out, size_t capacity,
                         size_t *ret_length)
{
    struct ccid_slot *slot = begin(reader);

    return end(slot, ccid_attribute_get(slot, tag, out, capacity, ret_length));
}

static int set_attribute(struct reader *reader, uint32_t tag, const uint8_t *value, size_t length)
{
    struct ccid_slot *slot = begin(reader);

    return end(slot, ccid_attribute_set(slot, tag, value, length));
}

static void cancel(struct reader *reader)
{
    struct ccid_slot *slot = ccid_slot_of_reader(reader);

    ccid_link_cancel(slot->device->link, slot->index);
}

static void device_free(struct ccid_device *device)
{
    if (device->link)
        ccid_link_free(device->link);
    if (device->slots)
        for (unsigned i = 0; i < device->descriptor.slots; i++)
            secret_wipe(&device->slots[i].t1, sizeof device->slots[i].t1);
    free(device->slots);
    free(device->rates);
    free((char *)(uintptr_t)device->identity.path);
    free((char *)(uintptr_t)device->identity.model);
    free((char *)(uintptr_t)device->identity.serial);
    free((char *)(uintptr_t)device->identity.vendor_name);
    free(device);
}

static void close_slot(struct reader *reader)
{
    struct ccid_slot *slot = begin(reader);
    struct ccid_device *device = slot->device;
    uint8_t atr[ATR_MAX];
    size_t length;

    if (slot->powered)
        (void)ccid_power(slot, POWER_OFF, atr, &length);
    (void)end(slot, RC_OK);
    if (atomic_fetch_sub(&device->open_slots, 1) == 1)
        device_free(device);
}

/* Once for the device: the descriptors are those of all slots. */
static void forget(struct reader *reader)
{
    struct ccid_device *device = ccid_slot_of_reader(reader)->device;

    if (!device->forgotten)
        ccid_link_forget(device->link);
    device->forgotten = true;
}

static const struct reader_ops ops = {
    .presence = presence,
    .power = power,
    .set_protocol = set_protocol,
    .transmit = transmit,
    .control = control,
    .get_attribute = get_attribute,
    .set_attribute = set_attribute,
    .cancel = cancel,
    .close = close_slot,
    .forget = forget,
};

struct pipe_layout ccid_layout(const struct ccid_descriptor *descriptor)
{
    size_t room = descriptor->max_message;

    /* Some readers send more than they announce: short answers of 271 bytes, whole extended APDUs. */
    if (room < CCID_HEADER + 261)
        room = CCID_HEADER + 261;
    if (descriptor->level == CCID_EXTENDED_APDU && room < CCID_HEADER + APDU_RESPONSE_MAX)
        room = CCID_HEADER + APDU_RESPONSE_MAX;
    return (struct pipe_layout){
        .interface = descriptor->interface,
        .out = descriptor->out.address,
        .in = descriptor->in.address,
        .interrupt = descriptor->interrupt.address,
        .in_packet = descriptor->in.packet,
        .interrupt_packet = descriptor->interrupt.packet,
        .in_room = room,
    };
}

/* RC_OK with NULL for NULL. */
static int copy_text(const char *text, const char **ret_copy)
{
    *ret_copy = text ? strdup(text) : NULL;
    return text && !*ret_copy ? RC_NO_MEMORY : RC_OK;
}

static int copy_identity(const struct ccid_identity *from, struct ccid_identity *to)
{
    int rc;

    *to = *from;
    to->path = to->model = to->serial = to->vendor_name = NULL;
    rc = copy_text(from->path, &to->path);
    if (!rc)
        rc = copy_text(from->model, &to->model);
    if (!rc)
        rc = copy_text(from->serial, &to->serial);
    if (!rc)
        rc = copy_text(from->vendor_name, &to->vendor_name);
    return rc;
}

/* What forbids the use of this reader. */
static int check_usable(const struct ccid_device *device)
{
    const struct ccid_identity *id = &device->identity;
    const struct ccid_quirk *row = NULL;

    if (device->descriptor.defect != CCID_SOUND)
        return detail_set(RC_READER_UNAVAILABLE, "%s: %s cannot be used: %s", id->path, id->model,
                          ccid_defect_text(device->descriptor.defect));
    while (!id->any_firmware && (row = ccid_quirks_next(row, id->vendor, id->product, id->bcd_device)))
        if (row->flags & CCID_FIRMWARE_BAD)
            return detail_set(RC_READER_UNAVAILABLE,
                              "%s: it is %x.%02x; install %x.%02x or later with the maker's program, or use "
                              "the reader all the same by %s?firmware=any among the readers of scard.conf",
                              row->note, id->bcd_device >> 8U, id->bcd_device & 0xFFU, row->below >> 8U,
                              row->below & 0xFFU, id->path);
    return RC_OK;
}

/* The rates that PPS can choose from. A reader that does not tell them takes all up to its maximum. */
static int ask_rates(struct ccid_device *device)
{
    const struct ccid_descriptor *descriptor = &device->descriptor;
    uint8_t bytes[4 * CCID_RATES_MAX];
    uint32_t rates[CCID_RATES_MAX];
    size_t length = 0;
    int rc;

    if (descriptor->level > CCID_TPDU || descriptor->transport != CCID_BULK || !descriptor->rate_count ||
        ccid_pps_who(descriptor) != PPS_HOST || device->quirk.flags & CCID_NO_PPS)
        return RC_OK;
    ccid_link_begin(device->link, 0);
    rc = ccid_link_control(device->link, 0, FROM_INTERFACE, GET_DATA_RATES, 0, bytes,
                           4 * (size_t)descriptor->rate_count, &length, CCID_ANSWER_MS);
    ccid_link_end(device->link, 0);
    if (rc == RC_READER_UNAVAILABLE)
        return rc;
    if (!rc)
        device->rate_count = ccid_rates(bytes, length, descriptor->rate_count, rates);
    if (!device->rate_count)
        return RC_OK;
    device->rates = calloc(device->rate_count, sizeof *device->rates);
    if (!device->rates)
        return RC_NO_MEMORY;
    memcpy(device->rates, rates, device->rate_count * sizeof *rates);
    return RC_OK;
}

static void make_slots(struct ccid_device *device, struct reader **readers)
{
    const struct ccid_identity *id = &device->identity;

    for (unsigned i = 0; i < device->descriptor.slots; i++) {
        struct ccid_slot *slot = &device->slots[i];

        slot->reader = (struct reader){
            .ops = &ops,
            .model = id->model,
            .serial = id->serial,
            .device = id->path,
            .vendor = id->vendor_name,
            .slot = i,
            .event_fd = ccid_link_event_fd(device->link, (uint8_t)i),
        };
        slot->device = device;
        slot->index = (uint8_t)i;
        ccid_slot_unpowered(slot);
        readers[i] = &slot->reader;
    }
}

/* Everything but the pipe, which is the link's once it is made. */
static int make_device(const struct ccid_descriptor *descriptor, const struct ccid_identity *identity,
                       struct ccid_device *device)
{
    int rc = copy_identity(identity, &device->identity);

    if (rc)
        return rc;
    device->descriptor = *descriptor;
    device->quirk = ccid_quirks_find(identity->vendor, identity->product, identity->bcd_device);
    ccid_quirks_apply(&device->quirk, &device->descriptor);
    /* Version A of ICCD takes TPDUs of T=0, whatever it says (ICCD 1.0, 4). */
    if (device->descriptor.transport == CCID_ICCD_A) {
        device->descriptor.level = CCID_TPDU;
        device->descriptor.protocols = 1;
    }
    device->escape_allowed = identity->escape_allowed || device->quirk.flags & CCID_ESCAPE_ALLOWED;
    device->pin_verify = device->descriptor.pin_verify;
    device->pin_modify = device->descriptor.pin_modify;
    rc = check_usable(device);
    if (rc)
        return rc;
    device->slots = calloc(device->descriptor.slots, sizeof *device->slots);
    return device->slots ? RC_OK : RC_NO_MEMORY;
}

int ccid_open(struct pipe *pipe, const struct ccid_descriptor *descriptor,
              const struct ccid_identity *identity, struct reader ***ret_readers, size_t *ret_count)
{
    struct ccid_device *device = calloc(1, sizeof *device);
    struct reader **readers = NULL;
    int rc = device ? make_device(descriptor, identity, device) : RC_NO_MEMORY;

    if (!rc) {
        readers = calloc(device->descriptor.slots, sizeof *readers);
        rc = readers ? RC_OK : RC_NO_MEMORY;
    }
    if (!rc)
        rc = ccid_link_new(pipe, &device->descriptor, &device->quirk, &device->link);
    if (!device || !device->link)
        pipe->ops->close(pipe);
    if (!rc)
        rc = ccid_link_start(device->link);
    if (!rc)
        rc = ask_rates(device);
    if (rc) {
        if (device)
            device_free(device);
        free(readers);
        return rc;
    }
    make_slots(device, readers);
    atomic_init(&device->open_slots, device->descriptor.slots);
    *ret_readers = readers;
    *ret_count = device->descriptor.slots;
    return RC_OK;
}
