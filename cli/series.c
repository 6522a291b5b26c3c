/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rc.h"
#include "cli/builtin.h"

/* Both are of no use without memory: then they are as if never set. */
static void remember(struct series *series, const struct exchange *exchange)
{
    char *data = hex_new(series->data.data, series->data.length), sw[5];

    variables_unset(series->variables, "_");
    if (data != NULL)
        (void)variables_set(series->variables, "_", data);
    free(data);
    snprintf(sw, sizeof sw, "%04X", exchange->sw);
    (void)variables_set(series->variables, "SW", sw);
}

/* The data of all parts joined, as the command gives it. */
static void exchanged(void *user, const struct exchange *exchange)
{
    struct series *series = user;
    bool corrected = exchange->sw >> 8 == 0x6C && !exchange->last;

    if (!exchange->automatic)
        series->data.length = 0;
    if (exchange->response_length > 2 && !corrected)
        (void)buffer_append(&series->data, exchange->response, exchange->response_length - 2);
    if (exchange->last)
        remember(series, exchange);
}

void series_begin(struct series *series, struct front *front, struct series *outer)
{
    *series = (struct series){.front = front};
    series->variables = outer != NULL ? outer->variables : &series->own;
    front->user = series;
    front->exchanged = exchanged;
}

void series_end(struct series *series)
{
    variables_fini(&series->own);
    buffer_fini(&series->data);
}

int series_expand(const struct front *front, const char *line, char **ret_line)
{
    const struct series *series = front->user;

    if ((front->kind == FRONT_SHELL || front->kind == FRONT_SCRIPT) && strchr(line, '$') != NULL)
        return variables_expand(series->variables, line, ret_line);
    *ret_line = strdup(line);
    return *ret_line != NULL ? RC_OK : RC_NO_MEMORY;
}
