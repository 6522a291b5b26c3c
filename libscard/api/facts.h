/* SPDX-License-Identifier: MIT */
/* What the service knows of a reader, under any of the reader's names. */
#ifndef API_FACTS_H
#define API_FACTS_H

#include "api/object.h"

/* A new string (free it); key as in the service's fact. RC_UNKNOWN_READER, RC_UNSUPPORTED, RC_NO_MEMORY. */
int facts_get(struct api_context *context, const char *reader, const char *key, char **ret_value);

#endif
