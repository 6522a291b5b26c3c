/* SPDX-License-Identifier: MIT */
/* The files of scard_trace_open (scard.h), from within. */
#ifndef API_TRACE_FILE_H
#define API_TRACE_FILE_H

#include <scard.h>

#include "capture/captured.h"

/* RC_INVALID_VALUE with a detail for a format that is not known; RC_NO_MEMORY. */
int trace_file_open(int fd, const char *format, struct scard_trace **ret_trace);

/* From any thread. What cannot be written is told by trace_file_close. */
void trace_file_add(struct scard_trace *trace, const struct captured *exchange);

/* RC_IO with a detail when something could not be written. */
int trace_file_close(struct scard_trace *trace);

#endif
