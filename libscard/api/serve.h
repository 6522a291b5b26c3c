/* SPDX-License-Identifier: MIT */
/* The server of this process (scard_server_start). */
#ifndef API_SERVE_H
#define API_SERVE_H

#include <stdbool.h>

/* As local_before_fork and local_after_fork. A child has no server. */
void serve_before_fork(void);
void serve_after_fork(bool in_child);

#endif
