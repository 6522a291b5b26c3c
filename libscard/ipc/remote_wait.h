/* SPDX-License-Identifier: MIT */
/* Waiting for changes of readers and cards at the server. */
#ifndef IPC_REMOTE_WAIT_H
#define IPC_REMOTE_WAIT_H

#include "ipc/remote_state.h"

/* See service_ops.wait. */
int remote_wait(struct service_context *context, struct deadline deadline, struct reader_watch *watches,
                size_t count);

#endif
