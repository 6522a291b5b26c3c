/* SPDX-License-Identifier: MIT */
/* A plug, as plug.c and plug_open.c share it. Not for others. */
#ifndef API_PLUG_STATE_H
#define API_PLUG_STATE_H

#include <pthread.h>

#include "api/plug.h"
#include "api/plug_device.h"
#include "base/list.h"

struct usb_watch;

struct plug {
    struct service *service;
    struct plug_choices choices;
    struct usb_watch *watch; /* used by the watching thread */
    int wake_fd;             /* for that thread: stopping, or a device wants to know when it may be opened */
    pthread_mutex_t lock;    /* for what follows, and what plug_device.h says */
    pthread_cond_t changed;
    struct list devices; /* struct plug_device.link: plugged in */
    unsigned opening;    /* threads that open a device */
    bool watching;       /* that thread is there */
    bool looked;         /* the devices that were there have arrived */
    bool stopping;
    bool abandoned; /* the last thread that opens a device frees this */
};

/* The watching thread is to look what has changed. */
void plug_wake(struct plug *plug);

/* Under the lock: opens what is not open of the device, in a thread. That device may be freed in here once it
 * is gone. */
void plug_open(struct plug *plug, struct plug_device *device);

/* Without the lock, when nobody else knows of it. */
void plug_free(struct plug *plug);

#endif
