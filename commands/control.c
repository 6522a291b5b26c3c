/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <reader.h>
#include <scard.h>

#include "base/bytes.h"
#include "cli/call.h"
#include "cli/features.h"
#include "cli/names.h"
#include "commands/commands.h"

/* No length query exists for SCardControl; no answer is longer than the longest message. */
#define ROOM (MAX_BUFFER_SIZE_EXTENDED + 10)

static int send_control(struct call *call, DWORD code, const struct buffer *data, struct buffer *answer)
{
    DWORD length = 0;
    LONG result;

    if (buffer_reserve(answer, ROOM) < 0)
        return call_no_memory(call);
    result = SCardControl(call->desk->card, code, data->data, data->length, answer->data, ROOM, &length);
    if (result != SCARD_S_SUCCESS)
        return call_fail_scard(call, result, "control code 0x%08lX on %s", code, call->reader);
    answer->length = length;
    return STATUS_DONE;
}

static int show_answer(struct call *call, DWORD code, const struct buffer *answer)
{
    struct record record;

    record_init(&record, "control", RECORD_ROW);
    record_format(&record, SHOW_JSON, "code", "0x%08lX", code);
    record_hex(&record, answer->length > 0 ? SHOW_ALL : SHOW_JSON, "answer", answer->data, answer->length);
    if (answer->length == 0)
        record_people(&record, "Done; no data in the answer.");
    output_record(call->output, &record);
    record_fini(&record);
    return STATUS_DONE;
}

static int show_features(struct call *call, const struct buffer *answer)
{
    struct bytes in = bytes_of(answer->data, answer->length);

    if (in.left == 0)
        return call_fail(call, STATUS_TRANSPORT, "It has neither PIN pad nor display to speak of.",
                         "%s offers no features", call->reader);
    while (in.left > 0) { /* PC/SC part 10, 2.2: tag, length 4, control code */
        uint8_t tag = bytes_u8(&in), length = bytes_u8(&in);
        uint32_t code = bytes_u32be(&in);
        struct record record;

        if (!bytes_ok(&in) || length != 4)
            return call_fail(call, STATUS_TRANSPORT, "", "%s gave a malformed list of features",
                             call->reader);
        record_init(&record, "feature", RECORD_ROW);
        record_text(&record, SHOW_ALL, "name", features_name(tag));
        record_format(&record, SHOW_ALL, "code", "0x%08X", (unsigned)code);
        record_number(&record, SHOW_JSON | SHOW_BARE, "tag", tag);
        output_record(call->output, &record);
        record_fini(&record);
    }
    return STATUS_DONE;
}

static bool find_code(const char *text, DWORD *ret_code)
{
    uint64_t number;

    if (strcmp(text, "insert") == 0)
        *ret_code = SCARD_CTL_SIM_INSERT;
    else if (strcmp(text, "remove") == 0)
        *ret_code = SCARD_CTL_SIM_REMOVE;
    else if (strcmp(text, "features") == 0)
        *ret_code = CM_IOCTL_GET_FEATURE_REQUEST;
    else if (names_number_parse(text, &number) && number <= UINT32_MAX)
        *ret_code = number;
    else
        return false;
    return true;
}

static int run(struct call *call)
{
    const char *text = call_argument(call, 0), *hex = call_argument(call, 1);
    struct buffer data = {0}, answer = {0};
    int status = STATUS_DONE;
    DWORD code;

    if (!find_code(text, &code))
        return call_fail(call, STATUS_USAGE, "Give a number (0x42000D48) or insert, remove, features.",
                         "there is no control code \"%s\"", text);
    if (hex != NULL)
        status = call_hex(call, hex, &data);
    if (status == STATUS_DONE)
        status = send_control(call, code, &data, &answer);
    if (status == STATUS_DONE)
        status =
            strcmp(text, "features") == 0 ? show_features(call, &answer) : show_answer(call, code, &answer);
    buffer_fini(&data);
    buffer_fini(&answer);
    return status;
}

static const struct argument_spec arguments[] = {
    {"CODE", VALUE_TEXT, "insert|remove|features", false, false, "control code: a number, or a name"},
    {"DATA", VALUE_HEX, NULL, true, false, "data for it, in hex"},
    {0},
};

const struct command command_control = {
    .name = "control",
    .group = "Readers",
    .summary = "send a command to the reader itself",
    .description = "SCardControl. Works without a card. features lists what a reader with PIN pad or display "
                   "offers, with the\n"
                   "control codes for it (PC/SC part 10); insert and remove put the card of a simulated "
                   "reader in and out.",
    .examples = "  scard control -r 0 features\n  scard control -r sim:iso remove\n  scard control "
                "0x42000001 E000000100",
    .arguments = arguments,
    .needs = NEED_DIRECT,
    .run = run,
};
