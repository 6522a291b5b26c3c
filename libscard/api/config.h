/* SPDX-License-Identifier: MIT */
/* The configuration file: which readers there are. */
#ifndef API_CONFIG_H
#define API_CONFIG_H

#include <stddef.h>

/* A reader, and where it is written, for messages. */
struct config_reader {
    char *uri, *path;
    unsigned line;
};

/* The readers of the configuration files (see setup.h), in order, as a new array. No file is fine.
 * RC_NO_SERVICE with a detail that names file and line; RC_NO_MEMORY. */
int config_readers(struct config_reader **ret_readers, size_t *ret_count);

void config_free(struct config_reader *readers, size_t count);

#endif
