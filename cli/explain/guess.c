/* SPDX-License-Identifier: MIT */
#include "cli/explain/guess.h"

#include "cli/explain/bytes.h"
#include "cli/explain/ins.h"
#include "iso/apdu.h"
#include "iso/atr.h"

const char *explain_kind_name(enum explain_kind kind)
{
    static const char *const names[] = {
        [KIND_UNKNOWN] = "bytes",     [KIND_ATR] = "atr",    [KIND_COMMAND] = "command",
        [KIND_RESPONSE] = "response", [KIND_TLV] = "tlv",    [KIND_CCID] = "ccid",
        [KIND_RESET] = "reset",       [KIND_ERROR] = "error"};

    return names[kind];
}

static bool is_atr(const uint8_t *bytes, size_t length)
{
    struct atr atr;

    return length >= 2 && (bytes[0] == 0x3B || bytes[0] == 0x3F) && !atr_parse(bytes, length, &atr) &&
           !(atr.faults & (ATR_TRAILING | ATR_HISTORY_SHORT | ATR_TOO_LONG));
}

/* Some application has an instruction of that name: with classes that are in use. */
static bool is_named(const uint8_t *bytes)
{
    uint8_t cla = bytes[0];

    if (cla >= 0x20 && cla < 0x80 && !(cla & 0x40))
        return false;
    for (int context = EXPLAIN_ISO; context < EXPLAIN_CONTEXTS; context++)
        if (explain_ins(cla, bytes[1], (enum explain_context)context))
            return true;
    return false;
}

static bool is_usual_class(uint8_t cla)
{
    return cla < 0x10 || (cla >= 0x80 && cla < 0x90) || cla == 0x90 || cla == 0xA0 || cla == 0xFF;
}

/* ISO 7816-3:2006, 12.2.1: SW1 is 6X or 9X, but not 60. */
static bool ends_in_status(const uint8_t *bytes, size_t length)
{
    uint8_t sw1;

    if (length < 2)
        return false;
    sw1 = bytes[length - 2];
    if (length == 2)
        return (sw1 > 0x60 && sw1 < 0x70) || sw1 >> 4 == 9;
    return (sw1 == 0x90 && !bytes[length - 1]) || sw1 == 0x61 || sw1 == 0x62 || sw1 == 0x63 || sw1 == 0x91;
}

/* A code of PC/SC, as programs and logs show it: 0x80100069. As a command that would be a TERMINAL PROFILE
 * without the profile. */
static bool is_error(const uint8_t *bytes, size_t length)
{
    return length == 4 && bytes[0] == 0x80 && bytes[1] == 0x10 && bytes[2] == 0;
}

enum explain_kind explain_guess(const uint8_t *bytes, size_t length)
{
    struct apdu apdu;

    if (length == 2 && ends_in_status(bytes, length))
        return KIND_RESPONSE;
    if (is_atr(bytes, length))
        return KIND_ATR;
    if (explain_is_ccid(bytes, length))
        return KIND_CCID;
    if (is_error(bytes, length))
        return KIND_ERROR;
    if (length >= 4 && is_usual_class(bytes[0]) && is_named(bytes) && !apdu_parse(bytes, length, &apdu, NULL))
        return KIND_COMMAND;
    /* 90 00 is an empty object as well. */
    if (ends_in_status(bytes, length) && explain_is_tlv(bytes, length - 2))
        return KIND_RESPONSE;
    if (explain_is_tlv(bytes, length))
        return KIND_TLV;
    if (ends_in_status(bytes, length))
        return KIND_RESPONSE;
    if (length >= 4 && is_named(bytes) &&
        (is_usual_class(bytes[0]) || !apdu_parse(bytes, length, &apdu, NULL)))
        return KIND_COMMAND;
    if (length > 2 && (bytes[0] == 0x3B || bytes[0] == 0x3F))
        return KIND_ATR;
    return KIND_UNKNOWN;
}
