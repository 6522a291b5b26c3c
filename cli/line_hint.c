/* SPDX-License-Identifier: MIT */
#include "cli/line_hint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/readline.h>

/* Between the line and its hint. */
#define GAP "  "

static const struct line_hooks *hooks; /* readline calls back without a pointer of ours */
static bool shown;

/* Columns of UTF-8 text, as far as every character has one; control bytes have none. */
static size_t width(const char *text)
{
    size_t columns = 0;

    for (; *text != '\0'; text++)
        columns += ((unsigned char)*text & 0xC0) != 0x80 && (unsigned char)*text >= 0x20;
    return columns;
}

void line_hint_clear(void)
{
    if (!shown)
        return;
    (void)fputs("\033[K", rl_outstream);
    (void)fflush(rl_outstream);
    shown = false;
}

static void show(void)
{
    char text[LINE_HINT_MAX];
    size_t used;
    int rows, columns;

    /* Only behind the line's end, and only if all is in one row: there it can be taken away again. */
    if (rl_point != rl_end || rl_end == 0 || rl_done ||
        RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG | RL_STATE_COMPLETING) ||
        !hooks->hint(hooks->user, rl_line_buffer, text))
        return;
    rl_get_screen_size(&rows, &columns);
    used = width(rl_display_prompt) + width(rl_line_buffer);
    if (columns <= 0 || used + sizeof GAP + width(text) >= (size_t)columns)
        return;
    (void)fprintf(rl_outstream, "\033[2m" GAP "%s\033[0m\033[%zuD", text, sizeof GAP - 1 + width(text));
    (void)fflush(rl_outstream);
    shown = true;
}

static void redisplay(void)
{
    line_hint_clear();
    rl_redisplay();
    show();
}

void line_hint_begin(const struct line_hooks *line_hooks)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

    if (line_hooks->hint == NULL || term == NULL || strcmp(term, "dumb") == 0 ||
        (no_color != NULL && no_color[0] != '\0'))
        return;
    hooks = line_hooks;
    rl_redisplay_function = redisplay;
}

void line_hint_end(void)
{
    rl_redisplay_function = rl_redisplay;
    shown = false;
}
