/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "cli/attributes.h"
#include "cli/call.h"
#include "commands/commands.h"

/* The value, whatever its length; *ret_code tells why not. */
static LONG get(struct call *call, DWORD id, struct buffer *value)
{
    DWORD length = 0;
    LONG code;

    do {
        code = SCardGetAttrib(call->desk->card, id, NULL, &length);
        if (code != SCARD_S_SUCCESS)
            return code;
        value->length = 0;
        if (buffer_reserve(value, length + 1) < 0)
            return SCARD_E_NO_MEMORY;
        code = SCardGetAttrib(call->desk->card, id, value->data, &length);
    } while (code == SCARD_E_INSUFFICIENT_BUFFER);
    if (code == SCARD_S_SUCCESS)
        value->length = length;
    return code;
}

static void show(struct call *call, DWORD id, const struct attribute *attribute, const struct buffer *value)
{
    char words[160];
    struct record record;

    attributes_describe(attribute, value->data, value->length, words, sizeof words);
    record_init(&record, "attribute", RECORD_ROW);
    record_text(&record, SHOW_JSON | SHOW_BARE, "name", attribute != NULL ? attribute->name : NULL);
    record_format(&record, SHOW_JSON | SHOW_BARE, "id", "0x%08lX", id);
    record_hex(&record, SHOW_JSON | SHOW_BARE, "value", value->data, value->length);
    record_text(&record, SHOW_JSON | SHOW_BARE, "meaning", words);
    if (attribute != NULL)
        record_people(&record, "%-26s", attribute->name);
    else
        record_people(&record, "0x%08lX                ", id);
    if (words[0] != '\0')
        record_people(&record, "%s", words);
    for (size_t i = 0; words[0] == '\0' && i < value->length; i++)
        record_people(&record, "%02X", value->data[i]);
    output_record(call->output, &record);
    record_fini(&record);
}

static int get_one(struct call *call, const char *name, DWORD id, const struct attribute *attribute)
{
    struct buffer value = {0};
    LONG code = get(call, id, &value);
    int status = STATUS_DONE;

    if (code == SCARD_S_SUCCESS)
        show(call, id, attribute, &value);
    else
        status = call_fail_scard(call, code, "cannot get attribute %s of %s", name, call->reader);
    buffer_fini(&value);
    return status;
}

static int list_all(struct call *call)
{
    struct buffer value = {0};

    for (const struct attribute *attribute = attributes; attribute->name != NULL; attribute++) {
        /* A reader that does not have one is no failure of the list. */
        if (get(call, attribute->id, &value) == SCARD_S_SUCCESS)
            show(call, attribute->id, attribute, &value);
        if (call_interrupted(call))
            break;
    }
    buffer_fini(&value);
    return call_interrupted(call) ? call_fail_scard(call, SCARD_E_CANCELLED, "attributes") : STATUS_DONE;
}

static int set_one(struct call *call, const char *name, DWORD id, const char *hex)
{
    struct buffer value = {0};
    int status = call_hex(call, hex, &value);
    LONG code;

    if (status == STATUS_DONE) {
        code = SCardSetAttrib(call->desk->card, id, value.data, value.length);
        if (code != SCARD_S_SUCCESS)
            status = call_fail_scard(call, code, "cannot set attribute %s of %s", name, call->reader);
    }
    buffer_fini(&value);
    return status;
}

static int run(struct call *call)
{
    const char *action = call_argument(call, 0), *name = call_argument(call, 1),
               *hex = call_argument(call, 2);
    const struct attribute *attribute;
    bool set = action != NULL && strcasecmp(action, "set") == 0;
    DWORD id;

    if (action == NULL || strcasecmp(action, "list") == 0)
        return name == NULL ? list_all(call)
                            : call_fail(call, STATUS_USAGE, "One attribute: attrib get NAME.",
                                        "attrib list takes no name");
    if (name == NULL || (hex == NULL) == set)
        return call_fail(call, STATUS_USAGE, "", "write %s",
                         set ? "attrib set NAME VALUE, VALUE in hex" : "attrib get NAME");
    if (!attributes_find(name, &id, &attribute))
        return call_fail(call, STATUS_USAGE, "Give a name of \"attrib list\" or a number such as 0x00010100.",
                         "there is no attribute \"%s\"", name);
    return set ? set_one(call, name, id, hex) : get_one(call, name, id, attribute);
}

static const struct argument_spec arguments[] = {
    {"ACTION", VALUE_CHOICE, "list|get|set", true, false, "list all (default), get one, set one"},
    {"NAME", VALUE_ATTRIBUTE, NULL, true, false, "name or number of the attribute"},
    {"VALUE", VALUE_HEX, NULL, true, false,
     "new value in hex; numbers are 4 bytes in the order of this machine"},
    {0},
};

const struct command command_attrib = {
    .name = "attrib",
    .group = "Readers",
    .summary = "attributes of reader and card: list, get, set",
    .description =
        "SCardGetAttrib and SCardSetAttrib. Works without a card, then with fewer attributes. Names are "
        "those of PC/SC\n"
        "(SCARD_ATTR_VENDOR_NAME is vendor-name). For pipes: name, number, value in hex and meaning.",
    .examples = "  scard attrib -r 0\n  scard attrib get vendor-name\n  scard attrib get 0x00090303",
    .arguments = arguments,
    .needs = NEED_DIRECT,
    .run = run,
};
