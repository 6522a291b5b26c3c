/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "cli/call.h"
#include "cli/exchange.h"
#include "cli/names.h"
#include "cli/save.h"
#include "cli/secret.h"
#include "commands/commands.h"

struct sending {
    struct call *call;
    struct secret_source secrets;
    bool keep_going;
    unsigned number; /* of the APDU, from 1 */
    int first;       /* first status that was not STATUS_DONE */
};

/* Takes note of a result; true to stop. Going on makes sense only while the card still answers. */
static bool note(struct sending *sending, int status)
{
    if (status == STATUS_DONE)
        return false;
    if (sending->first == STATUS_DONE)
        sending->first = status;
    return !sending->keep_going || (status != STATUS_ANSWER && status != STATUS_USAGE);
}

static int send_lines(struct sending *sending)
{
    struct buffer line = {0};
    int rc, status = STATUS_DONE;

    while ((rc = call_read_line(sending->call, &line)) > 0) {
        const char *text = (const char *)line.data;

        text += strspn(text, " \t\r");
        if (*text == '\0' || *text == '#')
            continue;
        status = exchange_text(sending->call, text, ++sending->number, &sending->secrets);
        if (note(sending, status))
            break;
    }
    buffer_fini(&line);
    if (rc < 0)
        note(sending, call_fail_rc(sending->call, rc, "standard input"));
    return sending->first;
}

/* All are read before the first is sent: a mistake in the last must not leave the card half-way. */
static int send_arguments(struct sending *sending, const char *const *texts, size_t count)
{
    struct apdu_text *apdus = calloc(count, sizeof *apdus);
    int status = STATUS_DONE;

    if (apdus == NULL)
        return call_no_memory(sending->call);
    for (size_t i = 0; i < count && status == STATUS_DONE; i++)
        status = exchange_parse(sending->call, texts[i], (unsigned)i + 1, &sending->secrets, &apdus[i]);
    for (size_t i = 0; i < count && status == STATUS_DONE; i++)
        if (note(sending, exchange_send(sending->call, &apdus[i], ++sending->number)))
            break;
    for (size_t i = 0; i < count; i++)
        apdu_text_fini(&apdus[i]);
    free(apdus);
    return status != STATUS_DONE ? status : sending->first;
}

static bool is_byte(const char *text)
{
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    return strlen(text) == 2 && strspn(text, "0123456789abcdefABCDEF") == 2;
}

/* `apdu 00 A4 04 00`: a shell has taken one APDU apart. Taken one by one its bytes would be short commands.
 */
static char *joined(const struct call *call)
{
    size_t length = 1;
    char *text;
    bool apart = false;

    for (size_t i = 0; i < call->argument_count; i++) {
        length += strlen(call->arguments[i]) + 1;
        apart = apart || (call->argument_count > 1 && is_byte(call->arguments[i]));
    }
    text = apart ? calloc(1, length) : NULL;
    for (size_t i = 0, at = 0; text != NULL && i < call->argument_count; i++) {
        size_t size = strlen(call->arguments[i]);

        memcpy(text + at, call->arguments[i], size);
        text[at + size] = ' ';
        at += size + 1;
    }
    return text;
}

static int send_all(struct sending *sending)
{
    struct call *call = sending->call;
    char *one = joined(call);
    const char *texts[] = {one};
    int status;

    if (call->argument_count == 1 && strcmp(call->arguments[0], "-") == 0)
        return send_lines(sending);
    if (one == NULL)
        return send_arguments(sending, call->arguments, call->argument_count);
    status = send_arguments(sending, texts, 1);
    secret_wipe(one, strlen(one));
    free(one);
    return status;
}

/* Sends all; the data of the answers go into a file, if one is named. */
static int send_and_save(struct sending *sending)
{
    struct call *call = sending->call;
    const char *file = call_option(call, "output");
    struct buffer answers = {0};
    int status, saved = STATUS_DONE;

    if (file != NULL) {
        call->answers = &answers;
        call->hushed = strcmp(file, "-") == 0;
    }
    status = send_all(sending);
    call->answers = NULL;
    if (file != NULL && (status == STATUS_DONE || sending->keep_going))
        saved = save_file(call, file, answers.data, answers.length);
    buffer_fini(&answers);
    return status != STATUS_DONE ? status : saved;
}

static int run(struct call *call)
{
    struct sending sending = {.call = call, .keep_going = call_flag(call, "keep-going")};
    const char *card = call_option(call, "card");
    DWORD disposition;
    int status = secret_open(call, "pin", &sending.secrets);

    call->decode = call_flag(call, "decode");

    if (status != STATUS_DONE)
        return status;
    status = send_and_save(&sending);
    secret_close(&sending.secrets);
    /* A connection made for this command only ends with it; that of a session ends with disconnect. */
    if (card != NULL && call->desk != call->front->desk && names_disposition_parse(card, &disposition)) {
        LONG code = desk_disconnect(call->desk, disposition);

        if (code != SCARD_S_SUCCESS && status == STATUS_DONE)
            status = call_fail_scard(call, code, "disconnecting from %s", call->reader);
    }
    return status;
}

static const struct argument_spec arguments[] = {
    {"APDU", VALUE_APDU, NULL, false, true,
     "command APDUs, or - to read them from standard input, one a line"},
    {0},
};

static const struct option_spec options[] = {
    {"decode", 0, VALUE_NONE, NULL, NULL, "explain the data of answers; for people, not in pipes"},
    {"keep-going", 'k', VALUE_NONE, NULL, NULL, "go on after an answer that is not as expected"},
    {"output", 'o', VALUE_FILE, "FILE", NULL, "the data of the answers, as bytes; - is standard output"},
    {"pin-file", 0, VALUE_FILE, "FILE", NULL,
     "read {pin} and its like from FILE, one a line, in order of use"},
    {"pin-fd", 0, VALUE_DESCRIPTOR, "N", NULL, "read them from descriptor N"},
    {"pin-env", 0, VALUE_VARIABLE, "NAME", NULL, "read it from the environment variable NAME"},
    {"card", 0, VALUE_CHOICE, "WHAT", "leave|reset|unpower|eject",
     "what becomes of the card afterwards, without a session (leave; reset after a PIN)"},
    {0},
};

const struct command command_apdu = {
    .name = "apdu",
    .alias = "send",
    .group = "Card",
    .summary = "send APDUs to the card and print its answers",
    .description =
        "SCardTransmit. An APDU is written in full, with blanks, colons or commas between bytes "
        "as you like,\n"
        "  00A4040007A0000002471001 00        00:A4:04:00        \"00 A4 04 00\"\n"
        "or short as [CLA]INS[P1P2][:DATA][/LE], where CLA is 00 and P1P2 0000 unless written and "
        "Lc is counted:\n"
        "  a40400:a0000002471001/00           b00000/10          84/08\n"
        "DATA may hold \"text\", @FILE, - (standard input), and secrets that are asked for "
        "without echo or read with\n"
        "--pin-file or --pin-fd: 200001:{pin}, and {pin:8} filled up to 8 bytes with FF.\n"
        "\n"
        "=SW behind it is the answer expected: =9000, =61xx|9000, = for 9000; another answer is "
        "exit status 1. Without\n"
        "it 9000, 61xx, 62xx and 63xx except 63Cx (tries left) are right. The first wrong answer "
        "ends the command.\n"
        "\n"
        "In any order, behind it as well: ~/^6F/ the answer's data in hex match an extended regular "
        "expression;\n"
        ">FILE or >>FILE writes the data into a file or appends them, as bytes; @5s (with a unit, "
        "behind a blank)\n"
        "ends the exchange after that time, exit status 10; ! sends it as it stands, as --raw "
        "does.\n"
        "\n"
        "61xx is followed by GET RESPONSE, 6Cxx by the same command with the right Le, and for "
        "T=0 the Le of a\n"
        "command with data is cut; --raw switches all of it off, and the check of lengths. For "
        "pipes the output is\n"
        "one line for each APDU: the whole data, then the status word.",
    .examples =
        "  scard apdu -r 0 00A4040007A0000002471001\n  scard apdu a40400:a000000308= cb3fff:5c035fc102/00=\n"
        "  scard apdu '200080:{pin:8}=9000'\n  scard apdu d60000:@image.bin\n  scard apdu "
        "'cb3fff:5c035fc102/00=9000 ~/^53/ >chuid.bin @5s'\n  scard apdu -o certificate.der "
        "b00000/0000\n  grep -v '^#' script | scard "
        "apdu -",
    .arguments = arguments,
    .options = options,
    .needs = NEED_CARD,
    .run = run,
};
