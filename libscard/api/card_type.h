/* SPDX-License-Identifier: MIT */
/* What the functions of card types share. */
#ifndef API_CARD_TYPE_H
#define API_CARD_TYPE_H

#include "api/object.h"

/* RC_UNKNOWN_CARD with a detail: there is no card type of that name, or, for who writes in the context's
 * scope, it is one of the other scope. */
int card_type_unknown(const char *name);
int card_type_unknown_in_scope(const struct api_context *context, const char *name);

/* The context of a function that may do without (handle 0: NULL); false: the handle is none. */
bool card_type_enter(SCARDCONTEXT handle, struct api_context **ret_context);
void card_type_leave(struct api_context *context);

#endif
