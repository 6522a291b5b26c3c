/* SPDX-License-Identifier: MIT */
/* Which service a program's context would get: the rule of SCARD_SERVICE, told from outside. */
#ifndef CLI_DOCTOR_ROUTE_H
#define CLI_DOCTOR_ROUTE_H

#include "cli/doctor/exam.h"

/* Sets the paths of servers. */
void route_paths(struct exam *exam);

/* Speaks with each server; sets what came of it, local, used, looks_at_usb. */
void route_find(struct exam *exam);

/* The configuration files that the library would read, in that order; "" where there is none to read. Those
 * of the environment are the running system's. */
#define ROUTE_FILES 2
struct route_file {
    char path[SYSTEM_PATH_MAX];
    bool host;
    bool must_exist;
};
void route_files(const struct exam *exam, struct route_file files[ROUTE_FILES]);

#endif
