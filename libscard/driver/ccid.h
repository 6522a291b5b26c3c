/* SPDX-License-Identifier: MIT */
/*
 * The CCID driver: a CCID interface behind a pipe as readers, one for each slot.
 *
 * ccid.c opens and closes; ccid_link exchanges messages; ccid_power, ccid_protocol, ccid_exchange,
 * ccid_control, ccid_pin and ccid_attribute are what a slot can do; ccid_device.h is the struct that they
 * share.
 */
#ifndef DRIVER_CCID_H
#define DRIVER_CCID_H

#include "driver/ccid_descriptor.h"
#include "driver/reader.h"
#include "usb/pipe.h"

/* What the opener knows; strings are copied. */
struct ccid_identity {
    uint16_t vendor, product, bcd_device;
    uint8_t bus, address;
    const char *path;        /* "usb:1-2.3:1.0" */
    const char *model;       /* for the reader's name */
    const char *serial;      /* or NULL */
    const char *vendor_name; /* or NULL */
    bool escape_allowed;     /* the user allows escape commands */
    bool any_firmware;       /* the user wants it though its firmware is known as bad */
};

/* What bulk_in has to take for this reader, with room for those that send more than they announce (1.13). */
struct pipe_layout ccid_layout(const struct ccid_descriptor *descriptor);

/*
 * Takes over the pipe, also on failure (it is then closed), and makes the reader ready: *ret_readers has
 * *ret_count readers in a new block, to be freed without them; each is closed on its own, the last one closes
 * the pipe. descriptor is as ccid_descriptor_next gives it; quirks are looked up here.
 *
 * RC_READER_UNAVAILABLE with a detail: it does not answer, or its firmware is known as bad (and not
 * any_firmware); RC_NO_MEMORY.
 */
int ccid_open(struct pipe *pipe, const struct ccid_descriptor *descriptor,
              const struct ccid_identity *identity, struct reader ***ret_readers, size_t *ret_count);

#endif
