/* SPDX-License-Identifier: MIT */
/* A hint behind the line that is being typed, on readline's screen. Internal to line*.c. */
#ifndef CLI_LINE_HINT_H
#define CLI_LINE_HINT_H

#include "cli/line.h"

/* Hints are shown from here on, if the terminal can have them: it knows colours and moves its cursor. */
void line_hint_begin(const struct line_hooks *hooks);
void line_hint_end(void);

/* Shows the hint, if there is one for the line as it is and it is not shown yet. The line must be on the
 * screen as it is. (This is not readline's rl_redisplay_function: with another than its own readline takes
 * the terminal for one that can do nothing.) */
void line_hint_show(void);

/* Takes the hint from the screen; the cursor is still where it was shown. */
void line_hint_clear(void);

#endif
