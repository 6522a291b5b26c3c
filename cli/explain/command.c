/* SPDX-License-Identifier: MIT */
/* explain_command, explain_response */
#include <string.h>

#include "cli/explain/aid.h"
#include "cli/explain/bytes.h"
#include "cli/explain/ins.h"
#include "cli/explain/sw.h"
#include "iso/apdu.h"

#define TEXT_LEAST 4

static void add_class(uint8_t cla, size_t base, unsigned depth, struct explanation *out)
{
    struct apdu_class class = apdu_class(cla);

    if (cla == 0xFF) {
        explanation_add(out, depth, base, 1, "CLA", "for the reader, not the card");
        return;
    }
    if (cla == 0xA0) {
        explanation_add(out, depth, base, 1, "CLA", "GSM");
        return;
    }
    explanation_add(out, depth, base, 1, "CLA", "%s", class.interindustry ? "interindustry" : "proprietary");
    if (class.channel)
        explanation_more(out, ", logical channel %u", class.channel);
    if (class.secure_messaging)
        explanation_more(out, ", secure messaging");
    if (class.chaining)
        explanation_more(out, ", more commands follow");
}

static void add_data(const struct apdu *apdu, const uint8_t *bytes, enum explain_context context, size_t base,
                     unsigned depth, struct explanation *out)
{
    size_t at = base + (size_t)(apdu->data - bytes), offset, length;

    if (apdu_secret_range(bytes, (size_t)(apdu->data - bytes) + apdu->lc, &offset, &length)) {
        explanation_add(out, depth, at, apdu->lc, "data", "secret");
        explanation_hide(out);
        return;
    }
    if (apdu->ins == 0xA4 && apdu->p1 == 0x04 && apdu_class(apdu->cla).interindustry) {
        explanation_add(out, depth, at, apdu->lc, "data", "name of an application");
        explain_value(apdu->data, apdu->lc, TAG_AID, context, out);
        return;
    }
    if (apdu->ins == 0xA4) {
        explanation_add(out, depth, at, apdu->lc, "data", "file%s",
                        apdu->lc == 2 && apdu->data[0] == 0x3F && !apdu->data[1] ? ": master file" : "");
        return;
    }
    explain_data(apdu->data, apdu->lc, context, at, depth, out);
}

/* Behind the header, of what is no well-formed APDU or was masked. */
static void add_rest(const uint8_t *bytes, size_t length, bool cut, const char *why, size_t base,
                     unsigned depth, struct explanation *out)
{
    size_t offset, count;

    if (cut) {
        if (length > 4)
            explanation_add(out, depth, base + 4, length - 4, "Lc", "data follows");
        explanation_add(out, depth, base + length, 0, "data", "secret, masked by whoever wrote this");
        return;
    }
    if (length <= 4)
        return;
    explanation_add(out, depth, base + 4, length - 4, "?", "%s", why);
    if (apdu_secret_range(bytes, length, &offset, &count))
        explanation_hide(out);
}

static size_t lc_width(const struct apdu *apdu)
{
    return !apdu->lc ? 0 : apdu->extended ? 3 : 1;
}

static void add_body(const struct apdu *apdu, const uint8_t *bytes, size_t length,
                     enum explain_context context, size_t base, unsigned depth, struct explanation *out)
{
    size_t lc = lc_width(apdu), end = 4 + lc + apdu->lc, offset, count;

    if (lc) {
        explanation_add(out, depth, base + 4, lc, "Lc", "%zu data byte%s", apdu->lc,
                        apdu->lc == 1 ? "" : "s");
        add_data(apdu, bytes, context, base, depth, out);
    }
    if (!apdu->le)
        return;
    /* With a wrong Lc, what looks like an Le may be a byte of the secret. */
    if (apdu_secret_range(bytes, length, &offset, &count)) {
        explanation_add(out, depth, base + end, length - end, "Le", "%s", "");
        explanation_hide(out);
        return;
    }
    explanation_add(out, depth, base + end, length - end, "Le", "up to %zu byte%s wanted", apdu->le,
                    apdu->le == 1 ? "" : "s");
}

void explain_command(const uint8_t *bytes, size_t length, bool cut, enum explain_context context, size_t base,
                     unsigned depth, struct explanation *out)
{
    const char *name = explain_ins_of(bytes, length, context), *why = NULL;
    struct apdu apdu;

    if (length < 4) {
        explanation_add(out, depth, base, length, "?", "a command has four bytes or more: CLA, INS, P1, P2");
        return;
    }
    add_class(bytes[0], base, depth, out);
    explanation_add(out, depth, base + 1, 1, "INS", "%s", name ? name : "unknown instruction");
    explain_parameters(bytes, explain_context_for(bytes[0], context), base, depth, out);
    if (cut || apdu_parse(bytes, length, &apdu, &why))
        add_rest(bytes, length, cut, why ? why : "", base, depth, out);
    else
        add_body(&apdu, bytes, length, explain_context_for(bytes[0], context), base, depth, out);
}

/* The value alone: what an object holds whose tag was named in the command (ISO 7816-4:2013, 11.4.3). */
static bool add_value(const uint8_t *bytes, size_t length, const uint8_t *command, size_t command_length,
                      enum explain_context context, size_t base, unsigned depth, struct explanation *out)
{
    const struct tag_fact *fact;

    if (command_length < 4 || command[1] != 0xCA || command[0] == 0xFF)
        return false;
    fact = explain_tag_fact((uint32_t)command[2] << 8 | command[3], 0, context);
    if (!fact || (fact->value == TAG_OBJECTS || fact->value == TAG_PLAIN) || explain_is_tlv(bytes, length))
        return false;
    explanation_add(out, depth, base, length, "data", "%s", fact->name);
    explain_value(bytes, length, fact->value, context, out);
    return true;
}

bool explain_answer(const uint8_t *bytes, size_t length, const uint8_t *command, size_t command_length,
                    enum explain_context context, unsigned depth, struct explanation *out)
{
    if (command_length > 0)
        context = explain_context_for(command[0], context);
    if (explain_is_tlv(bytes, length)) {
        if (context == EXPLAIN_ISO)
            context = explain_context_of_objects(bytes, length);
        explain_tlv(bytes, length, 0, context, 0, depth, out);
        return true;
    }
    if (length > 0 && add_value(bytes, length, command, command_length, context, 0, depth, out))
        return true;
    /* A few bytes are letters by chance. */
    if (length < TEXT_LEAST || !explain_is_text(bytes, length))
        return false;
    explanation_add(out, depth, 0, length, "data", "text");
    explain_value(bytes, length, TAG_TEXT, context, out);
    return true;
}

void explain_response(const uint8_t *bytes, size_t length, const uint8_t *command, size_t command_length,
                      enum explain_context context, size_t base, unsigned depth, struct explanation *out)
{
    enum explain_context own = command && command_length ? explain_context_for(command[0], context) : context;
    char words[SW_TEXT_MAX];
    uint16_t sw;

    if (length < 2) {
        explanation_add(out, depth, base, length, "?", "a response has two bytes or more: its status word");
        return;
    }
    sw = (uint16_t)(bytes[length - 2] << 8 | bytes[length - 1]);
    if (length > 2 &&
        !(command && add_value(bytes, length - 2, command, command_length, own, base, depth, out)))
        explain_data(bytes, length - 2, own, base, depth, out);
    explanation_add(out, depth, base + length - 2, 2, "SW", "%s",
                    command ? explain_sw_of(command, command_length, sw, own, words, sizeof words)
                            : explain_sw(sw, own, words, sizeof words));
}
