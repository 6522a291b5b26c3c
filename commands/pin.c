/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "cli/call.h"
#include "cli/exchange_show.h"
#include "cli/names.h"
#include "cli/pin_card.h"
#include "cli/pin_pad.h"
#include "cli/secret.h"
#include "commands/commands.h"
#include "iso/sw.h"

#define REFERENCE 0x81
#define DIGITS_LEAST 4
#define DIGITS_MOST 8
#define BLOCK_MAX 255 /* of both PINs: short Lc */

/* One try of verify, change or unblock. */
struct trial {
    struct call *call;
    const char *action;
    uint8_t header[4]; /* of the command that spends it */
    uint8_t asked;     /* reference whose tries are at stake */
    bool asks;         /* its tries are asked for first */
    char name[16];     /* of that: "PIN 81" */
    struct pin_format format;
    struct pin_state before;
    struct buffer data;
    uint16_t sw;
};

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

static int reference_option(struct call *call, const char *option, uint8_t *reference)
{
    const char *text = call_option(call, option);

    return text != NULL ? parse_reference(call, text, reference) : STATUS_DONE;
}

static int select_application(struct call *call)
{
    const char *aid = call_option(call, "aid");

    return aid != NULL ? pin_select(call, aid) : STATUS_DONE;
}

/* Nobody else selects another application, or spends a try, in between. */
static int begin(struct call *call)
{
    LONG code = desk_begin(call->desk);

    return code == SCARD_S_SUCCESS
               ? STATUS_DONE
               : call_fail_scard(call, code, "cannot begin a transaction on %s", call->desk->reader);
}

static int end(struct call *call, int status)
{
    LONG code = desk_is_connected(call->desk) && call->desk->depth > 0
                    ? desk_end(call->desk, SCARD_LEAVE_CARD)
                    : SCARD_S_SUCCESS;

    if (code == SCARD_S_SUCCESS || status != STATUS_DONE)
        return status;
    return call_fail_scard(call, code, "cannot end the transaction on %s", call->desk->reader);
}

/* Inside a transaction. */
static int look(struct trial *trial)
{
    int status = select_application(trial->call);

    if (status != STATUS_DONE || !trial->asks)
        return status;
    status = pin_ask(trial->call, trial->asked, &trial->before);
    if (status != STATUS_DONE)
        return status;
    return pin_allow(trial->call, trial->name, &trial->before, call_flag(trial->call, "last-try"));
}

static int set_up(struct trial *trial, struct call *call, const char *action, uint8_t ins)
{
    *trial = (struct trial){
        .call = call,
        .action = action,
        .header = {0, ins, 0, REFERENCE},
        .before = {.condition = PIN_UNTOLD, .tries = -1},
    };
    call->hushed = true;
    if (pin_format_parse(call_option(call, "format"), call_option(call, "pad"), &trial->format) < 0)
        return call_fail_rc(call, RC_INVALID_VALUE, "the format");
    return reference_option(call, "reference", &trial->header[3]);
}

static void say_before(const struct trial *trial)
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
static int take(struct trial *trial, struct secret_source *source, const char *name, const char *prompt,
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

/* The secret that is compared by the card. */
static int take_present(struct trial *trial, struct secret_source *source, const char *name)
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
    return status;
}

/* Twice, where it cannot be seen. */
static int take_new(struct trial *trial, struct secret_source *source)
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

static int fail(const struct trial *trial, const struct pin_state *after)
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
    return call_fail(call, STATUS_ANSWER, "", "%s: the card answered %04X (%s)", trial->name, trial->sw,
                     exchange_meaning(header, sizeof trial->header, trial->sw, words, sizeof words));
}

static int tell(const struct trial *trial)
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

static int send(struct trial *trial)
{
    struct call *call = trial->call;

    if (trial->data.length > BLOCK_MAX)
        return call_fail(call, STATUS_USAGE, "Nothing was sent.", "both together have more than %d bytes",
                         BLOCK_MAX);
    return pin_send(call, trial->header[1], trial->header[2], trial->header[3], &trial->data, &trial->sw);
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

static int enter_on_pad(struct trial *trial, bool modify)
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
        status = begin(trial->call);
    if (status != STATUS_DONE)
        return status;
    status = look(trial);
    if (status == STATUS_DONE) {
        say_before(trial);
        status = pin_pad_enter(trial->call, &pad, &trial->sw);
    }
    status = end(trial->call, status);
    return status == STATUS_DONE ? tell(trial) : status;
}

/* Looks at the tries: what fails here asks for no secret. */
static int look_first(struct trial *trial)
{
    int status = begin(trial->call);

    if (status != STATUS_DONE)
        return status;
    status = end(trial->call, look(trial));
    if (status == STATUS_DONE)
        say_before(trial);
    return status;
}

/* Time has passed at the prompt: looks again. */
static int spend(struct trial *trial)
{
    int status = begin(trial->call);

    if (status != STATUS_DONE)
        return status;
    status = look(trial);
    if (status == STATUS_DONE)
        status = send(trial);
    status = end(trial->call, status);
    return status == STATUS_DONE ? tell(trial) : status;
}

static int run_verify(struct call *call)
{
    struct secret_source source = {.fd = -1};
    struct trial trial;
    int status = set_up(&trial, call, "verify", INS_VERIFY);

    trial.asks = !call_flag(call, "no-status");
    trial.asked = trial.header[3];
    snprintf(trial.name, sizeof trial.name, "PIN %02X", trial.asked);
    if (status == STATUS_DONE && call_flag(call, "pinpad"))
        return enter_on_pad(&trial, false);
    if (status == STATUS_DONE)
        status = secret_open(call, "pin", &source);
    if (status != STATUS_DONE)
        return status;
    status = look_first(&trial);
    if (status == STATUS_DONE)
        status = take_present(&trial, &source, "PIN");
    if (status == STATUS_DONE)
        status = spend(&trial);
    secret_close(&source);
    buffer_fini(&trial.data);
    return status;
}

/* The old secret, then the new PIN: from the same place where only one is given. */
static int take_both(struct trial *trial, const char *option, const char *name, bool with_new)
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

static int run_change(struct call *call)
{
    struct trial trial;
    int status = set_up(&trial, call, "change", INS_CHANGE);

    trial.asks = !call_flag(call, "no-status");
    trial.asked = trial.header[3];
    snprintf(trial.name, sizeof trial.name, "PIN %02X", trial.asked);
    if (status == STATUS_DONE && call_flag(call, "pinpad"))
        return enter_on_pad(&trial, true);
    if (status == STATUS_DONE)
        status = take_both(&trial, "pin", "PIN", true);
    if (status == STATUS_DONE)
        status = spend(&trial);
    buffer_fini(&trial.data);
    return status;
}

static int run_unblock(struct call *call)
{
    struct trial trial;
    bool keeps = call_flag(call, "keep-pin");
    int status = set_up(&trial, call, "unblock", INS_RESET_TRIES);

    /* P1 00: resetting code and new PIN; 01: the code alone (11.5.10). */
    trial.header[2] = keeps ? 1 : 0;
    /* The standard has no way to ask for the tries of the resetting code, unless it has a reference. */
    trial.asks = call_option(call, "puk-reference") != NULL;
    snprintf(trial.name, sizeof trial.name, "PUK");
    if (status == STATUS_DONE)
        status = reference_option(call, "puk-reference", &trial.asked);
    if (status == STATUS_DONE)
        status = take_both(&trial, "puk", "PUK", !keeps);
    if (status == STATUS_DONE)
        status = spend(&trial);
    buffer_fini(&trial.data);
    return status;
}

static void show_state(struct call *call, uint8_t reference, const struct pin_state *state)
{
    char words[SW_TEXT_MAX];
    struct record record;

    record_init(&record, "pin-status", RECORD_ROW);
    record_format(&record, SHOW_ALL, "reference", "%02X", reference);
    if (state->tries >= 0)
        record_number(&record, SHOW_ALL, "tries", state->tries);
    else
        record_text(&record, SHOW_ALL, "tries", NULL);
    record_text(&record, SHOW_ALL, "state", pin_condition_name(state->condition));
    record_format(&record, SHOW_JSON | SHOW_BARE, "sw", "%04X", state->sw);
    if (state->tries > 0)
        record_people(&record, "%02X  %d tr%s left", reference, state->tries,
                      state->tries == 1 ? "y" : "ies");
    else if (state->condition == PIN_UNTOLD)
        record_people(&record, "%02X  the card does not tell: %04X (%s)", reference, state->sw,
                      sw_describe(state->sw, words, sizeof words));
    else
        record_people(&record, "%02X  %s", reference, pin_condition_name(state->condition));
    output_record(call->output, &record);
    record_fini(&record);
}

static int show_states(struct call *call, const uint8_t *references, size_t count, bool usual)
{
    size_t shown = 0;
    int status = select_application(call);

    for (size_t i = 0; i < count && status == STATUS_DONE; i++) {
        struct pin_state state;

        status = pin_ask(call, references[i], &state);
        if (status != STATUS_DONE)
            return status;
        if (usual && (state.condition == PIN_ABSENT || state.condition == PIN_UNTOLD))
            continue;
        show_state(call, references[i], &state);
        shown++;
        if (state.condition == PIN_ABSENT)
            status = call_fail(call, STATUS_ANSWER, "", "the card has no PIN %02X (%04X)", references[i],
                               state.sw);
    }
    if (status != STATUS_DONE || shown > 0)
        return status;
    return call_fail(call, STATUS_ANSWER,
                     "Select the application with --aid, or name its PIN with --reference.",
                     "the card tells of none of the usual PINs");
}

static int run_status(struct call *call)
{
    /* PINs of a card (00, 01, 02), of its application (80 to 83): ISO 7816-4:2013, table 94; PIV, OpenPGP. */
    static const uint8_t usual[] = {0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0x83};
    uint8_t reference = 0;
    int status = reference_option(call, "reference", &reference);

    call->hushed = true;
    if (status == STATUS_DONE)
        status = begin(call);
    if (status != STATUS_DONE)
        return status;
    if (call_option(call, "reference") != NULL)
        status = show_states(call, &reference, 1, false);
    else
        status = show_states(call, usual, sizeof usual, true);
    return end(call, status);
}

#define OPTION_AID                                                                                           \
    {                                                                                                        \
        "aid", 0, VALUE_HEX, "AID", NULL, "select this application first"                                    \
    }
#define OPTION_REFERENCE                                                                                     \
    {                                                                                                        \
        "reference", 'p', VALUE_HEX, "REF", NULL, "which PIN: P2 of VERIFY, in hex (81)"                     \
    }
#define OPTION_FORMAT                                                                                        \
    {                                                                                                        \
        "format", 0, VALUE_CHOICE, "FORMAT", PIN_CODINGS, "how the PIN is coded (ascii)"                     \
    }
#define OPTION_PAD                                                                                           \
    {                                                                                                        \
        "pad", 0, VALUE_TEXT, "BYTE:LENGTH", NULL, "fill it up, as in FF:8"                                  \
    }
#define OPTION_LAST_TRY                                                                                      \
    {                                                                                                        \
        "last-try", 0, VALUE_NONE, NULL, NULL, "go on though one try is left"                                \
    }
#define OPTION_NO_STATUS                                                                                     \
    {                                                                                                        \
        "no-status", 0, VALUE_NONE, NULL, NULL, "do not ask for the tries left: no guard against blocking"   \
    }
#define OPTION_PINPAD                                                                                        \
    {                                                                                                        \
        "pinpad", 0, VALUE_NONE, NULL, NULL, "type it on the keys of the reader"                             \
    }
#define OPTION_DIGITS                                                                                        \
    {                                                                                                        \
        "digits", 0, VALUE_TEXT, "LEAST-MOST", NULL, "how many digits these keys take (4-8)"                 \
    }
#define OPTION_PLACES(name, what)                                                                            \
    {name "-file", 0, VALUE_FILE, "FILE", NULL, "read the " what " from FILE, one line"},                    \
        {name "-fd", 0, VALUE_DESCRIPTOR, "N", NULL, "read the " what " from descriptor N"},                 \
    {                                                                                                        \
        name "-env", 0, VALUE_VARIABLE, "NAME", NULL, "read the " what " from the variable NAME"             \
    }

static const struct option_spec status_options[] = {
    {"reference", 'p', VALUE_HEX, "REF", NULL, "which PIN: P2 of VERIFY, in hex (the usual ones)"},
    OPTION_AID,
    {0},
};

static const struct option_spec verify_options[] = {
    OPTION_REFERENCE,
    OPTION_AID,
    OPTION_PLACES("pin", "PIN"),
    OPTION_PINPAD,
    OPTION_DIGITS,
    OPTION_FORMAT,
    OPTION_PAD,
    OPTION_LAST_TRY,
    OPTION_NO_STATUS,
    {0},
};

static const struct option_spec change_options[] = {
    OPTION_REFERENCE,
    OPTION_AID,
    OPTION_PLACES("pin", "PIN"),
    OPTION_PLACES("new-pin", "new PIN"),
    OPTION_PINPAD,
    OPTION_DIGITS,
    OPTION_FORMAT,
    OPTION_PAD,
    OPTION_LAST_TRY,
    OPTION_NO_STATUS,
    {0},
};

static const struct option_spec unblock_options[] = {
    OPTION_REFERENCE,
    {"puk-reference", 0, VALUE_HEX, "REF", NULL, "reference of the PUK, to ask for its tries first"},
    OPTION_AID,
    OPTION_PLACES("puk", "PUK"),
    OPTION_PLACES("new-pin", "new PIN"),
    {"keep-pin", 0, VALUE_NONE, NULL, NULL, "set the tries anew and leave the PIN as it is"},
    OPTION_FORMAT,
    OPTION_PAD,
    OPTION_LAST_TRY,
    {0},
};

static const struct command status = {
    .name = "pin status",
    .summary = "show how many tries are left",
    .description = "Asks by a VERIFY without data, which spends no try.",
    .options = status_options,
    .needs = NEED_CARD,
    .flags = COMMAND_SECRET,
    .run = run_status,
};

static const struct command verify = {
    .name = "pin verify",
    .summary = "verify a PIN",
    .description =
        "Asks for it on the terminal, without echo. Without a session the card is reset afterwards, so "
        "that it only tells whether the PIN is right.",
    .options = verify_options,
    .needs = NEED_CARD,
    .flags = COMMAND_SECRET,
    .run = run_verify,
};

static const struct command change = {
    .name = "pin change",
    .summary = "change a PIN",
    .description =
        "Asks for the PIN and for the new one, twice. Where only one place is named, the new one is the "
        "next line in it.",
    .options = change_options,
    .needs = NEED_CARD,
    .flags = COMMAND_SECRET,
    .run = run_change,
};

static const struct command unblock = {
    .name = "pin unblock",
    .summary = "set a blocked PIN anew with its PUK",
    .description =
        "Asks for the PUK (resetting code) and for the new PIN, twice. Where only one place is named, "
        "the new PIN is the next line in it.",
    .options = unblock_options,
    .needs = NEED_CARD,
    .flags = COMMAND_SECRET,
    .run = run_unblock,
};

static const struct command *const children[] = {&status, &verify, &change, &unblock, NULL};

const struct command command_pin = {
    .name = "pin",
    .group = "Card",
    .summary = "verify, change or unblock a PIN",
    .description =
        "A PIN is never taken from the command line: it is typed on the terminal or on the keys of the "
        "reader, or read from a file, a descriptor or a variable. Before a try is spent, the card is "
        "asked how many are left; the last one needs --last-try.",
    .examples = "  scard pin status -r 0\n  scard pin verify -p 80 --pad FF:8 --aid A000000308\n"
                "  scard pin change --pin-fd 3 3<pins\n  scard pin verify --pinpad",
    .flags = COMMAND_SECRET,
    .children = children,
};
