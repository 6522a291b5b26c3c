/* SPDX-License-Identifier: MIT */
/* What is on the USB, as /sys tells it: read, never opened. */
#ifndef CLI_DOCTOR_DEVICES_H
#define CLI_DOCTOR_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/doctor/system.h"
#include "driver/ccid_descriptor.h"

/* A smart-card reader, or what seems to be one. */
struct device {
    char path[32];      /* "1-2.3": where it is plugged in */
    char interface[48]; /* "1-2.3:1.0"; "" while it has none */
    char name[128];     /* by its own words, or "reader" */
    char serial[64];
    uint16_t vendor, product, firmware;
    unsigned bus, address;
    char node[32];  /* "/dev/bus/usb/001/002" */
    bool blocked;   /* not authorized */
    bool described; /* ccid is set */
    struct ccid_descriptor ccid;
    unsigned interfaces; /* CCID interfaces that it has */
    char driver[64];     /* bound to the interface; "" none; "usbfs": a program has it */
    char power[16];      /* power/control: "on", "auto", "" not told */
    char running[16];    /* power/runtime_status */
};

struct devices {
    int error;      /* errno of the folder that lists them; 0 = it could be read */
    size_t others;  /* devices on the bus that are no readers; root hubs do not count */
    size_t hubs;    /* root hubs: buses */
    size_t blocked; /* of the others, those that are not authorized */
    struct device *list;
    size_t count;
};

/* Out of memory is ENOMEM in error. */
void devices_load(struct devices *devices, const struct system *system);
void devices_fini(struct devices *devices);

/* The device that text means: "1-2.3", "usb:1-2.3:1.0", "072f:2200", a part of its name; NULL: none. */
const struct device *devices_find(const struct devices *devices, const char *text);

#endif
