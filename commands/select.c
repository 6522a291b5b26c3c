/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "cli/application.h"
#include "cli/call.h"
#include "cli/exchange.h"
#include "commands/commands.h"

/* ISO 7816-4:2013, 11.1.1: by DF name, or by file identifier. */
static char *apdu_of(const struct call *call, const struct buffer *name)
{
    char *hex = hex_new(name->data, name->length), *text = NULL, *suffixes = exchange_suffixes(call, 1);
    const char *how = call_flag(call, "file") ? "00" : "04", *which = call_flag(call, "next") ? "02" : "00";

    if (hex != NULL && suffixes != NULL &&
        asprintf(&text, "A4%s%s:%s%s%s", how, which, hex, call_flag(call, "no-answer") ? "" : "/", suffixes) <
            0)
        text = NULL;
    free(suffixes);
    free(hex);
    return text;
}

static int run(struct call *call)
{
    const char *suffix = call_argument(call, 1);
    struct buffer name = {0};
    char *apdu = NULL;
    int status;

    if (suffix != NULL && strchr("=~>@!", suffix[0]) == NULL)
        return call_fail(call, STATUS_USAGE, "Write it as =9000.", "\"%s\" is no expected status", suffix);
    status = application_find(call, call_argument(call, 0), &name);
    if (status == STATUS_DONE) {
        apdu = apdu_of(call, &name);
        status = apdu != NULL ? exchange_text(call, apdu, 1, NULL) : call_no_memory(call);
    }
    free(apdu);
    buffer_fini(&name);
    return status;
}

static const struct argument_spec arguments[] = {
    {"NAME", VALUE_APPLICATION, NULL, false, false, "the application: a name such as piv, or its AID in hex"},
    {"EXPECTED", VALUE_TEXT, NULL, true, true,
     "the status word that is right, as =9000 (=61xx|9000), or what else may stand behind an APDU"},
    {0},
};

static const struct option_spec options[] = {
    {"file", 'f', VALUE_NONE, NULL, NULL, "select a file by its identifier, in hex"},
    {"next", 0, VALUE_NONE, NULL, NULL, "the next application that the name begins"},
    {"no-answer", 0, VALUE_NONE, NULL, NULL, "without Le: the card sends no template"},
    {0},
};

const struct command command_select = {
    .name = "select",
    .group = "Card",
    .summary = "select an application by name or AID, or a file",
    .description =
        "SELECT (ISO 7816-4): 00A40400 with the AID, or 00A40000 with a file identifier. The bytes are shown "
        "as\nthose of any APDU, and the answer is judged as one.",
    .examples = "  scard select piv\n  scard select A000000308 =9000\n  scard select --file 3F00",
    .arguments = arguments,
    .options = options,
    .needs = NEED_CARD,
    .run = run,
};
