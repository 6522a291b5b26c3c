/* SPDX-License-Identifier: MIT */
#include "cli/readers.h"

#include <stdlib.h>
#include <string.h>

#include <scard.h>

#include "cli/names.h"

void readers_free(struct reader_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->entries[i].name);
        free(list->entries[i].device);
        free(list->entries[i].problem);
    }
    free(list->entries);
    *list = (struct reader_list){0};
}

/* A fact as a new string; "" where the service has none. NULL: out of memory. */
static char *fact(SCARDCONTEXT context, const char *reader, const char *key)
{
    DWORD length = 0;
    char *text;

    if (scard_reader_fact(context, reader, key, NULL, &length) != SCARD_S_SUCCESS || length == 0)
        return calloc(1, 1);
    text = calloc(1, length + 1);
    if (text != NULL && scard_reader_fact(context, reader, key, text, &length) != SCARD_S_SUCCESS)
        text[0] = '\0';
    return text;
}

static LONG load_entries(SCARDCONTEXT context, const char *names, struct reader_list *list)
{
    size_t count = 0;

    for (const char *name = names; *name != '\0'; name += strlen(name) + 1)
        count++;
    list->entries = calloc(count + 1, sizeof *list->entries);
    if (list->entries == NULL)
        return SCARD_E_NO_MEMORY;
    for (const char *name = names; *name != '\0'; name += strlen(name) + 1) {
        struct reader_entry *entry = &list->entries[list->count++];

        entry->name = strdup(name);
        entry->device = fact(context, name, "device");
        entry->problem = fact(context, name, "problem");
        if (entry->name == NULL || entry->device == NULL || entry->problem == NULL)
            return SCARD_E_NO_MEMORY;
    }
    return SCARD_S_SUCCESS;
}

/* One reader at a time: one that left in between must not spoil the others. */
static LONG load_state(SCARDCONTEXT context, struct reader_entry *entry)
{
    SCARD_READERSTATE state = {.szReader = entry->name};
    LONG code = SCardGetStatusChange(context, 0, &state, 1);

    if (code == SCARD_E_UNKNOWN_READER) {
        entry->state = SCARD_STATE_UNKNOWN;
        return SCARD_S_SUCCESS;
    }
    if (code != SCARD_S_SUCCESS && code != SCARD_E_TIMEOUT)
        return code;
    entry->state = state.dwEventState & 0xFFFF;
    entry->events = (unsigned)(state.dwEventState >> 16) & 0xFFFF;
    entry->atr_length = state.cbAtr <= sizeof entry->atr ? state.cbAtr : sizeof entry->atr;
    memcpy(entry->atr, state.rgbAtr, entry->atr_length);
    return SCARD_S_SUCCESS;
}

LONG readers_load(SCARDCONTEXT context, struct reader_list *ret_list)
{
    struct reader_list list = {0};
    char *names = NULL;
    DWORD length = SCARD_AUTOALLOCATE;
    LONG code = SCardListReaders(context, NULL, (LPSTR)(void *)&names, &length);

    if (code == SCARD_E_NO_READERS_AVAILABLE) {
        *ret_list = list;
        return SCARD_S_SUCCESS;
    }
    if (code != SCARD_S_SUCCESS || names == NULL)
        return code;
    code = load_entries(context, names, &list);
    SCardFreeMemory(context, names);
    for (size_t i = 0; code == SCARD_S_SUCCESS && i < list.count; i++)
        code = load_state(context, &list.entries[i]);
    if (code != SCARD_S_SUCCESS)
        readers_free(&list);
    else
        *ret_list = list;
    return code;
}

const char *readers_state_word(DWORD state)
{
    if (state & SCARD_STATE_UNKNOWN)
        return "gone";
    if (state & SCARD_STATE_UNAVAILABLE)
        return "unavailable";
    if (state & SCARD_STATE_MUTE)
        return "mute";
    if (state & SCARD_STATE_PRESENT)
        return "card";
    if (state & SCARD_STATE_EMPTY)
        return "empty";
    return "unknown";
}

const char *readers_use_word(DWORD state)
{
    if (state & SCARD_STATE_EXCLUSIVE)
        return "exclusive";
    return state & SCARD_STATE_INUSE ? "in use" : "";
}

bool readers_matches(const struct reader_entry *entry, const char *choice)
{
    return strcasestr(entry->name, choice) != NULL || strcasecmp(entry->device, choice) == 0;
}

enum pick_result readers_pick(const struct reader_list *list, const char *choice, size_t *ret_index)
{
    size_t matches = 0;
    uint64_t number;

    if (list->count == 0)
        return PICK_NO_READERS;
    if (choice == NULL) {
        *ret_index = 0;
        return list->count == 1 ? PICK_ONE : PICK_SEVERAL;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->entries[i].name, choice) == 0) {
            *ret_index = i;
            return PICK_ONE;
        }
    }
    if (names_number_parse(choice + (choice[0] == '#'), &number) && number < list->count) {
        *ret_index = (size_t)number;
        return PICK_ONE;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (strcasecmp(list->entries[i].device, choice) == 0) {
            *ret_index = i;
            matches++;
        }
    }
    if (matches == 0) {
        for (size_t i = 0; i < list->count; i++) {
            if (readers_matches(&list->entries[i], choice)) {
                *ret_index = i;
                matches++;
            }
        }
    }
    return matches == 1 ? PICK_ONE : matches == 0 ? PICK_NONE : PICK_SEVERAL;
}
