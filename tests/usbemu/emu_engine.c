/* SPDX-License-Identifier: MIT */
/* Endpoints of the emulated bus and their transfers, packet by packet where a program can see packets. */
#include "emu_usb.h"

#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <stdlib.h>
#include <string.h>

struct emu_endpoint *emu_endpoint(struct emu_usb *usb, unsigned address)
{
    return &usb->endpoints[(address & 0x0f) | ((address & 0x80) != 0 ? 16 : 0)];
}

void emu_urbs_init(struct emu_urbs *urbs)
{
    urbs->head = NULL;
    urbs->tail = &urbs->head;
}

void emu_urbs_add(struct emu_urbs *urbs, struct emu_urb *urb)
{
    urb->next = NULL;
    *urbs->tail = urb;
    urbs->tail = &urb->next;
}

static void take(struct emu_endpoint *endpoint, struct emu_urb **at)
{
    struct emu_urb *urb = *at;

    *at = urb->next;
    if (*at == NULL)
        endpoint->urbs.tail = at;
    endpoint->pending--;
}

/* A transfer that ends in a failure takes with it those that continue it (usbfs, bulk continuation). */
static void cut(struct emu_endpoint *endpoint)
{
    endpoint->cut = true;
    while (endpoint->urbs.head != NULL && endpoint->urbs.head->continues) {
        struct emu_urb *urb = endpoint->urbs.head;

        take(endpoint, &endpoint->urbs.head);
        emu_file_complete(urb, -ECONNRESET);
    }
}

static void complete(struct emu_endpoint *endpoint, int status)
{
    struct emu_urb *urb = endpoint->urbs.head;

    take(endpoint, &endpoint->urbs.head);
    if (status == 0 && urb->short_not_ok && urb->actual < urb->length)
        status = -EREMOTEIO;
    emu_file_complete(urb, status);
    if (status < 0)
        cut(endpoint);
}

static void receive(struct emu_urb *urb, const uint8_t *bytes, size_t length)
{
    if (length > 0)
        memcpy(urb->buffer + urb->actual, bytes, length);
    urb->actual += length;
}

/* Sends what the waiting transfers take of a message. True: all of it is gone. */
static bool feed(struct emu_endpoint *endpoint, const uint8_t *bytes, size_t length, size_t *sent)
{
    while (endpoint->urbs.head != NULL && !endpoint->halted) {
        struct emu_urb *urb = endpoint->urbs.head;
        size_t room = urb->length - urb->actual, rest = length - *sent;
        size_t whole = rest < room ? rest : room;

        whole -= whole % endpoint->packet;
        receive(urb, bytes + *sent, whole);
        *sent += whole;
        rest -= whole;
        if (whole > 0 && urb->actual == urb->length) {
            complete(endpoint, 0);
        } else if (rest == 0 && length > 0) {
            return true; /* it ends with a full packet, and the transfer waits for one that is not */
        } else if (rest > room - whole) {
            /* Babble: a packet that the transfer has no room for is lost, and fails it. */
            *sent += rest < endpoint->packet ? rest : endpoint->packet;
            complete(endpoint, -EOVERFLOW);
        } else {
            receive(urb, bytes + *sent, rest);
            *sent += rest;
            complete(endpoint, 0);
            return true;
        }
        if (*sent == length)
            return true;
    }
    return false;
}

static void drop_parcel(struct emu_endpoint *endpoint)
{
    struct emu_parcel *parcel = endpoint->parcels;

    endpoint->parcels = parcel->next;
    if (endpoint->parcels == NULL)
        endpoint->parcels_tail = &endpoint->parcels;
    free(parcel);
}

static void deliver(struct emu_endpoint *endpoint)
{
    while (endpoint->urbs.head != NULL) {
        struct emu_parcel *parcel = endpoint->parcels;

        if (endpoint->halted) {
            complete(endpoint, -EPIPE);
        } else if (parcel == NULL) {
            return;
        } else if (parcel->failure != 0) {
            endpoint->halted = parcel->failure == -EPIPE;
            complete(endpoint, parcel->failure);
            drop_parcel(endpoint);
        } else {
            if (feed(endpoint, parcel->bytes, parcel->length, &parcel->sent))
                drop_parcel(endpoint);
        }
    }
}

static void host_in(struct emu_device *device, uint8_t address, const uint8_t *bytes, size_t length,
                    int failure)
{
    struct emu_usb *usb = device->host_state;
    struct emu_endpoint *endpoint = emu_endpoint(usb, address);
    struct emu_parcel *parcel;
    size_t sent = 0;

    if (!endpoint->exists || (address & 0x80) == 0) {
        emu_blame("the model sends to endpoint %02x, which it does not have", address);
        return;
    }
    if (length == 0)
        bytes = (const uint8_t *)"";
    if (failure != 0)
        length = 0;
    else if (endpoint->parcels == NULL && feed(endpoint, bytes, length, &sent))
        return;
    parcel = malloc(sizeof *parcel + length - sent);
    if (parcel == NULL)
        abort();
    parcel->next = NULL;
    parcel->length = length - sent;
    parcel->sent = 0;
    parcel->failure = failure;
    if (length > sent)
        memcpy(parcel->bytes, bytes + sent, length - sent);
    *endpoint->parcels_tail = parcel;
    endpoint->parcels_tail = &parcel->next;
    deliver(endpoint);
}

/* Requests that every device answers; the bus does it for them. -ENOSYS: the model's business. */
static int standard(struct emu_usb *usb, const uint8_t setup[8], uint8_t *data, size_t length)
{
    unsigned value = setup[2] | (unsigned)setup[3] << 8, index = setup[4] | (unsigned)setup[5] << 8;
    struct emu_endpoint *endpoint = emu_endpoint(usb, index);

    if ((setup[0] & 0x60) != 0)
        return -ENOSYS;
    switch (setup[0] << 8 | setup[1]) {
    case 0x8006: /* GET_DESCRIPTOR */
        return emu_describe_get(usb, value >> 8, value & 0xff, data, length);
    case 0x8008: /* GET_CONFIGURATION */
    case 0x810a: /* GET_INTERFACE */
        if (length > 0)
            data[0] = setup[1] == 8 ? usb->configuration : usb->interfaces[index % EMU_INTERFACES].alternate;
        return length > 0;
    case 0x8000: /* GET_STATUS */
    case 0x8100:
    case 0x8200:
        memset(data, 0, length < 2 ? length : 2);
        if (length > 0 && setup[0] == 0x82)
            data[0] = endpoint->halted;
        return (int)(length < 2 ? length : 2);
    case 0x0009: /* SET_CONFIGURATION */
        return value == usb->configuration ? 0 : -EPIPE;
    case 0x010b: /* SET_INTERFACE */
        return emu_describe_alternate(usb, index, value) == 0 ? 0 : -EPIPE;
    case 0x0201: /* CLEAR_FEATURE, ENDPOINT_HALT */
        if (value != 0 || !endpoint->exists)
            return -EPIPE;
        emu_engine_clear_halt(endpoint);
        return 0;
    default:
        return -EPIPE;
    }
}

static int ask_control(struct emu_usb *usb, struct emu_urb *urb)
{
    const uint8_t *setup = urb->buffer;
    size_t length = setup[6] | (size_t)setup[7] << 8;
    uint8_t *data = urb->buffer + 8;
    int result = standard(usb, setup, data, length);

    if (result == -ENOSYS)
        result = usb->device->ops->control != NULL
                     ? usb->device->ops->control(usb->device, setup, data, length)
                     : -EPIPE;
    if (result < 0)
        return result;
    if ((setup[0] & 0x80) == 0)
        result = (int)length; /* all that was sent has been taken */
    else if ((size_t)result > length) {
        emu_blame("the model answers %d bytes where %zu were asked for", result, length);
        result = (int)length;
    }
    urb->actual = (size_t)result;
    return 0;
}

static int ask(struct emu_endpoint *endpoint, struct emu_urb *urb)
{
    struct emu_device *device = endpoint->usb->device;

    if (endpoint->address == 0)
        return ask_control(endpoint->usb, urb);
    if (endpoint->halted || device->ops->out == NULL)
        return -EPIPE;
    return device->ops->out(device, endpoint->address, urb->buffer, urb->length);
}

/* Offers the transfers of an OUT or control endpoint to the model until it has enough. */
static void run(struct emu_endpoint *endpoint)
{
    struct emu_usb *usb = endpoint->usb;

    if (endpoint->running) {
        endpoint->again = true;
        return;
    }
    emu_usb_ref(usb);
    endpoint->running = true;
    while (endpoint->urbs.head != NULL && usb->device != NULL) {
        struct emu_urb *urb = endpoint->urbs.head;
        int result;

        endpoint->again = false;
        result = ask(endpoint, urb);
        /* Pulled out or reset by the model meanwhile: the transfer has ended already. */
        if (endpoint->urbs.head != urb)
            continue;
        if (result == -EAGAIN && !endpoint->again)
            break;
        if (result == -EAGAIN)
            continue;
        if (endpoint->address != 0) {
            endpoint->halted = result == -EPIPE;
            urb->actual = result == 0 ? urb->length : 0;
        }
        complete(endpoint, result);
    }
    endpoint->running = false;
    emu_usb_unref(usb);
}

static void run_later(void *user)
{
    run(user);
}

static void host_ready(struct emu_device *device)
{
    struct emu_usb *usb = device->host_state;

    for (unsigned i = 0; i < 16; i++) {
        if (usb->endpoints[i].urbs.head != NULL)
            run(&usb->endpoints[i]);
    }
}

const struct emu_host_ops emu_engine_host = {.in = host_in, .ready = host_ready, .unplug = emu_unplug};

void emu_engine_submit(struct emu_usb *usb, struct emu_urb *urb)
{
    struct emu_endpoint *endpoint = emu_endpoint(usb, urb->endpoint);

    emu_bus_count();
    emu_urbs_add(&endpoint->urbs, urb);
    endpoint->pending++;
    if (!urb->continues)
        endpoint->cut = false;
    if ((urb->endpoint & 0x80) != 0)
        deliver(endpoint);
    else if (emu_bus_random(4) != 0)
        emu_later(0, run_later, endpoint);
    else
        run(endpoint);
    emu_bus_changed();
}

int emu_engine_discard(struct emu_usb *usb, const struct emu_file *file, const struct usbdevfs_urb *user)
{
    for (unsigned i = 0; i < 32; i++) {
        for (struct emu_urb **at = &usb->endpoints[i].urbs.head; *at != NULL; at = &(*at)->next) {
            struct emu_urb *urb = *at;

            if (urb->user != user || urb->file != file)
                continue;
            take(&usb->endpoints[i], at);
            emu_file_complete(urb, -ENOENT);
            return 0;
        }
    }
    return -EINVAL;
}

unsigned emu_engine_flush(struct emu_usb *usb, const struct emu_file *file, int interface, int status)
{
    unsigned count = 0;

    for (unsigned i = 0; i < 32; i++) {
        struct emu_endpoint *endpoint = &usb->endpoints[i];

        if (interface >= 0 && (i == 0 || endpoint->interface != interface))
            continue;
        for (struct emu_urb **at = &endpoint->urbs.head; *at != NULL;) {
            struct emu_urb *urb = *at;

            if (file != NULL && urb->file != file) {
                at = &urb->next;
                continue;
            }
            take(endpoint, at);
            emu_file_complete(urb, status);
            count++;
        }
    }
    return count;
}

void emu_engine_clear_halt(struct emu_endpoint *endpoint)
{
    struct emu_device *device = endpoint->usb->device;

    endpoint->halted = false;
    if (device->ops->cleared != NULL)
        device->ops->cleared(device, endpoint->address);
}

void emu_engine_forget(struct emu_usb *usb)
{
    for (unsigned i = 0; i < 32; i++) {
        struct emu_endpoint *endpoint = &usb->endpoints[i];

        emu_cancel(endpoint);
        endpoint->halted = false;
        while (endpoint->parcels != NULL)
            drop_parcel(endpoint);
    }
}
