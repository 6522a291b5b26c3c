/* SPDX-License-Identifier: MIT */
#include "api/status_change.h"

#include <stdlib.h>
#include <string.h>

#include "api/catalog.h"
#include "api/export.h"
#include "api/text.h"

/* Programs usually watch a few readers; those need no memory. */
#define INLINE_WATCHES 8

_Static_assert(STATE_IGNORE == SCARD_STATE_IGNORE && STATE_CHANGED == SCARD_STATE_CHANGED &&
                   STATE_UNKNOWN == SCARD_STATE_UNKNOWN && STATE_UNAVAILABLE == SCARD_STATE_UNAVAILABLE &&
                   STATE_EMPTY == SCARD_STATE_EMPTY && STATE_PRESENT == SCARD_STATE_PRESENT &&
                   STATE_EXCLUSIVE == SCARD_STATE_EXCLUSIVE && STATE_INUSE == SCARD_STATE_INUSE &&
                   STATE_MUTE == SCARD_STATE_MUTE && ATR_MAX == MAX_ATR_SIZE,
               "the manager's reader states are those of PC/SC");

int status_change_check(const SCARD_READERSTATE *states, size_t count)
{
    if (count && !states)
        return RC_INVALID_PARAMETER;
    for (size_t i = 0; i < count; i++)
        if (!states[i].szReader)
            return RC_INVALID_VALUE;
    return RC_OK;
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

/* By names as they are; then, if the service does not know one of them, by what the database means. */
static int wait_by_any_name(struct api_context *context, struct deadline deadline,
                            struct reader_watch *watches, size_t count)
{
    const struct service_ops *ops = context_ops(context);
    int rc = ops->wait(context->service, deadline, watches, count);
    TEXT_OWNED char *names = NULL;

    if (rc != RC_UNKNOWN_READER)
        return rc;
    rc = catalog_own_watches(context, watches, count, &names);
    return rc ? rc : ops->wait(context->service, deadline, watches, count);
}

int status_change_wait(struct api_context *context, struct deadline deadline, SCARD_READERSTATE *states,
                       size_t count)
{
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
    rc = wait_by_any_name(context, deadline, watches, count);
    if (rc == RC_OK || rc == RC_TIMEOUT || rc == RC_CANCELLED)
        copy_out(watches, states, count);
    if (watches != few)
        free(watches);
    return rc;
}

static int get_status_change(SCARDCONTEXT handle, DWORD timeout, SCARD_READERSTATE *states, size_t count)
{
    bool infinite = timeout == INFINITE || timeout == (DWORD)-1;
    struct deadline deadline = infinite ? deadline_never() : deadline_in_ms(timeout);
    struct api_context *context = object_context(handle);
    int rc;

    if (!context)
        return RC_INVALID_HANDLE;
    rc = status_change_wait(context, deadline, states, count);
    object_put_context(context);
    return rc;
}

EXPORT LONG SCardGetStatusChange(SCARDCONTEXT hContext, DWORD dwTimeout, SCARD_READERSTATE *rgReaderStates,
                                 DWORD cReaders)
{
    int rc;

    EXPORT_BEGIN;
    rc = status_change_check(rgReaderStates, cReaders);
    return codes_from_rc(rc ? rc : get_status_change(hContext, dwTimeout, rgReaderStates, cReaders));
}

EXPORT_A(SCardGetStatusChange);

static void drop(SCARD_READERSTATE *states, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((char *)(uintptr_t)states[i].szReader);
    free(states);
}

int status_change_from_wide(const SCARD_READERSTATEW *wide, size_t count, SCARD_READERSTATE **ret_states)
{
    SCARD_READERSTATE *states = NULL;
    int rc = RC_OK;

    if (count && !wide)
        return RC_INVALID_PARAMETER;
    for (size_t i = 0; i < count; i++)
        if (!wide[i].szReader)
            return RC_INVALID_VALUE;
    states = calloc(count + !count, sizeof *states);
    if (!states)
        return RC_NO_MEMORY;
    for (size_t i = 0; i < count && !rc; i++) {
        char *name = NULL;

        rc = text_from_wide(wide[i].szReader, &name);
        states[i].szReader = name;
        states[i].dwCurrentState = wide[i].dwCurrentState;
        states[i].dwEventState = wide[i].dwEventState;
        states[i].cbAtr = wide[i].cbAtr;
        memcpy(states[i].rgbAtr, wide[i].rgbAtr, sizeof states[i].rgbAtr);
    }
    if (rc)
        drop(states, count);
    else
        *ret_states = states;
    return rc;
}

void status_change_to_wide(SCARD_READERSTATE *states, size_t count, SCARD_READERSTATEW *wide)
{
    for (size_t i = 0; i < count; i++) {
        wide[i].dwEventState = states[i].dwEventState;
        wide[i].cbAtr = states[i].cbAtr;
        memcpy(wide[i].rgbAtr, states[i].rgbAtr, sizeof wide[i].rgbAtr);
    }
    drop(states, count);
}

EXPORT LONG SCardGetStatusChangeW(SCARDCONTEXT hContext, DWORD dwTimeout, SCARD_READERSTATEW *rgReaderStates,
                                  DWORD cReaders)
{
    SCARD_READERSTATE *states;
    int rc;

    EXPORT_BEGIN;
    rc = status_change_from_wide(rgReaderStates, cReaders, &states);
    if (rc)
        return codes_from_rc(rc);
    rc = get_status_change(hContext, dwTimeout, states, cReaders);
    status_change_to_wide(states, cReaders, rgReaderStates);
    return codes_from_rc(rc);
}
