/* SPDX-License-Identifier: MIT */
/*
 * Memory handed to the caller: SCARD_AUTOALLOCATE blocks, and the (buffer, &length) idiom around them.
 *
 * Blocks come from malloc, and are known by address and context. A program that gives one to free() instead
 * of SCardFreeMemory must run with SCARD_KEEP_MEMORY=1, since the library cannot see that.
 *
 * A context of NULL is that of the calls that need none (hContext 0): it is never closed.
 */
#ifndef API_MEMORY_H
#define API_MEMORY_H

#include "api/object.h"

/* True for SCARD_AUTOALLOCATE, also as 32 bits of ones. */
bool memory_is_autoallocate(DWORD length);

/* Hands data[0..length) to the caller by the idiom of winscard.h. length_pointer may be NULL: then nothing is
 * handed over unless buffer is set, which is RC_INSUFFICIENT_BUFFER. spare more zero bytes follow if there is
 * room for them. RC_INVALID_PARAMETER (auto-allocate without a place for the pointer), RC_INVALID_HANDLE
 * (context closed meanwhile), RC_NO_MEMORY. */
int memory_give(struct api_context *context, const void *data, size_t length, size_t spare, void *buffer,
                DWORD *length_pointer);

/* The same for count items of size bytes each: *length_pointer counts items. */
int memory_give_items(struct api_context *context, const void *items, size_t count, size_t size, void *buffer,
                      DWORD *length_pointer);

/* Frees a block of the context. RC_INVALID_PARAMETER for any other address, RC_INVALID_HANDLE when the
 * context was closed meanwhile. */
int memory_free(struct api_context *context, const void *block);

/* Frees what is left of a closed context, or forgets it (keep). */
void memory_release(struct api_context *context, bool keep);

/* Around fork, as in object.h. */
void memory_before_fork(void);
void memory_after_fork(bool in_child);

#endif
