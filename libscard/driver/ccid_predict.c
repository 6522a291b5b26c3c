/* SPDX-License-Identifier: MIT */
#include "driver/ccid_predict.h"

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_message.h"
#include "iso/apdu.h"

#define SHORT_COMMAND 261
#define SHORT_LE 256

static size_t message_room(const struct ccid_descriptor *descriptor)
{
    return descriptor->max_message - CCID_HEADER;
}

/* CCID 1.1, 3.2: at extended APDU level commands are split over messages, T=1 chains blocks, and characters
 * go piece by piece; a short APDU and a T=0 TPDU each are one message. */
static bool is_one_message(const struct ccid_descriptor *descriptor, enum protocol protocol)
{
    return descriptor->level == CCID_SHORT_APDU ||
           (descriptor->level == CCID_TPDU && protocol == PROTOCOL_T0);
}

struct ccid_limits ccid_limits(const struct ccid_descriptor *descriptor, enum protocol protocol)
{
    struct ccid_limits limits = {SHORT_COMMAND, SHORT_LE};

    if (descriptor->level == CCID_EXTENDED_APDU)
        return (struct ccid_limits){APDU_COMMAND_MAX, SIZE_MAX};
    if (descriptor->level != CCID_SHORT_APDU && protocol != PROTOCOL_T0)
        return (struct ccid_limits){SIZE_MAX, SIZE_MAX};
    if (is_one_message(descriptor, protocol) && limits.command > message_room(descriptor))
        limits.command = message_room(descriptor);
    return limits;
}

/* What of the APDU is in the message: T=0 has no place for the Le of case 4 (ISO 7816-3:2006, 12.2.5). */
static size_t carried(const struct ccid_descriptor *descriptor, size_t command_length, size_t le)
{
    bool cut = descriptor->level == CCID_TPDU && le && command_length > 5 && command_length <= SHORT_COMMAND;

    return cut ? command_length - 1 : command_length;
}

static int refuse_command(const struct ccid_descriptor *descriptor, size_t limit, size_t length)
{
    switch (descriptor->level) {
    case CCID_EXTENDED_APDU:
        return detail_set(RC_UNSUPPORTED,
                          "the command has %zu bytes: no APDU has more than %zu; send it in parts", length,
                          limit);
    case CCID_SHORT_APDU:
        return detail_set(RC_UNSUPPORTED,
                          "this reader takes short APDUs only (at most %zu bytes; dwMaxCCIDMessageLength "
                          "%lu): the command has %zu bytes; use command chaining or a reader of extended "
                          "APDU level",
                          limit, (unsigned long)descriptor->max_message, length);
    case CCID_TPDU:
    case CCID_CHARACTER:
        break;
    }
    return detail_set(RC_UNSUPPORTED,
                      "with T=0 this reader takes short APDUs only (at most %zu bytes; "
                      "dwMaxCCIDMessageLength %lu): the command has %zu bytes; use command chaining, or T=1 "
                      "if the card speaks it",
                      limit, (unsigned long)descriptor->max_message, length);
}

static int refuse_le(const struct ccid_descriptor *descriptor, size_t limit, size_t le)
{
    if (descriptor->level == CCID_SHORT_APDU)
        return detail_set(RC_UNSUPPORTED,
                          "this reader takes short APDUs only (Le at most %zu): Le is %zu; read in parts or "
                          "use a reader of extended APDU level",
                          limit, le);
    return detail_set(
        RC_UNSUPPORTED,
        "with T=0 this reader takes short APDUs only (Le at most %zu): Le is %zu; read in parts, "
        "or use T=1 if the card speaks it",
        limit, le);
}

int ccid_predict(const struct ccid_descriptor *descriptor, enum protocol protocol, size_t command_length,
                 size_t le)
{
    struct ccid_limits limits = ccid_limits(descriptor, protocol);

    if (le > limits.le)
        return refuse_le(descriptor, limits.le, le);
    if (carried(descriptor, command_length, le) > limits.command)
        return refuse_command(descriptor, limits.command, command_length);
    return RC_OK;
}
