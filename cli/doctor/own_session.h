/* SPDX-License-Identifier: MIT */
/* Background sessions among the processes that hold a reader. */
#ifndef CLI_DOCTOR_OWN_SESSION_H
#define CLI_DOCTOR_OWN_SESSION_H

#include "cli/doctor/exam.h"

#define OWN_SESSION_ROOM 64

/* The name of the background session of the examined user that a process is (cli/session_start.h), or NULL.
 */
const char *own_session_name(const struct exam *exam, const struct process *process,
                             char name[OWN_SESSION_ROOM]);

/* The session that has the reader of that device: on USB by who holds its node, where hold.usb has run; of
 * vpcd by who listens at its port. false: none is seen. */
bool own_session_find(struct exam *exam, const char *device, char name[OWN_SESSION_ROOM], pid_t *ret_pid);

#endif
