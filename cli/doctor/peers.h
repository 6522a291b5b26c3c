/* SPDX-License-Identifier: MIT */
/* Who is connected to a Unix socket, as the kernel's sock_diag(7) tells it. Of this network namespace alone.
 */
#ifndef CLI_DOCTOR_PEERS_H
#define CLI_DOCTOR_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer {
    uint64_t inode; /* of the socket */
    bool server;    /* it listens at the path, or was accepted there; else a client's end */
    size_t path;    /* index of the path */
};

struct peers {
    struct peer *list;
    size_t count;
};

/* 0, or errno. */
int peers_find(struct peers *peers, const char *const *paths, size_t count);
void peers_fini(struct peers *peers);

#endif
