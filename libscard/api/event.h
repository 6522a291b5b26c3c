/* SPDX-License-Identifier: MIT */
/* The event of SCardAccessStartedEvent around fork, as in object.h: the child has none. */
#ifndef API_EVENT_H
#define API_EVENT_H

#include <stdbool.h>

void event_before_fork(void);
void event_after_fork(bool in_child);

#endif
