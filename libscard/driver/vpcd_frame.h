/* SPDX-License-Identifier: MIT */
/*
 * Frames of the vpcd protocol on a connected stream socket: u16 big-endian length, then the body.
 *
 * Results of all functions:
 *   RC_NO_CARD  the peer has closed or reset the connection, or somebody shut it down
 *   RC_TIMEOUT  deadline passed inside a frame: the stream is out of step and good for nothing
 *   RC_IO       the peer sent bytes that nobody asked for: out of step as well
 */
#ifndef DRIVER_VPCD_FRAME_H
#define DRIVER_VPCD_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/deadline.h"

#define VPCD_FRAME_MAX 65535 /* what the length field can say */

/* Sets the socket up: small segments leave at once, and one blocking send or receive takes at most
 * timeout_ms (0: no limit). The functions below lean on that limit for their first system call and on
 * the deadline for all further ones, so the deadline given to them is to be timeout_ms from now. */
int vpcd_frame_prepare(int fd, uint64_t timeout_ms);

/* RC_OK when no byte waits to be read. Never blocks. */
int vpcd_frame_quiet(int fd);

/* Sends all bytes of the parts, in one segment where the socket's buffer allows it. Uses up the parts. */
int vpcd_frame_send(int fd, struct iovec *parts, size_t count, struct deadline deadline);

/* Reads one frame, its body into out. RC_INSUFFICIENT_BUFFER: the body was longer than capacity;
 * *ret_length says how long, the rest of it was read and dropped, the stream is in step. */
int vpcd_frame_read(int fd, uint8_t *out, size_t capacity, struct deadline deadline, size_t *ret_length);

#endif
