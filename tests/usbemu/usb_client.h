/* SPDX-License-Identifier: MIT */
/* A program that uses libusb, for tests of the emulated bus: one device, and a thread that handles events. */
#ifndef USBEMU_USB_CLIENT_H
#define USBEMU_USB_CLIENT_H

#include <libusb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usb_client {
    libusb_context *context;
    libusb_device_handle *handle; /* NULL: not opened */
    pthread_t thread;
    bool stop;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned arrived, left; /* hot-plug events */
};

struct usb_client_transfer {
    struct usb_client *client;
    struct libusb_transfer *transfer;
    bool done;
};

void usb_client_init(struct usb_client *client);
void usb_client_fini(struct usb_client *client); /* closes */

/* The device of the tests by its address (vendor 1234), opened; interface 0 claimed if claim. A libusb code.
 */
int usb_client_open(struct usb_client *client, unsigned address, bool claim);
void usb_client_close(struct usb_client *client);

/* Waits for that many hot-plug events since the start; false after five seconds. */
bool usb_client_await(struct usb_client *client, unsigned arrived, unsigned left);

/* One transfer from begin to end; endpoint 83 is an interrupt one. timeout_ms 0: none. Result: its status, or
 * a libusb error. */
int usb_client_start(struct usb_client *client, struct usb_client_transfer *transfer, uint8_t endpoint,
                     uint8_t *bytes, size_t length, unsigned timeout_ms);
int usb_client_finish(struct usb_client_transfer *transfer, size_t *ret_actual);
int usb_client_transfer(struct usb_client *client, uint8_t endpoint, uint8_t *bytes, size_t length,
                        unsigned timeout_ms, size_t *ret_actual);

/* Bytes of data, or minus the transfer's status, or a libusb error below -100. */
int usb_client_control(struct usb_client *client, uint8_t type, uint8_t request, uint16_t value,
                       uint16_t index, uint8_t *bytes, uint16_t length);

#endif
