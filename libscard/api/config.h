/* SPDX-License-Identifier: MIT */
/* The configuration files: which readers there are. */
#ifndef API_CONFIG_H
#define API_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

/* A reader, and where it is written, for messages. */
struct config_reader {
    char *uri, *path;
    unsigned line;
};

struct config {
    bool usb; /* readers on USB as well, all of them */
    struct config_reader *readers;
    size_t count;
};

/* What the configuration files (see setup.h) say, readers in order. No file is fine. RC_NO_SERVICE with a
 * detail that names file and line; RC_NO_MEMORY. */
int config_load(struct config *ret_config);

/* Can the file be used: RC_OK, or as config_load. */
int config_check(const char *path);

void config_fini(struct config *config);

#endif
