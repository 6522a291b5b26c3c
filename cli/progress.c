/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"

#define FIRST_NS 300000000
#define EVERY_NS 100000000

void progress_begin(struct progress *progress, const struct output *output, const char *what, bool beside)
{
    *progress = (struct progress){
        .output = output,
        .what = what,
        .next_ns = clock_now_ns() + FIRST_NS,
        .on = isatty(output->err) && !output->quiet && !(beside && isatty(output->out)),
    };
}

void progress_step(struct progress *progress, size_t done, size_t total)
{
    char line[96];
    int64_t now;
    int length;

    if (!progress->on)
        return;
    now = clock_now_ns();
    if (now < progress->next_ns)
        return;
    progress->next_ns = now + EVERY_NS;
    if (total > 0)
        length = snprintf(line, sizeof line, "\r%3u %%  %zu of %zu %s\033[K", (unsigned)(100 * done / total),
                          done, total, progress->what);
    else
        length = snprintf(line, sizeof line, "\r%zu %s\033[K", done, progress->what);
    progress->shown = true;
    if (length < 0 || (size_t)length >= sizeof line || write(progress->output->err, line, (size_t)length) < 0)
        progress->on = false;
}

void progress_hide(struct progress *progress)
{
    static const char clear[] = "\r\033[K";

    if (progress->shown && write(progress->output->err, clear, sizeof clear - 1) < 0)
        progress->on = false;
    progress->shown = false;
}
