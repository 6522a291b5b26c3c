/* SPDX-License-Identifier: MIT */
#include "cli/shell.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <scard.h>

#include "base/log.h"
#include "base/rc.h"
#include "cli/apdu_hint.h"
#include "cli/builtin.h"
#include "cli/history.h"
#include "cli/line.h"
#include "cli/script.h"
#include "cli/shell_prompt.h"
#include "cli/typed.h"

/* How often the state of a card that others use is asked for at the prompt, and how long that may take. */
#define LOOK_EVERY_MS 1000
#define LOOK_MOST_MS 100
#define SOCKET_PATH_MAX 256

struct shell {
    struct front front;
    struct output output;
    struct series series;
    struct watcher *watcher;
    struct line_hooks hooks;
    enum card_state card;   /* as last shown */
    SCARDHANDLE known_card; /* of the connection that served was asked for */
    bool served;            /* by a service that others use, too */
    char *history;
    bool history_failed; /* said once */
    bool hints;
};

/* A second Ctrl-C while a command is still ending would end the process as SIGINT does (cli/interrupt.h).
 * Here the signal does no more than the first. */
static struct interrupt *ctrl_c_target;

static void take_ctrl_c(int signal)
{
    (void)signal;
    if (ctrl_c_target != NULL)
        interrupt_raise(ctrl_c_target);
}

static char *make_prompt(void *user)
{
    const struct shell *shell = user;

    return shell_prompt(shell->front.desk, shell->card);
}

/* Can another program reset the card that this shell is connected to? Not where the readers are this
 * process's own. */
static bool is_shared(struct shell *shell)
{
    const struct desk *desk = shell->front.desk;
    char path[SOCKET_PATH_MAX];
    DWORD length = sizeof path;

    if (!desk_is_connected(desk) || desk->share != SCARD_SHARE_SHARED || desk->depth > 0)
        return false;
    if (desk->card != shell->known_card) {
        shell->known_card = desk->card;
        shell->served = scard_service_socket(path, &length) == SCARD_S_SUCCESS && path[0] != '\0';
    }
    return shell->served;
}

/* Asks for the state of the card. That another program has reset it is no event of the protocol that services
 * speak: SCardGetStatusChange tells of cards that come and go, and a reset is neither. SCardStatus on the
 * connection does say so, and so it is asked at the prompt at intervals, where there may be others and only
 * there. It is given up at once if it has to wait for another's transaction to end: what is typed is to be
 * seen. */
static void look_at_card(struct shell *shell)
{
    struct interrupt *interrupt = shell->front.interrupt;
    enum card_state state;

    interrupt_at(interrupt, deadline_in_ms(LOOK_MOST_MS));
    state = shell_card_state(shell->front.desk);
    interrupt_at(interrupt, deadline_never());
    if (interrupt_cause(interrupt) == INTERRUPT_TIMEOUT)
        interrupt_clear(interrupt);
    if (state != CARD_HELD)
        shell->card = state;
    else if (shell->card == CARD_NONE)
        shell->card = CARD_READY;
    shell->hooks.event_every_ms = shell->card == CARD_READY && is_shared(shell) ? LOOK_EVERY_MS : -1;
}

/* Says what happened to readers and cards since the last line. */
static void say_events(void *user)
{
    struct shell *shell = user;
    enum card_state before = shell->card;
    struct watcher_event event;

    while (shell->watcher != NULL && watcher_next(shell->watcher, &event)) {
        char *words = shell_event_words(&event);

        if (words != NULL)
            line_print(words);
        if (event.lost)
            shell->hooks.event_fd = -1;
        free(words);
        free(event.reader);
    }
    look_at_card(shell);
    if (shell->card == CARD_RESET && before != CARD_RESET)
        line_print("* the card was reset by another program: its state is lost; go on with \"reconnect\"");
}

static enum complete_kind complete(void *user, int count, const char *const *words, const char *prefix,
                                   complete_fn *fn, void *fn_user)
{
    struct shell *shell = user;

    return series_complete(&shell->front, count, words, prefix, fn, fn_user);
}

/* The case of the APDU that is being typed, and what is missing. */
static bool hint(void *user, const char *line, char text[LINE_HINT_MAX])
{
    const struct shell *shell = user;

    return shell->hints && typed_is_apdu(shell->front.commands, line) &&
           apdu_hint(line, shell->front.desk->selected, text);
}

/* The service may come later than the shell: tried again before each line until it is there. */
static void watch(struct shell *shell)
{
    if (shell->watcher == NULL && watcher_start(&shell->watcher) == SCARD_S_SUCCESS)
        shell->hooks.event_fd = watcher_fd(shell->watcher);
}

static void remember(struct shell *shell, const char *line)
{
    char *text = typed_is_secret(shell->front.commands, line) ? NULL : history_storable(line);

    if (text == NULL)
        return;
    line_remember(text);
    if (shell->history != NULL && history_append(shell->history, text) < 0 && !shell->history_failed) {
        shell->history_failed = true;
        output_error(&shell->output, STATUS_TRANSPORT, 0, detail_get(), "Lines are not kept.");
    }
    free(text);
}

static void recall(struct shell *shell)
{
    struct buffer text = {0};

    if (shell->history == NULL || history_load(shell->history, &text) < 0 ||
        buffer_append(&text, "", 1) < 0) {
        buffer_fini(&text);
        return;
    }
    for (char *at = (char *)text.data, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        *end = '\0';
        line_remember(at);
    }
    buffer_fini(&text);
}

static int run_line(struct shell *shell, const char *line)
{
    remember(shell, line);
    return typed_run(&shell->front, line);
}

/* "!!", "!12", "!apdu": a line of the history once more. It is shown before it runs. */
static int run_event(struct shell *shell, const char *event)
{
    struct buffer lines = {0};
    char *line = NULL;
    int status;

    if (shell->history != NULL && history_load(shell->history, &lines) == RC_OK)
        line = history_find(&lines, event);
    buffer_fini(&lines);
    if (line == NULL)
        return output_error(&shell->output, STATUS_USAGE, 0, "the history has no such line",
                            "\"history\" lists them.");
    (void)output_text(&shell->output, line, strlen(line));
    (void)output_text(&shell->output, "\n", 1);
    status = run_line(shell, line);
    free(line);
    return status;
}

/* A paste may hold several lines. */
static int run_text(struct shell *shell, char *text)
{
    int status = STATUS_DONE;

    for (char *line, *rest = text; (line = strsep(&rest, "\n")) != NULL && !shell->series.ended;) {
        if (line[strspn(line, " \t\r")] == '\0')
            continue;
        status = line[0] == '!' ? run_event(shell, line) : run_line(shell, line);
        /* Ctrl-C means all that was pasted; that a line ran out of time is no matter of the next. */
        if (interrupt_cause(shell->front.interrupt) == INTERRUPT_USER)
            break;
        interrupt_clear(shell->front.interrupt);
    }
    shell->output.broken = false;
    return status;
}

static int loop(struct shell *shell)
{
    int status = STATUS_DONE, rc = RC_OK;

    while (!shell->series.ended && !interrupt_over(shell->front.interrupt)) {
        char *text;

        watch(shell);
        say_events(shell);
        interrupt_clear(shell->front.interrupt);
        rc = line_read(&text);
        if (rc <= 0)
            break;
        status = run_text(shell, text);
        line_free(text);
    }
    if (rc < 0)
        return output_error(&shell->output, STATUS_TRANSPORT, 0, detail_get(), "");
    if (shell->series.ended)
        return shell->series.status;
    (void)output_text(&shell->output, "\n", 1);
    return status;
}

static void greet(struct shell *shell)
{
    struct record record;

    record_init(&record, "shell", RECORD_ROW);
    record_people(&record, "scard %s: \"help\" lists the commands, TAB completes, Ctrl-D ends.",
                  SCARD_VERSION);
    if (shell->output.mode == OUTPUT_PEOPLE && !shell->front.globals.quiet)
        output_remark(&shell->output, &record);
    record_fini(&record);
}

static int run_on_terminal(struct shell *shell)
{
    struct sigaction ctrl_c = {.sa_handler = take_ctrl_c}, old;
    int terminal = isatty(shell->output.out) ? shell->output.out : shell->output.err;
    int status;

    if (line_open(shell->front.input, terminal, shell->front.interrupt, &shell->hooks) < 0)
        return output_error(&shell->output, STATUS_SERVICE, SCARD_E_NO_MEMORY, "out of memory", "");
    ctrl_c_target = shell->front.interrupt;
    sigaction(SIGINT, &ctrl_c, &old);
    recall(shell);
    greet(shell);
    status = loop(shell);
    watcher_stop(shell->watcher);
    line_close();
    sigaction(SIGINT, &old, NULL);
    ctrl_c_target = NULL;
    return status;
}

int shell_run(struct call *call)
{
    struct shell shell = {.front = *call->front, .output = *call->output};
    const struct command **commands;
    int status;

    if (!isatty(call->front->input))
        return script_run_input(call);
    commands = builtin_table(call->front->commands, true);
    if (commands == NULL)
        return call_no_memory(call);
    shell.front.kind = FRONT_SHELL;
    shell.front.commands = commands;
    shell.front.output = &shell.output;
    shell.front.globals = call->globals;
    shell.front.run_shell = NULL;
    shell.front.open_session = NULL;
    shell.front.decode = shell.output.mode == OUTPUT_PEOPLE;
    series_begin(&shell.series, &shell.front, NULL);
    shell.series.hints = &shell.hints;
    shell.hints = true;
    shell.output.program = NULL;
    shell.history = history_path();
    shell.series.history_path = shell.history;
    shell.hooks = (struct line_hooks){
        .user = &shell,
        .prompt = make_prompt,
        .event = say_events,
        .event_fd = -1,
        .event_every_ms = -1,
        .complete = complete,
        .hint = hint,
    };
    status = run_on_terminal(&shell);
    series_end(&shell.series);
    free(shell.history);
    free(commands);
    return status;
}
