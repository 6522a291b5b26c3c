/* SPDX-License-Identifier: MIT */
/*
 * Where sessions live: a directory that only its user can enter, and in it for each session NAME.lock, locked
 * while the session lives, and NAME.sock, where it listens. The session of a shell is called
 * shell-PID-STARTTIME, so that a process id that is used again never leads to another shell's session.
 */
#ifndef CLI_SESSION_PLACE_H
#define CLI_SESSION_PLACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Longest name, and room for it. */
#define SESSION_NAME_MAX 64
#define SESSION_NAME_SIZE (SESSION_NAME_MAX + 1)

/* Opens the directory: scard in $XDG_RUNTIME_DIR or in /run/user/UID, the first of them that is this user's
 * alone, or else /tmp/scard-UID. 1: there is none (create false); RC_DENIED with a detail when another could
 * reach into it; RC_IO. */
int session_place_open(bool create, int *ret_directory);

/* Letters, digits, '.', '_' and '-', not first '.' or '-', at most SESSION_NAME_MAX. */
bool session_place_is_name(const char *name);

/* Is it a name that shells get. */
bool session_place_is_shell(const char *name);

struct session_process {
    pid_t parent;
    uint64_t start; /* clock ticks since boot */
    uint64_t stack; /* where its stack and its arguments begin: set by exec, kept by fork; 0 = not told */
    uint64_t arguments;
};

/* What /proc says; false if there is no such process. */
bool session_place_process(pid_t pid, struct session_process *ret_process);

/* The shell that calls this program: the parent, or, where that is a subshell - $(…), (…), a function in a
 * pipe -, the shell that it is a copy of. false if it has ended. */
bool session_place_shell(pid_t *ret_pid, struct session_process *ret_process);

void session_place_shell_name(pid_t pid, uint64_t start, char name[SESSION_NAME_SIZE]);

/* Connects to a session: a descriptor. RC_NO_SERVICE: none lives there; RC_DENIED: somebody else's answers;
 * RC_IO. */
int session_place_connect(int directory, const char *name);

/* The same for the session of this process or its nearest ancestor that has one; its name goes to name. */
int session_place_connect_nearest(int directory, char name[SESSION_NAME_SIZE]);

/* Reserves a name: a descriptor that holds it while it, or a copy of it, is open. RC_SHARING: taken; RC_IO.
 */
int session_place_lock(int directory, const char *name);

/* Listens there, in place of a session that died; the name must be locked. A descriptor, or RC_IO. */
int session_place_listen(int directory, const char *name);

/* Takes away what can be seen of a session whose lock is held. */
void session_place_remove_socket(int directory, const char *name);
void session_place_remove_lock(int directory, const char *name);

/* Takes away what sessions that were killed have left. */
void session_place_sweep(int directory);

/* Calls fn with each name that has a socket, until it returns other than 0; returns that. */
int session_place_each(int directory, int (*fn)(void *user, const char *name), void *user);

#endif
