/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/pin_trial.h"
#include "commands/commands.h"
#include "iso/sw.h"

static int run_try(struct call *call, const char *action, uint8_t ins)
{
    bool changes = ins == INS_CHANGE;
    struct pin_trial trial;
    int status = pin_trial_init(&trial, call, action, ins);

    trial.asks = !call_flag(call, "no-status");
    trial.asked = trial.header[3];
    snprintf(trial.name, sizeof trial.name, "PIN %02X", trial.asked);
    if (status == STATUS_DONE && call_flag(call, "pinpad"))
        return pin_trial_on_pad(&trial, changes);
    if (status == STATUS_DONE)
        status = pin_trial_take(&trial, "pin", "PIN", changes);
    if (status == STATUS_DONE)
        status = pin_trial_spend(&trial);
    pin_trial_fini(&trial);
    return status;
}

static int run_verify(struct call *call)
{
    return run_try(call, "verify", INS_VERIFY);
}

static int run_change(struct call *call)
{
    return run_try(call, "change", INS_CHANGE);
}

static int run_unblock(struct call *call)
{
    struct pin_trial trial;
    bool keeps = call_flag(call, "keep-pin");
    int status = pin_trial_init(&trial, call, "unblock", INS_RESET_TRIES);

    /* P1 00: resetting code and new PIN; 01: the code alone (11.5.10). */
    trial.header[2] = keeps ? 1 : 0;
    /* The standard has no way to ask for the tries of the resetting code, unless it has a reference. */
    trial.asks = call_option(call, "puk-reference") != NULL;
    snprintf(trial.name, sizeof trial.name, "PUK");
    if (status == STATUS_DONE)
        status = pin_trial_reference(call, "puk-reference", &trial.asked);
    if (status == STATUS_DONE)
        status = pin_trial_take(&trial, "puk", "PUK", !keeps);
    if (status == STATUS_DONE)
        status = pin_trial_spend(&trial);
    pin_trial_fini(&trial);
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
    int status = pin_trial_select(call);

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
    int status = pin_trial_reference(call, "reference", &reference);

    call->hushed = true;
    if (status == STATUS_DONE)
        status = pin_trial_lock(call);
    if (status != STATUS_DONE)
        return status;
    if (call_option(call, "reference") != NULL)
        status = show_states(call, &reference, 1, false);
    else
        status = show_states(call, usual, sizeof usual, true);
    return pin_trial_unlock(call, status);
}

#define OPTION_AID                                                                                           \
    "aid", 0, VALUE_APPLICATION, "AID", NULL, "select this application first: its name, or AID in hex"
#define OPTION_REFERENCE "reference", 'p', VALUE_HEX, "REF", NULL, "which PIN: P2 of VERIFY, in hex (81)"
#define OPTION_FORMAT "format", 0, VALUE_CHOICE, "FORMAT", PIN_CODINGS, "how the PIN is coded (ascii)"
#define OPTION_PAD "pad", 0, VALUE_TEXT, "BYTE:LENGTH", NULL, "fill it up, as in FF:8"
#define OPTION_LAST_TRY "last-try", 0, VALUE_NONE, NULL, NULL, "go on though one try is left"
#define OPTION_AGAIN "again", 0, VALUE_NONE, NULL, NULL, "send it though the card has refused it already"
#define OPTION_NO_STATUS                                                                                     \
    "no-status", 0, VALUE_NONE, NULL, NULL, "do not ask for the tries left: no guard against blocking"
#define OPTION_PINPAD "pinpad", 0, VALUE_NONE, NULL, NULL, "type it on the keys of the reader"
#define OPTION_DIGITS "digits", 0, VALUE_TEXT, "LEAST-MOST", NULL, "how many digits these keys take (4-8)"
#define OPTION_FILE(name, what)                                                                              \
    name "-file", 0, VALUE_FILE, "FILE", NULL, "read the " what " from FILE, one line"
#define OPTION_FD(name, what)                                                                                \
    name "-fd", 0, VALUE_DESCRIPTOR, "N", NULL, "read the " what " from descriptor N"
#define OPTION_ENV(name, what)                                                                               \
    name "-env", 0, VALUE_VARIABLE, "NAME", NULL, "read the " what " from the variable NAME"
#define OPTIONS_PLACES(name, what)                                                                           \
    {OPTION_FILE(name, what)}, {OPTION_FD(name, what)},                                                      \
    {                                                                                                        \
        OPTION_ENV(name, what)                                                                               \
    }

static const struct option_spec status_options[] = {
    {"reference", 'p', VALUE_HEX, "REF", NULL, "which PIN: P2 of VERIFY, in hex (the usual ones)"},
    {OPTION_AID},
    {0},
};

static const struct option_spec verify_options[] = {
    {OPTION_REFERENCE},
    {OPTION_AID},
    OPTIONS_PLACES("pin", "PIN"),
    {OPTION_PINPAD},
    {OPTION_DIGITS},
    {OPTION_FORMAT},
    {OPTION_PAD},
    {OPTION_LAST_TRY},
    {OPTION_AGAIN},
    {OPTION_NO_STATUS},
    {0},
};

static const struct option_spec change_options[] = {
    {OPTION_REFERENCE},
    {OPTION_AID},
    OPTIONS_PLACES("pin", "PIN"),
    OPTIONS_PLACES("new-pin", "new PIN"),
    {OPTION_PINPAD},
    {OPTION_DIGITS},
    {OPTION_FORMAT},
    {OPTION_PAD},
    {OPTION_LAST_TRY},
    {OPTION_AGAIN},
    {OPTION_NO_STATUS},
    {0},
};

static const struct option_spec unblock_options[] = {
    {OPTION_REFERENCE},
    {"puk-reference", 0, VALUE_HEX, "REF", NULL, "reference of the PUK, to ask for its tries first"},
    {OPTION_AID},
    OPTIONS_PLACES("puk", "PUK"),
    OPTIONS_PLACES("new-pin", "new PIN"),
    {"keep-pin", 0, VALUE_NONE, NULL, NULL, "set the tries anew and leave the PIN as it is"},
    {OPTION_FORMAT},
    {OPTION_PAD},
    {OPTION_LAST_TRY},
    {OPTION_AGAIN},
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
        "asked how many are left; the last one needs --last-try. In a shell or session a PIN that the card "
        "has "
        "refused is not sent to it again without --again.",
    .examples = "  scard pin status -r 0\n  scard pin verify -p 80 --pad FF:8 --aid piv\n"
                "  scard pin change --pin-fd 3 3<pins\n  scard pin verify --pinpad",
    .flags = COMMAND_SECRET,
    .children = children,
};
