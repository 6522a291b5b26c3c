/* SPDX-License-Identifier: MIT */
/* The listening socket of a virtual reader. */
#ifndef DRIVER_VPCD_LISTEN_H
#define DRIVER_VPCD_LISTEN_H

#include <stdint.h>

/* Listens on a loopback host, 127.0.0.1 or ::1; the descriptor is non-blocking and closes on exec.
 * Port 0: the kernel chooses, *ret_port says what.
 * RC_READER_UNAVAILABLE; RC_NO_MEMORY without a file descriptor: with a detail that begins with name. */
int vpcd_listen(const char *name, const char *host, uint16_t port, int *ret_fd, uint16_t *ret_port);

#endif
