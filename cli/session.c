/* SPDX-License-Identifier: MIT */
#include "cli/session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "cli/session_place.h"
#include "cli/session_talk.h"
#include "cli/session_wire.h"

/* The session that the call names, NULL if none. *ret_typed: with --session. */
static const char *named(const struct call *call, bool *ret_typed)
{
    const char *name = call->globals.session;

    *ret_typed = name != NULL;
    if (name == NULL)
        name = getenv("SCARD_SESSION");
    return name != NULL && name[0] != '\0' ? name : NULL;
}

static int connect_named(int directory, const char *name)
{
    if (!session_place_is_name(name))
        return detail_set(RC_INVALID_VALUE, "\"%s\" is no name for a session", name);
    return directory < 0 ? RC_NO_SERVICE : session_place_connect(directory, name);
}

/* No session of that name lives. */
static int without_session(struct call *call, const char *name, bool typed, int *ret_status)
{
    bool opens = call->front->open_session != NULL && (call->command->flags & COMMAND_OPENS);
    bool needs_card = call->command->needs == NEED_CARD || call->command->needs == NEED_DIRECT;

    if (opens || (!typed && !needs_card))
        return 0;
    *ret_status = call_fail(call, STATUS_USAGE, "Open it with: scard connect --session NAME -r READER.",
                            "there is no session \"%s\"", name);
    return RC_NO_SERVICE;
}

int session_forward(struct call *call, int argc, const char *const *argv, int *ret_status)
{
    char nearest[SESSION_NAME_SIZE];
    struct session_wire wire;
    const char *name;
    bool typed;
    int directory = -1, fd, rc;

    if (call->command == NULL || call->command->children != NULL || call->globals.help ||
        call->globals.version || (call->command->flags & COMMAND_LOCAL))
        return 0;
    if (call->globals.json)
        call->output->mode = OUTPUT_JSON;
    name = named(call, &typed);
    rc = session_place_open(false, &directory);
    if (rc < 0)
        fd = rc;
    else if (name != NULL)
        fd = connect_named(directory, name);
    else
        fd = rc == 0 ? session_place_connect_nearest(directory, nearest) : RC_NO_SERVICE;
    if (directory >= 0)
        close(directory);
    if (fd == RC_NO_SERVICE)
        return name != NULL ? without_session(call, name, typed, ret_status) : 0;
    if (fd < 0 && name == NULL && rc < 0)
        return 0; /* no place for sessions: then there is none */
    if (fd < 0) {
        *ret_status = fd == RC_DENIED
                          ? call_fail(call, STATUS_PERMISSION, "", "cannot use the session: %s", detail_get())
                          : call_fail_rc(call, fd, "cannot use the session");
        return fd;
    }
    session_wire_init(&wire, fd);
    rc = session_talk(call, &wire, argc, argv, ret_status);
    session_wire_fini(&wire);
    if (rc == 0) /* to run it now without the session's card and transaction is not what was asked for */
        *ret_status =
            call_fail(call, STATUS_SERVICE, "Nothing was sent. Open another with: scard connect -r READER.",
                      "the session ended before the command had its turn");
    return 1;
}

struct each {
    struct call *call;
    int (*fn)(struct call *call, const struct session_entry *entry);
    int directory;
    const char *current;
};

static int each_one(void *user, const char *name)
{
    const struct each *each = user;
    int fd = session_place_connect(each->directory, name), status = STATUS_DONE;
    struct session_facts facts;
    struct session_wire wire;

    if (fd < 0)
        return STATUS_DONE;
    session_wire_init(&wire, fd);
    if (session_talk_facts(each->call, &wire, &facts) == 1) {
        const struct session_entry entry = {
            .name = name,
            .current = strcmp(name, each->current) == 0,
            .busy = facts.busy,
            .depth = facts.depth,
            .pid = facts.pid,
            .reader = facts.reader,
        };

        status = each->fn(each->call, &entry);
    } else if (call_interrupted(each->call)) {
        status = call_fail_rc(each->call, RC_CANCELLED, "interrupted");
    }
    session_wire_fini(&wire);
    return status;
}

int session_each(struct call *call, int (*fn)(struct call *call, const struct session_entry *entry))
{
    char nearest[SESSION_NAME_SIZE];
    struct each each = {.call = call, .fn = fn};
    bool typed;
    int rc = session_place_open(false, &each.directory), fd, status;

    if (rc == 1)
        return STATUS_DONE;
    if (rc < 0)
        return call_fail(call, rc == RC_DENIED ? STATUS_PERMISSION : STATUS_SERVICE, "",
                         "cannot list the sessions: %s", detail_get());
    each.current = named(call, &typed);
    if (each.current == NULL) {
        fd = session_place_connect_nearest(each.directory, nearest);
        if (fd >= 0)
            close(fd);
        each.current = fd >= 0 ? nearest : "";
    }
    status = session_place_each(each.directory, each_one, &each);
    close(each.directory);
    return status;
}
