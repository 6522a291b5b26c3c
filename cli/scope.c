/* SPDX-License-Identifier: MIT */
#include "cli/scope.h"

#include <scard.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guid.h"
#include "cli/readers.h"

_Static_assert(sizeof(struct guid) == sizeof(GUID), "struct guid has the fields of GUID");

int scope_open(struct call *call, SCARDCONTEXT *ret_context)
{
    LONG code = SCardEstablishContext(call_flag(call, "system") ? SCARD_SCOPE_SYSTEM : SCARD_SCOPE_USER, NULL,
                                      NULL, ret_context);

    return code == SCARD_S_SUCCESS ? STATUS_DONE : call_fail_scard(call, code, "cannot open a context");
}

static void warn_of_damage(struct call *call, SCARDCONTEXT context)
{
    DWORD length = SCARD_AUTOALLOCATE;
    LPSTR problems = NULL;
    char *line, *rest;

    if (scard_database_problems(context, (LPSTR)&problems, &length) != SCARD_S_SUCCESS)
        return;
    for (rest = problems; (line = strsep(&rest, "\n")) != NULL;) {
        struct record record;

        if (line[0] == '\0')
            continue;
        record_init(&record, "damage", RECORD_ROW);
        record_text(&record, SHOW_ALL, "problem", line);
        record_people(&record, "the database: %s", line);
        output_remark(call->output, &record);
        record_fini(&record);
    }
    SCardFreeMemory(context, problems);
}

int scope_close(struct call *call, SCARDCONTEXT context, LONG code, const char *format, ...)
{
    char *what = NULL;
    va_list arguments;
    int status = STATUS_DONE;

    if (code != SCARD_S_SUCCESS) {
        va_start(arguments, format);
        if (vasprintf(&what, format, arguments) < 0)
            what = NULL;
        va_end(arguments);
        status = call_fail_scard(call, code, "%s", what != NULL ? what : "cannot do it");
        free(what);
    }
    warn_of_damage(call, context);
    SCardReleaseContext(context);
    return status;
}

char *scope_reader(struct call *call, const char *text)
{
    struct reader_list list;
    size_t index = 0;
    char *name = NULL;

    if (desk_establish(call->front->desk, SCARD_SCOPE_SYSTEM) != SCARD_S_SUCCESS ||
        readers_load(call->front->desk->context, &list) != SCARD_S_SUCCESS)
        return strdup(text);
    switch (readers_pick(&list, text, &index)) {
    case PICK_ONE:
        name = strdup(list.entries[index].name);
        break;
    case PICK_SEVERAL:
        call_fail(call, STATUS_READER, "\"scard list\" lists them; write more of the name.",
                  "\"%s\" may be several readers", text);
        break;
    default:
        name = strdup(text);
        break;
    }
    readers_free(&list);
    return name;
}

int scope_guid(struct call *call, const char *text, GUID *ret_guid)
{
    struct guid guid;

    if (!guid_scan(text, &guid))
        return call_fail(call, STATUS_USAGE, "Write it as {01234567-89AB-CDEF-0123-456789ABCDEF}.",
                         "\"%s\" is no GUID", text);
    memcpy(ret_guid, &guid, sizeof *ret_guid);
    return STATUS_DONE;
}

void scope_guid_format(const GUID *guid, char text[GUID_TEXT_MAX])
{
    struct guid same;

    memcpy(&same, guid, sizeof same);
    guid_format(&same, text);
}

int scope_guids(struct call *call, const char *option, GUID **ret_guids, size_t *ret_count)
{
    GUID *guids = NULL;
    size_t count = 0;

    for (size_t i = 0; i < call->option_count; i++) {
        GUID *grown;
        int status;

        if (strcmp(call->options[i].spec->name, option) != 0)
            continue;
        grown = reallocarray(guids, count + 1, sizeof *grown);
        if (grown == NULL) {
            free(guids);
            return call_no_memory(call);
        }
        guids = grown;
        status = scope_guid(call, call->options[i].value, &guids[count++]);
        if (status != STATUS_DONE) {
            free(guids);
            return status;
        }
    }
    *ret_guids = guids;
    *ret_count = count;
    return STATUS_DONE;
}
