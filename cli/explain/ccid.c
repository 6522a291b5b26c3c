/* SPDX-License-Identifier: MIT */
/* explain_ccid (CCID 1.1, 6) */
#include <stdio.h>

#include "cli/explain/bytes.h"
#include "iso/atr.h"

#define HEADER 10

struct message {
    uint8_t type;
    const char *name;
    const char *bytes[3]; /* 7 to 9, if they have a meaning of their own */
};

static const struct message commands[] = {
    {0x61, "SetParameters", {"bProtocolNum"}},
    {0x62, "IccPowerOn", {"bPowerSelect"}},
    {0x63, "IccPowerOff", {0}},
    {0x65, "GetSlotStatus", {0}},
    {0x69, "Secure", {"bBWI", "wLevelParameter"}},
    {0x6A, "T0APDU", {"bmChanges", "bClassGetResponse", "bClassEnvelope"}},
    {0x6B, "Escape", {0}},
    {0x6C, "GetParameters", {0}},
    {0x6D, "ResetParameters", {0}},
    {0x6E, "IccClock", {"bClockCommand"}},
    {0x6F, "XfrBlock", {"bBWI", "wLevelParameter"}},
    {0x71, "Mechanical", {"bFunction"}},
    {0x72, "Abort", {0}},
    {0x73, "SetDataRateAndClockFrequency", {0}},
};

static const struct message answers[] = {
    {0x80, "DataBlock", {"bStatus", "bError", "bChainParameter"}},
    {0x81, "SlotStatus", {"bStatus", "bError", "bClockStatus"}},
    {0x82, "Parameters", {"bStatus", "bError", "bProtocolNum"}},
    {0x83, "Escape", {"bStatus", "bError"}},
    {0x84, "DataRateAndClockFrequency", {"bStatus", "bError"}},
};

static const struct message *find(uint8_t type)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (commands[i].type == type)
            return &commands[i];
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (answers[i].type == type)
            return &answers[i];
    return NULL;
}

static size_t said_length(const uint8_t *bytes)
{
    return (size_t)bytes[1] | (size_t)bytes[2] << 8 | (size_t)bytes[3] << 16 | (size_t)bytes[4] << 24;
}

bool explain_is_ccid(const uint8_t *bytes, size_t length)
{
    return length >= HEADER && find(bytes[0]) && said_length(bytes) == length - HEADER;
}

/* 6.2.6, tables 6.2-1 and 6.2-2. */
static const char *error_name(uint8_t error)
{
    static const struct {
        uint8_t error;
        const char *name;
    } names[] = {
        {0x00, "command not supported"},
        {0xE0, "slot is busy"},
        {0xEF, "PIN entry cancelled"},
        {0xF0, "PIN entry timed out"},
        {0xF2, "busy with an automatic sequence"},
        {0xF3, "deactivated protocol"},
        {0xF4, "procedure byte conflict"},
        {0xF5, "class not supported"},
        {0xF6, "protocol not supported"},
        {0xF7, "wrong check byte in the ATR"},
        {0xF8, "wrong TS in the ATR"},
        {0xFB, "hardware error"},
        {0xFC, "overrun"},
        {0xFD, "parity error"},
        {0xFE, "card mute"},
        {0xFF, "command aborted"},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].error == error)
            return names[i].name;
    return error < 0x80 ? NULL : "vendor's error";
}

static void add_state(const uint8_t *bytes, size_t base, unsigned depth, struct explanation *out)
{
    static const char *const cards[4] = {"card active", "card inactive", "no card", "reserved"};
    static const char *const states[4] = {"done", "failed", "more time wanted", "reserved"};
    const char *error = error_name(bytes[8]);

    explanation_add(out, depth, base + 7, 1, "bStatus", "%s, %s", cards[bytes[7] & 3], states[bytes[7] >> 6]);
    explanation_add(out, depth, base + 8, 1, "bError", "%s", "");
    if (bytes[7] >> 6 == 1 && error)
        explanation_more(out, "%s", error);
    else if (bytes[7] >> 6 == 1)
        explanation_more(out, "byte %u of the command is wrong", bytes[8]);
    else if (bytes[7] >> 6 == 2)
        explanation_more(out, "%u times the waiting time", bytes[8]);
}

static void say_parameter(uint8_t type, const char *label, uint8_t byte, struct explanation *out)
{
    static const char *const powers[4] = {"automatic", "5 V", "3 V", "1.8 V"};

    if (type == 0x62)
        explanation_more(out, "%s", byte < 4 ? powers[byte] : "reserved");
    else if (type == 0x61 || (type == 0x82 && label[1] == 'P'))
        explanation_more(out, "T=%u", byte);
    else if (type == 0x6E)
        explanation_more(out, "%s", byte ? "stop" : "restart");
    else if (label[1] == 'B' && byte)
        explanation_more(out, "%u times the waiting time", byte);
    else if (type == 0x81)
        explanation_more(out, "clock %s", !byte ? "runs" : byte < 4 ? "stopped" : "reserved");
}

/* The three bytes whose meaning is the type's. */
static void add_own(const struct message *message, const uint8_t *bytes, size_t base, unsigned depth,
                    struct explanation *out)
{
    size_t at = 7;

    if (message->type >= 0x80) {
        add_state(bytes, base, depth, out);
        at = 9;
    }
    for (; at < HEADER; at++) {
        const char *label = message->bytes[at - 7];
        bool word = label && label[0] == 'w';

        if (!label) {
            explanation_add(out, depth, base + at, HEADER - at, "abRFU", "%s", "");
            return;
        }
        explanation_add(out, depth, base + at, word ? 2 : 1, label, "%s", "");
        say_parameter(message->type, label, bytes[at], out);
        if (word)
            return;
    }
}

/* 6.1.7, 6.2.3. */
static void add_parameters(const uint8_t *bytes, size_t length, size_t base, unsigned depth,
                           struct explanation *out)
{
    unsigned fi, di, fmax_khz;

    if (length != 5 && length != 7) {
        explanation_add(out, depth, base, length, "data", "%zu bytes", length);
        return;
    }
    explanation_add(out, depth, base, 1, "bmFindexDindex", "%s", "");
    if (atr_fi_di(bytes[0], &fi, &di, &fmax_khz))
        explanation_more(out, "Fi=%u, Di=%u", fi, di);
    explanation_add(out, depth, base + 1, 1, "bmTCCKS", "%s convention", bytes[1] & 2 ? "inverse" : "direct");
    if (length == 7)
        explanation_more(out, ", %s", bytes[1] & 1 ? "CRC" : "LRC");
    explanation_add(out, depth, base + 2, 1, "bGuardTime", "N=%u", bytes[2]);
    explanation_add(out, depth, base + 3, 1, length == 7 ? "bmWaitingIntegers" : "bWaitingInteger", "%s", "");
    if (length == 7)
        explanation_more(out, "BWI=%u, CWI=%u", bytes[3] >> 4, bytes[3] & 15);
    else
        explanation_more(out, "WI=%u", bytes[3]);
    explanation_add(out, depth, base + 4, 1, "bClockStop", "%s", "");
    if (length == 7) {
        explanation_add(out, depth, base + 5, 1, "bIFSC", "blocks of up to %u bytes", bytes[5]);
        explanation_add(out, depth, base + 6, 1, "bNadValue", "%s", "");
    }
}

/* A T=1 block with an LRC (ISO 7816-3:2006, 11.3). */
static bool is_block(const uint8_t *bytes, size_t length)
{
    uint8_t sum = 0;

    if (length < 4 || bytes[2] == 0xFF || length != bytes[2] + 4U)
        return false;
    for (size_t i = 0; i < length; i++)
        sum ^= bytes[i];
    return !sum;
}

static void say_block(uint8_t pcb, struct explanation *out)
{
    static const char *const requests[32] = {[0] = "RESYNCH", [1] = "IFS", [2] = "ABORT", [3] = "WTX"};

    if (!(pcb & 0x80))
        explanation_more(out, "I-block N(S)=%u%s", pcb >> 6 & 1, pcb & 0x20 ? ", more follow" : "");
    else if (!(pcb & 0x40))
        explanation_more(out, "R-block N(R)=%u%s", pcb >> 4 & 1,
                         !(pcb & 15)       ? ""
                         : (pcb & 15) == 1 ? ", checksum or parity wrong"
                                           : ", other error");
    else
        explanation_more(out, "S-block %s %s", requests[pcb & 31] ? requests[pcb & 31] : "reserved",
                         pcb & 0x20 ? "response" : "request");
}

static void add_carried(const uint8_t *bytes, size_t length, bool answer, enum explain_context context,
                        size_t base, unsigned depth, struct explanation *out);

static void add_block(const uint8_t *bytes, size_t length, bool answer, enum explain_context context,
                      size_t base, unsigned depth, struct explanation *out)
{
    size_t before = out->count;
    bool hidden = false;

    explanation_add(out, depth, base, 1, "NAD", "%s", "");
    explanation_add(out, depth, base + 1, 1, "PCB", "%s", "");
    say_block(bytes[1], out);
    explanation_add(out, depth, base + 2, 1, "LEN", "%u bytes", bytes[2]);
    if (bytes[2] && !(bytes[1] & 0x80))
        add_carried(bytes + 3, bytes[2], answer, context, base + 3, depth + 1, out);
    else if (bytes[2])
        explanation_add(out, depth, base + 3, bytes[2], "INF", "%s", "");
    for (size_t i = before; i < out->count; i++)
        hidden |= out->parts[i].secret;
    explanation_add(out, depth, base + length - 1, 1, "LRC", "right");
    /* It tells a byte of what is hidden. */
    if (hidden)
        explanation_hide(out);
}

static void add_carried(const uint8_t *bytes, size_t length, bool answer, enum explain_context context,
                        size_t base, unsigned depth, struct explanation *out)
{
    struct atr atr;

    if (answer && (bytes[0] == 0x3B || bytes[0] == 0x3F) && !atr_parse(bytes, length, &atr))
        explain_atr(bytes, length, base, depth, out);
    else if (answer && length >= 2)
        explain_response(bytes, length, NULL, 0, context, base, depth, out);
    else if (!answer && length >= 4)
        explain_command(bytes, length, false, context, base, depth, out);
    else
        explanation_add(out, depth, base, length, "data", "%zu bytes", length);
}

static void add_data(const struct message *message, const uint8_t *bytes, size_t length,
                     enum explain_context context, size_t base, unsigned depth, struct explanation *out)
{
    if (message->type == 0x61 || message->type == 0x82)
        add_parameters(bytes, length, base, depth, out);
    else if (message->type != 0x6F && message->type != 0x80)
        explanation_add(out, depth, base, length, "data", "%zu bytes", length);
    else if (is_block(bytes, length))
        add_block(bytes, length, message->type == 0x80, context, base, depth, out);
    else
        add_carried(bytes, length, message->type == 0x80, context, base, depth, out);
}

/* 6.3.1: two bits for each slot, present and changed. */
static void add_notice(const uint8_t *bytes, size_t length, size_t base, unsigned depth,
                       struct explanation *out)
{
    explanation_add(out, depth, base, 1, "bMessageType", "NotifySlotChange");
    explanation_add(out, depth, base + 1, length - 1, "bmSlotICCState", "%s", "");
    for (size_t slot = 0; slot < 4 * (length - 1); slot++) {
        unsigned bits = bytes[1 + slot / 4] >> 2 * (slot % 4) & 3;

        if (bits || !slot)
            explanation_more(out, "%sslot %zu: %s%s", slot ? "; " : "", slot, bits & 1 ? "card" : "no card",
                             bits & 2 ? ", changed" : "");
    }
}

void explain_ccid(const uint8_t *bytes, size_t length, enum explain_context context, size_t base,
                  unsigned depth, struct explanation *out)
{
    const struct message *message = length ? find(bytes[0]) : NULL;
    size_t said, there;

    if (length >= 2 && bytes[0] == 0x50) {
        add_notice(bytes, length, base, depth, out);
        return;
    }
    if (!message || length < HEADER) {
        explanation_add(out, depth, base, length, "?", "no message of a reader: %s",
                        message ? "shorter than its ten bytes of header" : "unknown type");
        return;
    }
    said = said_length(bytes);
    there = length - HEADER;
    explanation_add(out, depth, base, 1, "bMessageType", "%s, %s the reader", message->name,
                    message->type >= 0x80 ? "from" : "to");
    explanation_add(out, depth, base + 1, 4, "dwLength", "%zu byte%s", said, said == 1 ? "" : "s");
    explanation_add(out, depth, base + 5, 1, "bSlot", "%u", bytes[5]);
    explanation_add(out, depth, base + 6, 1, "bSeq", "%u", bytes[6]);
    add_own(message, bytes, base, depth, out);
    if (said < there)
        there = said;
    if (there)
        add_data(message, bytes + HEADER, there, context, base + HEADER, depth, out);
    if (said != length - HEADER)
        explanation_add(out, depth, base + HEADER + there, length - HEADER - there, "?",
                        "it says %zu bytes of data, %zu are there", said, length - HEADER);
}
