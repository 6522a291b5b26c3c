/* SPDX-License-Identifier: MIT */
#include "cli/monitor.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/readers.h"

#define PNP "\\\\?PnP?\\Notification"
#define USE_BITS (SCARD_STATE_INUSE | SCARD_STATE_EXCLUSIVE)

static void forget(SCARD_READERSTATE *state)
{
    char *name = (char *)(uintptr_t)state->szReader;

    free(name);
    state->szReader = NULL;
}

void monitor_fini(struct monitor *monitor)
{
    for (size_t i = 1; i < monitor->count; i++)
        forget(&monitor->states[i]);
    free(monitor->states);
    *monitor = (struct monitor){0};
}

static LONG add(struct monitor *monitor, const char *name, DWORD state)
{
    SCARD_READERSTATE *states = reallocarray(monitor->states, monitor->count + 1, sizeof *states);
    char *copy = strdup(name);

    if (states != NULL)
        monitor->states = states;
    if (states == NULL || copy == NULL) {
        free(copy);
        return SCARD_E_NO_MEMORY;
    }
    states[monitor->count++] = (SCARD_READERSTATE){.szReader = copy, .dwCurrentState = state};
    return SCARD_S_SUCCESS;
}

static void take_as_known(struct monitor *monitor)
{
    for (size_t i = 0; i < monitor->count; i++)
        monitor->states[i].dwCurrentState = monitor->states[i].dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
}

static LONG add_new(struct monitor *monitor, monitor_fn *fn, void *user);

LONG monitor_init(struct monitor *monitor, SCARDCONTEXT context)
{
    LONG code;

    *monitor = (struct monitor){.context = context, .states = calloc(1, sizeof *monitor->states), .count = 1};
    if (monitor->states == NULL) {
        monitor->count = 0;
        return SCARD_E_NO_MEMORY;
    }
    monitor->states[0].szReader = PNP;
    /* The list's own state first: a reader that comes in between is then told as new. */
    code = SCardGetStatusChange(context, 0, monitor->states, 1);
    if (code == SCARD_S_SUCCESS || code == SCARD_E_TIMEOUT)
        code = add_new(monitor, NULL, NULL);
    take_as_known(monitor);
    if (code != SCARD_S_SUCCESS)
        monitor_fini(monitor);
    return code;
}

static int tell(monitor_fn *fn, void *user, enum monitor_what what, const SCARD_READERSTATE *state)
{
    const struct monitor_event event = {
        .what = what,
        .reader = state->szReader,
        .state = state->dwEventState & 0xFFFF & ~(DWORD)SCARD_STATE_CHANGED,
        .atr = state->rgbAtr,
        .atr_length = state->cbAtr <= MAX_ATR_SIZE ? state->cbAtr : 0,
    };

    return fn != NULL ? fn(user, &event) : 0;
}

static bool is_known(const struct monitor *monitor, const char *name)
{
    for (size_t i = 1; i < monitor->count; i++)
        if (strcmp(monitor->states[i].szReader, name) == 0)
            return true;
    return false;
}

/* Adds the readers that are not known yet, with the state that they have now. */
static LONG add_new(struct monitor *monitor, monitor_fn *fn, void *user)
{
    struct reader_list list;
    LONG code = readers_load(monitor->context, &list);
    int done = 0;

    if (code != SCARD_S_SUCCESS)
        return code;
    for (size_t i = 0; i < list.count && code == SCARD_S_SUCCESS; i++) {
        const struct reader_entry *entry = &list.entries[i];
        SCARD_READERSTATE *state;

        if (is_known(monitor, entry->name) || (entry->state & SCARD_STATE_UNKNOWN))
            continue;
        code = add(monitor, entry->name, 0);
        if (code != SCARD_S_SUCCESS)
            break;
        state = &monitor->states[monitor->count - 1];
        state->dwEventState = (entry->state | (DWORD)entry->events << 16) & ~(DWORD)SCARD_STATE_CHANGED;
        state->dwCurrentState = state->dwEventState;
        state->cbAtr = entry->atr_length;
        memcpy(state->rgbAtr, entry->atr, entry->atr_length);
        if (done == 0)
            done = tell(fn, user, MONITOR_READER_IN, state);
        if (done == 0 && (entry->state & SCARD_STATE_PRESENT))
            done = tell(fn, user, MONITOR_CARD_IN, state);
    }
    readers_free(&list);
    return code;
}

static int tell_card(const SCARD_READERSTATE *state, monitor_fn *fn, void *user)
{
    bool was = state->dwCurrentState & SCARD_STATE_PRESENT, is = state->dwEventState & SCARD_STATE_PRESENT;
    DWORD was_count = state->dwCurrentState >> 16 & 0xFFFF, count = state->dwEventState >> 16 & 0xFFFF;
    int done = 0;

    if (was == is && was_count == count)
        return 0;
    /* The counter counts insertions and removals, so it tells of those that fell between two looks. */
    if (was || !is)
        done = was ? tell(fn, user, MONITOR_CARD_OUT, state) : 0;
    if (done == 0 && is)
        done = tell(fn, user, MONITOR_CARD_IN, state);
    return done;
}

/* Returns what fn returned last. */
static int tell_changes(struct monitor *monitor, monitor_fn *fn, void *user)
{
    int done = 0;

    for (size_t i = 1; i < monitor->count;) {
        SCARD_READERSTATE *state = &monitor->states[i];

        if (state->dwEventState & SCARD_STATE_UNKNOWN) {
            if (done == 0 && (state->dwCurrentState & SCARD_STATE_PRESENT))
                done = tell(fn, user, MONITOR_CARD_OUT, state);
            if (done == 0)
                done = tell(fn, user, MONITOR_READER_OUT, state);
            forget(state);
            memmove(state, state + 1, (--monitor->count - i) * sizeof *state);
            continue;
        }
        if (done == 0)
            done = tell_card(state, fn, user);
        if (done == 0 && (state->dwEventState & USE_BITS) != (state->dwCurrentState & USE_BITS))
            done = tell(fn, user, MONITOR_USE, state);
        i++;
    }
    return done;
}

static bool is_listed(const struct reader_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->entries[i].name, name) == 0)
            return true;
    return false;
}

/* A reader that left before the call is refused instead of marked: mark it here. */
static LONG mark_missing(struct monitor *monitor)
{
    struct reader_list list;
    LONG code = readers_load(monitor->context, &list);

    if (code != SCARD_S_SUCCESS)
        return code;
    for (size_t i = 1; i < monitor->count; i++) {
        SCARD_READERSTATE *state = &monitor->states[i];

        state->dwEventState = is_listed(&list, state->szReader) ? state->dwCurrentState : SCARD_STATE_UNKNOWN;
    }
    readers_free(&list);
    return SCARD_S_SUCCESS;
}

LONG monitor_wait(struct monitor *monitor, DWORD timeout_ms, monitor_fn *fn, void *user)
{
    LONG code = SCardGetStatusChange(monitor->context, timeout_ms, monitor->states, monitor->count);
    bool list_changed = code == SCARD_E_UNKNOWN_READER;
    int done;

    if (list_changed)
        code = mark_missing(monitor);
    else
        list_changed = monitor->states[0].dwEventState & SCARD_STATE_CHANGED;
    if (code != SCARD_S_SUCCESS)
        return code;
    done = tell_changes(monitor, fn, user);
    take_as_known(monitor);
    return list_changed ? add_new(monitor, done == 0 ? fn : NULL, user) : SCARD_S_SUCCESS;
}

const char *monitor_word(const struct monitor_event *event)
{
    switch (event->what) {
    case MONITOR_READER_IN:
        return "reader-in";
    case MONITOR_READER_OUT:
        return "reader-out";
    case MONITOR_CARD_IN:
        return "card-in";
    case MONITOR_CARD_OUT:
        return "card-out";
    case MONITOR_USE:
        break;
    }
    if (event->state & SCARD_STATE_EXCLUSIVE)
        return "exclusive";
    return event->state & SCARD_STATE_INUSE ? "in-use" : "free";
}
