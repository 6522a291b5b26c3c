/* SPDX-License-Identifier: MIT */
#include "cli/pin_trial.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "cli/exchange_show.h"
#include "cli/explain/sw.h"
#include "cli/pin_pad.h"
#include "cli/secret.h"
#include "iso/sw.h"

#define REFERENCE 0x81
#define DIGITS_LEAST 4
#define DIGITS_MOST 8
#define BLOCK_MAX 255 /* of both PINs: short Lc */

/* The text may be a PIN that got there by mistake: never repeated. */
static int parse_reference(struct call *call, const char *text, uint8_t *ret_reference)
{
    int high, low;

    text += text[0] == '0' && text[1] == 'x' ? 2 : 0;
    high = hex_digit(text[0]);
    low = high < 0 || text[1] == '\0' ? high : hex_digit(text[1]);
    if (high < 0 || low < 0 || strlen(text) > 2)
        return call_fail(call, STATUS_USAGE, "It is P2 of VERIFY: 81, 01, 80.",
                         "a reference is one byte in hex");
    *ret_reference = (uint8_t)(text[1] == '\0' ? low : high << 4 | low);
    return STATUS_DONE;
}

int pin_trial_reference(struct call *call, const char *option, uint8_t *reference)
{
    const char *text = call_option(call, option);

    return text != NULL ? parse_reference(call, text, reference) : STATUS_DONE;
}

int pin_trial_select(struct call *call)
{
    const char *aid = call_option(call, "aid");

    return aid != NULL ? pin_select(call, aid) : STATUS_DONE;
}

/* Nobody else selects another application, or spends a try, in between. */
int pin_trial_lock(struct call *call)
{
    LONG code = desk_begin(call->desk);

    return code == SCARD_S_SUCCESS
               ? STATUS_DONE
               : call_fail_scard(call, code, "cannot begin a transaction on %s", call->desk->reader);
}

int pin_trial_unlock(struct call *call, int status)
{
    LONG code = desk_is_connected(call->desk) && call->desk->depth > 0
                    ? desk_end(call->desk, SCARD_LEAVE_CARD)
                    : SCARD_S_SUCCESS;

    if (code == SCARD_S_SUCCESS || status != STATUS_DONE)
        return status;
    return call_fail_scard(call, code, "cannot end the transaction on %s", call->desk->reader);
}

/* Inside a transaction. */
static int look(struct pin_trial *trial)
{
    int status = pin_trial_select(trial->call);

    if (status != STATUS_DONE || !trial->asks)
        return status;
    status = pin_ask(trial->call, trial->asked, &trial->before);
    if (status != STATUS_DONE)
        return status;
    return pin_allow(trial->call, trial->name, &trial->before, call_flag(trial->call, "last-try"));
}

int pin_trial_init(struct pin_trial *trial, struct call *call, const char *action, uint8_t ins)
{
    *trial = (struct pin_trial){
        .call = call,
        .action = action,
        .header = {0, ins, 0, REFERENCE},
        .before = {.condition = PIN_UNTOLD, .tries = -1},
    };
    call->hushed = true;
    if (pin_format_parse(call_option(call, "format"), call_option(call, "pad"), &trial->format) < 0)
        return call_fail_rc(call, RC_INVALID_VALUE, "the format");
    return pin_trial_reference(call, "reference", &trial->header[3]);
}

void pin_trial_fini(struct pin_trial *trial)
{
    buffer_fini(&trial->data);
}

static void say_before(const struct pin_trial *trial)
{
    struct record record;

    if (trial->before.tries < 0 && (!trial->asks || trial->before.condition == PIN_VERIFIED))
        return;
    record_init(&record, "pin-tries", RECORD_ROW);
    record_format(&record, SHOW_JSON, "reference", "%02X", trial->asked);
    record_number(&record, SHOW_JSON, "tries", trial->before.tries);
    if (trial->before.tries >= 0)
        record_people(&record, "%s: %d tr%s left.", trial->name, trial->before.tries,
                      trial->before.tries == 1 ? "y" : "ies");
    else
        record_people(&record, "%s: the card does not tell how many tries are left (%04X).", trial->name,
                      trial->before.sw);
    output_remark(trial->call->output, &record);
    record_fini(&record);
}

/* Reads one secret and appends its block. */
static int take(struct pin_trial *trial, struct secret_source *source, const char *name, const char *prompt,
                struct buffer *typed)
{
    struct call *call = trial->call;
    int rc = secret_ask(call, source, name, prompt, typed);

    if (rc == RC_OK)
        rc = pin_block_append(&trial->format, typed->data, typed->length, &trial->data);
    if (rc == RC_CANCELLED || rc == RC_NO_MEMORY)
        return call_fail_rc(call, rc, "the %s", name);
    if (rc < 0)
        return call_fail(call, STATUS_USAGE, "Nothing was sent.", "the %s: %s", name, detail_get());
    return STATUS_DONE;
}

static struct pin_claim claim_of(const struct pin_trial *trial)
{
    return (struct pin_claim){
        .puk = trial->header[1] == INS_RESET_TRIES,
        .reference = trial->header[3],
        .block = trial->data.data,
        .length = trial->present,
    };
}

/* Is it one that this card has refused: then it would only cost another try. */
static int check_refused(struct pin_trial *trial)
{
    struct pin_claim claim;

    trial->present = trial->data.length;
    claim = claim_of(trial);
    if (call_flag(trial->call, "again") || !pin_refused(trial->call, &claim))
        return STATUS_DONE;
    return call_fail(trial->call, STATUS_REFUSED, "Nothing was sent. With --again it is sent all the same.",
                     "the card has refused that %s already", claim.puk ? "PUK" : "PIN");
}

/* The secret that is compared by the card. */
static int take_present(struct pin_trial *trial, struct secret_source *source, const char *name)
{
    struct buffer typed = {0};
    char prompt[64];
    int status;

    if (trial->before.tries >= 0)
        snprintf(prompt, sizeof prompt, "%s (%d tr%s left)", trial->name, trial->before.tries,
                 trial->before.tries == 1 ? "y" : "ies");
    else
        snprintf(prompt, sizeof prompt, "%s", trial->name);
    status = take(trial, source, name, prompt, &typed);
    buffer_fini(&typed);
    return status == STATUS_DONE ? check_refused(trial) : status;
}

/* Twice, where it cannot be seen. */
static int take_new(struct pin_trial *trial, struct secret_source *source)
{
    struct buffer typed = {0}, again = {0};
    int rc, status = take(trial, source, "new PIN", "New PIN", &typed);

    if (status == STATUS_DONE && source->fd < 0) {
        rc = secret_ask(trial->call, source, "new PIN", "New PIN again", &again);
        if (rc < 0)
            status = call_fail_rc(trial->call, rc, "the new PIN");
        else if (again.length != typed.length || memcmp(again.data, typed.data, typed.length) != 0)
            status = call_fail(trial->call, STATUS_USAGE, "Nothing was sent.", "the two new PINs differ");
    }
    buffer_fini(&typed);
    buffer_fini(&again);
    return status;
}

static int fail(const struct pin_trial *trial, const struct pin_state *after)
{
    struct call *call = trial->call;
    const uint8_t *header = trial->header;
    char words[SW_TEXT_MAX];

    if (after->condition == PIN_BLOCKED)
        return call_fail(call, STATUS_ANSWER,
                         header[1] == INS_RESET_TRIES ? "Ask who gave the card out."
                                                      : "\"scard pin unblock\" sets it anew with the PUK.",
                         "wrong, and %s is blocked now", trial->name);
    if (after->tries > 0)
        return call_fail(call, STATUS_ANSWER, "", "wrong: %d tr%s left for %s", after->tries,
                         after->tries == 1 ? "y is" : "ies are", trial->name);
    return call_fail(
        call, STATUS_ANSWER, "", "%s: the card answered %04X (%s)", trial->name, trial->sw,
        explain_sw_of(header, sizeof trial->header, trial->sw, EXPLAIN_ISO, words, sizeof words));
}

static int tell(const struct pin_trial *trial)
{
    static const char *const done[] = {[0] = "verified", [1] = "changed", [2] = "unblocked"};
    size_t which = trial->header[1] == INS_VERIFY ? 0 : trial->header[1] == INS_CHANGE ? 1 : 2;
    struct pin_state after = pin_state_of(trial->sw);
    bool good = sw_is_success(trial->sw) && trial->sw >> 8 != 0x63;
    struct record record;

    record_init(&record, "pin", RECORD_ROW);
    record_text(&record, SHOW_JSON, "action", trial->action);
    record_format(&record, SHOW_JSON, "reference", "%02X", trial->header[3]);
    record_bool(&record, SHOW_JSON, "done", good);
    if (after.tries >= 0)
        record_number(&record, SHOW_JSON, "tries", after.tries);
    else
        record_text(&record, SHOW_JSON, "tries", NULL);
    record_format(&record, SHOW_JSON, "sw", "%04X", trial->sw);
    if (good)
        record_people(&record, "PIN %02X %s.", trial->header[3], done[which]);
    if (good || trial->call->output->mode == OUTPUT_JSON)
        output_remark(trial->call->output, &record);
    record_fini(&record);
    return good ? STATUS_DONE : fail(trial, &after);
}

static int send(struct pin_trial *trial)
{
    struct pin_claim claim = claim_of(trial);
    struct call *call = trial->call;
    int status;

    if (trial->data.length > BLOCK_MAX)
        return call_fail(call, STATUS_USAGE, "Nothing was sent.", "both together have more than %d bytes",
                         BLOCK_MAX);
    status = pin_send(call, trial->header[1], trial->header[2], trial->header[3], &trial->data, &trial->sw);
    if (status == STATUS_DONE)
        pin_refused_note(call, &claim, trial->sw);
    return status;
}

static int parse_digits(struct call *call, struct pin_pad *pad)
{
    const char *text = call_option(call, "digits");
    unsigned least, most;
    char behind;

    if (text == NULL)
        return STATUS_DONE;
    if (sscanf(text, "%2u-%2u%c", &least, &most, &behind) != 2 || least > most || most == 0)
        return call_fail(call, STATUS_USAGE, "", "--digits is the least and the most, as in 4-8");
    pad->least = (uint8_t)least;
    pad->most = (uint8_t)most;
    return STATUS_DONE;
}

int pin_trial_on_pad(struct pin_trial *trial, bool modify)
{
    struct pin_pad pad = {
        .header = trial->header,
        .format = trial->format,
        .least = DIGITS_LEAST,
        .most = DIGITS_MOST,
        .modify = modify,
    };
    int status = parse_digits(trial->call, &pad);

    if (status == STATUS_DONE)
        status = pin_trial_lock(trial->call);
    if (status != STATUS_DONE)
        return status;
    status = look(trial);
    if (status == STATUS_DONE) {
        say_before(trial);
        status = pin_pad_enter(trial->call, &pad, &trial->sw);
    }
    status = pin_trial_unlock(trial->call, status);
    return status == STATUS_DONE ? tell(trial) : status;
}

/* Looks at the tries: what fails here asks for no secret. */
static int look_first(struct pin_trial *trial)
{
    int status = pin_trial_lock(trial->call);

    if (status != STATUS_DONE)
        return status;
    status = pin_trial_unlock(trial->call, look(trial));
    if (status == STATUS_DONE)
        say_before(trial);
    return status;
}

/* Time has passed at the prompt: looks again. */
int pin_trial_spend(struct pin_trial *trial)
{
    int status = pin_trial_lock(trial->call);

    if (status != STATUS_DONE)
        return status;
    status = look(trial);
    if (status == STATUS_DONE)
        status = send(trial);
    status = pin_trial_unlock(trial->call, status);
    return status == STATUS_DONE ? tell(trial) : status;
}

/* The old secret, then the new PIN: from the same place where only one is given. */
int pin_trial_take(struct pin_trial *trial, const char *option, const char *name, bool with_new)
{
    struct secret_source old = {.fd = -1}, fresh = {.fd = -1};
    int status = secret_open(trial->call, option, &old);

    if (status == STATUS_DONE && with_new)
        status = secret_open(trial->call, "new-pin", &fresh);
    if (status == STATUS_DONE)
        status = look_first(trial);
    if (status == STATUS_DONE)
        status = take_present(trial, &old, name);
    if (status == STATUS_DONE && with_new)
        status = take_new(trial, fresh.fd >= 0 ? &fresh : &old);
    secret_close(&old);
    secret_close(&fresh);
    return status;
}
