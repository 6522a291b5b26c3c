/* SPDX-License-Identifier: MIT */
/* Threads of the library's own. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

/* Starts a detached thread in which all signals are blocked, because they are for the program's own threads.
 * Its stack has the program's usual size: glibc puts the program's thread-local data there as well, and
 * nobody but the program knows how much that is. RC_NO_MEMORY with a detail. */
int thread_start(void *(*run)(void *argument), void *argument);

#endif
