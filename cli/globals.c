/* SPDX-License-Identifier: MIT */
#include "cli/globals.h"

#include <string.h>

#include "cli/names.h"
#include "cli/trace.h"

const struct option_spec globals_options[] = {
    {"reader", 'r', VALUE_READER, "READER", NULL, "the reader: number, name, or a part of the name"},
    {"readers", 0, VALUE_URIS, "URIS", NULL,
     "the readers to use, as in SCARD_READERS: usb:, sim:iso, vpcd:35963"},
    {"session", 0, VALUE_SESSION, "NAME", NULL, "the background session to use"},
    {"share", 0, VALUE_CHOICE, "MODE", "shared|exclusive|direct", "how to connect (shared)"},
    {"protocol", 0, VALUE_CHOICE, "PROTOCOL", "t0|t1|any|raw|T=0|T=1", "protocol to connect with (any)"},
    {"timeout", 0, VALUE_SECONDS, "SECONDS", NULL, "give up after that time: 5, 0.5, 250ms, 2m"},
    {"raw", 0, VALUE_NONE, NULL, NULL, "send just what was given: no GET RESPONSE, no corrected Le"},
    {"show-secrets", 0, VALUE_NONE, NULL, NULL, "print PINs and keys instead of **"},
    {"trace", 0, VALUE_FILE, "FILE", NULL, "write what passes between program and card into a file"},
    {"trace-format", 0, VALUE_CHOICE, "FORMAT", TRACE_FORMATS, "of that file (as its name ends, else jsonl)"},
    {"json", 0, VALUE_NONE, NULL, NULL, "one JSON object per line"},
    {"quiet", 'q', VALUE_NONE, NULL, NULL, "results only, no remarks; list: names only"},
    {"verbose", 'v', VALUE_NONE, NULL, NULL, "debug log of the library on stderr"},
    {"help", 'h', VALUE_NONE, NULL, NULL, "help, also for a command"},
    {"version", 0, VALUE_NONE, NULL, NULL, "version of program and library"},
    {0},
};

void globals_init(struct globals *globals)
{
    *globals = (struct globals){
        .share = SCARD_SHARE_SHARED,
        .protocols = SCARD_PROTOCOL_ANY,
        .timeout_ms = -1,
    };
}

void globals_set(struct globals *globals, const struct option_spec *spec, const char *value)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"raw", &globals->raw},         {"show-secrets", &globals->show_secrets}, {"json", &globals->json},
        {"quiet", &globals->quiet},     {"verbose", &globals->verbose},           {"help", &globals->help},
        {"version", &globals->version},
    };

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(spec->name, flags[i].name) == 0)
            *flags[i].flag = true;
    if (strcmp(spec->name, "reader") == 0)
        globals->reader = value;
    else if (strcmp(spec->name, "readers") == 0)
        globals->readers = value;
    else if (strcmp(spec->name, "trace") == 0)
        globals->trace = value;
    else if (strcmp(spec->name, "trace-format") == 0)
        globals->trace_format = value;
    else if (strcmp(spec->name, "session") == 0)
        globals->session = value;
    else if (strcmp(spec->name, "share") == 0)
        globals->has_share = names_share_parse(value, &globals->share);
    else if (strcmp(spec->name, "protocol") == 0)
        globals->has_protocols = names_protocol_parse(value, &globals->protocols);
    else if (strcmp(spec->name, "timeout") == 0)
        globals->has_timeout = names_duration_parse(value, &globals->timeout_ms);
}
