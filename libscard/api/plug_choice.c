/* SPDX-License-Identifier: MIT */
#include "api/plug_choice.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"

/* Four hexadecimal digits. */
static bool read_id(const char *text, uint16_t *ret_id)
{
    unsigned id = 0;

    for (unsigned i = 0; i < 4; i++) {
        int digit = hex_digit(text[i]);

        if (digit < 0)
            return false;
        id = id << 4 | (unsigned)digit;
    }
    *ret_id = (uint16_t)id;
    return true;
}

static bool read_model(const char *text, struct plug_choice *choice)
{
    return read_id(text, &choice->vendor) && text[4] == ':' && read_id(text + 5, &choice->product) &&
           text[9] == '\0';
}

/* Skips a number; NULL if there is none. */
static const char *number(const char *at)
{
    size_t digits = strspn(at, "0123456789");

    return digits ? at + digits : NULL;
}

/* bus "-" port { "." port } [ ":" configuration "." interface ] */
static bool is_place(const char *text)
{
    const char *at = number(text);

    if (!at || *at != '-')
        return false;
    do
        at = number(at + 1);
    while (at && *at == '.');
    if (at && *at == ':') {
        at = number(at + 1);
        at = at && *at == '.' ? number(at + 1) : NULL;
    }
    return at && *at == '\0';
}

static int read_firmware(const struct uri *uri, bool *ret_any)
{
    const char *value = uri_get(uri, "firmware");

    if (!value)
        return RC_OK;
    if (strcmp(value, "any") != 0)
        return detail_set(RC_INVALID_VALUE,
                          "%s: firmware can be \"any\", to use a reader whose firmware is known as bad",
                          uri->text);
    *ret_any = true;
    return RC_OK;
}

static int read_choice(const struct uri *uri, struct plug_choice *choice)
{
    static const char *const known[] = {"escape", "firmware", NULL};
    int rc = uri_check_keys(uri, known);

    if (!rc)
        rc = uri_get_bool(uri, "escape", &choice->escape_allowed);
    if (!rc)
        rc = read_firmware(uri, &choice->any_firmware);
    if (rc)
        return rc;
    if (uri->path[0] == '\0')
        choice->kind = PLUG_ALL;
    else if (read_model(uri->path, choice))
        choice->kind = PLUG_MODEL;
    else if (is_place(uri->path))
        choice->kind = PLUG_PLACE;
    else
        return detail_set(
            RC_INVALID_VALUE,
            "%s: write usb: for all readers, usb:1-2.3 for a port, or usb:072f:2200 for a model", uri->text);
    choice->place = strdup(uri->path);
    return choice->place ? RC_OK : RC_NO_MEMORY;
}

int plug_choices_add(struct plug_choices *choices, const struct uri *uri)
{
    struct plug_choice choice = {0};
    struct plug_choice *grown;
    int rc = read_choice(uri, &choice);

    if (rc)
        return rc;
    grown = realloc(choices->list, (choices->count + 1) * sizeof *grown);
    if (!grown) {
        free(choice.place);
        return RC_NO_MEMORY;
    }
    choices->list = grown;
    grown[choices->count++] = choice;
    return RC_OK;
}

void plug_choices_fini(struct plug_choices *choices)
{
    for (size_t i = 0; i < choices->count; i++)
        free(choices->list[i].place);
    free(choices->list);
    *choices = (struct plug_choices){0};
}

/* The interface itself, or the device that it belongs to. */
static bool is_at(const char *place, const char *chosen)
{
    size_t length = strlen(chosen);

    return !strncmp(place, chosen, length) && (place[length] == '\0' || place[length] == ':');
}

const struct plug_choice *plug_choices_find(const struct plug_choices *choices, const char *place,
                                            uint16_t vendor, uint16_t product)
{
    for (size_t i = choices->count; i > 0; i--) {
        const struct plug_choice *choice = &choices->list[i - 1];

        if (choice->kind == PLUG_ALL || (choice->kind == PLUG_PLACE && is_at(place, choice->place)) ||
            (choice->kind == PLUG_MODEL && choice->vendor == vendor && choice->product == product))
            return choice;
    }
    return NULL;
}
