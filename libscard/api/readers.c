/* SPDX-License-Identifier: MIT */
/* Readers and their changes: lists, groups, facts, GetStatusChange. */
#include <scard.h>
#include <stdlib.h>
#include <string.h>

#include "api/export.h"
#include "api/memory.h"
#include "api/object.h"

#define DEFAULT_READERS "SCard$DefaultReaders"
#define ALL_READERS "SCard$AllReaders"

/* Programs usually watch a few readers; those need no memory. */
#define INLINE_WATCHES 8

_Static_assert(STATE_IGNORE == SCARD_STATE_IGNORE && STATE_CHANGED == SCARD_STATE_CHANGED &&
                   STATE_UNKNOWN == SCARD_STATE_UNKNOWN && STATE_UNAVAILABLE == SCARD_STATE_UNAVAILABLE &&
                   STATE_EMPTY == SCARD_STATE_EMPTY && STATE_PRESENT == SCARD_STATE_PRESENT &&
                   STATE_EXCLUSIVE == SCARD_STATE_EXCLUSIVE && STATE_INUSE == SCARD_STATE_INUSE &&
                   STATE_MUTE == SCARD_STATE_MUTE && ATR_MAX == MAX_ATR_SIZE,
               "the manager's reader states are those of PC/SC");

/* No group named, or one that every reader is in. */
static bool groups_hold_all(LPCSTR groups)
{
    if (!groups || !*groups)
        return true;
    for (; *groups; groups += strlen(groups) + 1)
        if (!strcmp(groups, ALL_READERS) || !strcmp(groups, DEFAULT_READERS))
            return true;
    return false;
}

static int list_readers(struct api_context *context, LPCSTR groups, LPSTR readers, LPDWORD length)
{
    char *names = NULL;
    size_t names_length = 0;
    int rc = RC_NO_READERS;

    if (groups_hold_all(groups))
        rc = context_ops(context)->list(context->service, &names, &names_length);
    if (!rc)
        rc = memory_give(context, names, names_length, 0, readers, length);
    else if (rc == RC_NO_READERS)
        *length = 1; /* as pcsc-lite says: the NUL that ends an empty list */
    free(names);
    return rc;
}

EXPORT LONG SCardListReaders(SCARDCONTEXT hContext, LPCSTR mszGroups, LPSTR mszReaders, LPDWORD pcchReaders)
{
    struct api_context *context;
    int rc;

    EXPORT_BEGIN;
    if (!pcchReaders || (!mszReaders && memory_is_autoallocate(*pcchReaders)))
        return SCARD_E_INVALID_PARAMETER;
    context = object_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    rc = list_readers(context, mszGroups, mszReaders, pcchReaders);
    object_put_context(context);
    return codes_from_rc(rc);
}

EXPORT LONG SCardListReaderGroups(SCARDCONTEXT hContext, LPSTR mszGroups, LPDWORD pcchGroups)
{
    static const char groups[] = DEFAULT_READERS "\0";
    struct api_context *context;
    int rc;

    EXPORT_BEGIN;
    if (!pcchGroups || (!mszGroups && memory_is_autoallocate(*pcchGroups)))
        return SCARD_E_INVALID_PARAMETER;
    context = object_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    rc = memory_give(context, groups, sizeof groups, 0, mszGroups, pcchGroups);
    object_put_context(context);
    return codes_from_rc(rc);
}

EXPORT LONG scard_reader_fact(SCARDCONTEXT hContext, LPCSTR szReader, LPCSTR szKey, LPSTR szValue,
                              LPDWORD pcchValue)
{
    struct api_context *context;
    char *value = NULL;
    int rc;

    EXPORT_BEGIN;
    if (!szReader || !szKey || !pcchValue || (!szValue && memory_is_autoallocate(*pcchValue)))
        return SCARD_E_INVALID_PARAMETER;
    context = object_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    rc = context_ops(context)->fact(context->service, szReader, szKey, &value);
    if (!rc)
        rc = memory_give(context, value, strlen(value) + 1, 0, szValue, pcchValue);
    free(value);
    object_put_context(context);
    return codes_from_rc(rc);
}

static void copy_in(struct reader_watch *watches, const SCARD_READERSTATE *states, size_t count)
{
    for (size_t i = 0; i < count; i++)
        watches[i] = (struct reader_watch){
            .name = states[i].szReader,
            .current = (uint32_t)states[i].dwCurrentState,
        };
}

static void copy_out(const struct reader_watch *watches, SCARD_READERSTATE *states, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        states[i].dwEventState = watches[i].event;
        states[i].cbAtr = watches[i].atr_length;
        memcpy(states[i].rgbAtr, watches[i].atr, watches[i].atr_length);
    }
}

static int wait_for_change(struct api_context *context, DWORD timeout, SCARD_READERSTATE *states,
                           size_t count)
{
    bool infinite = timeout == INFINITE || timeout == (DWORD)-1;
    struct deadline deadline = infinite ? deadline_never() : deadline_in_ms(timeout);
    struct reader_watch few[INLINE_WATCHES], *watches = few;
    bool any = false;
    int rc;

    for (size_t i = 0; i < count; i++)
        any |= !(states[i].dwCurrentState & SCARD_STATE_IGNORE);
    if (!any)
        return RC_OK;
    if (count > INLINE_WATCHES)
        watches = calloc(count, sizeof *watches);
    if (!watches)
        return RC_NO_MEMORY;
    copy_in(watches, states, count);
    rc = context_ops(context)->wait(context->service, deadline, watches, count);
    if (rc == RC_OK || rc == RC_TIMEOUT || rc == RC_CANCELLED)
        copy_out(watches, states, count);
    if (watches != few)
        free(watches);
    return rc;
}

EXPORT LONG SCardGetStatusChange(SCARDCONTEXT hContext, DWORD dwTimeout, SCARD_READERSTATE *rgReaderStates,
                                 DWORD cReaders)
{
    struct api_context *context;
    int rc;

    EXPORT_BEGIN;
    if (cReaders && !rgReaderStates)
        return SCARD_E_INVALID_PARAMETER;
    for (DWORD i = 0; i < cReaders; i++)
        if (!rgReaderStates[i].szReader)
            return SCARD_E_INVALID_VALUE;
    context = object_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    rc = wait_for_change(context, dwTimeout, rgReaderStates, cReaders);
    object_put_context(context);
    return codes_from_rc(rc);
}
