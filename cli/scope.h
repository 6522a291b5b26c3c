/* SPDX-License-Identifier: MIT */
/* For the commands on the database: a context in the scope that the call asks for, GUIDs, lists. */
#ifndef CLI_SCOPE_H
#define CLI_SCOPE_H

#include "base/guid.h"
#include "cli/call.h"

/* The option of these commands. */
#define SCOPE_OPTION                                                                                         \
    {                                                                                                        \
        "system", 0, VALUE_NONE, NULL, NULL, "in the database of the machine, not of the user"               \
    }

/* A context of its own, of the user or with --system of the machine; SCardReleaseContext ends it.
 * STATUS_DONE, or the status of a reported failure. */
int scope_open(struct call *call, SCARDCONTEXT *ret_context);

/* The end of a change: releases the context; reports a failure. What in the database is damaged is said as
 * well, since the entry may be there. */
int scope_close(struct call *call, SCARDCONTEXT context, LONG code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The name of an attached reader that text means (number, part of a name); text itself when it means none,
 * since an entry may name a reader that is away. Caller frees; NULL: out of memory, or several are meant,
 * reported. */
char *scope_reader(struct call *call, const char *text);

/* "{8-4-4-4-12}", braces and case as you like. STATUS_USAGE, reported. */
int scope_guid(struct call *call, const char *text, GUID *ret_guid);

void scope_guid_format(const GUID *guid, char text[GUID_TEXT_MAX]);

/* All values of an option that may be repeated, as GUIDs; free(). *ret_count 0: not given, NULL. */
int scope_guids(struct call *call, const char *option, GUID **ret_guids, size_t *ret_count);

#endif
