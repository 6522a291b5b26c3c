/* SPDX-License-Identifier: MIT */
/* Words for the numbers of the API, both ways. Pure. */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <winscard.h>

/* "shared", "exclusive", "direct"; NULL for another number. */
const char *names_share(DWORD share);
bool names_share_parse(const char *word, DWORD *ret_share);

/* "T=0", "T=1", "raw", "none". */
const char *names_protocol(DWORD protocol);
/* t0, t1, any, raw. */
bool names_protocol_parse(const char *word, DWORD *ret_protocols);

/* "leave", "reset", "unpower", "eject". */
const char *names_disposition(DWORD disposition);
bool names_disposition_parse(const char *word, DWORD *ret_disposition);

/* "user", "terminal", "system", "global" (SCARD_SCOPE_*). */
bool names_scope_parse(const char *word, DWORD *ret_scope);

/* 5, 0.25, 250ms, 5s, 2m -> milliseconds, rounded up; false if it is none, negative, or over 2^31 ms. */
bool names_duration_parse(const char *text, int64_t *ret_ms);

/* Decimal or 0x…; the whole text. */
bool names_number_parse(const char *text, uint64_t *ret_number);

#endif
