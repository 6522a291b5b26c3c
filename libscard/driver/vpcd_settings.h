/* SPDX-License-Identifier: MIT */
/* What the URI of a virtual reader asks for. */
#ifndef DRIVER_VPCD_SETTINGS_H
#define DRIVER_VPCD_SETTINGS_H

#include <stdint.h>

#include "base/uri.h"

struct vpcd_settings {
    const char *name;    /* the URI as given, for messages; borrowed from it */
    const char *host;    /* 127.0.0.1 or ::1 */
    uint16_t port;       /* of slot 0; 0 = the kernel chooses */
    unsigned slots;      /* 1 … 256 */
    uint64_t timeout_ms; /* for one answer; 0 = no limit */
};

/* RC_INVALID_VALUE with a detail that names the fault. */
int vpcd_settings_read(const struct uri *uri, struct vpcd_settings *ret_settings);

#endif
