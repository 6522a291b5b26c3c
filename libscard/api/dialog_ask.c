/* SPDX-License-Identifier: MIT */
/* The dialog's prompt on the controlling terminal. */
#include "api/dialog.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/log.h"

/* Keys that mean "none of these". */
#define KEY_CTRL_C 0x03
#define KEY_CTRL_D 0x04
#define KEY_ESCAPE 0x1B

struct prompt {
    const struct dialog_request *request;
    int tty;
    struct termios before;

    /* The thread that waits for cards and readers, on a context of its own, so that its waits are not the
     * caller's. */
    SCARDCONTEXT watching;
    pthread_t watcher;
    bool is_watched;
    int changed; /* eventfd: something is another now */

    char typed[4]; /* the number so far */
    size_t typed_length;
};

static void say(const struct prompt *prompt, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct prompt *prompt, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vdprintf(prompt->tty, format, arguments);
    va_end(arguments);
}

/* Names come from readers and files: nothing in them may steer the terminal. */
static void say_name(const struct prompt *prompt, const char *name)
{
    for (; *name; name++)
        say(prompt, "%c", (unsigned char)*name < 0x20 || *name == 0x7F ? '?' : *name);
}

static void say_wanted(const struct prompt *prompt)
{
    const struct dialog_request *request = prompt->request;

    if (request->title)
        say_name(prompt, request->title);
    say(prompt, request->title ? "\r\n" : "");
    if (request->description) {
        say_name(prompt, request->description);
    } else if (request->cards && *request->cards) {
        say(prompt, "Card wanted: ");
        for (const char *card = request->cards; *card; card += strlen(card) + 1) {
            say(prompt, card == request->cards ? "" : ", ");
            say_name(prompt, card);
        }
    } else {
        say(prompt, "Insert a card.");
    }
    say(prompt, "\r\n");
}

static void say_seats(const struct prompt *prompt, const struct dialog_seats *seats)
{
    for (size_t i = 0; i < seats->count; i++) {
        const struct dialog_seat *seat = &seats->seats[i];

        say(prompt, "%4zu  ", i + 1);
        say_name(prompt, seat->reader);
        say(prompt, seat->card ? seat->fits ? ": " : ": not this card" : ": no card");
        if (seat->card && seat->fits)
            say_name(prompt, *seat->card ? seat->card : "card in");
        say(prompt, "\r\n");
    }
    if (!seats->count)
        say(prompt, "      No reader is attached.\r\n");
    say(prompt, "%s q gives up: %.*s",
        seats->fitting ? "Number of a reader, Enter for the first that fits;" : "Waiting for a card;",
        (int)prompt->typed_length, prompt->typed);
}

/* Waits until the list of readers or one of them is another than at the call before; *states and *count are
 * the watcher's memory. */
static LONG wait_for_change(struct prompt *prompt, SCARD_READERSTATE **states, DWORD *count, LPSTR *names)
{
    DWORD length = SCARD_AUTOALLOCATE;
    SCARD_READERSTATE *grown;
    LONG code;

    if (*count && !((*states)[0].dwEventState & SCARD_STATE_CHANGED)) {
        for (DWORD i = 0; i < *count; i++)
            (*states)[i].dwCurrentState = (*states)[i].dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
        return SCardGetStatusChangeA(prompt->watching, INFINITE, *states, *count);
    }
    /* Other readers. The counter of the list is taken first, so that what comes meanwhile is news. */
    grown = realloc(*states, sizeof *grown);
    if (!grown)
        return SCARD_E_NO_MEMORY;
    *states = grown;
    (*states)[0] = (SCARD_READERSTATE){.szReader = "\\\\?PnP?\\Notification"};
    *count = 1;
    code = SCardGetStatusChangeA(prompt->watching, 0, *states, 1);
    if (code != SCARD_S_SUCCESS && code != SCARD_E_TIMEOUT)
        return code;
    if (*names)
        SCardFreeMemory(prompt->watching, *names);
    *names = NULL;
    code = SCardListReadersA(prompt->watching, NULL, (LPSTR)names, &length);
    if (code != SCARD_S_SUCCESS && code != SCARD_E_NO_READERS_AVAILABLE)
        return code;
    for (const char *name = *names; name && *name; name += strlen(name) + 1) {
        grown = realloc(*states, (*count + 1) * sizeof *grown);
        if (!grown)
            return SCARD_E_NO_MEMORY;
        *states = grown;
        (*states)[(*count)++] = (SCARD_READERSTATE){.szReader = name};
    }
    (*states)[0].dwEventState &= ~(DWORD)SCARD_STATE_CHANGED;
    return SCARD_S_SUCCESS;
}

/* Until the context is released. */
static void *watch(void *argument)
{
    struct prompt *prompt = argument;
    SCARD_READERSTATE *states = NULL;
    LPSTR names = NULL;
    DWORD count = 0;
    LONG code;

    do {
        code = wait_for_change(prompt, &states, &count, &names);
        if (code == SCARD_E_UNKNOWN_READER) { /* gone between list and wait */
            count = 0;
            code = SCARD_S_SUCCESS;
        }
        eventfd_write(prompt->changed, 1);
    } while (code == SCARD_S_SUCCESS);
    free(states);
    return NULL;
}

static bool key_ends(unsigned char key)
{
    return key == 'q' || key == 'Q' || key == KEY_ESCAPE || key == KEY_CTRL_C || key == KEY_CTRL_D;
}

/* 1: *ret_chosen; 0: nothing yet. */
static int take_number(struct prompt *prompt, const struct dialog_seats *seats, size_t *ret_chosen)
{
    size_t chosen = 0;

    if (prompt->typed_length) {
        prompt->typed[prompt->typed_length] = '\0';
        chosen = strtoul(prompt->typed, NULL, 10) - 1;
    } else {
        while (chosen < seats->count && !seats->seats[chosen].fits)
            chosen++;
    }
    prompt->typed_length = 0;
    if (chosen < seats->count && seats->seats[chosen].fits) {
        *ret_chosen = chosen;
        return 1;
    }
    say(prompt, "\r\nNo card there that fits.\r\n");
    say_seats(prompt, seats);
    return 0;
}

/* 1: chosen; 0: not yet; -1: given up. */
static int take_key(struct prompt *prompt, const struct dialog_seats *seats, size_t *ret_chosen)
{
    unsigned char key;
    ssize_t got = read(prompt->tty, &key, 1);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (got <= 0 || key_ends(key))
        return -1;
    if (key == '\r' || key == '\n')
        return take_number(prompt, seats, ret_chosen);
    if (key >= '0' && key <= '9' && prompt->typed_length < sizeof prompt->typed - 1) {
        prompt->typed[prompt->typed_length++] = (char)key;
        say(prompt, "%c", key);
    } else if ((key == 0x7F || key == '\b') && prompt->typed_length) {
        prompt->typed_length--;
        say(prompt, "\b \b");
    }
    return 0;
}

/* Until a key decides, or something changes (2). */
static int wait_for_key(struct prompt *prompt, const struct dialog_seats *seats, size_t *ret_chosen)
{
    struct pollfd fds[] = {{.fd = prompt->tty, .events = POLLIN}, {.fd = prompt->changed, .events = POLLIN}};

    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return -1;
        if (fds[0].revents) {
            int decision = take_key(prompt, seats, ret_chosen);

            if (decision)
                return decision;
        }
        if (fds[1].revents) {
            eventfd_t count;

            eventfd_read(prompt->changed, &count);
            return 2;
        }
        fds[0].revents = fds[1].revents = 0;
    }
}

static bool chooses_itself(const struct dialog_request *request, const struct dialog_seats *seats,
                           size_t *ret_chosen)
{
    if (request->flags & SC_DLG_FORCE_UI || seats->fitting != 1)
        return false;
    for (*ret_chosen = 0; !seats->seats[*ret_chosen].fits;)
        (*ret_chosen)++;
    return true;
}

static bool same_seats(const struct dialog_seats *a, const struct dialog_seats *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = !strcmp(a->seats[i].reader, b->seats[i].reader) && a->seats[i].fits == b->seats[i].fits &&
               !a->seats[i].card == !b->seats[i].card &&
               (!a->seats[i].card || !strcmp(a->seats[i].card, b->seats[i].card));
    return same;
}

static LONG converse(struct prompt *prompt, struct dialog_seats *seats, size_t *ret_chosen)
{
    say_wanted(prompt);
    say_seats(prompt, seats);
    for (;;) {
        int decision = wait_for_key(prompt, seats, ret_chosen);
        struct dialog_seats now;
        LONG code;

        if (decision == 1)
            return SCARD_S_SUCCESS;
        if (decision < 0)
            return SCARD_W_CANCELLED_BY_USER;
        code = dialog_look(prompt->request, &now);
        if (code != SCARD_S_SUCCESS)
            return code;
        if (same_seats(&now, seats)) {
            dialog_seats_fini(&now);
            continue;
        }
        dialog_seats_fini(seats);
        *seats = now;
        say(prompt, "\r\n");
        say_seats(prompt, seats);
        if (chooses_itself(prompt->request, seats, ret_chosen))
            return SCARD_S_SUCCESS;
    }
}

static bool open_terminal(struct prompt *prompt)
{
    struct termios mode;

    prompt->tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    /* In the background a read would stop the program. */
    if (prompt->tty < 0 || tcgetpgrp(prompt->tty) != getpgrp() || tcgetattr(prompt->tty, &prompt->before))
        return false;
    mode = prompt->before;
    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    return tcsetattr(prompt->tty, TCSADRAIN, &mode) == 0;
}

/* Signals are for the program's own threads. */
static LONG start_watching(struct prompt *prompt)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&prompt->watcher, NULL, watch, prompt);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    prompt->is_watched = !error;
    return error ? SCARD_E_NO_MEMORY : SCARD_S_SUCCESS;
}

LONG dialog_ask(const struct dialog_request *request, struct dialog_seats *seats, size_t *ret_chosen)
{
    struct prompt prompt = {.request = request, .changed = -1};
    LONG code = SCARD_E_UNSUPPORTED_FEATURE;

    if (!open_terminal(&prompt)) {
        detail_set(0,
                   "there is no terminal to ask for a card on; give SC_DLG_NO_UI, or run it in a terminal");
        if (prompt.tty >= 0)
            close(prompt.tty);
        return code;
    }
    prompt.changed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    code = prompt.changed < 0 ? SCARD_E_NO_MEMORY
                              : SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &prompt.watching);
    if (code == SCARD_S_SUCCESS) {
        code = start_watching(&prompt);
        if (code == SCARD_S_SUCCESS)
            code = converse(&prompt, seats, ret_chosen);
        SCardReleaseContext(prompt.watching);
        if (prompt.is_watched)
            pthread_join(prompt.watcher, NULL);
        say(&prompt, "\r\n");
    }
    tcsetattr(prompt.tty, TCSADRAIN, &prompt.before);
    if (prompt.changed >= 0)
        close(prompt.changed);
    close(prompt.tty);
    return code;
}
