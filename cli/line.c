/* SPDX-License-Identifier: MIT */
#include "cli/line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/rc.h"
#include "cli/dispatch.h"
#include "cli/history.h"
#include "cli/line_hint.h"

/* What is still to come of a paste after Ctrl-C is not to be taken for lines: the paste ends with its mark,
 * or, if the terminal has dropped that, when nothing came for so long. */
#define PASTE_REST_MS 500

/* readline calls back without a pointer of ours. */
static struct {
    const struct line_hooks *hooks;
    struct interrupt *interrupt;
    int input;
    bool has_key;
    int key;               /* a byte or EOF */
    const char *paste_end; /* what is left of the mark made up for a paste that has lost its own */
    char *prompt;
    bool reading; /* a line is on the screen */
    bool done;    /* it is complete */
    struct deadline next_events;
    char *text; /* the complete line; NULL = end of input */
    char **candidates;
    size_t candidate_count;
} state;

static void collect(void *user, const char *candidate, const char *about)
{
    char **candidates;

    (void)user;
    (void)about;
    candidates = reallocarray(state.candidates, state.candidate_count + 1, sizeof *candidates);
    if (candidates == NULL)
        return;
    state.candidates = candidates;
    candidates[state.candidate_count] = strdup(candidate);
    if (candidates[state.candidate_count] != NULL)
        state.candidate_count++;
}

static void drop_candidates(void)
{
    for (size_t i = 0; i < state.candidate_count; i++)
        free(state.candidates[i]);
    free(state.candidates);
    state.candidates = NULL;
    state.candidate_count = 0;
}

/* What a word of the line stands for: its escapes resolved. */
static char *resolve(const char *text, int quote)
{
    char *plain = malloc(strlen(text) + 1), *to = plain;

    if (plain == NULL)
        return NULL;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from == '\\' && quote != '\'' && from[1] != '\0')
            from++;
        *to++ = *from;
    }
    *to = '\0';
    return plain;
}

static char *dequote(char *text, int quote)
{
    return resolve(text, quote);
}

/* A candidate as it is to stand in the line, so that dispatch_split reads the candidate from it. */
static char *quote(char *text, int match, char *quote_at)
{
    char open = quote_at != NULL ? *quote_at : '\0';
    const char *special = open == '\0' ? " \t\"'\\#" : open == '"' ? "\"\\" : "";
    char *quoted = malloc(2 * strlen(text) + 2), *to = quoted;

    (void)match;
    if (quoted == NULL)
        return NULL;
    if (open != '\0')
        *to++ = open;
    for (const char *from = text; *from != '\0'; from++) {
        if (strchr(special, *from) != NULL)
            *to++ = '\\';
        *to++ = *from;
    }
    *to = '\0';
    return quoted;
}

static int is_quoted(char *text, int at)
{
    int slashes = 0;

    while (at > slashes && text[at - 1 - slashes] == '\\')
        slashes++;
    return slashes % 2;
}

static char *next_candidate(const char *text, int again)
{
    static size_t next;

    (void)text;
    if (!again)
        next = 0;
    return next < state.candidate_count ? strdup(state.candidates[next++]) : NULL;
}

/* Names of files behind an '@' in a word, with what stands before them. */
static char *next_file(const char *text, int again)
{
    size_t before = (size_t)(strchr(text, '@') - text) + 1;
    char *name = rl_filename_completion_function(text + before, again), *whole = NULL;
    struct stat about;

    if (name == NULL)
        return NULL;
    if (asprintf(&whole, "%.*s%s%s", (int)before, text, name,
                 stat(name, &about) == 0 && S_ISDIR(about.st_mode) ? "/" : "") < 0)
        whole = NULL;
    free(name);
    return whole;
}

/* Asks the hook about the word that begins at start. */
static enum complete_kind ask(const char *text, int start)
{
    enum complete_kind kind = COMPLETE_WORDS;
    char *before = strndup(rl_line_buffer, (size_t)start);
    char *prefix = resolve(text, rl_completion_quote_character);
    char **words = NULL;
    int count;

    /* The quote that the word is in is not closed yet, and not part of the words before it. */
    if (before != NULL && rl_completion_quote_character != 0 && start > 0)
        before[start - 1] = '\0';
    if (before != NULL && prefix != NULL && dispatch_split(before, &words, &count) == RC_OK)
        kind = state.hooks->complete(state.hooks->user, count, (const char *const *)words, prefix, collect,
                                     NULL);
    free(words);
    free(before);
    free(prefix);
    return kind;
}

static char **attempt(const char *text, int start, int end)
{
    enum complete_kind kind;
    char **matches;

    (void)end;
    drop_candidates();
    kind = ask(text, start);
    /* Without matches of ours readline goes on with plain file names. */
    rl_attempted_completion_over = kind != COMPLETE_FILES;
    if (kind == COMPLETE_FILES && strchr(text, '@') == NULL)
        return NULL;
    matches = rl_completion_matches(text, kind == COMPLETE_FILES ? next_file : next_candidate);
    /* Names of readers have blanks and brackets: they are quoted like file names. */
    rl_filename_completion_desired = 1;
    rl_filename_quoting_desired = 1;
    if (matches != NULL && matches[0][0] != '\0' && strchr("=/", matches[0][strlen(matches[0]) - 1]) != NULL)
        rl_completion_suppress_append = 1;
    return matches;
}

static void got_line(char *text)
{
    rl_callback_handler_remove(); /* the terminal belongs to the command now */
    state.reading = false;
    state.done = true;
    state.text = text;
}

/* The terminal drops what was typed and not yet read at Ctrl-C, Ctrl-Z and Ctrl-\, also between the poll that
 * announced it and the read. Since Ctrl-C is no signal that ends a read here (cli/interrupt.h), readline
 * itself must never wait for input: it is given keys that are in hand, and a read without input returns at
 * once. */
static void prepare_terminal(int meta)
{
    struct termios mode;

    rl_prep_terminal(meta);
    if (tcgetattr(state.input, &mode) < 0)
        return;
    mode.c_cc[VMIN] = 0;
    mode.c_cc[VTIME] = 0;
    tcsetattr(state.input, TCSADRAIN, &mode);
}

/* Is there a key, in hand or to be read? Does not wait. */
static bool take_key(void)
{
    struct pollfd input = {.fd = state.input, .events = POLLIN};
    unsigned char byte;
    ssize_t got;

    if (state.has_key)
        return true;
    if (poll(&input, 1, 0) <= 0)
        return false;
    got = read(state.input, &byte, sizeof byte);
    if (got > 0)
        state.key = byte;
    else if (got == 0 ? (input.revents & POLLHUP) == 0 : errno == EINTR || errno == EAGAIN)
        return false;
    else
        state.key = EOF;
    state.has_key = true;
    return true;
}

/* Waits for a key or Ctrl-C; once that is there, for a key only. False: neither came in time. */
static bool wait_for_key(int timeout_ms)
{
    struct pollfd fds[] = {
        {.fd = state.input, .events = POLLIN},
        {.fd = interrupt_raised(state.interrupt) ? -1 : state.interrupt->event_fd, .events = POLLIN},
    };

    return poll(fds, 2, timeout_ms) != 0;
}

/* For readline: the rest of a sequence of keys, within the time for it. */
static int is_key_there(void)
{
    int timeout_us = rl_set_keyboard_input_timeout(-1); /* the present one */

    if (!take_key() && timeout_us > 0)
        (void)wait_for_key((timeout_us + 999) / 1000);
    return take_key();
}

/* Between the marks that a terminal puts around what is pasted. */
static bool is_pasting(void)
{
    return strcmp(rl_executing_keyseq, "\033[200~") == 0;
}

/* For readline, which waits here where a function wants more than one key: for the end of a paste, of a
 * character of several bytes. Ctrl-C takes readline out of that; the line itself is for wait_once. */
static int next_key(FILE *stream)
{
    (void)stream;
    if (state.paste_end != NULL && *state.paste_end != '\0')
        return *state.paste_end++;
    while (!take_key()) {
        if (!interrupt_raised(state.interrupt)) {
            (void)wait_for_key(-1);
        } else if (!is_pasting()) {
            rl_readline_state &= ~(unsigned long)(RL_STATE_READCMD | RL_STATE_MOREINPUT);
            rl_abort(1, 0); /* does not return */
        } else if (!wait_for_key(PASTE_REST_MS)) {
            state.paste_end = "\033[201~";
            return *state.paste_end++;
        }
    }
    state.has_key = false;
    line_hint_clear();
    return state.key;
}

static FILE *open_stream(int fd, const char *mode)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    FILE *stream = copy < 0 ? NULL : fdopen(copy, mode);

    if (stream == NULL && copy >= 0)
        close(copy);
    return stream;
}

int line_open(int input, int output, struct interrupt *interrupt, const struct line_hooks *hooks)
{
    rl_instream = open_stream(input, "r");
    rl_outstream = open_stream(output, "w");
    if (rl_instream == NULL || rl_outstream == NULL) {
        line_close();
        return RC_NO_MEMORY;
    }
    state.hooks = hooks;
    state.interrupt = interrupt;
    state.input = input;
    rl_readline_name = "scard";
    rl_catch_signals = 0;
    rl_change_environment = 0;
    rl_prep_term_function = prepare_terminal;
    rl_getc_function = next_key;
    rl_input_available_hook = is_key_there;
    rl_attempted_completion_function = attempt;
    rl_basic_word_break_characters = " \t\n";
    rl_completer_word_break_characters = " \t\n";
    rl_completer_quote_characters = "\"'";
    rl_filename_quote_characters = " \t\"'\\#";
    rl_filename_quoting_function = quote;
    rl_filename_dequoting_function = dequote;
    rl_char_is_quoted_p = is_quoted;
    line_hint_begin(hooks);
    using_history();
    stifle_history(HISTORY_LINES);
    return RC_OK;
}

void line_close(void)
{
    line_hint_end();
    if (rl_instream != NULL)
        fclose(rl_instream);
    if (rl_outstream != NULL)
        fclose(rl_outstream);
    rl_instream = NULL;
    rl_outstream = NULL;
    clear_history();
    drop_candidates();
    free(state.prompt);
    state.prompt = NULL;
}

static void plan_events(void)
{
    int every = state.hooks->event_every_ms;

    state.next_events = every < 0 ? deadline_never() : deadline_in_ms((uint64_t)every);
}

static int begin_line(void)
{
    char *prompt = state.hooks->prompt(state.hooks->user);

    if (prompt == NULL)
        return RC_NO_MEMORY;
    free(state.prompt);
    state.prompt = prompt;
    state.reading = true;
    rl_reset_screen_size();
    rl_callback_handler_install(prompt, got_line);
    plan_events();
    return RC_OK;
}

/* Ctrl-C: what was typed stays on the screen, marked at its end, and a new line begins. */
static int cancel_line(void)
{
    interrupt_clear(state.interrupt);
    state.has_key = false;
    line_hint_clear();
    rl_callback_sigcleanup();
    rl_point = rl_end;
    rl_redisplay();
    /* Before the handler goes: giving the terminal back moves the cursor to the beginning of the line. */
    (void)fputs("^C\n", rl_outstream);
    (void)fflush(rl_outstream);
    if (rl_line_buffer != NULL)
        secret_wipe(rl_line_buffer, strlen(rl_line_buffer));
    rl_callback_handler_remove();
    if (!interrupt_over(state.interrupt))
        return begin_line();
    state.reading = false;
    state.done = true;
    state.text = NULL;
    return RC_OK;
}

/* Is the prompt on the screen readline's own for the moment (a search, an argument)? */
static bool has_own_prompt(void)
{
    return RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG);
}

void line_print(const char *text)
{
    line_hint_clear();
    if (state.reading)
        rl_clear_visible_line();
    (void)fprintf(rl_outstream, "%s\n", text);
    (void)fflush(rl_outstream);
    if (state.reading) {
        rl_on_new_line();
        rl_redisplay();
    }
}

static void take_events(void)
{
    char *prompt;

    state.hooks->event(state.hooks->user);
    if (has_own_prompt())
        return;
    prompt = state.hooks->prompt(state.hooks->user);
    if (prompt == NULL || strcmp(prompt, state.prompt) == 0) {
        free(prompt);
        return;
    }
    line_hint_clear();
    rl_clear_visible_line();
    rl_set_prompt(prompt);
    rl_on_new_line();
    rl_redisplay();
    free(state.prompt);
    state.prompt = prompt;
}

/* readline's own handlers stand only while it reads a character: these are for the time between. */
static volatile sig_atomic_t stop_asked, resized;

static void take_signal(int signal)
{
    if (signal == SIGTSTP)
        stop_asked = 1;
    else
        resized = 1;
}

/* Ctrl-Z: whoever is in front meanwhile gets the terminal as it was, and so do we when we are back. */
static void stop(void)
{
    struct sigaction fallback = {.sa_handler = SIG_DFL}, ours;
    sigset_t set, old;

    stop_asked = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    line_hint_clear();
    rl_deprep_terminal();
    sigaction(SIGTSTP, &fallback, &ours);
    kill(getpid(), SIGTSTP);
    pthread_sigmask(SIG_UNBLOCK, &set, &old); /* stops here */
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    sigaction(SIGTSTP, &ours, NULL);
    prepare_terminal(1);
    rl_reset_screen_size();
    rl_forced_update_display();
}

/* The size of the window, and Ctrl-Z. */
static void heed_signals(void)
{
    if (resized) {
        resized = 0;
        line_hint_clear();
        rl_resize_terminal();
    }
    if (stop_asked)
        stop();
}

/* How long to wait for keys: not at all with one in hand, else until it is time for events. NULL: for ever.
 */
static const struct timespec *patience(struct timespec *time)
{
    int ms = state.has_key ? 0 : deadline_poll_ms(state.next_events);

    *time = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    return ms < 0 ? NULL : time;
}

static int wait_once(const sigset_t *waiting)
{
    struct pollfd fds[] = {
        {.fd = state.input, .events = POLLIN},
        {.fd = state.interrupt->event_fd, .events = POLLIN},
        {.fd = state.hooks->event_fd, .events = POLLIN},
    };
    struct timespec time;

    if (!state.has_key)
        line_hint_show();
    if (ppoll(fds, 3, patience(&time), waiting) < 0) {
        if (errno != EINTR)
            return detail_set(RC_IO, "cannot wait for input: %s", strerror(errno));
        heed_signals();
        return RC_OK;
    }
    if (fds[1].revents != 0)
        return cancel_line();
    if (fds[2].revents != 0 || deadline_passed(state.next_events)) {
        take_events();
        plan_events();
    }
    if (take_key())
        rl_callback_read_char();
    return RC_OK;
}

int line_read(char **ret_text)
{
    struct sigaction ours = {.sa_handler = take_signal}, stop_before, resize_before;
    sigset_t between, waiting;
    int rc;

    state.done = false;
    /* These come while waiting, so that none is missed just before it. From before the prompt: Ctrl-Z at its
     * sight is for stop. */
    sigemptyset(&between);
    sigaddset(&between, SIGTSTP);
    sigaddset(&between, SIGWINCH);
    pthread_sigmask(SIG_BLOCK, &between, &waiting);
    sigaction(SIGTSTP, &ours, &stop_before);
    sigaction(SIGWINCH, &ours, &resize_before);
    rc = begin_line();
    while (rc == RC_OK && !state.done)
        rc = wait_once(&waiting);
    sigaction(SIGTSTP, &stop_before, NULL);
    sigaction(SIGWINCH, &resize_before, NULL);
    pthread_sigmask(SIG_SETMASK, &waiting, NULL);
    if (state.reading) {
        rl_callback_handler_remove();
        state.reading = false;
    }
    if (rc < 0)
        return rc;
    *ret_text = state.text;
    return state.text != NULL ? 1 : 0;
}

void line_free(char *text)
{
    if (text != NULL)
        secret_wipe(text, strlen(text));
    free(text);
}

void line_remember(const char *text)
{
    add_history(text);
}
