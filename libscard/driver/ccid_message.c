/* SPDX-License-Identifier: MIT */
#include "driver/ccid_message.h"

#include <string.h>

#include "base/log.h"
#include "base/rc.h"

#define STATUS_CARD 0x03
#define STATUS_FAILED 0x40
#define STATUS_EXTENSION 0x80
#define STATUS_COMMAND 0xC0
#define NOTICE_SLOTS 0x50
#define NOTICE_HARDWARE 0x51

static uint32_t u32le(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

int ccid_build(const struct ccid_command *command, uint8_t *out, size_t capacity, size_t *ret_length)
{
    size_t length = command->length;

    if (length > UINT32_MAX - CCID_HEADER)
        return RC_INVALID_VALUE;
    *ret_length = CCID_HEADER + length;
    if (*ret_length > capacity)
        return detail_set(RC_INSUFFICIENT_BUFFER,
                          "message of %zu bytes is longer than the %zu that the reader takes", *ret_length,
                          capacity);
    out[0] = command->type;
    for (unsigned i = 0; i < 4; i++)
        out[1 + i] = (uint8_t)(length >> 8 * i);
    out[5] = command->slot;
    out[6] = command->seq;
    out[7] = command->parameter;
    out[8] = (uint8_t)command->level;
    out[9] = (uint8_t)(command->level >> 8);
    if (length)
        memcpy(out + CCID_HEADER, command->data, length);
    return RC_OK;
}

uint8_t ccid_answer_type(uint8_t command_type)
{
    switch (command_type) {
    case CCID_POWER_ON:
    case CCID_SECURE:
    case CCID_XFR_BLOCK:
        return CCID_DATA_BLOCK;
    case CCID_POWER_OFF:
    case CCID_GET_SLOT_STATUS:
    case CCID_T0_APDU:
    case CCID_CLOCK:
    case CCID_MECHANICAL:
    case CCID_ABORT:
        return CCID_SLOT_STATUS;
    case CCID_SET_PARAMETERS:
    case CCID_GET_PARAMETERS:
    case CCID_RESET_PARAMETERS:
        return CCID_PARAMETERS;
    case CCID_ESCAPE:
        return CCID_ESCAPE_ANSWER;
    case CCID_SET_RATE:
        return CCID_RATE;
    default:
        return 0;
    }
}

/* A reader that does not know a command cannot know what answers it. */
static bool is_type_of(const struct ccid_command *command, uint8_t type, bool failed)
{
    return type == ccid_answer_type(command->type) || (failed && type == CCID_SLOT_STATUS);
}

int ccid_check(const struct ccid_command *command, const uint8_t *bytes, size_t received,
               struct ccid_answer *ret_answer)
{
    struct ccid_answer answer = {0};

    if (!received) /* a stray zero-length packet */
        return CCID_FOREIGN;
    if (received < CCID_HEADER)
        return detail_set(RC_IO, "reader sent a message of %zu bytes, too short for CCID", received);
    if (bytes[5] != command->slot || bytes[6] != command->seq) {
        log_debug("CCID: dropped message %02X of slot %u, number %u; waiting for slot %u, number %u",
                  (unsigned)bytes[0], (unsigned)bytes[5], (unsigned)bytes[6], (unsigned)command->slot,
                  (unsigned)command->seq);
        return CCID_FOREIGN;
    }
    answer.card = (enum ccid_card)(bytes[7] & STATUS_CARD);
    /* Before the type: some readers have another one in these. */
    if ((bytes[7] & STATUS_COMMAND) == STATUS_EXTENSION) {
        answer.extension = bytes[8] ? bytes[8] : 1;
        *ret_answer = answer;
        return CCID_WAIT;
    }
    if (u32le(bytes + 1) != received - CCID_HEADER)
        return detail_set(RC_IO, "reader sent %zu bytes in a message that says %lu", received - CCID_HEADER,
                          (unsigned long)u32le(bytes + 1));
    answer.failed = bytes[7] & STATUS_FAILED;
    if (!is_type_of(command, bytes[0], answer.failed))
        return detail_set(RC_IO, "reader answered command %02X with message %02X", (unsigned)command->type,
                          (unsigned)bytes[0]);
    answer.parameter = bytes[9];
    if (answer.failed) {
        answer.error = bytes[8];
    } else {
        answer.data = bytes + CCID_HEADER;
        answer.length = received - CCID_HEADER;
    }
    *ret_answer = answer;
    return CCID_ANSWERED;
}

int ccid_slot_of(const uint8_t *bytes, size_t received, unsigned slots)
{
    if (received < CCID_HEADER)
        return detail_set(RC_IO, "reader sent a message of %zu bytes, too short for CCID", received);
    if (bytes[5] >= slots)
        return detail_set(RC_IO, "reader sent a message for slot %u; it has %u", (unsigned)bytes[5], slots);
    return bytes[5];
}

static const struct {
    uint8_t error;
    int rc; /* for an exchange with the card */
    const char *text;
} errors[] = {
    {CCID_NOT_SUPPORTED, RC_UNSUPPORTED, "command not supported"},
    {CCID_BAD_SLOT, RC_READER_UNAVAILABLE, "slot does not exist"},
    {CCID_SHORT_CIRCUIT, RC_NOT_TRANSACTED, "short circuit (vendor's code)"},
    {CCID_ATR_TOO_LONG, RC_NOT_TRANSACTED, "ATR too long (vendor's code)"},
    {CCID_NO_DATA, RC_NOT_TRANSACTED, "no data exchanged (vendor's code)"},
    {CCID_EMV_MODE, RC_NOT_TRANSACTED, "reader is in EMV mode (vendor's code)"},
    {CCID_NOT_EMV, RC_NOT_TRANSACTED, "card breaks the rules of EMV (vendor's code)"},
    {CCID_T1_ERROR, RC_NOT_TRANSACTED, "T=1 protocol error (vendor's code)"},
    {CCID_APDU_LENGTH, RC_NOT_TRANSACTED, "wrong length of the APDU (vendor's code)"},
    {CCID_SLOT_BUSY, CCID_BUSY, "slot busy"},
    {CCID_PIN_CANCELLED, RC_CANCELLED, "PIN entry cancelled"},
    {CCID_PIN_TIMEOUT, RC_TIMEOUT, "PIN entry timed out"},
    {CCID_AUTOMATIC_BUSY, CCID_BUSY, "busy with an automatic sequence"},
    {CCID_DEACTIVATED, RC_PROTO_MISMATCH, "protocol deactivated"},
    {CCID_PROCEDURE_BYTE, RC_NOT_TRANSACTED, "procedure byte out of place"},
    {CCID_BAD_CLASS, RC_NOT_TRANSACTED, "class byte not supported"},
    {CCID_BAD_PROTOCOL, RC_PROTO_MISMATCH, "protocol not supported"},
    {CCID_BAD_TCK, RC_NOT_TRANSACTED, "wrong TCK in the ATR"},
    {CCID_BAD_TS, RC_NOT_TRANSACTED, "wrong TS in the ATR"},
    {CCID_HARDWARE, RC_NOT_TRANSACTED, "hardware error"},
    {CCID_OVERRUN, RC_NOT_TRANSACTED, "overrun on the line to the card"},
    {CCID_PARITY, RC_NOT_TRANSACTED, "parity error on the line to the card"},
    {CCID_MUTE, RC_MUTE, "card does not answer"},
    {CCID_ABORTED, RC_NOT_TRANSACTED, "command aborted"},
};

static size_t error_index(uint8_t error)
{
    size_t i = 0;

    while (i < sizeof errors / sizeof *errors && errors[i].error != error)
        i++;
    return i;
}

const char *ccid_error_text(uint8_t error)
{
    size_t i = error_index(error);

    if (i < sizeof errors / sizeof *errors)
        return errors[i].text;
    if (error <= CCID_LAST_OFFSET)
        return "a value in the message is wrong or not supported";
    return error >= 0x81 && error <= 0xC0 ? "unknown vendor's code" : "unknown error";
}

static bool is_about_card(uint8_t command_type)
{
    return command_type == CCID_POWER_ON || command_type == CCID_XFR_BLOCK || command_type == CCID_SECURE ||
           command_type == CCID_SET_PARAMETERS;
}

/* bError is an offset into the message (6.2.6, table 6.2-2). */
static int bad_field(uint8_t command_type, uint8_t error)
{
    if (command_type == CCID_SET_PARAMETERS && error >= 7)
        return CCID_KEPT;
    return command_type == CCID_XFR_BLOCK ? RC_NOT_TRANSACTED : RC_UNSUPPORTED;
}

static int failure(const struct ccid_command *command, const struct ccid_answer *answer)
{
    size_t i = error_index(answer->error);
    int rc = RC_NOT_TRANSACTED;

    if (i < sizeof errors / sizeof *errors)
        rc = errors[i].rc;
    else if (answer->error <= CCID_LAST_OFFSET)
        return bad_field(command->type, answer->error);
    if ((answer->error == CCID_PIN_CANCELLED || answer->error == CCID_PIN_TIMEOUT) &&
        command->type != CCID_SECURE)
        return RC_NOT_TRANSACTED;
    /* Whatever went wrong between reader and card, there is no ATR. */
    if (command->type == CCID_POWER_ON && (rc == RC_NOT_TRANSACTED || rc == RC_PROTO_MISMATCH))
        return RC_MUTE;
    return rc;
}

int ccid_rc(const struct ccid_command *command, const struct ccid_answer *answer)
{
    int rc;

    if (!answer->failed || (command->type == CCID_GET_SLOT_STATUS && answer->error != CCID_BAD_SLOT))
        return RC_OK;
    rc = failure(command, answer);
    if (rc < 0 && rc != RC_READER_UNAVAILABLE && answer->card == CCID_CARD_ABSENT &&
        is_about_card(command->type))
        return detail_set(RC_NO_CARD, "no card in the reader");
    if (rc < 0)
        return detail_set(rc, "reader refused command %02X: %s (error %02X)", (unsigned)command->type,
                          ccid_error_text(answer->error), (unsigned)answer->error);
    log_debug("CCID: command %02X: %s (error %02X)", (unsigned)command->type, ccid_error_text(answer->error),
              (unsigned)answer->error);
    return rc;
}

struct ccid_parameters ccid_parameters_of(const struct atr *atr, uint8_t protocol, uint8_t fd)
{
    return (struct ccid_parameters){
        .protocol = protocol,
        .fd = fd,
        .inverse = atr->inverse,
        .guard = atr->n,
        .clock_stop = atr->clock_stop,
        .wi = atr->wi,
        .crc = atr->crc,
        .bwi = atr->bwi,
        .cwi = atr->cwi,
        .ifsc = atr->ifsc,
    };
}

size_t ccid_parameters_build(const struct ccid_parameters *p, uint8_t ret_data[CCID_PARAMETERS_MAX])
{
    uint8_t convention = p->inverse ? 2 : 0;

    ret_data[0] = p->fd;
    ret_data[2] = p->guard;
    ret_data[4] = p->clock_stop;
    if (p->protocol == 0) {
        ret_data[1] = convention;
        ret_data[3] = p->wi;
        return 5;
    }
    ret_data[1] = (uint8_t)(0x10 | convention | (p->crc ? 1 : 0));
    ret_data[3] = (uint8_t)((p->bwi << 4) | (p->cwi & 0x0F));
    ret_data[5] = p->ifsc;
    ret_data[6] = p->nad;
    return 7;
}

int ccid_parameters_parse(uint8_t protocol, const uint8_t *data, size_t length,
                          struct ccid_parameters *ret_parameters)
{
    struct ccid_parameters p = {.protocol = protocol};

    if (protocol > 1)
        return detail_set(RC_UNSUPPORTED, "reader has set protocol %02X, which is neither T=0 nor T=1",
                          (unsigned)protocol);
    if (length < (protocol ? 7U : 5U))
        return detail_set(RC_IO, "reader told its parameters for T=%u in %zu bytes, too few",
                          (unsigned)protocol, length);
    p.fd = data[0];
    p.inverse = data[1] & 2;
    p.guard = data[2];
    p.clock_stop = data[4] & 3;
    if (protocol) {
        p.crc = data[1] & 1;
        p.bwi = data[3] >> 4;
        p.cwi = data[3] & 0x0F;
        p.ifsc = data[5];
        p.nad = data[6];
    } else {
        p.wi = data[3];
    }
    *ret_parameters = p;
    return RC_OK;
}

bool ccid_notice_slot(const uint8_t *bytes, size_t length, unsigned slot, bool *ret_present,
                      bool *ret_changed)
{
    size_t at = 1 + (size_t)slot / 4;
    unsigned bits;

    if (at >= length || bytes[0] != NOTICE_SLOTS)
        return false;
    bits = (unsigned)bytes[at] >> 2 * (slot % 4);
    *ret_present = bits & 1;
    *ret_changed = bits & 2;
    return true;
}

bool ccid_notice_hardware(const uint8_t *bytes, size_t length, uint8_t *ret_slot, uint8_t *ret_seq,
                          uint8_t *ret_code)
{
    if (length < 4 || bytes[0] != NOTICE_HARDWARE)
        return false;
    *ret_slot = bytes[1];
    *ret_seq = bytes[2];
    *ret_code = bytes[3];
    return true;
}
