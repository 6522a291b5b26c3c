/* SPDX-License-Identifier: MIT */
#include "cli/front.h"

#include <fcntl.h>
#include <unistd.h>

#include "cli/globals.h"

void front_init(struct front *front, enum front_kind kind, const struct command *const *commands,
                struct desk *desk, struct output *output, struct interrupt *interrupt)
{
    *front = (struct front){
        .kind = kind,
        .commands = commands,
        .desk = desk,
        .output = output,
        .interrupt = interrupt,
        .input = STDIN_FILENO,
        .directory = AT_FDCWD,
        .terminal = -1,
    };
    globals_init(&front->globals);
}
