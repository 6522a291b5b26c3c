/* SPDX-License-Identifier: MIT */
#include "cli/call.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <scard.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "cli/doctor/likely.h"
#include "cli/names.h"

__attribute__((unused)) static bool is_declared(const struct command *command, const char *name)
{
    for (const struct option_spec *spec = command->options; spec != NULL && spec->name != NULL; spec++)
        if (strcmp(spec->name, name) == 0)
            return true;
    return false;
}

const char *call_option(const struct call *call, const char *name)
{
    assert(is_declared(call->command, name));
    for (size_t i = call->option_count; i > 0; i--)
        if (strcmp(call->options[i - 1].spec->name, name) == 0)
            return call->options[i - 1].value;
    return NULL;
}

bool call_flag(const struct call *call, const char *name)
{
    return call_option(call, name) != NULL;
}

uint64_t call_number(const struct call *call, const char *name, uint64_t fallback)
{
    const char *value = call_option(call, name);
    uint64_t number;

    return value != NULL && names_number_parse(value, &number) ? number : fallback;
}

const char *call_argument(const struct call *call, size_t index)
{
    return index < call->argument_count ? call->arguments[index] : NULL;
}

bool call_interrupted(const struct call *call)
{
    return call->front->interrupt != NULL && interrupt_raised(call->front->interrupt);
}

static int fail_interrupted(struct call *call)
{
    enum interrupt_cause cause = interrupt_cause(call->front->interrupt);
    char what[96];

    if (cause == INTERRUPT_PIPE)
        return STATUS_PIPE;
    /* Ctrl-C is how those end. */
    if (cause != INTERRUPT_TIMEOUT && call->command != NULL && call->command->flags & COMMAND_REPEATS)
        return STATUS_INTERRUPTED;
    if (cause != INTERRUPT_TIMEOUT)
        return output_error(call->output, STATUS_INTERRUPTED, SCARD_E_CANCELLED, "interrupted", "");
    if (call->exchange_ms > 0) {
        snprintf(what, sizeof what, "the exchange took longer than the %g seconds behind the APDU",
                 (double)call->exchange_ms / 1000);
        return output_error(call->output, STATUS_TIMEOUT, SCARD_E_TIMEOUT, what, "Give more with @TIME.");
    }
    snprintf(what, sizeof what, "it took longer than the %g seconds given",
             (double)call->globals.timeout_ms / 1000);
    return output_error(call->output, STATUS_TIMEOUT, SCARD_E_TIMEOUT, what, "Give more with --timeout.");
}

__attribute__((format(printf, 5, 0))) static int fail_with(struct call *call, int status, LONG code,
                                                           const char *fix, const char *format, va_list args)
{
    char *what;

    if (vasprintf(&what, format, args) < 0)
        return call_no_memory(call);
    status = output_error(call->output, status, code, what, fix);
    secret_wipe(what, strlen(what));
    free(what);
    return status;
}

int call_fail(struct call *call, enum status status, const char *fix, const char *format, ...)
{
    va_list args;
    int result;

    va_start(args, format);
    result = fail_with(call, (int)status, 0, fix, format, args);
    va_end(args);
    return result;
}

/* "cannot connect to X" and "X: the card …" name X twice: the detail without its "X: ". */
static const char *without_repetition(const char *about, const char *detail)
{
    const char *colon = strstr(detail, ": ");
    size_t length = colon != NULL ? (size_t)(colon - detail) : 0, about_length = strlen(about);

    if (length == 0 || length > about_length || strncmp(about + about_length - length, detail, length) != 0)
        return detail;
    return colon + 2;
}

/* Why the reader of the call cannot be used; "" if that is not known. */
static void ask_problem(struct call *call, char *problem, size_t room)
{
    DWORD length = (DWORD)room;

    if (call->reader == NULL ||
        scard_reader_fact(call->desk->context, call->reader, "problem", problem, &length) != SCARD_S_SUCCESS)
        problem[0] = '\0';
}

/* What to do next, in a new block: the likely cause, if one is found, in place of what the table guesses.
 * NULL: out of memory. */
static char *find_advice(struct call *call, LONG code, bool has_own_advice)
{
    const char *advice = has_own_advice ? "" : status_of_scard(code)->advice;
    char device[256] = "", *likely = NULL, *both;
    DWORD length = sizeof device;

    if (likely_applies(code) &&
        (call->reader == NULL || code != SCARD_E_READER_UNAVAILABLE ||
         scard_reader_fact(call->desk->context, call->reader, "device", device, &length) == SCARD_S_SUCCESS))
        likely = likely_find(code, device, has_own_advice);
    if (likely == NULL)
        return strdup(advice);
    /* That there are virtual readers no look at the machine tells. */
    if (code != SCARD_E_NO_READERS_AVAILABLE)
        return likely;
    if (asprintf(&both, "%s %s", advice, likely) < 0)
        both = NULL;
    free(likely);
    return both;
}

int call_fail_scard(struct call *call, LONG code, const char *format, ...)
{
    const struct status_words *words = status_of_scard(code);
    const char *detail = scard_error_detail();
    char *about, *what, *advice, problem[DETAIL_ROOM];
    bool has_own_advice;
    va_list args;
    int result;

    if (call_interrupted(call))
        return fail_interrupted(call);
    va_start(args, format);
    result = vasprintf(&about, format, args);
    va_end(args);
    if (result < 0)
        return call_no_memory(call);
    /* The library's own sentence tells what, where and what to do; the table's words stand in for it. Of why
     * there is no service, or a reader cannot be used, the table knows one reason only. */
    if (detail[0] == '\0' && code == SCARD_E_READER_UNAVAILABLE) {
        ask_problem(call, problem, sizeof problem);
        detail = problem;
    }
    has_own_advice =
        detail[0] != '\0' &&
        (code == SCARD_E_NO_SERVICE || code == SCARD_E_READER_UNAVAILABLE ||
         ((code == SCARD_E_NOT_TRANSACTED || code == SCARD_F_COMM_ERROR) && strstr(detail, "; ") != NULL));
    if (detail[0] != '\0')
        result = asprintf(&what, "%s: %s", about, without_repetition(about, detail));
    else
        result = asprintf(&what, "%s: %s", about, words->what);
    if (result < 0) {
        free(about);
        return call_no_memory(call);
    }
    advice = find_advice(call, code, has_own_advice);
    result =
        output_error(call->output, (int)words->status, code, what, advice != NULL ? advice : words->advice);
    free(advice);
    free(what);
    free(about);
    return result;
}

int call_fail_rc(struct call *call, int rc, const char *format, ...)
{
    const char *detail = detail_get();
    char *about;
    va_list args;
    int result;

    if (rc == RC_CANCELLED)
        return call_interrupted(call) ? fail_interrupted(call)
                                      : output_error(call->output, STATUS_INTERRUPTED, 0, "interrupted", "");
    if (rc == RC_NO_MEMORY)
        return call_no_memory(call);
    va_start(args, format);
    result = vasprintf(&about, format, args);
    va_end(args);
    if (result < 0)
        return call_no_memory(call);
    result = call_fail(call, rc == RC_INVALID_VALUE ? STATUS_USAGE : STATUS_TRANSPORT, "", "%s: %s", about,
                       detail[0] != '\0' ? detail : rc_name(rc));
    free(about);
    return result;
}

int call_no_memory(struct call *call)
{
    return output_error(call->output, STATUS_SERVICE, SCARD_E_NO_MEMORY, "out of memory",
                        "End other programs, then try again.");
}

int call_connected(struct call *call)
{
    if (desk_is_connected(call->front->desk))
        return STATUS_DONE;
    return call_fail(call, STATUS_USAGE, "Connect first: \"scard connect -r READER\".",
                     "no card is connected");
}

int call_hex(struct call *call, const char *text, struct buffer *bytes)
{
    size_t length = strlen(text), count, at;

    if (buffer_reserve(bytes, length / 2 + 1) < 0)
        return call_no_memory(call);
    if (hex_parse(text, length, bytes->data + bytes->length, &count, &at) < 0) {
        if (at >= length)
            return call_fail(call, STATUS_USAGE, "Two digits make a byte.",
                             "the last byte of \"%s\" lacks a digit", text);
        return call_fail(call, STATUS_USAGE, "Two digits 0-9, A-F make a byte.",
                         "'%c' at place %zu of \"%s\" is no hexadecimal byte", text[at], at + 1, text);
    }
    bytes->length += count;
    return STATUS_DONE;
}
