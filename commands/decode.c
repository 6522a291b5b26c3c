/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rc.h"
#include "cli/call.h"
#include "cli/decode_text.h"
#include "cli/explain/aid.h"
#include "cli/recordings.h"
#include "commands/commands.h"

#define TEXT_MAX (64u << 20)

/* The words typed, one to a line: each may be something, or all together. */
static int read_words(struct call *call, struct buffer *text)
{
    for (size_t i = 0; i < call->argument_count; i++) {
        const char *word = call->arguments[i];

        if (buffer_append(text, word, strlen(word)) < 0 || buffer_append(text, "\n", 1) < 0)
            return call_no_memory(call);
    }
    return STATUS_DONE;
}

static int read_text(struct call *call, struct buffer *text)
{
    const char *file = call_option(call, "file");
    bool input = call->argument_count == 1 && strcmp(call->arguments[0], "-") == 0;
    int rc;

    if (file != NULL && call->argument_count > 0)
        return call_fail(call, STATUS_USAGE, "", "there is a file and text: which is to be decoded?");
    if (file == NULL && !input && call->argument_count > 0)
        return read_words(call, text);
    rc = call_read_file(call, file != NULL ? file : "-", TEXT_MAX, text);
    return rc < 0 ? call_fail_rc(call, rc, "cannot read %s", file != NULL ? file : "the input") : STATUS_DONE;
}

static bool is_capture(const struct buffer *text)
{
    return text->length >= 4 && memcmp(text->data, "\x0A\x0D\x0D\x0A", 4) == 0;
}

static int add_text(struct buffer *text, const char *words)
{
    return buffer_append(text, words, strlen(words));
}

/* Text and hex, which is freed. */
static int add_member(struct buffer *text, const char *words, char *hex)
{
    int rc = hex != NULL ? add_text(text, words) : RC_NO_MEMORY;

    if (rc == RC_OK)
        rc = add_text(text, hex);
    if (hex != NULL)
        secret_wipe(hex, strlen(hex));
    free(hex);
    return rc;
}

static int add_apdu(struct buffer *text, const struct recorded_apdu *apdu)
{
    int rc = add_member(text, "{\"t\":\"apdu\",\"c\":\"", recordings_command_hex(apdu));

    if (rc == RC_OK && !apdu->failed)
        rc = add_member(text, "\",\"sw\":\"", hex_new(apdu->response.data, apdu->response.length));
    return rc == RC_OK ? add_text(text, "\"}\n") : rc;
}

/* A capture is no text: its exchanges as lines in its place. */
static int read_capture(struct call *call, struct buffer *text)
{
    const char *file = call_option(call, "file");
    struct recording_list list;
    int rc = RC_OK, status;

    if (file == NULL)
        return call_fail(call, STATUS_USAGE, "Name its file with --file.", "a capture (pcapng) is no text");
    status = recordings_load(call, file, &list);
    if (status != STATUS_DONE)
        return status;
    text->length = 0;
    if (list.atr.length > 0)
        rc = add_member(text, "{\"t\":\"atr\",\"atr\":\"", hex_new(list.atr.data, list.atr.length));
    if (rc == RC_OK && list.atr.length > 0)
        rc = add_text(text, "\"}\n");
    for (size_t i = 0; i < list.count && rc == RC_OK; i++)
        rc = add_apdu(text, &list.apdus[i]);
    recordings_fini(&list);
    return rc == RC_OK ? STATUS_DONE : call_no_memory(call);
}

static enum explain_kind wanted_kind(const struct call *call)
{
    static const struct {
        const char *word;
        enum explain_kind kind;
    } words[] = {{"atr", KIND_ATR},     {"apdu", KIND_COMMAND}, {"response", KIND_RESPONSE},
                 {"sw", KIND_RESPONSE}, {"tlv", KIND_TLV},      {"ccid", KIND_CCID},
                 {"error", KIND_ERROR}};
    const char *as = call_option(call, "as");

    for (size_t i = 0; as != NULL && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, as) == 0)
            return words[i].kind;
    return KIND_UNKNOWN;
}

static int run(struct call *call)
{
    const char *name = call_option(call, "application");
    const struct aid *aid = name != NULL ? aid_by_name(name) : NULL;
    struct buffer text = {0};
    int status;

    if (name != NULL && aid == NULL)
        return call_fail(call, STATUS_USAGE,
                         "Known are piv, openpgp, fido, oath, isd, usim, emrtd, visa and others.",
                         "there is no application called %s", name);
    status = read_text(call, &text);
    if (status == STATUS_DONE && is_capture(&text))
        status = read_capture(call, &text);
    if (status == STATUS_DONE)
        status = decode_text(call, &text, wanted_kind(call), aid != NULL ? aid->context : EXPLAIN_ISO);
    buffer_fini(&text);
    return status;
}

static const struct argument_spec arguments[] = {
    {"TEXT", VALUE_TEXT, NULL, true, true, "bytes in hex, or lines of a log; - is standard input"},
    {0},
};

static const struct option_spec options[] = {
    {"file", 'f', VALUE_FILE, "FILE", NULL, "decode what is in a file"},
    {"as", 0, VALUE_CHOICE, "KIND", "atr|apdu|response|sw|tlv|ccid|error|log",
     "what the bytes are, if they do not show it"},
    {"application", 'a', VALUE_TEXT, "NAME", NULL, "the application that they belong to, such as piv"},
    {0},
};

const struct command command_decode = {
    .name = "decode",
    .group = "Card",
    .summary = "explain bytes or a log: ATRs, APDUs, status words, TLV, CCID messages",
    .description =
        "Needs no reader. What the bytes are shows itself, or is said with --as. Logs of pcscd, opensc, gp,\n"
        "scriptor, pyscard, scdaemon, ykman and scard are read: all exchanges in them are explained, status\n"
        "words and data by the application selected last. Without TEXT and --file standard input is read.\n"
        "PINs and keys in commands are shown as ** unless --show-secrets is given.",
    .examples = "  scard decode 6A82\n  scard decode 0x80100069\n  scard decode 6F 06 84 04 31 50 41 59\n  "
                "scard decode -f pcscd.log\n"
                "  scard decode --application piv 6983",
    .arguments = arguments,
    .options = options,
    .needs = NEED_NOTHING,
    .flags = COMMAND_LOCAL,
    .run = run,
};
