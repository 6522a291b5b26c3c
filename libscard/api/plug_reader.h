/* SPDX-License-Identifier: MIT */
/* One CCID interface of a USB device: what it is, and how it is opened. No locks, no threads. */
#ifndef API_PLUG_READER_H
#define API_PLUG_READER_H

#include "api/plug_choice.h"
#include "driver/ccid.h"
#include "usb/usb.h"

/* The first block is constant, the second one plug.c's. */
struct plug_reader {
    struct ccid_descriptor descriptor;
    char *device;                       /* "usb:1-2.3:1.0" */
    char *model, *serial, *vendor_name; /* for people; the last two may be NULL */
    char *facts;                        /* lines "key=value" (ccid_facts.h) */
    bool escape_allowed, any_firmware;

    struct reader **slots; /* attached, plug.c's; NULL: it is not open */
    size_t slot_count;
    struct slot *unusable; /* stands for it while it cannot be opened */
    int failure;           /* of the last attempt to open it */
};

/* Where the interface is: "1-2.3:1.0", in a new string; NULL without memory. */
char *plug_reader_place(const struct usb_device *usb, const struct ccid_descriptor *descriptor);

/* Takes in what is known without opening, and what the user chose. RC_NO_MEMORY; plug_reader_fini in any
 * case. */
int plug_reader_init(struct plug_reader *reader, const struct usb_device *usb, const char *place,
                     const struct ccid_descriptor *descriptor, const struct plug_choice *choice);
void plug_reader_fini(struct plug_reader *reader);

/* Is there any sense in (another) attempt to open it? Says no while something is visibly in the way. */
bool plug_reader_may_open(const struct plug_reader *reader);

/* Opens device and interface and makes it ready, which may take seconds: *ret_slots is a new array of new
 * readers. RC_DENIED, RC_SHARING, RC_READER_UNAVAILABLE, RC_IO, RC_NO_MEMORY, all with a detail. */
int plug_reader_open(const struct plug_reader *reader, const struct usb_device *usb,
                     struct reader ***ret_slots, size_t *ret_count);

#endif
