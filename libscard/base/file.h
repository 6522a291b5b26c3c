/* SPDX-License-Identifier: MIT */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/bytes.h"

/* Appends what is to be read from fd, to its end or until text, now of no more than most bytes, has one more:
 * some files have no end. Room for a NUL is behind it. RC_NO_MEMORY; RC_IO with errno. What was read stays in
 * text. */
int file_read(int fd, size_t most, struct buffer *text);

#endif
