/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous transfers with a lock of our own: libusb 1.0.26 reads the end mark of its synchronous ones
 * without any, and the thread sanitizer says so.
 */
#include "usb_client.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int LIBUSB_CALL hotplug(libusb_context *context, libusb_device *device, libusb_hotplug_event event,
                               void *user)
{
    struct usb_client *client = user;
    struct libusb_device_descriptor descriptor;

    (void)context;
    libusb_get_device_descriptor(device, &descriptor);
    if (descriptor.idVendor != 0x1234)
        return 0;
    pthread_mutex_lock(&client->lock);
    if (event == LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED)
        client->arrived++;
    else
        client->left++;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
    return 0;
}

static void *handle_events(void *user)
{
    struct usb_client *client = user;
    bool stop = false;

    while (!stop) {
        libusb_handle_events(client->context);
        pthread_mutex_lock(&client->lock);
        stop = client->stop;
        pthread_mutex_unlock(&client->lock);
    }
    return NULL;
}

void usb_client_init(struct usb_client *client)
{
    pthread_condattr_t attributes;

    memset(client, 0, sizeof *client);
    pthread_mutex_init(&client->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&client->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (libusb_init(&client->context) != 0 ||
        libusb_hotplug_register_callback(
            client->context, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT,
            LIBUSB_HOTPLUG_ENUMERATE, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY,
            LIBUSB_HOTPLUG_MATCH_ANY, hotplug, client, NULL) != 0 ||
        pthread_create(&client->thread, NULL, handle_events, client) != 0)
        abort();
}

void usb_client_fini(struct usb_client *client)
{
    usb_client_close(client);
    pthread_mutex_lock(&client->lock);
    client->stop = true;
    pthread_mutex_unlock(&client->lock);
    libusb_interrupt_event_handler(client->context);
    pthread_join(client->thread, NULL);
    libusb_exit(client->context);
    pthread_cond_destroy(&client->changed);
    pthread_mutex_destroy(&client->lock);
}

int usb_client_open(struct usb_client *client, unsigned address, bool claim)
{
    libusb_device **list;
    ssize_t count = libusb_get_device_list(client->context, &list);
    int result = LIBUSB_ERROR_NOT_FOUND;

    for (ssize_t i = 0; i < count; i++) {
        struct libusb_device_descriptor descriptor;

        libusb_get_device_descriptor(list[i], &descriptor);
        if (descriptor.idVendor == 0x1234 && libusb_get_device_address(list[i]) == address)
            result = libusb_open(list[i], &client->handle);
    }
    libusb_free_device_list(list, 1);
    if (result == 0 && claim)
        result = libusb_claim_interface(client->handle, 0);
    return result;
}

void usb_client_close(struct usb_client *client)
{
    if (client->handle != NULL)
        libusb_close(client->handle);
    client->handle = NULL;
}

bool usb_client_await(struct usb_client *client, unsigned arrived, unsigned left)
{
    struct timespec until;
    int result = 0;
    bool met;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 5;
    pthread_mutex_lock(&client->lock);
    while ((client->arrived < arrived || client->left < left) && result == 0)
        result = pthread_cond_timedwait(&client->changed, &client->lock, &until);
    met = client->arrived >= arrived && client->left >= left;
    pthread_mutex_unlock(&client->lock);
    return met;
}

static void LIBUSB_CALL finished(struct libusb_transfer *libusb)
{
    struct usb_client_transfer *transfer = libusb->user_data;

    pthread_mutex_lock(&transfer->client->lock);
    transfer->done = true;
    pthread_cond_broadcast(&transfer->client->changed);
    pthread_mutex_unlock(&transfer->client->lock);
}

static int start(struct usb_client_transfer *transfer)
{
    int result = libusb_submit_transfer(transfer->transfer);

    if (result != 0) {
        libusb_free_transfer(transfer->transfer);
        transfer->transfer = NULL;
    }
    return result;
}

int usb_client_start(struct usb_client *client, struct usb_client_transfer *transfer, uint8_t endpoint,
                     uint8_t *bytes, size_t length, unsigned timeout_ms)
{
    *transfer = (struct usb_client_transfer){.client = client, .transfer = libusb_alloc_transfer(0)};
    if (transfer->transfer == NULL)
        abort();
    if (endpoint == 0x83)
        libusb_fill_interrupt_transfer(transfer->transfer, client->handle, endpoint, bytes, (int)length,
                                       finished, transfer, timeout_ms);
    else
        libusb_fill_bulk_transfer(transfer->transfer, client->handle, endpoint, bytes, (int)length, finished,
                                  transfer, timeout_ms);
    return start(transfer);
}

int usb_client_finish(struct usb_client_transfer *transfer, size_t *ret_actual)
{
    struct usb_client *client = transfer->client;
    int status;

    pthread_mutex_lock(&client->lock);
    while (!transfer->done)
        pthread_cond_wait(&client->changed, &client->lock);
    pthread_mutex_unlock(&client->lock);
    status = (int)transfer->transfer->status;
    if (ret_actual != NULL)
        *ret_actual = (size_t)transfer->transfer->actual_length;
    libusb_free_transfer(transfer->transfer);
    return status;
}

int usb_client_transfer(struct usb_client *client, uint8_t endpoint, uint8_t *bytes, size_t length,
                        unsigned timeout_ms, size_t *ret_actual)
{
    struct usb_client_transfer transfer;
    int result = usb_client_start(client, &transfer, endpoint, bytes, length, timeout_ms);

    return result == 0 ? usb_client_finish(&transfer, ret_actual) : result;
}

int usb_client_control(struct usb_client *client, uint8_t type, uint8_t request, uint16_t value,
                       uint16_t index, uint8_t *bytes, uint16_t length)
{
    struct usb_client_transfer transfer = {.client = client, .transfer = libusb_alloc_transfer(0)};
    uint8_t *buffer = malloc(LIBUSB_CONTROL_SETUP_SIZE + length);
    size_t actual;
    int result;

    if (transfer.transfer == NULL || buffer == NULL)
        abort();
    libusb_fill_control_setup(buffer, type, request, value, index, length);
    if ((type & 0x80) == 0 && length > 0)
        memcpy(buffer + LIBUSB_CONTROL_SETUP_SIZE, bytes, length);
    libusb_fill_control_transfer(transfer.transfer, client->handle, buffer, finished, &transfer, 1000);
    result = start(&transfer);
    if (result != 0) {
        free(buffer);
        return result - 100;
    }
    result = usb_client_finish(&transfer, &actual);
    if (result == 0 && (type & 0x80) != 0 && actual > 0)
        memcpy(bytes, buffer + LIBUSB_CONTROL_SETUP_SIZE, actual);
    free(buffer);
    return result == 0 ? (int)actual : -result;
}
