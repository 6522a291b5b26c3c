/* SPDX-License-Identifier: MIT */
/* CCID answers: the first three bytes choose the command, the rest is what the reader sent. */
#include "base/rc.h"
#include "driver/ccid_message.h"
#include "tests/fuzz/fuzz.h"

static void check_answer(const struct ccid_command *command, const struct ccid_answer *answer,
                         const uint8_t *bytes, size_t size)
{
    struct ccid_parameters parameters, again;
    uint8_t data[CCID_PARAMETERS_MAX];
    int rc = ccid_rc(command, answer);

    FUZZ_CHECK(answer->failed ? !answer->length : answer->length == size - CCID_HEADER);
    FUZZ_CHECK(!answer->data || fuzz_inside(answer->data, answer->length, bytes, size));
    FUZZ_CHECK(answer->failed || rc == RC_OK);
    FUZZ_CHECK(rc <= CCID_BUSY);
    FUZZ_CHECK(*ccid_error_text(answer->error));
    if (ccid_parameters_parse(answer->parameter, answer->data, answer->length, &parameters) == RC_OK) {
        size_t length = ccid_parameters_build(&parameters, data);

        FUZZ_CHECK(length <= answer->length && data[0] == answer->data[0] && data[3] == answer->data[3]);
        FUZZ_CHECK(ccid_parameters_parse(parameters.protocol, data, length, &again) == RC_OK);
        FUZZ_CHECK(again.inverse == parameters.inverse && again.crc == parameters.crc);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct ccid_command command = {0};
    struct ccid_answer answer;
    bool present, changed;
    uint8_t slot, seq, code;
    int rc;

    if (size < 3)
        return 0;
    command.type = input[0];
    command.slot = input[1];
    command.seq = input[2];
    input += 3;
    size -= 3;
    rc = ccid_check(&command, input, size, &answer);
    if (rc == CCID_ANSWERED)
        check_answer(&command, &answer, input, size);
    else
        FUZZ_CHECK(rc == CCID_FOREIGN || rc == RC_IO || (answer.extension >= 1 && answer.extension <= 255));
    FUZZ_CHECK(rc != CCID_WAIT || size >= CCID_HEADER);
    rc = ccid_slot_of(input, size, command.slot);
    FUZZ_CHECK(rc == RC_IO || (rc >= 0 && rc < command.slot));
    for (unsigned i = 0; i < 256; i++)
        FUZZ_CHECK(!ccid_notice_slot(input, size, i, &present, &changed) || size > 1 + i / 4);
    FUZZ_CHECK(!ccid_notice_hardware(input, size, &slot, &seq, &code) || size >= 4);
    return 0;
}
