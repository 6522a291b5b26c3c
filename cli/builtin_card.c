/* SPDX-License-Identifier: MIT */
/* Short names for what is typed most: use, read, getdata, uid, escape, features, tlv, sw, sleep. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "cli/builtin.h"
#include "cli/call.h"
#include "cli/choose.h"
#include "cli/exchange.h"
#include "cli/names.h"
#include "cli/typed.h"

/* Another command of this series, with the options that this one was given. */
static int run_as(struct call *call, int count, const char *const *words)
{
    struct front front = *call->front;

    front.globals = call->globals;
    return typed_run_words(&front, count, words);
}

/* An APDU, with the suffixes among the arguments from first on behind it. */
static int send(struct call *call, const char *apdu, size_t first)
{
    char *suffixes = exchange_suffixes(call, first), *text = NULL;
    int status;

    if (suffixes == NULL || asprintf(&text, "%s%s", apdu, suffixes) < 0)
        text = NULL;
    status = text != NULL ? exchange_text(call, text, 1, NULL) : call_no_memory(call);
    free(suffixes);
    free(text);
    return status;
}

static int run_use(struct call *call)
{
    struct series *series = call->front->user;
    char *name;
    int status = choose_find(call, call_argument(call, 0), &name);
    LONG code = SCARD_S_SUCCESS;

    if (status != STATUS_DONE)
        return status;
    if (desk_is_connected(call->desk) && strcmp(call->desk->reader, name) != 0)
        code = desk_disconnect(call->desk, SCARD_LEAVE_CARD);
    if (code != SCARD_S_SUCCESS)
        status = call_fail_scard(call, code, "disconnecting from %s", call->desk->reader);
    /* The one before may still be named in this call. */
    free(series->reader_before);
    series->reader_before = series->reader;
    series->reader = name;
    series->front->globals.reader = name;
    return status;
}

static int run_sleep(struct call *call)
{
    struct interrupt *interrupt = call->front->interrupt;
    struct pollfd raised = {.fd = interrupt != NULL ? interrupt->event_fd : -1, .events = POLLIN};
    struct deadline end;
    int64_t ms;

    if (!names_duration_parse(call_argument(call, 0), &ms))
        return call_fail(call, STATUS_USAGE, "Give it like 5, 0.5, 250ms or 2m.", "%s is no time",
                         call_argument(call, 0));
    end = deadline_in_ms((uint64_t)ms);
    while (!call_interrupted(call) && !deadline_passed(end))
        (void)poll(&raised, 1, deadline_poll_ms(end));
    return call_interrupted(call) ? call_fail_rc(call, RC_CANCELLED, "sleep") : STATUS_DONE;
}

static bool parse_number(const char *text, uint64_t most, uint64_t *ret)
{
    return names_number_parse(text, ret) && *ret <= most;
}

/* How many of the arguments from first on are numbers and no suffixes, at most most. */
static size_t count_numbers(const struct call *call, size_t first, size_t most)
{
    size_t count = 0;

    while (count < most && first + count < call->argument_count &&
           strchr("=~>@!", call->arguments[first + count][0]) == NULL)
        count++;
    return count;
}

/* ISO 7816-4:2013, 11.2.3: P1 and P2 are an offset of 15 bits. */
static int read_binary(struct call *call)
{
    size_t count = count_numbers(call, 1, 2);
    uint64_t offset = 0, length = 256;
    char text[32];

    if (count > 0 && !parse_number(call_argument(call, 1), 0x7FFF, &offset))
        return call_fail(call, STATUS_USAGE, "", "an offset is 0 to 32767 (0x7FFF), not %s",
                         call_argument(call, 1));
    if (count > 1 && (!parse_number(call_argument(call, 2), 65536, &length) || length == 0))
        return call_fail(call, STATUS_USAGE, "", "a length is 1 to 65536, not %s", call_argument(call, 2));
    if (length <= 256)
        snprintf(text, sizeof text, "B0%04X/%02X", (unsigned)offset, (unsigned)length & 0xFF);
    else
        snprintf(text, sizeof text, "B0%04X/%04X", (unsigned)offset, (unsigned)length & 0xFFFF);
    return send(call, text, 1 + count);
}

/* ISO 7816-4:2013, 11.3.3: P1 is its number, P2 the short identifier of the file and 4 for "by number". */
static int read_record(struct call *call)
{
    size_t count = count_numbers(call, 1, 2);
    uint64_t number = 1, file = 0;
    char text[32];

    if (count > 0 && (!parse_number(call_argument(call, 1), 254, &number) || number == 0))
        return call_fail(call, STATUS_USAGE, "", "a record is 1 to 254, not %s", call_argument(call, 1));
    if (count > 1 && !parse_number(call_argument(call, 2), 30, &file))
        return call_fail(call, STATUS_USAGE, "", "a short file identifier is 0 to 30, not %s",
                         call_argument(call, 2));
    snprintf(text, sizeof text, "B2%02X%02X/", (unsigned)number, (unsigned)file << 3 | 4);
    return send(call, text, 1 + count);
}

static int run_read(struct call *call)
{
    return strcmp(call_argument(call, 0), "binary") == 0 ? read_binary(call) : read_record(call);
}

/* ISO 7816-4:2013, 11.4.3: a tag of one or two bytes is P1-P2; a longer one stands in a tag list. */
static int run_getdata(struct call *call)
{
    const char *tag = call_argument(call, 0);
    struct buffer bytes = {0};
    char text[32];
    int status = call_hex(call, tag, &bytes);

    if (status != STATUS_DONE)
        return status;
    if (bytes.length == 1 || bytes.length == 2)
        snprintf(text, sizeof text, "CA%02X%02X/", bytes.length == 2 ? bytes.data[0] : 0,
                 bytes.data[bytes.length - 1]);
    else if (bytes.length == 3)
        snprintf(text, sizeof text, "CB3FFF:5C03%02X%02X%02X/", bytes.data[0], bytes.data[1], bytes.data[2]);
    else
        status = call_fail(call, STATUS_USAGE, "", "a tag has one to three bytes, not %zu", bytes.length);
    buffer_fini(&bytes);
    return status == STATUS_DONE ? send(call, text, 1) : status;
}

/* PC/SC part 3, 3.2.2.1.3: the reader answers for the contactless card. */
static int run_uid(struct call *call)
{
    return send(call, "FFCA0000/00", 0);
}

static int run_with(struct call *call, int count, const char *const *words)
{
    const char *all[6];
    char *text = exchange_suffixes(call, 0);
    int status;

    if (text == NULL)
        return call_no_memory(call);
    memcpy(all, words, (size_t)count * sizeof *words);
    all[count] = text;
    status = run_as(call, count + 1, all);
    free(text);
    return status;
}

/* SCARD_CTL_CODE(1): IOCTL_SMARTCARD_VENDOR_IFD_EXCHANGE, which drivers give to the reader as it is. */
static int run_escape(struct call *call)
{
    return run_with(call, 3, (const char *const[]){"control", "0x42000001", "--"});
}

static int run_features(struct call *call)
{
    return run_as(call, 2, (const char *const[]){"control", "features"});
}

static int run_tlv(struct call *call)
{
    return run_with(call, 4, (const char *const[]){"decode", "--as", "tlv", "--"});
}

static int run_sw(struct call *call)
{
    return run_with(call, 4, (const char *const[]){"decode", "--as", "sw", "--"});
}

#define SUFFIX "what may stand behind an APDU: =9000, ~/^6F/, >FILE"

static const struct argument_spec use_arguments[] = {
    {"READER", VALUE_READER, NULL, false, false, "number, name or a part of it"},
    {0},
};

static const struct argument_spec sleep_arguments[] = {
    {"DURATION", VALUE_SECONDS, NULL, false, false, "5, 0.5, 250ms, 2m"},
    {0},
};

static const struct argument_spec read_arguments[] = {
    {"WHAT", VALUE_CHOICE, "binary|record", false, false, "bytes of the selected file, or a record"},
    {"WHERE", VALUE_TEXT, NULL, true, true,
     "binary: OFFSET LENGTH (0 256); record: NUMBER SFI (1 0); then " SUFFIX},
    {0},
};

static const struct argument_spec getdata_arguments[] = {
    {"TAG", VALUE_HEX, NULL, false, false, "one to three bytes in hex"},
    {"SUFFIX", VALUE_TEXT, NULL, true, true, SUFFIX},
    {0},
};

static const struct argument_spec uid_arguments[] = {
    {"SUFFIX", VALUE_TEXT, NULL, true, true, SUFFIX},
    {0},
};

static const struct argument_spec hex_arguments[] = {
    {"HEX", VALUE_TEXT, NULL, false, true, "bytes in hex"},
    {0},
};

#define BUILTIN(word, words, table, need)                                                                    \
    static const struct command command_##word = {.name = #word,                                             \
                                                  .group = "Shell",                                          \
                                                  .summary = words,                                          \
                                                  .arguments = table,                                        \
                                                  .needs = need,                                             \
                                                  .flags = COMMAND_LOCAL,                                    \
                                                  .run = run_##word}

BUILTIN(use, "go on with another reader", use_arguments, NEED_SERVICE);
BUILTIN(sleep, "wait for a time", sleep_arguments, NEED_NOTHING);
BUILTIN(read, "READ BINARY or READ RECORD of the selected file", read_arguments, NEED_CARD);
BUILTIN(getdata, "GET DATA: the data object with a tag", getdata_arguments, NEED_CARD);
BUILTIN(uid, "the number of a contactless card, as its reader tells it", uid_arguments, NEED_CARD);
BUILTIN(escape, "a command of its maker for the reader: control 0x42000001", hex_arguments, NEED_NOTHING);
BUILTIN(features, "what the reader offers for PINs: control features", NULL, NEED_NOTHING);
BUILTIN(tlv, "explain data objects: decode --as tlv", hex_arguments, NEED_NOTHING);
BUILTIN(sw, "explain a status word: decode --as sw", hex_arguments, NEED_NOTHING);

const struct command *const builtin_card[] = {
    &command_use,    &command_sleep,    &command_read, &command_getdata, &command_uid,
    &command_escape, &command_features, &command_tlv,  &command_sw,      NULL};
