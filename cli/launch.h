/* SPDX-License-Identifier: MIT */
/* Other programs, on libscard in place of pcsc-lite. */
#ifndef CLI_LAUNCH_H
#define CLI_LAUNCH_H

#include "cli/call.h"

/* Keeps how signals were treated before this program changed it. Before interrupt_init. */
void launch_remember(void);

/* front->run_program: becomes the program that the call's arguments name, with the drop-in libraries that
 * belong to our own libscard.so.1 in its LD_LIBRARY_PATH. Returns only when that fails: reported, with 127 if
 * there is no such program, 126 if it cannot be run. */
int launch_program(struct call *call);

#endif
