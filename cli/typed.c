/* SPDX-License-Identifier: MIT */
#include "cli/typed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/rc.h"
#include "cli/apdu_text.h"
#include "cli/builtin.h"
#include "cli/choose.h"
#include "cli/dispatch.h"
#include "cli/flow.h"

bool typed_is_apdu(const struct command *const *commands, const char *line)
{
    size_t length;

    line += strspn(line, " \t");
    length = strcspn(line, " \t");
    for (; *commands != NULL; commands++) {
        const char *const names[] = {(*commands)->name, (*commands)->alias};

        for (size_t i = 0; i < 2; i++)
            if (names[i] != NULL && strlen(names[i]) == length && strncmp(names[i], line, length) == 0)
                return false;
    }
    return apdu_text_looks_like(line);
}

/* Is a variable called like what it should not be asked to keep? */
static bool names_secret(const char *name)
{
    static const char *const words[] = {"pin", "puk", "key", "secret", "password", "code"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(name, words[i]) != NULL)
            return true;
    return false;
}

bool typed_is_secret(const struct command *const *commands, const char *line)
{
    bool secret = false, first = true;
    char **words;
    int count;

    if (dispatch_split(line, &words, &count) < 0)
        return true;
    for (int i = 0; i < count; i++) {
        const struct command *command = command_find(commands, words[i]);

        if (words[i][0] == '-')
            continue;
        if (command == NULL && first)
            command = command_suggest(commands, words[i]);
        secret = secret || (command != NULL && (command->flags & COMMAND_SECRET));
        first = false;
    }
    /* Also behind if and for, which name variables themselves. */
    for (int i = 0; i + 1 < count; i++)
        secret = secret || ((strcmp(words[i], "let") == 0 || (i == 0 && strcmp(words[i], "for") == 0)) &&
                            names_secret(words[i + 1]));
    for (int i = 0; i < count; i++)
        secret_wipe(words[i], strlen(words[i]));
    free(words);
    return secret;
}

size_t typed_apdu_length(const char *line)
{
    size_t end = 0;
    bool quoted = false;

    for (size_t i = 0; line[i] != '\0'; i++) {
        if (line[i] == '"')
            quoted = !quoted;
        if (line[i] == '#' && !quoted && i > 0 && strchr(" \t", line[i - 1]) != NULL)
            break;
        if (strchr(" \t\r\n", line[i]) == NULL)
            end = i + 1;
    }
    return end;
}

/* Connects the front's desk for a command that needs a card, unless the line goes its own way. */
static int take_seat(struct call *call)
{
    const struct front *front = call->front;
    const char *choice = front->globals.reader != NULL ? front->globals.reader : front->reader;
    char *name;
    int status;
    LONG code;

    if (call->command == NULL || call->command->needs != NEED_CARD || call->globals.help ||
        desk_is_connected(front->desk) || call->globals.reader != front->globals.reader ||
        call->globals.readers != front->globals.readers)
        return STATUS_DONE;
    code = desk_establish(front->desk, SCARD_SCOPE_SYSTEM);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot open a context");
    status = choose_find(call, choice, &name);
    if (status != STATUS_DONE)
        return status;
    code = desk_connect(front->desk, name, call->globals.share, call->globals.protocols);
    if (code != SCARD_S_SUCCESS)
        status = call_fail_scard(call, code, "cannot connect to %s", name);
    free(name);
    return status;
}

int typed_run_words(const struct front *front, int count, const char *const *words)
{
    enum output_mode mode = front->output->mode;
    struct call call;
    int status;

    /* An interrupt that stands is for this line: Ctrl-C may come while it is still being read. A time that
     * the line before had is not. */
    if (front->interrupt != NULL && !interrupt_raised(front->interrupt))
        interrupt_at(front->interrupt, deadline_never());
    status = dispatch_parse(front, count, words, &call);
    if (call.globals.json)
        front->output->mode = OUTPUT_JSON;
    if (status == STATUS_DONE)
        status = take_seat(&call);
    front->output->mode = mode;
    if (status == STATUS_DONE)
        status = dispatch_run(&call);
    dispatch_free(&call);
    return status;
}

static int run_apdu(const struct front *front, const char *line)
{
    size_t length;
    char *text;
    int status;

    line += strspn(line, " \t");
    length = typed_apdu_length(line);
    text = strndup(line, length);
    if (text == NULL)
        return output_error(front->output, STATUS_SERVICE, SCARD_E_NO_MEMORY, "out of memory", "");
    status = typed_run_words(front, 3, (const char *const[]){"apdu", "--", text});
    secret_wipe(text, length);
    free(text);
    return status;
}

static int fail(const struct front *front, int rc)
{
    if (rc == RC_NO_MEMORY)
        return output_error(front->output, STATUS_SERVICE, SCARD_E_NO_MEMORY, "out of memory", "");
    return output_error(front->output, STATUS_USAGE, 0, detail_get(), "");
}

static int run_words(const struct front *front, const char *line)
{
    char **words;
    int count, rc = dispatch_split(line, &words, &count), status = STATUS_DONE;

    if (rc < 0)
        return fail(front, rc);
    if (count > 0)
        status = typed_run_words(front, count, (const char *const *)words);
    for (int i = 0; i < count; i++)
        secret_wipe(words[i], strlen(words[i]));
    free(words);
    return status;
}

static void forget(char *text)
{
    secret_wipe(text, strlen(text));
    free(text);
}

int typed_run(const struct front *front, const char *line)
{
    char *expanded;
    int rc, status;
    bool is_apdu;

    if (flow_is(front, line))
        return flow_run(front, line);
    rc = series_expand(front, line, VARIABLES_APDU, &expanded);
    is_apdu = rc == RC_OK && typed_is_apdu(front->commands, expanded);

    if (rc == RC_OK && !is_apdu) {
        forget(expanded);
        rc = series_expand(front, line, VARIABLES_WORDS, &expanded);
    }
    if (rc < 0)
        return fail(front, rc);
    status = is_apdu ? run_apdu(front, expanded) : run_words(front, expanded);
    forget(expanded);
    return status;
}
