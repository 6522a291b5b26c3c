/* SPDX-License-Identifier: MIT */
#include "cli/reader_facts.h"

#include <stdlib.h>
#include <string.h>

enum fact_kind { FACT_TEXT, FACT_NUMBER, FACT_BOOL, FACT_HEX, FACT_LIST };

/* key: of the record; in the lines '-' stands for '_'. label NULL: said elsewhere, or of no use to people. */
static const struct known_fact {
    const char *key, *label, *unit;
    enum fact_kind kind;
} known[] = {
    {"path", NULL, "", FACT_TEXT},
    {"usb_id", "USB id", "", FACT_TEXT},
    {"vendor_name", "Vendor", "", FACT_TEXT},
    {"model", "Model", "", FACT_TEXT},
    {"serial", "Serial number", "", FACT_TEXT},
    {"firmware", "Firmware", "", FACT_TEXT},
    {"firmware_needed", "Firmware needed", "", FACT_TEXT},
    {"bus", "USB bus", "", FACT_NUMBER},
    {"address", "USB address", "", FACT_NUMBER},
    {"interface", "Interface", "", FACT_NUMBER},
    {"interface_class", "Interface class", "", FACT_TEXT},
    {"defect", "Defect", "", FACT_TEXT},
    {"transport", "Transport", "", FACT_TEXT},
    {"level", "Exchange level", "", FACT_TEXT},
    {"protocols", "Protocols", "", FACT_TEXT},
    {"max_apdu_t0", "Longest APDU, T=0", " bytes", FACT_NUMBER},
    {"max_le_t0", "Largest Le, T=0", " bytes", FACT_NUMBER},
    {"extended_t0", "Extended APDUs, T=0", "", FACT_BOOL},
    {"max_apdu_t1", "Longest APDU, T=1", " bytes", FACT_NUMBER},
    {"max_le_t1", "Largest Le, T=1", " bytes", FACT_NUMBER},
    {"extended_t1", "Extended APDUs, T=1", "", FACT_BOOL},
    {"slots", "Slots", "", FACT_NUMBER},
    {"busy_slots", "Slots at a time", "", FACT_NUMBER},
    {"synchronous", "Synchronous cards", "", FACT_TEXT},
    {"voltages", "Voltages", "", FACT_TEXT},
    {"clock_khz", "Clock", " kHz", FACT_NUMBER},
    {"max_clock_khz", "Highest clock", " kHz", FACT_NUMBER},
    {"clocks", NULL, "", FACT_NUMBER},
    {"data_rate", "Data rate", " bit/s", FACT_NUMBER},
    {"max_data_rate", "Highest data rate", " bit/s", FACT_NUMBER},
    {"data_rates", NULL, "", FACT_NUMBER},
    {"max_ifsd", "Longest T=1 block", " bytes", FACT_NUMBER},
    {"max_message", "Longest message", " bytes", FACT_NUMBER},
    {"pps", "PPS by", "", FACT_TEXT},
    {"interrupt", NULL, "", FACT_BOOL},
    {"presence", "Card noticed by", "", FACT_TEXT},
    {"pin_verify", "PIN pad, verify", "", FACT_BOOL},
    {"pin_modify", "PIN pad, modify", "", FACT_BOOL},
    {"lcd", "Display", "", FACT_TEXT},
    {"mechanical", "Mechanics", "", FACT_TEXT},
    {"class_get_response", NULL, "", FACT_TEXT},
    {"class_envelope", NULL, "", FACT_TEXT},
    {"features", NULL, "", FACT_TEXT},
    {"feature", "Feature", "", FACT_LIST},
    {"quirk", "Quirk", "", FACT_LIST},
    {"class_descriptor", NULL, "", FACT_HEX},
};

/* The line at text as key and value, both borrowed; what is no such line has an empty key. */
struct line {
    const char *key, *value;
    size_t key_length, value_length;
};

static const char *next_line(const char *text, struct line *line)
{
    size_t length = strcspn(text, "\n");
    const char *equals = memchr(text, '=', length);

    line->key = text;
    line->key_length = equals != NULL ? (size_t)(equals - text) : 0;
    line->value = equals != NULL ? equals + 1 : text;
    line->value_length = (size_t)(text + length - line->value);
    return text + length + (text[length] == '\n');
}

static bool is_key(const struct line *line, const char *key)
{
    for (size_t i = 0; i < line->key_length; i++)
        if (key[i] != (line->key[i] == '-' ? '_' : line->key[i]))
            return false;
    return key[line->key_length] == '\0';
}

static bool is_known(const struct line *line)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (is_key(line, known[i].key))
            return true;
    return false;
}

static void add_value(struct record *record, const struct known_fact *fact, const char *value)
{
    switch (fact->kind) {
    case FACT_NUMBER:
        record_number(record, SHOW_JSON | SHOW_BARE, fact->key, strtoll(value, NULL, 10));
        break;
    case FACT_BOOL:
        record_bool(record, SHOW_JSON | SHOW_BARE, fact->key, strcmp(value, "yes") == 0);
        break;
    case FACT_LIST:
        record_list_add(record, value);
        break;
    default:
        record_text(record, SHOW_JSON | SHOW_BARE, fact->key, value);
    }
    if (fact->label != NULL)
        record_people(record, "\n%-20s %s%s", fact->label, value, fact->unit);
}

static void add_line(struct record *record, const struct known_fact *fact, const struct line *line)
{
    char *value = strndup(line->value, line->value_length);

    if (value != NULL)
        add_value(record, fact, value);
    else
        record->failed = true;
    free(value);
}

static void add_known(struct record *record, const struct known_fact *fact, const char *text)
{
    struct line line;
    bool any = false;

    while (*text != '\0') {
        text = next_line(text, &line);
        if (line.key_length == 0 || !is_key(&line, fact->key))
            continue;
        if (fact->kind == FACT_LIST && !any)
            record_list(record, SHOW_JSON | SHOW_BARE, fact->key);
        any = true;
        add_line(record, fact, &line);
    }
}

static void add_unknown(struct record *record, const char *text)
{
    static const struct known_fact more = {"more", "Also", "", FACT_LIST};
    struct line line;
    bool any = false;

    while (*text != '\0') {
        text = next_line(text, &line);
        if (line.key_length == 0 || is_known(&line))
            continue;
        if (!any)
            record_list(record, SHOW_JSON | SHOW_BARE, more.key);
        any = true;
        line.value_length += (size_t)(line.value - line.key);
        line.value = line.key;
        add_line(record, &more, &line);
    }
}

void reader_facts_add(struct record *record, const char *text)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        add_known(record, &known[i], text);
    add_unknown(record, text);
}
