/* SPDX-License-Identifier: MIT */
/* JSON lines: what this program's --json and --trace write of exchanges. */
#include <jansson.h>
#include <string.h>

#include "base/rc.h"
#include "cli/explain/log_state.h"

static int take_member(struct log_state *state, const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    struct log_text text = {value, value ? value + strlen(value) : value};
    size_t count;

    return value ? log_take_hex(state, &text, &count) : RC_OK;
}

static int take_exchange(struct log_state *state, const json_t *object)
{
    int rc = log_begin(state, KIND_COMMAND);

    if (!rc)
        rc = take_member(state, object, "c");
    if (rc || !json_is_string(json_object_get(object, "sw")))
        return rc;
    rc = log_begin(state, KIND_RESPONSE);
    if (!rc)
        rc = take_member(state, object, "r");
    return rc ? rc : take_member(state, object, "sw");
}

int log_take_json(struct log_state *state, struct log_text text)
{
    json_t *object = json_loadb(text.at, (size_t)(text.end - text.at), JSON_DISABLE_EOF_CHECK, NULL);
    const char *type = json_string_value(json_object_get(object, "t"));
    const char *what = json_string_value(json_object_get(object, "what"));
    int rc = 0;

    if (type && !strcmp(type, "apdu")) {
        rc = take_exchange(state, object);
        rc = rc ? rc : 1;
    } else if (type && (!strcmp(type, "session") || !strcmp(type, "atr"))) {
        rc = log_begin(state, KIND_ATR);
        if (!rc)
            rc = take_member(state, object, "atr");
        rc = rc ? rc : 1;
    } else if (what && !strcmp(what, "card-reset")) {
        rc = log_begin(state, KIND_RESET);
        rc = rc ? rc : 1;
    }
    json_decref(object);
    return rc;
}
