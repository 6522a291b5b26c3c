/* SPDX-License-Identifier: MIT */
/* How things are called on this distribution of Linux, for commands that mend. */
#ifndef CLI_DOCTOR_DISTRIBUTION_H
#define CLI_DOCTOR_DISTRIBUTION_H

#include "cli/doctor/system.h"

struct distribution {
    const char *install;   /* "sudo apt install", packages follow */
    const char *pcscd;     /* packages: the daemon */
    const char *ccid;      /* and its driver */
    const char *initramfs; /* makes the initial file system anew */
};

/* By ID and ID_LIKE in /etc/os-release; Debian's when that says nothing known. */
const struct distribution *distribution_find(const struct system *system);

#endif
