/* SPDX-License-Identifier: MIT */
/* What a series of commands can change of itself: set, channel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/apdu_text.h"
#include "cli/builtin.h"
#include "cli/call.h"
#include "cli/exchange.h"
#include "cli/names.h"
#include "cli/trace.h"

#define CHANNEL_MAX 19 /* ISO 7816-4:2013, 5.4.1 */

static struct series *series_of(const struct call *call)
{
    return call->front->user;
}

enum setting_kind { SET_SWITCH, SET_REVERSED, SET_OTHER };

/* Where a switch is kept; NULL: this series has none. */
static bool *switch_of(struct series *series, const char *name, bool *ret_reversed)
{
    struct globals *globals = &series->front->globals;

    *ret_reversed = strcmp(name, "auto") == 0 || strcmp(name, "stop") == 0;
    if (strcmp(name, "auto") == 0)
        return &globals->raw;
    if (strcmp(name, "secrets") == 0)
        return &globals->show_secrets;
    if (strcmp(name, "json") == 0)
        return &globals->json;
    if (strcmp(name, "quiet") == 0)
        return &globals->quiet;
    if (strcmp(name, "decode") == 0)
        return &series->front->decode;
    if (strcmp(name, "stop") == 0)
        return series->keep_going;
    if (strcmp(name, "hints") == 0)
        return series->hints;
    return NULL;
}

static const char *const switches[] = {"auto", "decode", "hints", "json", "quiet", "secrets", "stop"};

const char *builtin_setting_choices(const char *name)
{
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        if (strcmp(name, switches[i]) == 0)
            return "on|off";
    if (strcmp(name, "share") == 0)
        return "shared|exclusive|direct";
    if (strcmp(name, "protocol") == 0)
        return "t0|t1|any|raw";
    return strcmp(name, "timeout") == 0 ? "off" : NULL;
}

static void show_setting(struct call *call, const char *name, const char *value)
{
    struct record record;

    record_init(&record, "setting", RECORD_ROW);
    record_text(&record, SHOW_ALL, "name", name);
    record_text(&record, SHOW_ALL, "value", value);
    record_people(&record, "%-9s %s", name, value);
    output_record(call->output, &record);
    record_fini(&record);
}

/* As "set protocol" takes it. */
static const char *protocol_word(DWORD protocols)
{
    switch (protocols) {
    case SCARD_PROTOCOL_T0:
        return "t0";
    case SCARD_PROTOCOL_T1:
        return "t1";
    case SCARD_PROTOCOL_RAW:
        return "raw";
    default:
        return "any";
    }
}

static int show_settings(struct call *call)
{
    struct series *series = series_of(call);
    const struct globals *globals = &series->front->globals;
    char time[32] = "off";

    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        bool reversed, *value = switch_of(series, switches[i], &reversed);

        if (value != NULL)
            show_setting(call, switches[i], *value != reversed ? "on" : "off");
    }
    show_setting(call, "share", names_share(globals->share));
    show_setting(call, "protocol", protocol_word(globals->protocols));
    if (globals->timeout_ms >= 0)
        snprintf(time, sizeof time, "%g s", (double)globals->timeout_ms / 1000);
    show_setting(call, "timeout", time);
    show_setting(call, "trace", trace_is_on() ? "on" : "off");
    return STATUS_DONE;
}

static int set_switch(struct call *call, const char *name, const char *value)
{
    bool reversed, *where = switch_of(series_of(call), name, &reversed);
    bool on = strcmp(value, "on") == 0;

    if (where == NULL)
        return call_fail(call, STATUS_USAGE, "", "%s cannot be set %s", name,
                         strcmp(name, "stop") == 0 ? "in a shell, only in a script" : "in a script");
    if (!on && strcmp(value, "off") != 0)
        return call_fail(call, STATUS_USAGE, "", "%s is on or off, not %s", name, value);
    *where = on != reversed;
    return STATUS_DONE;
}

static int set_timeout(struct call *call, const char *value)
{
    struct globals *globals = &series_of(call)->front->globals;
    int64_t ms = -1;

    if (strcmp(value, "off") != 0 && !names_duration_parse(value, &ms))
        return call_fail(call, STATUS_USAGE, "Give it like 5, 0.5, 250ms or 2m, or off.",
                         "timeout needs a time, not %s", value);
    globals->timeout_ms = ms;
    globals->has_timeout = ms >= 0;
    return STATUS_DONE;
}

static int set_mode(struct call *call, const char *name, const char *value)
{
    struct globals *globals = &series_of(call)->front->globals;
    bool share = strcmp(name, "share") == 0;
    bool good =
        share ? names_share_parse(value, &globals->share) : names_protocol_parse(value, &globals->protocols);

    if (!good)
        return call_fail(call, STATUS_USAGE, "", "%s is one of %s, not %s", name,
                         share ? "shared, exclusive, direct" : "t0, t1, any, raw", value);
    if (share)
        globals->has_share = true;
    else
        globals->has_protocols = true;
    return STATUS_DONE;
}

static int run_set(struct call *call)
{
    const char *name = call_argument(call, 0), *value = call_argument(call, 1);

    if (name == NULL)
        return show_settings(call);
    if (value == NULL)
        return call_fail(call, STATUS_USAGE, "\"set\" alone lists the settings.", "set %s to what?", name);
    if (strcmp(name, "timeout") == 0)
        return set_timeout(call, value);
    if (strcmp(name, "share") == 0 || strcmp(name, "protocol") == 0)
        return set_mode(call, name, value);
    if (strcmp(name, "trace") == 0)
        return strcmp(value, "off") == 0 ? trace_stop(call) : trace_start(call, value, NULL);
    return set_switch(call, name, value);
}

static int send(struct call *call, const char *text)
{
    return exchange_text(call, text, 1, NULL);
}

static int open_channel(struct call *call)
{
    struct series *series = series_of(call);
    int status = send(call, "0070000001=9000");
    const char *data = variables_get(series->variables, "_");

    if (status != STATUS_DONE)
        return status;
    if (data == NULL || strlen(data) != 2)
        return call_fail(call, STATUS_TRANSPORT, "", "the card named no channel");
    call->desk->channel = (uint8_t)strtoul(data, NULL, 16);
    if (call->desk->channel == 0 || call->desk->channel > CHANNEL_MAX) {
        call->desk->channel = 0;
        return call_fail(call, STATUS_TRANSPORT, "",
                         "the card says that it opened channel 0x%s, and there are 1 to 19", data);
    }
    return STATUS_DONE;
}

static int close_channel(struct call *call, unsigned channel)
{
    char text[32];

    if (channel == 0)
        return call_fail(call, STATUS_USAGE, "", "channel 0 is always open");
    /* Sent on channel 0: the one that goes may be in a bad state. */
    call->desk->channel = call->desk->channel == channel ? 0 : call->desk->channel;
    snprintf(text, sizeof text, "007080%02X=9000", channel);
    return send(call, text);
}

static void show_channel(struct call *call)
{
    struct record record;

    record_init(&record, "channel", RECORD_ROW);
    record_number(&record, SHOW_ALL, "channel", call->desk->channel);
    record_people(&record, "channel %u", call->desk->channel);
    output_record(call->output, &record);
    record_fini(&record);
}

static int run_channel(struct call *call)
{
    const char *action = call_argument(call, 0), *number = call_argument(call, 1);
    uint64_t channel = call->desk->channel;
    int status = STATUS_DONE;

    if (number != NULL && (!names_number_parse(number, &channel) || channel > CHANNEL_MAX))
        return call_fail(call, STATUS_USAGE, "", "a channel is 0 to %d, not %s", CHANNEL_MAX, number);
    if (action != NULL && strcmp(action, "use") == 0) {
        if (number == NULL)
            return call_fail(call, STATUS_USAGE, "", "use which channel?");
        call->desk->channel = (uint8_t)channel;
    } else if (action != NULL) {
        status = strcmp(action, "open") == 0 ? open_channel(call) : close_channel(call, (unsigned)channel);
    }
    if (status == STATUS_DONE)
        show_channel(call);
    return status;
}

static const struct argument_spec set_arguments[] = {
    {"NAME", VALUE_CHOICE, "auto|decode|hints|json|quiet|secrets|stop|share|protocol|timeout|trace", true,
     false, "what to set; none: list all"},
    {"VALUE", VALUE_TEXT, NULL, true, false, "on or off; a mode, a time, a file"},
    {0},
};

static const struct argument_spec channel_arguments[] = {
    {"ACTION", VALUE_CHOICE, "open|close|use", true, false, "none: which one is in use"},
    {"CHANNEL", VALUE_NUMBER, NULL, true, false, "its number (close: the one in use)"},
    {0},
};

static const struct command command_set = {
    .name = "set",
    .group = "Shell",
    .summary = "settings of this shell or script, or list them",
    .description = "  auto      follow 61xx and 6Cxx, cut Le for T=0 (on)\n"
                   "  decode    explain data objects in answers\n"
                   "  hints     words behind the APDU being typed\n"
                   "  json      JSON in place of text\n"
                   "  quiet     results only\n"
                   "  secrets   show PINs and keys\n"
                   "  stop      a script ends at the first failure (on)\n"
                   "  share     shared, exclusive, direct: for the next connection\n"
                   "  protocol  t0, t1, any, raw: for the next connection\n"
                   "  timeout   time for each command, or off\n"
                   "  trace     a file that exchanges are written to, or off",
    .examples = "  set auto off\n  set timeout 5\n  set trace session.jsonl",
    .arguments = set_arguments,
    .flags = COMMAND_LOCAL,
    .run = run_set,
};

static const struct command command_channel = {
    .name = "channel",
    .group = "Shell",
    .summary = "logical channels: open, close, or use one",
    .description =
        "MANAGE CHANNEL. Commands whose class codes a channel and says 0 are sent with the one in use.",
    .examples = "  channel open\n  00A4040000\n  channel close",
    .arguments = channel_arguments,
    .needs = NEED_CARD,
    .flags = COMMAND_LOCAL,
    .run = run_channel,
};

const struct command *const builtin_settings[] = {&command_set, &command_channel, NULL};
