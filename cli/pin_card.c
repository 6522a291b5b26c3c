/* SPDX-License-Identifier: MIT */
#include "cli/pin_card.h"

#include "base/rc.h"
#include "cli/application.h"
#include "cli/exchange.h"
#include "cli/explain/aid.h"
#include "iso/apdu.h"
#include "iso/sw.h"

#define SW_OK 0x9000
#define SW_BLOCKED 0x6983
#define SW_WRONG_P1P2 0x6A86
#define SW_NO_REFERENCE 0x6A88

#define SELECT 0xA4

const char *pin_condition_name(enum pin_condition condition)
{
    static const char *const names[] = {
        [PIN_VERIFIED] = "verified", [PIN_WAITS] = "not verified", [PIN_BLOCKED] = "blocked",
        [PIN_ABSENT] = "absent",     [PIN_UNTOLD] = "not told",
    };

    return names[condition];
}

struct pin_state pin_state_of(uint16_t sw)
{
    struct pin_state state = {.condition = PIN_UNTOLD, .tries = -1, .sw = sw};

    if (sw == SW_OK) {
        state.condition = PIN_VERIFIED;
    } else if ((sw & 0xFFF0) == 0x63C0) {
        state.tries = sw & 0xF;
        state.condition = state.tries > 0 ? PIN_WAITS : PIN_BLOCKED;
    } else if (sw == SW_BLOCKED) {
        state.tries = 0;
        state.condition = PIN_BLOCKED;
    } else if (sw == SW_NO_REFERENCE || sw == SW_WRONG_P1P2) {
        state.condition = PIN_ABSENT;
    }
    return state;
}

static int transmit(struct call *call, const struct apdu *apdu, uint16_t *ret_sw)
{
    struct apdu_text text = {0};
    struct exchange_result result;
    size_t length;
    int status;

    if (buffer_reserve(&text.bytes, apdu->lc + 10) < 0)
        return call_no_memory(call);
    if (apdu_build(apdu, text.bytes.data, text.bytes.capacity, &length) < 0) {
        apdu_text_fini(&text);
        return call_fail(call, STATUS_USAGE, "", "that is more than an APDU can hold");
    }
    text.bytes.length = length;
    apdu_secret_range(text.bytes.data, length, &text.secret_offset, &text.secret_length);
    status = exchange_run(call, &text, 1, &result);
    apdu_text_fini(&text);
    if (status != STATUS_DONE)
        return status;
    *ret_sw = result.sw;
    exchange_result_fini(&result);
    return STATUS_DONE;
}

int pin_ask(struct call *call, uint8_t reference, struct pin_state *ret_state)
{
    const struct apdu apdu = {.ins = INS_VERIFY, .p2 = reference};
    uint16_t sw;
    int status = transmit(call, &apdu, &sw);

    if (status == STATUS_DONE)
        *ret_state = pin_state_of(sw);
    return status;
}

int pin_allow(struct call *call, const char *name, const struct pin_state *state, bool last_try)
{
    if (state->condition == PIN_ABSENT)
        return call_fail(call, STATUS_ANSWER, "\"scard pin status\" lists those that it has.",
                         "the card has no %s (%04X)", name, state->sw);
    if (state->condition == PIN_BLOCKED)
        return call_fail(call, STATUS_ANSWER, "\"scard pin unblock\" sets it anew.",
                         "%s is blocked: nothing was sent", name);
    if (state->tries == 1 && !last_try)
        return call_fail(
            call, STATUS_REFUSED,
            "Nothing was sent. If you are sure of it, add --last-try; if it is wrong, it is blocked.",
            "one try is left for %s", name);
    return STATUS_DONE;
}

int pin_send(struct call *call, uint8_t ins, uint8_t p1, uint8_t reference, const struct buffer *data,
             uint16_t *ret_sw)
{
    const struct apdu apdu = {.ins = ins, .p1 = p1, .p2 = reference, .data = data->data, .lc = data->length};

    return transmit(call, &apdu, ret_sw);
}

int pin_select(struct call *call, const char *aid)
{
    struct apdu apdu = {.ins = SELECT, .p1 = 0x04, .le = 256};
    struct buffer name = {0};
    char words[SW_TEXT_MAX];
    uint16_t sw = 0;
    int status = application_find(call, aid, &name);

    if (status == STATUS_DONE && (name.length == 0 || name.length > AID_MAX))
        status = call_fail(call, STATUS_USAGE, "", "--aid has 1 to %d bytes", AID_MAX);
    apdu.data = name.data;
    apdu.lc = name.length;
    if (status == STATUS_DONE)
        status = transmit(call, &apdu, &sw);
    buffer_fini(&name);
    if (status != STATUS_DONE || sw_is_success(sw))
        return status;
    return call_fail(call, STATUS_ANSWER, "", "the card cannot select %s: %04X (%s)", aid, sw,
                     sw_describe(sw, words, sizeof words));
}
