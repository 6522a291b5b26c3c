/* SPDX-License-Identifier: MIT */
/* The dialog's prompt on the controlling terminal. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include "api/dialog.h"
#include "api/dialog_watch.h"
#include "api/object.h"
#include "base/bytes.h"
#include "base/log.h"

/* Keys that mean "none of these", beside q. */
#define KEY_CTRL_C 0x03
#define KEY_CTRL_D 0x04
#define KEY_CTRL_BACKSLASH 0x1C

#define KEY_DELETE 0x7F

/* More readers than there are. */
#define NUMBER_MAX 99999

struct prompt {
    const struct dialog_request *request;
    int tty;
    int changed, cancelled; /* eventfds */
    struct termios before;
    size_t number;       /* typed so far; 0: nothing */
    struct buffer words; /* to be written */
};

enum news { NEWS_NONE, NEWS_ENTER, NEWS_GIVEN_UP, NEWS_CHANGE, NEWS_CANCELLED };

/* Without memory some words are missing. */
static void add(struct prompt *prompt, const char *words)
{
    (void)!buffer_append(&prompt->words, words, strlen(words));
}

/* Names come from readers, files and programs: nothing in them may steer the terminal. */
static void add_name(struct prompt *prompt, const char *name)
{
    while (*name) {
        size_t control = text_control(name);

        (void)!buffer_append(&prompt->words, control ? "?" : name, 1);
        name += control ? control : 1;
    }
}

static void write_out(struct prompt *prompt)
{
    size_t done = 0;

    while (done < prompt->words.length) {
        ssize_t count = write(prompt->tty, prompt->words.data + done, prompt->words.length - done);

        if (count < 0 && errno != EINTR)
            break;
        done += count > 0 ? (size_t)count : 0;
    }
    prompt->words.length = 0;
}

static void add_wanted(struct prompt *prompt)
{
    const struct dialog_request *request = prompt->request;

    if (request->title) {
        add_name(prompt, request->title);
        add(prompt, "\n");
    }
    if (request->description) {
        add_name(prompt, request->description);
    } else if (request->cards) {
        add(prompt, "Card wanted: ");
        for (const char *card = request->cards; *card; card += strlen(card) + 1) {
            add(prompt, card == request->cards ? "" : ", ");
            add_name(prompt, card);
        }
    } else {
        add(prompt, "Insert a card.");
    }
    add(prompt, "\n");
}

static void add_seats(struct prompt *prompt, const struct dialog_seats *seats)
{
    for (size_t i = 0; i < seats->count; i++) {
        const struct dialog_seat *seat = &seats->seats[i];
        char number[32];

        snprintf(number, sizeof number, "%4zu  ", i + 1);
        add(prompt, number);
        add_name(prompt, seat->reader);
        add(prompt, ": ");
        if (seat->card && *seat->card)
            add_name(prompt, seat->card);
        else
            add(prompt, seat->card ? "a card" : "no card");
        add(prompt, seat->card && !seat->fits ? ", which is not wanted\n" : "\n");
    }
    if (!seats->count)
        add(prompt, "      No reader is attached.\n");
    add(prompt, seats->fitting ? "Number of a reader, Enter for the first that fits, q to give up: "
                               : "Waiting for a card, q to give up: ");
    prompt->number = 0;
}

static enum news take_key(struct prompt *prompt)
{
    unsigned char key;
    ssize_t got = read(prompt->tty, &key, 1);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return NEWS_NONE;
    if (got <= 0 || key == 'q' || key == 'Q' || key == KEY_CTRL_C || key == KEY_CTRL_D ||
        key == KEY_CTRL_BACKSLASH)
        return NEWS_GIVEN_UP;
    if (key == '\r' || key == '\n')
        return NEWS_ENTER;
    if (key >= '0' && key <= '9' && (prompt->number || key != '0') && prompt->number <= NUMBER_MAX / 10) {
        prompt->number = prompt->number * 10 + key - '0';
        add(prompt, (char[]){(char)key, '\0'});
    } else if ((key == KEY_DELETE || key == '\b') && prompt->number) {
        prompt->number /= 10;
        add(prompt, "\b \b");
    }
    return NEWS_NONE;
}

static enum news await_news(struct prompt *prompt)
{
    struct pollfd fds[] = {{.fd = prompt->tty, .events = POLLIN},
                           {.fd = prompt->changed, .events = POLLIN},
                           {.fd = prompt->cancelled, .events = POLLIN}};
    enum news news = NEWS_NONE;
    eventfd_t count;

    while (news == NEWS_NONE) {
        write_out(prompt);
        if (poll(fds, 3, -1) < 0)
            continue;
        if (fds[2].revents)
            news = NEWS_CANCELLED;
        else if (fds[0].revents)
            news = take_key(prompt);
        else if (!eventfd_read(prompt->changed, &count))
            news = NEWS_CHANGE;
    }
    return news;
}

/* Does the number name a card that fits, or Enter alone the first one? */
static bool is_chosen(const struct prompt *prompt, const struct dialog_seats *seats, size_t *ret_chosen)
{
    if (prompt->number ? prompt->number > seats->count || !seats->seats[prompt->number - 1].fits
                       : !seats->fitting)
        return false;
    *ret_chosen = prompt->number ? prompt->number - 1 : dialog_first_fit(seats);
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

/* In what a list is another than the one that was shown. */
enum change { CHANGE_NONE, CHANGE_CARDS, CHANGE_READERS };

static enum change compare(const struct dialog_seats *a, const struct dialog_seats *b)
{
    enum change change = CHANGE_NONE;

    if (a->count != b->count)
        return CHANGE_READERS;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->seats[i].reader, b->seats[i].reader) != 0)
            return CHANGE_READERS;
        if (a->seats[i].fits != b->seats[i].fits || !same_text(a->seats[i].card, b->seats[i].card))
            change = CHANGE_CARDS;
    }
    return change;
}

static LONG look_again(const struct dialog_request *request, bool try_again, struct dialog_seats *seats,
                       enum change *ret_change)
{
    struct dialog_seats now;
    LONG code = dialog_look(request, try_again ? NULL : seats, &now);

    if (code != SCARD_S_SUCCESS)
        return code;
    *ret_change = compare(&now, seats);
    dialog_seats_fini(seats);
    *seats = now;
    return SCARD_S_SUCCESS;
}

/* The one card that has just been put in needs no key. */
static bool chooses_itself(const struct prompt *prompt, enum change change, const struct dialog_seats *seats,
                           size_t *ret_chosen)
{
    if (!change || seats->fitting != 1 || prompt->request->flags & SC_DLG_FORCE_UI)
        return false;
    *ret_chosen = dialog_first_fit(seats);
    return true;
}

static LONG converse(struct prompt *prompt, struct dialog_seats *seats, size_t *ret_chosen)
{
    add_wanted(prompt);
    add_seats(prompt, seats);
    for (;;) {
        enum news news = await_news(prompt);
        bool entered = news == NEWS_ENTER;
        enum change change;
        LONG code;

        if (news == NEWS_CANCELLED)
            return SCARD_E_CANCELLED;
        if (news == NEWS_GIVEN_UP)
            return SCARD_W_CANCELLED_BY_USER;
        if (entered && is_chosen(prompt, seats, ret_chosen))
            return SCARD_S_SUCCESS;
        /* When a card was tried, somebody may have had it for himself: it is tried again. */
        code = look_again(prompt->request, entered, seats, &change);
        if (code != SCARD_S_SUCCESS)
            return code;
        /* The number is one of the list that was shown. */
        if (entered ? change != CHANGE_READERS && is_chosen(prompt, seats, ret_chosen)
                    : chooses_itself(prompt, change, seats, ret_chosen))
            return SCARD_S_SUCCESS;
        if (!entered && !change)
            continue;
        add(prompt, entered ? "\nNo card that fits is there.\n" : "\n");
        add_seats(prompt, seats);
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
    /* What was typed before the question does not answer it. */
    return tcsetattr(prompt->tty, TCSAFLUSH, &mode) == 0;
}

/* As a call on the caller's context, which may be cancelled or released meanwhile. */
static LONG converse_in(struct api_context *context, struct prompt *prompt, struct dialog_seats *seats,
                        size_t *ret_chosen)
{
    struct api_wait wait = {.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    struct dialog_watch watch;
    eventfd_t count;
    LONG code;

    if (wait.fd < 0)
        return SCARD_E_NO_MEMORY;
    code = dialog_watch_start(&watch);
    if (code == SCARD_S_SUCCESS) {
        prompt->changed = watch.changed;
        prompt->cancelled = wait.fd;
        object_begin_wait(context, &wait);
        code = converse(prompt, seats, ret_chosen);
        /* A look at the readers may have been the first to meet it. */
        if (code != SCARD_S_SUCCESS && !eventfd_read(wait.fd, &count))
            code = SCARD_E_CANCELLED;
        object_end_wait(&wait);
        dialog_watch_stop(&watch);
        add(prompt, "\n");
        write_out(prompt);
    }
    close(wait.fd);
    return code;
}

LONG dialog_ask(const struct dialog_request *request, struct dialog_seats *seats, size_t *ret_chosen)
{
    struct prompt prompt = {.request = request};
    struct api_context *context;
    LONG code = SCARD_E_INVALID_HANDLE;

    if (!open_terminal(&prompt)) {
        detail_set(0,
                   "there is no terminal to ask for a card on; give SC_DLG_NO_UI, or run it in a terminal");
        if (prompt.tty >= 0)
            close(prompt.tty);
        return SCARD_E_UNSUPPORTED_FEATURE;
    }
    context = object_context(request->context);
    if (context) {
        code = converse_in(context, &prompt, seats, ret_chosen);
        object_put_context(context);
    }
    tcsetattr(prompt.tty, TCSADRAIN, &prompt.before);
    close(prompt.tty);
    buffer_fini(&prompt.words);
    return code;
}
