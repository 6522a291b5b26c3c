/* SPDX-License-Identifier: MIT */
/* What the rules of udev give of a reader, and what of that came to pass. */
#ifndef CLI_DOCTOR_RULES_H
#define CLI_DOCTOR_RULES_H

#include "cli/doctor/devices.h"
#include "cli/doctor/exam.h"

struct rules {
    bool any;          /* there are rules at all */
    char uaccess[256]; /* file that gives the device to whoever sits there; "" none */
    char late[256];    /* file that does so too late: behind 73-seat-late.rules */
    char group[64];    /* that the device is given to; "" none */
    char group_file[256];
    char ignored[256]; /* file that hides it from pcscd */
    bool known;        /* what udev has applied can be read */
    bool tagged;       /* uaccess was applied */
    bool hidden;       /* PCSCLITE_IGNORE was applied */
};

void rules_find(const struct exam *exam, const struct device *device, struct rules *ret_rules);

/* May the person open the reader's node, as far as that is asked for: a server opens it itself. */
bool rules_needed(const struct exam *exam);

#endif
