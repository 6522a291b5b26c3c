/* SPDX-License-Identifier: MIT */
/* The configuration file: which readers there are. */
#ifndef API_CONFIG_H
#define API_CONFIG_H

#include <stddef.h>

/* The reader URIs of the configuration files (see setup.h), in order, as a new array of new strings. No file is
 * fine. RC_NO_SERVICE with a detail that names file and line; RC_NO_MEMORY. */
int config_readers(char ***ret_uris, size_t *ret_count);

void config_free(char **uris, size_t count);

#endif
