/* SPDX-License-Identifier: MIT */
/* A USB device with CCID interfaces, as plug.c keeps it. */
#ifndef API_PLUG_DEVICE_H
#define API_PLUG_DEVICE_H

#include "api/plug_choice.h"
#include "api/plug_reader.h"
#include "base/list.h"
#include "usb/usb.h"

struct plug;

/* Under plug's lock, unless constant. */
struct plug_device {
    struct plug *plug;     /* constant */
    struct usb_device usb; /* constant, with memory of its own */
    struct list link;
    struct plug_reader *readers;
    size_t reader_count;
    bool busy;     /* a thread is opening it */
    bool again;    /* to be opened once more by that thread */
    bool tried;    /* has been opened, with or without success */
    bool gone;     /* unplugged: the last one to be busy or leaving frees it */
    bool leaving;  /* its readers are being removed */
    bool may_ease; /* something is in the way that may go */
    bool easing;   /* and the watch tells when */
};

/* What is known without opening: *ret_device is a new one with those interfaces that are chosen; NULL if
 * there are none. RC_NO_MEMORY. */
int plug_device_new(const struct usb_device *usb, const struct plug_choices *choices,
                    struct plug_device **ret_device);
void plug_device_free(struct plug_device *device);

/* Is there any sense in (another) attempt to open a reader that is not open? */
bool plug_device_may_open(const struct plug_device *device);

#endif
