/* SPDX-License-Identifier: MIT */
/*
 * What passes a pipe, kept in a file, and a pipe that brings it back without the device: for finding out what
 * a reader did, and for tests of the driver against readers that nobody has at hand.
 *
 * The file is text, one call a line, in the order in which the calls ended:
 *
 *     scard-usb-trace 1
 *     out 62000000000007010000 = ok
 *     in = ok 80040000000007000000 3B021450
 *     control 21 01 0700 = stalled
 *     control A1 03 0000 room 1024 = ok 002A0000
 *     notice = 5003
 *     clear bulk = ok
 *
 * Results: ok, stalled, overflow, timeout, cancelled, gone, failed, unsupported. Blanks among the bytes do
 * not matter; empty lines and lines that begin with # are passed over. It holds every byte, PINs included: it
 * is made for its owner alone (0600), and never unless somebody asked for it.
 */
#ifndef USB_PIPE_TRACE_H
#define USB_PIPE_TRACE_H

#include "usb/pipe.h"

/*
 * A pipe that does what inner does and keeps it in the file path, which must not exist. Takes inner over,
 * also on failure (it is then closed). A file that can no longer be written ends the trace, not the pipe.
 * RC_INVALID_VALUE with a detail: the file cannot be made; RC_NO_MEMORY.
 */
int pipe_record(struct pipe *inner, const char *path, struct pipe **ret_pipe);

/*
 * A pipe that answers as the file says. A call that is not the recorded one - other bytes, another operation,
 * more than there is - fails with RC_IO and a detail that names the line and what was expected, and so does
 * every later one. notice and interrupt are not held to the order: a recorded notice is told when the calls
 * before it have been made. RC_INVALID_VALUE with a detail that names the line: the file cannot be read or is
 * malformed; RC_NO_MEMORY.
 */
int pipe_replay(const char *path, struct pipe **ret_pipe);

/* How many recorded calls of a replay pipe have not been made. */
size_t pipe_replay_left(const struct pipe *pipe);

#endif
