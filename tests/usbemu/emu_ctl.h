/* SPDX-License-Identifier: MIT */
/*
 * The emulated bus by lines of text: for programs that it is preloaded into (libusbemu.so), which cannot call
 * it.
 *
 *     EMU_INIT  lines that are executed before main, separated by line ends or semicolons;
 *               those that fail are told on stderr
 *     EMU_CTL   path of a Unix socket that takes lines, and answers each with one:
 *               "ok", maybe with words behind it, or "error" and why
 *     EMU_PROG  only in the program of that name: LD_PRELOAD reaches env, sh and valgrind, too
 *
 * A line is a verb and its arguments, separated by blanks; "double quotes" keep blanks together.
 */
#ifndef USBEMU_EMU_CTL_H
#define USBEMU_EMU_CTL_H

#include <stddef.h>

/* A verb: argv[0] is the verb, argv[argc] NULL, all of it is writable and the callee's for the call. Called
 * without the lock, one at a time. Result: 0, or a negative errno; reply may say more in either case, as one
 * line without its end. */
typedef int emu_ctl_fn(int argc, char **argv, char *reply, size_t room);

/* Both arguments stay valid; usage is shown by "help". A later one of the same name wins. */
void emu_ctl_register(const char *verb, const char *usage, emu_ctl_fn *run);

/* Executes one line; reply is always a string without line end. Result as of the verb; an empty line: 0. */
int emu_ctl_line(const char *line, char *reply, size_t room);

#endif
