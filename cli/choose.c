/* SPDX-License-Identifier: MIT */
#include "cli/choose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/names.h"
#include "cli/readers.h"

/* "0 Alpha, 2 Beta": those that choice may mean. NULL: out of memory. */
static char *candidates(const struct reader_list *list, const char *choice)
{
    struct buffer text = {0};

    for (size_t i = 0; i < list->count; i++) {
        char number[32];

        if (choice != NULL && !readers_matches(&list->entries[i], choice))
            continue;
        snprintf(number, sizeof number, "%s%zu ", text.length > 0 ? ", " : "", i);
        if (buffer_append(&text, number, strlen(number)) < 0 ||
            buffer_append(&text, list->entries[i].name, strlen(list->entries[i].name)) < 0)
            goto fail;
    }
    if (buffer_append(&text, "", 1) == 0)
        return (char *)text.data;
fail:
    buffer_fini(&text);
    return NULL;
}

static int report(struct call *call, const struct reader_list *list, const char *choice,
                  enum pick_result result)
{
    char *names;
    int status;

    if (result == PICK_NO_READERS)
        return call_fail_scard(call, SCARD_E_NO_READERS_AVAILABLE, "cannot pick a reader");
    names = candidates(list, result == PICK_SEVERAL ? choice : NULL);
    if (names == NULL)
        return call_no_memory(call);
    if (result == PICK_NONE)
        status = call_fail(call, STATUS_READER,
                           choice == call_argument(call, 0)
                               ? "Name one by its number, name, or a part of the name."
                               : "Name one with -r: its number, name, or a part of the name.",
                           "no reader matches \"%s\"; there are: %s", choice, names);
    else if (choice != NULL)
        status = call_fail(call, STATUS_READER, "Name one by its number or a longer part of its name.",
                           "several readers match \"%s\": %s", choice, names);
    else
        status = call_fail(call, STATUS_READER,
                           "Name one with -r (number, name, part of the name) or SCARD_READER.",
                           "there are several readers: %s", names);
    free(names);
    return status;
}

int choose_find(struct call *call, const char *choice, char **ret_name)
{
    struct reader_list list;
    enum pick_result result;
    int status = STATUS_DONE;
    size_t index;
    LONG code = readers_load(call->front->desk->context, &list);

    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot list the readers");
    result = readers_pick(&list, choice, &index);
    if (result != PICK_ONE) {
        status = report(call, &list, choice, result);
    } else {
        *ret_name = list.entries[index].name;
        list.entries[index].name = NULL;
    }
    readers_free(&list);
    return status;
}

/* A desk that is connected otherwise than this call asks for is not changed behind the user's back. */
static int check_share(struct call *call)
{
    const struct globals *asked = &call->globals, *given = &call->front->globals;
    const struct desk *desk = call->front->desk;

    if (asked->has_share && !given->has_share && asked->share != desk->share)
        return call_fail(call, STATUS_USAGE, "Change it with \"scard reconnect --share MODE\".",
                         "the session is connected %s", names_share(desk->share));
    if (asked->has_protocols && !given->has_protocols && !(asked->protocols & desk->protocol))
        return call_fail(call, STATUS_USAGE, "Change it with \"scard reconnect --protocol PROTOCOL\".",
                         "the session is connected with protocol %s", names_protocol(desk->protocol));
    return STATUS_DONE;
}

static int connect_guest(struct call *call, enum command_needs needs)
{
    bool direct = needs == NEED_DIRECT && !call->globals.has_share;
    DWORD share = direct ? SCARD_SHARE_DIRECT : call->globals.share;
    DWORD protocols =
        share == SCARD_SHARE_DIRECT && !call->globals.has_protocols ? 0 : call->globals.protocols;
    LONG code;

    desk_init_guest(&call->guest, call->front->desk);
    code = desk_connect(&call->guest, call->reader, share, protocols);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot connect to %s", call->reader);
    call->desk = &call->guest;
    return STATUS_DONE;
}

int choose_reader(struct call *call, enum command_needs needs)
{
    const struct desk *desk = call->front->desk;
    bool named = call->globals.reader != NULL && call->globals.reader != call->front->globals.reader;
    const char *choice = call->globals.reader != NULL ? call->globals.reader : call->front->reader;
    int status;

    if (call->reader != NULL) {
        /* picked already, by a command that connects later */
    } else if (desk_is_connected(desk) && !named) {
        call->reader = strdup(desk->reader);
        if (call->reader == NULL)
            return call_no_memory(call);
    } else {
        status = choose_find(call, choice, &call->reader);
        if (status != STATUS_DONE)
            return status;
    }
    if (needs == NEED_READER)
        return STATUS_DONE;
    if (desk_is_connected(desk) && strcmp(desk->reader, call->reader) == 0)
        return check_share(call);
    return connect_guest(call, needs);
}

int choose_prepare(struct call *call, enum command_needs needs)
{
    LONG code;

    if (needs == NEED_NOTHING)
        return STATUS_DONE;
    code = desk_establish(call->front->desk, SCARD_SCOPE_SYSTEM);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot open a context");
    return needs == NEED_SERVICE ? STATUS_DONE : choose_reader(call, needs);
}
