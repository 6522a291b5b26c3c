/* SPDX-License-Identifier: MIT */
/* Where servers listen, and how a socket there is taken into use. */
#ifndef IPC_PLACE_H
#define IPC_PLACE_H

#include <sys/types.h>

/* Room for the path of a socket. */
#define PLACE_PATH_MAX 108

/* Ours for the whole machine, and pcscd's. */
#define PLACE_SYSTEM "/run/scard/scard.comm"
#define PLACE_PCSCD "/run/pcscd/pcscd.comm"

/* Ours for this user: scard/scard.comm in $XDG_RUNTIME_DIR, or in /run/user/UID, the first of them that is a
 * directory of this user which others cannot write. RC_NO_SERVICE with a detail if there is none. */
int place_user(char path[PLACE_PATH_MAX]);

/* A socket that this process listens at. */
struct place {
    int listener;
    int lock; /* the file PATH.lock, locked */
    char path[PLACE_PATH_MAX];
};

/* Listens at the path, with a mode of 0600, 0660 or 0666 and, if it is not (gid_t)-1, a group; its directory
 * is made if there is none, for this user alone with mode 0600. What a server that died has left is taken
 * away. RC_SHARING with a detail that says who listens there; RC_INVALID_VALUE, RC_DENIED, RC_IO. */
int place_listen(const char *path, mode_t mode, gid_t group, struct place *ret_place);

/* Takes the socket from where it is found, and puts it back there. */
void place_hide(const struct place *place);
void place_show(const struct place *place);

/* Takes the socket away and lets go of the path. The listener stays open: it is another's by now. */
void place_close(struct place *place);

#endif
