/* SPDX-License-Identifier: MIT */
#include "api/dialog_watch.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/dialog.h"

/* What is waited for: the list of readers, and each of them. */
struct watched {
    SCARD_READERSTATE *states;
    DWORD count; /* 0: not known */
    char *names; /* not the context's, which may be released at any time */
};

static LONG list_readers(void *context, LPSTR names, LPDWORD length)
{
    return SCardListReadersA(*(SCARDCONTEXT *)context, NULL, names, length);
}

/* The counter of the list is taken before the list, so that what comes meanwhile is news. */
static LONG take_readers(SCARDCONTEXT context, struct watched *watched)
{
    SCARD_READERSTATE list = {.szReader = "\\\\?PnP?\\Notification"};
    LONG code = SCardGetStatusChangeA(context, 0, &list, 1);
    DWORD count = 1;

    if (code != SCARD_S_SUCCESS && code != SCARD_E_TIMEOUT)
        return code;
    free(watched->names);
    free(watched->states);
    *watched = (struct watched){0};
    code = dialog_take_names(list_readers, &context, &watched->names);
    if (code != SCARD_S_SUCCESS)
        return code;
    for (const char *name = watched->names; *name; name += strlen(name) + 1)
        count++;
    watched->states = calloc(count, sizeof *watched->states);
    if (!watched->states)
        return SCARD_E_NO_MEMORY;
    list.dwEventState &= ~(DWORD)SCARD_STATE_CHANGED;
    watched->states[watched->count++] = list;
    for (const char *name = watched->names; *name; name += strlen(name) + 1)
        watched->states[watched->count++] = (SCARD_READERSTATE){.szReader = name};
    return SCARD_S_SUCCESS;
}

static LONG wait_for_change(SCARDCONTEXT context, struct watched *watched)
{
    LONG code;

    if (!watched->count || watched->states[0].dwEventState & SCARD_STATE_CHANGED)
        return take_readers(context, watched);
    for (DWORD i = 0; i < watched->count; i++)
        watched->states[i].dwCurrentState = watched->states[i].dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
    code = SCardGetStatusChangeA(context, INFINITE, watched->states, watched->count);
    if (code != SCARD_E_UNKNOWN_READER)
        return code;
    watched->count = 0; /* one has gone between list and wait */
    return SCARD_S_SUCCESS;
}

/* Until the context is released. */
static void *run(void *argument)
{
    struct dialog_watch *watch = argument;
    struct watched watched = {0};
    LONG code;

    do {
        code = wait_for_change(watch->context, &watched);
        eventfd_write(watch->changed, 1);
    } while (code == SCARD_S_SUCCESS);
    free(watched.names);
    free(watched.states);
    return NULL;
}

/* Signals are for the program's own threads. */
static bool start_thread(struct dialog_watch *watch)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&watch->thread, NULL, run, watch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !error;
}

LONG dialog_watch_start(struct dialog_watch *watch)
{
    LONG code = SCARD_E_NO_MEMORY;

    watch->changed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watch->changed < 0)
        return code;
    code = SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &watch->context);
    if (code == SCARD_S_SUCCESS && !start_thread(watch)) {
        SCardReleaseContext(watch->context);
        code = SCARD_E_NO_MEMORY;
    }
    if (code != SCARD_S_SUCCESS)
        close(watch->changed);
    return code;
}

void dialog_watch_stop(struct dialog_watch *watch)
{
    SCardReleaseContext(watch->context);
    pthread_join(watch->thread, NULL);
    close(watch->changed);
}
