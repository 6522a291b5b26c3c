/* SPDX-License-Identifier: MIT */
#include "cli/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

void tap_begin(struct tap *tap, struct output *output)
{
    static const char version[] = "TAP version 13\n";

    *tap = (struct tap){.output = output};
    output_text(output, version, sizeof version - 1);
}

static void say(struct tap *tap, char *text, int length)
{
    if (length < 0)
        return;
    output_text(tap->output, text, (size_t)length);
    free(text);
}

/* SW behind the data of all parts; secrets in it are the card's, and what was expected of it stands in the
 * script. */
static char *answer_hex(const struct exchange_result *result)
{
    char *data = hex_new(result->data.data, result->data.length), *text = NULL;

    if (data != NULL && asprintf(&text, "%s%04X", data, result->sw) < 0)
        text = NULL;
    free(data);
    return text;
}

static int test(struct tap *tap, const struct exchange_result *result, const char *command,
                const char *expected, const char *got)
{
    /* As a scalar of YAML: an expression may hold backslashes. */
    char *text = NULL, quote = expected != NULL && strpbrk(expected, "\\\"") != NULL ? '\'' : '"';
    int length;

    if (command == NULL || expected == NULL || got == NULL)
        return -1;
    tap->count++;
    if (result->accepted) {
        length = asprintf(&text, "ok %u - %s =%s\n", tap->count, command, expected);
    } else {
        tap->failed++;
        length = asprintf(&text,
                          "not ok %u - %s =%s\n  ---\n  command: \"%s\"\n  expected: %c%s%c\n  got: \"%s\"\n"
                          "  at: \"%s:%zu\"\n  ...\n",
                          tap->count, command, expected, command, quote, expected, quote, got, tap->file,
                          tap->line);
    }
    say(tap, text, length);
    return length < 0 ? -1 : 0;
}

int tap_judge(struct call *call, const struct apdu_text *apdu, const struct exchange_result *result)
{
    struct exchange exchange = {
        .command = apdu->bytes.data,
        .command_length = apdu->bytes.length,
        .secret_offset = apdu->secret_offset,
        .secret_length = apdu->secret_length,
    };
    char *command = exchange_command_hex(&exchange, call->globals.show_secrets);
    char *expected = apdu_text_expected(apdu), *got = answer_hex(result);
    int rc = test(call->front->tap, result, command, expected, got);

    free(command);
    free(expected);
    free(got);
    return rc < 0 ? call_no_memory(call) : STATUS_DONE;
}

/* Of what may be any text: # begins a directive (TODO, SKIP) in a test's line, and quotes end a YAML text. */
static char *escaped(const char *text, const char *which)
{
    char *copy = malloc(2 * strlen(text) + 1), *to = copy;

    for (; copy != NULL && *text != '\0'; text++) {
        if (*text == '\\' || strchr(which, *text) != NULL)
            *to++ = '\\';
        *to++ = (unsigned char)*text < ' ' ? ' ' : *text;
    }
    if (copy != NULL)
        *to = '\0';
    return copy;
}

static int tell_assert(struct tap *tap, bool holds, const char *how, char *const texts[4])
{
    char *text = NULL;
    int length;

    for (size_t i = 0; i < 4; i++)
        if (texts[i] == NULL)
            return -1;
    tap->count++;
    if (holds) {
        length = asprintf(&text, "ok %u - assert %s %s %s\n", tap->count, texts[0], how, texts[1]);
    } else {
        tap->failed++;
        length = asprintf(&text,
                          "not ok %u - assert %s %s %s\n  ---\n  expected: \"%s %s\"\n  got: \"%s\"\n"
                          "  at: \"%s:%zu\"\n  ...\n",
                          tap->count, texts[0], how, texts[1], how, texts[3], texts[2], tap->file, tap->line);
    }
    say(tap, text, length);
    return length < 0 ? -1 : 0;
}

int tap_assert(struct call *call, bool holds, const char *left, const char *how, const char *right)
{
    char *texts[4] = {escaped(left, "#"), escaped(right, "#"), escaped(left, "\""), escaped(right, "\"")};
    int rc = tell_assert(call->front->tap, holds, how, texts);

    for (size_t i = 0; i < 4; i++)
        free(texts[i]);
    return rc < 0 ? call_no_memory(call) : STATUS_DONE;
}

int tap_end(struct tap *tap, int status)
{
    char *text = NULL;
    int length;

    if (status != STATUS_DONE) {
        length = asprintf(&text, "Bail out! %s:%zu: %s\n", tap->file != NULL ? tap->file : "?", tap->line,
                          status_name(status));
        say(tap, text, length);
    }
    length = asprintf(&text, "1..%u\n", tap->count);
    say(tap, text, length);
    if (status != STATUS_DONE)
        return status;
    return tap->failed > 0 ? STATUS_ANSWER : STATUS_DONE;
}
