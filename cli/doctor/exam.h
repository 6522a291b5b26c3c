/* SPDX-License-Identifier: MIT */
/*
 * An examination: what is on the bus, who serves, for whom - and what each check finds there, in the order in
 * which a byte travels from the plug to the card. The first link that is broken is the cause.
 */
#ifndef CLI_DOCTOR_EXAM_H
#define CLI_DOCTOR_EXAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/deadline.h"
#include "cli/desk.h"
#include "cli/doctor/devices.h"
#include "cli/doctor/person.h"
#include "cli/doctor/processes.h"
#include "cli/doctor/service_talk.h"
#include "cli/doctor/system.h"
#include "cli/status.h"

enum finding_level { FINDING_OK, FINDING_SKIP, FINDING_WARN, FINDING_FAIL };

struct finding {
    const char *id; /* of the check, static */
    enum finding_level level;
    enum status status; /* of a failure */
    char *text;         /* a sentence without full stop */
    char *fix;          /* a command; "" none */
};

/* Servers that programs may find. */
enum place { PLACE_OF_USER, PLACE_OF_MACHINE, PLACE_OF_PCSCD, PLACE_NAMED, PLACE_COUNT };

struct server {
    char path[SYSTEM_PATH_MAX]; /* "" not looked at */
    bool host;                  /* a path of the running system, whatever the root */
    struct talk talk;
};

enum container {
    CONTAINER_NONE,
    CONTAINER_DOCKER,
    CONTAINER_PODMAN,
    CONTAINER_LXC,
    CONTAINER_NSPAWN,
    CONTAINER_KUBERNETES,
    CONTAINER_FLATPAK,
    CONTAINER_SNAP
};

struct exam {
    struct system system;
    struct person person;
    struct devices devices;
    struct server servers[PLACE_COUNT];
    bool local;        /* readers are driven by the program itself */
    int used;          /* else the server that is used: enum place, or -1: the one asked for is unknown */
    bool looks_at_usb; /* it (or a server) is to use the readers on USB */
    struct processes holders; /* of the nodes; target: index of the device */
    enum container container;

    bool probe;               /* power cards */
    struct desk *desk;        /* for what the library says; NULL: it is not asked */
    struct deadline deadline; /* never, but for a short look */

    const char *id; /* of the check that runs */
    char *mend;     /* for the next finding */
    struct finding *findings;
    size_t count;
    char *would; /* what root would add; "" nothing */
    bool failed; /* out of memory */
};

struct check {
    const char *id;
    void (*run)(struct exam *exam);
};

/* How the machine is looked at. */
struct exam_options {
    const char *root; /* NULL: the running system */
    const char *user; /* NULL: whoever runs the program */
    bool probe;
    bool silent; /* no server is spoken with: only their paths are set */
    struct desk *desk;
    struct deadline deadline;
};

/* 0; ENOENT for the user; errno of the root. */
int exam_init(struct exam *exam, const struct exam_options *options);
void exam_fini(struct exam *exam);

/* Runs all checks, in order. */
void exam_run_all(struct exam *exam);

/* Runs checks until one fails when first, or the deadline passes. */
void exam_run(struct exam *exam, const struct check *checks, size_t count, bool first);

/* The cause: the first failure, or NULL. */
const struct finding *exam_cause(const struct exam *exam);

/* 0 nothing is wrong, STATUS_ANSWER warnings only, else the status of the cause. */
int exam_status(const struct exam *exam);

/* Findings of the check that runs. mend: the command for the next one. */
void exam_mend(struct exam *exam, const char *format, ...) __attribute__((format(printf, 2, 3)));
void exam_ok(struct exam *exam, const char *format, ...) __attribute__((format(printf, 2, 3)));
void exam_skip(struct exam *exam, const char *format, ...) __attribute__((format(printf, 2, 3)));
void exam_warn(struct exam *exam, const char *format, ...) __attribute__((format(printf, 2, 3)));
void exam_fail(struct exam *exam, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Notes what root would add, once. */
void exam_would(struct exam *exam, const char *what);

/* Value of an environment variable, "" when it is not set. */
const char *exam_variable(const char *name);

/* The server that is used, if there is one; it need not serve this user. NULL: none. */
const struct server *exam_server(const struct exam *exam);

/* "pcscd", "scard serve": what listens at a place. */
const char *exam_server_name(enum place place);

/* Is pcscd on this machine: program, unit or socket. */
bool exam_has_pcscd(const struct exam *exam);

#define CHECKS(name)                                                                                         \
    extern const struct check name[];                                                                        \
    extern const size_t name##_count
CHECKS(exam_checks_environment);
CHECKS(exam_checks_settings);
CHECKS(exam_checks_usb);
CHECKS(exam_checks_node);
CHECKS(exam_checks_holder);
CHECKS(exam_checks_pcscd);
CHECKS(exam_checks_polkit);
CHECKS(exam_checks_programs);
CHECKS(exam_checks_library);
#undef CHECKS

#endif
