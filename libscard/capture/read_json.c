/* SPDX-License-Identifier: MIT */
/* JSON lines: what write_json.c writes, and what another version of it may. Unknown keys and types are
 * skipped. */
#include "capture/reading.h"

#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "capture/json_text.h"

/* Members of a line that mean something, as texts of its own. */
struct line {
    struct reading *reading;
    char *type, *command, *response, *sw, *error, *what, *reader, *device, *atr, *protocol;
    bool automatic;
    double ms, version;
};

static int keep(void *user, const char *key, const struct json_value *value)
{
    struct line *line = user;
    const struct {
        const char *key;
        char **text;
    } texts[] = {
        {"t", &line->type},         {"c", &line->command},     {"r", &line->response},
        {"sw", &line->sw},          {"error", &line->error},   {"what", &line->what},
        {"reader", &line->reader},  {"device", &line->device}, {"atr", &line->atr},
        {"proto", &line->protocol},
    };

    if (value->kind == JSON_NUMBER && !strcmp(key, "ms"))
        line->ms = value->number;
    if (value->kind == JSON_NUMBER && !strcmp(key, "v"))
        line->version = value->number;
    if (value->kind == JSON_BOOL && !strcmp(key, "auto"))
        line->automatic = value->truth;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(key, texts[i].key) != 0 || value->kind != JSON_STRING)
            continue;
        free(*texts[i].text);
        *texts[i].text = strdup(value->text);
        if (!*texts[i].text)
            return RC_NO_MEMORY;
    }
    return RC_OK;
}

static void line_fini(struct line *line)
{
    char *const texts[] = {line->type,   line->response, line->sw,  line->error,   line->what,
                           line->reader, line->device,   line->atr, line->protocol};

    if (line->command)
        secret_wipe(line->command, strlen(line->command));
    free(line->command);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
}

static int take_session(struct line *line)
{
    struct reading *reading = line->reading;
    const char *atr = line->atr ? line->atr : "";
    int rc = reading_text(reading, line->reader ? line->reader : "", &reading->reader);

    if (!rc)
        rc = reading_text(reading, line->device ? line->device : "", &reading->device);
    reading->protocol = line->protocol ? reading_protocol(line->protocol, strlen(line->protocol)) : 0;
    if (!rc)
        rc = reading_hex(reading, atr, strlen(atr), "\"atr\"", &reading->atr);
    return rc ? rc : reading_add_connection(reading);
}

static int take_apdu(struct line *line)
{
    struct reading *reading = line->reading;
    const char *response = line->response ? line->response : "", *sw = line->sw ? line->sw : "";
    struct buffer status = {0};
    int rc;

    if (!line->command)
        return reading_fault(reading, "an exchange without \"c\", its command");
    if (!line->error && !line->sw && !line->response)
        return reading_fault(reading, "an exchange without \"sw\", its status word");
    rc = reading_command(reading, line->command, strlen(line->command));
    if (!rc && !reading->command.length)
        rc = reading_fault(reading, "the command is empty");
    if (!rc)
        rc = reading_hex(reading, response, strlen(response), "\"r\", the response,", &reading->response);
    if (!rc)
        rc = reading_hex(reading, sw, strlen(sw), "\"sw\", the status word,", &status);
    if (!rc && line->sw && status.length != 2)
        rc = reading_fault(reading, "\"sw\" has %zu bytes, a status word has two", status.length);
    if (!rc && status.length)
        rc = buffer_append(&reading->response, status.data, status.length);
    buffer_fini(&status);
    reading->duration_ns = line->ms > 0 && line->ms < 1e9 ? (int64_t)(line->ms * 1e6) : 0;
    return rc ? rc
              : reading_add_apdu(reading, line->error ? reading_failure(line->error) : RC_OK,
                                 line->automatic ? CAPTURED_AUTOMATIC : 0);
}

static int take_object(struct line *line)
{
    if (line->version > 1)
        return reading_fault(line->reading, "this is of a later version of scard (\"v\":%.0f)",
                             line->version);
    if (!line->type)
        return RC_OK;
    if (!strcmp(line->type, "session"))
        return take_session(line);
    if (!strcmp(line->type, "apdu"))
        return take_apdu(line);
    if (!strcmp(line->type, "event") && line->what && !strcmp(line->what, "card-reset"))
        return reading_add_reset(line->reading);
    return RC_OK;
}

static bool knows(const char *line, size_t length)
{
    return length && line[0] == '{';
}

static int take(struct reading *reading, const char *text, size_t length)
{
    struct line line = {.reading = reading};
    size_t at;
    int rc = json_text_read(text, length, keep, &line, &at);

    if (rc == RC_INVALID_VALUE && at >= length)
        rc = reading_fault(reading, "the JSON object is cut off");
    else if (rc == RC_INVALID_VALUE)
        rc = reading_fault(reading, "this is no JSON object from character %zu on", at + 1);
    if (!rc)
        rc = take_object(&line);
    line_fini(&line);
    return rc;
}

const struct recording_format recording_json = {.name = "jsonl", .knows = knows, .take = take};
