/* SPDX-License-Identifier: MIT */
#include "tests/unit/ccid_slot_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"

struct script script;

static size_t answered;

void script_begin(struct ccid_device *device, struct ccid_slot *slot)
{
    static const uint8_t atr[] = {0x3b, 0x80, 0x01, 0x81};

    script = (struct script){0};
    answered = 0;
    *device = (struct ccid_device){
        .descriptor = {.level = CCID_EXTENDED_APDU,
                       .slots = 1,
                       .busy_slots = 1,
                       .protocols = 3,
                       .voltages = 7,
                       .clock_khz = 4000,
                       .max_clock_khz = 8000,
                       .rate = 10752,
                       .max_rate = 344086,
                       .max_ifsd = 254,
                       .max_message = 271,
                       .lcd_columns = 16,
                       .lcd_lines = 2},
        .identity = {.vendor = 0x1234, .product = 0x5678, .bcd_device = 0x0512, .bus = 3, .address = 17},
        .pin_verify = true,
        .pin_modify = true,
    };
    *slot = (struct ccid_slot){
        .reader = {.model = "Model", .device = "usb:3-1:1.0"},
        .device = device,
        .powered = true,
        .protocol = PROTOCOL_T1,
        .fd = 0x96,
        .exchange_ms = 3000,
    };
    memcpy(slot->atr_bytes, atr, sizeof atr);
    slot->atr_length = sizeof atr;
    assert_int_equal(atr_parse(slot->atr_bytes, slot->atr_length, &slot->atr), RC_OK);
    detail_clear();
}

void script_add(struct script_answer answer)
{
    assert_true(script.answers_count < 8);
    script.answers[script.answers_count++] = answer;
}

int ccid_slot_command(struct ccid_slot *slot, struct ccid_command *command, uint64_t timeout_ms,
                      struct ccid_answer *ret_answer)
{
    struct script_command *seen = &script.commands[script.commands_count++ % 8];
    struct script_answer *answer;
    int rc;

    *seen = (struct script_command){command->type, command->level, timeout_ms, {0}, command->length};
    assert_true(command->length <= sizeof seen->data);
    if (command->length)
        memcpy(seen->data, command->data, command->length);
    assert_true(answered < script.answers_count);
    answer = &script.answers[answered++];
    *ret_answer = (struct ccid_answer){0};
    if (answer->rc)
        return answer->rc;
    *ret_answer = (struct ccid_answer){.card = answer->card,
                                       .failed = answer->failed,
                                       .error = answer->error,
                                       .parameter = answer->parameter,
                                       .data = answer->failed ? NULL : answer->data,
                                       .length = answer->failed ? 0 : answer->length};
    rc = ccid_rc(command, ret_answer);
    if (rc == RC_NO_CARD)
        slot->left = true;
    return rc == CCID_BUSY ? detail_set(RC_NOT_TRANSACTED, "busy") : rc;
}

int ccid_slot_look(struct ccid_slot *slot, enum ccid_card *ret_card)
{
    (void)slot;
    script.looked++;
    if (!script.look_rc)
        *ret_card = script.card;
    return script.look_rc;
}

int ccid_link_pause(struct ccid_link *link, uint8_t slot, uint64_t ms)
{
    (void)link;
    (void)slot;
    script.paused_ms += ms;
    return script.pause_rc;
}
