/* SPDX-License-Identifier: MIT */
#include "cli/line_hint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <readline/readline.h>

/* Between the line and its hint. */
#define GAP "  "

static const struct line_hooks *hooks; /* readline calls back without a pointer of ours */
static bool shown;

/* Columns of text; false: it has a character whose width depends on the terminal, or on where it stands. */
static bool measure(const char *text, size_t *ret_columns)
{
    size_t left = strlen(text), columns = 0;
    mbstate_t state = {0};

    while (left > 0) {
        wchar_t character;
        size_t length = mbrtowc(&character, text, left, &state);
        int width = length == 0 || length > left ? -1 : wcwidth(character);

        if (width < 0)
            return false;
        columns += (size_t)width;
        text += length;
        left -= length;
    }
    *ret_columns = columns;
    return true;
}

void line_hint_clear(void)
{
    if (!shown)
        return;
    (void)fputs("\033[K", rl_outstream);
    (void)fflush(rl_outstream);
    shown = false;
}

/* readline may put a mark of its own before the prompt, in whatever width. */
static bool has_mode_mark(void)
{
    const char *value = rl_variable_value("show-mode-in-prompt");

    return value != NULL && strcmp(value, "on") == 0;
}

void line_hint_show(void)
{
    char text[LINE_HINT_MAX];
    size_t prompt, line, hint;
    int rows, columns;

    /* Only behind the line's end, and only if all is in one row: there it can be taken away again. */
    if (hooks == NULL || shown || rl_point != rl_end || rl_end == 0 ||
        RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG | RL_STATE_COMPLETING) ||
        has_mode_mark() || !hooks->hint(hooks->user, rl_line_buffer, text))
        return;
    rl_get_screen_size(&rows, &columns);
    if (columns <= 0 || !measure(rl_display_prompt, &prompt) || !measure(rl_line_buffer, &line) ||
        !measure(text, &hint) || prompt + line + sizeof GAP + hint >= (size_t)columns)
        return;
    (void)fprintf(rl_outstream, "\033[2m" GAP "%s\033[0m\033[%zuD", text, sizeof GAP - 1 + hint);
    (void)fflush(rl_outstream);
    shown = true;
}

void line_hint_begin(const struct line_hooks *line_hooks)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

    if (line_hooks->hint == NULL || term == NULL || strcmp(term, "dumb") == 0 ||
        (no_color != NULL && no_color[0] != '\0'))
        return;
    hooks = line_hooks;
}

void line_hint_end(void)
{
    hooks = NULL;
    shown = false;
}
