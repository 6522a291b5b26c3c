/* SPDX-License-Identifier: MIT */
/* The folder of the card cache, opened. */
#ifndef STORE_CACHE_PLACE_H
#define STORE_CACHE_PLACE_H

/* A descriptor of the folder, for the caller to close. RC_NO_SERVICE with a detail: it is not there, somebody
 * else's, or open to others. */
int cache_place_open(const char *path, int *ret_folder);

#endif
