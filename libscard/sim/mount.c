/* SPDX-License-Identifier: MIT */
#include "sim/mount.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "iso/atr.h"
#include "sim/attribute.h"
#include "sim/card.h"
#include "sim/slot.h"
#include "sim/t0.h"

#define TAG_SUPRESS_T1_IFS_REQUEST 0x7FFF0007

struct mount {
    struct reader reader;
    struct slot slot;
    struct sim_card *card;
    char *model, *device, *serial;

    unsigned powered;   /* comings of the slot at power-up; 0: off */
    const uint8_t *atr; /* borrowed from card */
    size_t atr_length;
    unsigned protocols; /* that the ATR offers */
    enum protocol protocol;
    struct t0 t0;
    struct buffer response;
    int64_t card_ns; /* that the last command was with the card */
};

static struct mount *mount_of(struct reader *reader)
{
    return (struct mount *)reader;
}

void sim_set_present(struct reader *reader, bool present)
{
    slot_set_present(&mount_of(reader)->slot, present);
}

static bool is_powered(const struct mount *mount, unsigned comings)
{
    return comings & 1 && mount->powered == comings;
}

/* The card of this power-up has gone or was switched off. */
static void power_off(struct mount *mount)
{
    mount->powered = 0;
    mount->atr = NULL;
    mount->atr_length = 0;
    mount->protocols = 0;
    mount->protocol = PROTOCOL_NONE;
    t0_forget(&mount->t0);
}

/* A call to the card begins. *ret_comings tells later whether it was the same card throughout. */
static int begin(struct mount *mount, unsigned *ret_comings)
{
    slot_begin(&mount->slot);
    *ret_comings = slot_comings(&mount->slot);
    if (*ret_comings & 1)
        return RC_OK;
    return detail_set(RC_NO_CARD, "%s: no card is in", mount->device);
}

/* begin(), for a card that must be on. */
static int begin_powered(struct mount *mount, unsigned *ret_comings)
{
    int rc = begin(mount, ret_comings);

    if (rc || is_powered(mount, *ret_comings))
        return rc;
    return detail_set(RC_NOT_TRANSACTED, "%s: the card is not powered", mount->device);
}

static int mount_presence(struct reader *reader, bool *ret_present)
{
    *ret_present = slot_presence(&mount_of(reader)->slot);
    return RC_OK;
}

static int mount_power(struct reader *reader, enum power_action action, uint8_t atr[ATR_MAX],
                       size_t *ret_atr_length)
{
    struct mount *mount = mount_of(reader);
    const uint8_t *answer;
    size_t length;
    unsigned comings;
    struct atr parsed;
    int rc;

    power_off(mount);
    if (action == POWER_OFF) {
        *ret_atr_length = 0;
        return RC_OK;
    }
    rc = begin(mount, &comings);
    if (!rc)
        rc = mount->card->ops->reset(mount->card, &answer, &length);
    if (slot_comings(&mount->slot) != comings)
        rc = RC_NO_CARD;
    if (rc)
        return rc;
    memcpy(atr, answer, length);
    *ret_atr_length = length;
    mount->powered = comings;
    mount->atr = answer;
    mount->atr_length = length;
    if (!atr_parse(answer, length, &parsed))
        mount->protocols = atr_protocol_mask(&parsed);
    mount->protocols |= mount->card->protocols;
    return RC_OK;
}

static int mount_set_protocol(struct reader *reader, enum protocol protocol)
{
    struct mount *mount = mount_of(reader);
    unsigned comings;
    int rc = begin_powered(mount, &comings);

    if (rc)
        return rc;
    if ((protocol != PROTOCOL_T0 && protocol != PROTOCOL_T1) || !(mount->protocols & protocol))
        return detail_set(RC_UNRESPONSIVE, "%s: the card does not offer T=%d", mount->device,
                          protocol == PROTOCOL_T1);
    mount->protocol = protocol;
    return RC_OK;
}

static int exchange(struct mount *mount, enum protocol protocol, const uint8_t *command, size_t length)
{
    int64_t start = clock_now_ns();
    int rc;

    mount->response.length = 0;
    if (protocol == PROTOCOL_T0 && !mount->card->is_line)
        rc = t0_transmit(&mount->t0, mount->card, command, length, &mount->response);
    else
        rc = mount->card->ops->apdu(mount->card, command, length, &mount->response);
    mount->card_ns = clock_now_ns() - start;
    return rc;
}

static int mount_transmit(struct reader *reader, enum protocol protocol, const uint8_t *command,
                          size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length)
{
    struct mount *mount = mount_of(reader);
    unsigned comings;
    int rc = begin_powered(mount, &comings);

    if (rc)
        return rc;
    if (protocol != PROTOCOL_RAW && protocol != mount->protocol)
        return detail_set(RC_NOT_TRANSACTED, "%s: the card has not been set to this protocol", mount->device);
    rc = exchange(mount, protocol, command, command_length);
    if (slot_comings(&mount->slot) != comings)
        return detail_set(RC_NO_CARD, "%s: the card left during the command", mount->device);
    if (rc)
        return rc;
    *ret_length = mount->response.length;
    if (mount->response.length > capacity)
        return RC_INSUFFICIENT_BUFFER;
    if (mount->response.length)
        memcpy(response, mount->response.data, mount->response.length);
    return RC_OK;
}

static struct reader_facts facts_of(struct mount *mount)
{
    unsigned comings = slot_comings(&mount->slot);
    bool powered = is_powered(mount, comings);

    return (struct reader_facts){
        .reader = &mount->reader,
        .present = comings & 1,
        .atr = mount->atr,
        .atr_length = powered ? mount->atr_length : 0,
        .protocols = powered ? mount->protocols : 0,
        .protocol = powered ? mount->protocol : PROTOCOL_NONE,
        .card_ns = mount->card_ns,
    };
}

static int mount_control(struct reader *reader, uint32_t code, const uint8_t *in, size_t in_length,
                         uint8_t *out, size_t capacity, size_t *ret_length)
{
    struct mount *mount = mount_of(reader);
    struct reader_facts facts = facts_of(mount);
    uint8_t answer[FEATURE_LIST_LENGTH + PROPERTIES_LENGTH];
    size_t length = 0;

    (void)in;
    (void)in_length;
    switch (code) {
    case SIM_CONTROL_INSERT:
    case SIM_CONTROL_REMOVE:
        slot_set_present(&mount->slot, code == SIM_CONTROL_INSERT);
        break;
    case CONTROL_GET_FEATURES:
    case CONTROL_GET_FEATURES_WINDOWS:
        attribute_features(answer);
        length = FEATURE_LIST_LENGTH;
        break;
    case CONTROL_GET_PROPERTIES:
        attribute_properties(&facts, answer);
        length = PROPERTIES_LENGTH;
        break;
    default:
        return detail_set(RC_UNSUPPORTED, "%s: no control code %08X in a simulated reader", mount->device,
                          code);
    }
    *ret_length = length;
    if (length > capacity)
        return RC_INSUFFICIENT_BUFFER;
    if (length)
        memcpy(out, answer, length);
    return RC_OK;
}

static int mount_get_attribute(struct reader *reader, uint32_t tag, uint8_t *out, size_t capacity,
                               size_t *ret_length)
{
    struct reader_facts facts = facts_of(mount_of(reader));

    return attribute_get(&facts, tag, out, capacity, ret_length);
}

static int mount_set_attribute(struct reader *reader, uint32_t tag, const uint8_t *value, size_t length)
{
    (void)value;
    (void)length;
    if (tag == TAG_SUPRESS_T1_IFS_REQUEST)
        return RC_OK;
    return detail_set(RC_UNSUPPORTED, "%s: attribute %08X cannot be set", reader->device, tag);
}

static void mount_cancel(struct reader *reader)
{
    slot_cancel(&mount_of(reader)->slot);
}

static void mount_forget(struct reader *reader)
{
    slot_forget(&mount_of(reader)->slot);
}

static void mount_close(struct reader *reader)
{
    struct mount *mount = mount_of(reader);

    if (mount->card)
        mount->card->ops->free(mount->card);
    slot_close(&mount->slot);
    buffer_fini(&mount->t0.held);
    /* Longer responses than the last one may have been in there. */
    secret_wipe(mount->response.data, mount->response.capacity);
    buffer_fini(&mount->response);
    free(mount->model);
    free(mount->device);
    free(mount->serial);
    free(mount);
}

static int open_names(struct mount *mount, const struct uri *uri)
{
    const char *serial = uri_get(uri, "serial"), *name = uri_get(uri, "name"),
               *folder = strrchr(uri->path, '/');

    mount->model = name && name[0] ? strdup(name) : NULL;
    /* Not the options: they may hold a PIN. */
    if (!mount->model &&
        asprintf(&mount->model, "scard %s:%s", uri->scheme, folder ? folder + 1 : uri->path) < 0)
        mount->model = NULL;
    if (!mount->model)
        return RC_NO_MEMORY;
    if (asprintf(&mount->device, "%s:%s", uri->scheme, uri->path) < 0) {
        mount->device = NULL;
        return RC_NO_MEMORY;
    }
    if (serial && serial[0]) {
        mount->serial = strdup(serial);
        if (!mount->serial)
            return RC_NO_MEMORY;
    }
    mount->reader.model = mount->model;
    mount->reader.device = mount->device;
    mount->reader.serial = mount->serial;
    mount->reader.vendor = "scard";
    return RC_OK;
}

static int open_slot(struct mount *mount, const struct uri *uri)
{
    bool insert = true;
    int rc = uri_get_bool(uri, "insert", &insert);

    if (rc)
        return rc;
    rc = slot_open(&mount->slot, uri_get(uri, "presence"), insert);
    mount->reader.event_fd = mount->slot.event_fd;
    return rc;
}

int sim_open(const struct uri *uri, struct reader **ret_reader)
{
    static const struct reader_ops ops = {
        .presence = mount_presence,
        .power = mount_power,
        .set_protocol = mount_set_protocol,
        .transmit = mount_transmit,
        .control = mount_control,
        .get_attribute = mount_get_attribute,
        .set_attribute = mount_set_attribute,
        .cancel = mount_cancel,
        .close = mount_close,
        .forget = mount_forget,
    };
    struct mount *mount = calloc(1, sizeof *mount);
    int rc;

    if (!mount)
        return RC_NO_MEMORY;
    mount->reader.ops = &ops;
    mount->slot.event_fd = mount->slot.wake_fd = mount->slot.changed_fd = mount->slot.watch.fd = -1;
    rc = sim_card_new(uri, &mount->card);
    if (!rc)
        rc = open_names(mount, uri);
    if (!rc)
        rc = open_slot(mount, uri);
    if (rc) {
        mount_close(&mount->reader);
        return rc;
    }
    mount->card->line = &mount->slot.line;
    *ret_reader = &mount->reader;
    return RC_OK;
}
