/* SPDX-License-Identifier: MIT */
/* Waiting for readers, by any of their names. */
#ifndef API_STATUS_CHANGE_H
#define API_STATUS_CHANGE_H

#include "api/object.h"

/* The array can be used: RC_INVALID_PARAMETER, or RC_INVALID_VALUE for an entry without a name. */
int status_change_check(const SCARD_READERSTATE *states, size_t count);

/* SCardGetStatusChange without its checks. */
int status_change_wait(struct api_context *context, struct deadline deadline, SCARD_READERSTATE *states,
                       size_t count);

/* The same array with names in UTF-8, checked as above; and back: what came out of it, and it is freed. */
int status_change_from_wide(const SCARD_READERSTATEW *wide, size_t count, SCARD_READERSTATE **ret_states);
void status_change_to_wide(SCARD_READERSTATE *states, size_t count, SCARD_READERSTATEW *wide);

#endif
