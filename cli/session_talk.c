/* SPDX-License-Identifier: MIT */
#include "cli/session_talk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/log.h"
#include "base/rc.h"
#include "cli/secret.h"

/* A descriptor of this program means nothing in the session: what --pin-fd names goes there too. */
static int secret_fd(const struct call *call)
{
    for (size_t i = call->option_count; i > 0; i--)
        if (strcmp(call->options[i - 1].spec->name, "pin-fd") == 0)
            return secret_inherited_fd(call->options[i - 1].value);
    return -1;
}

static int send_request(struct call *call, struct session_wire *wire, int argc, const char *const *argv)
{
    int fds[SESSION_FDS], own = secret_fd(call), terminal, rc = RC_NO_MEMORY;
    size_t count = SESSION_TERMINAL;
    struct session_request request = {
        .urgent = (call->command->flags & COMMAND_URGENT) != 0,
        .secret = own >= 0,
        .argc = argc,
        .argv = calloc((size_t)argc + 1, sizeof *request.argv),
        .reader = getenv("SCARD_READER"),
        .no_color = getenv("NO_COLOR"),
        .term = getenv("TERM"),
    };
    struct buffer body = {0};

    if (request.argv == NULL)
        return rc;
    memcpy(request.argv, argv, (size_t)argc * sizeof *argv);
    fds[SESSION_STDIN] = call->front->input;
    fds[SESSION_STDOUT] = call->output->out;
    fds[SESSION_STDERR] = call->output->err;
    fds[SESSION_DIRECTORY] = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal >= 0)
        fds[count++] = terminal;
    if (own >= 0)
        fds[count++] = own;
    if (fds[SESSION_DIRECTORY] < 0)
        rc = detail_set(RC_IO, "cannot open the working directory: %s", strerror(errno));
    else
        rc = session_request_append(&request, &body);
    if (rc == RC_OK)
        rc = session_wire_send(wire->fd, true, SESSION_RUN, &body, fds, count);
    if (fds[SESSION_DIRECTORY] >= 0)
        close(fds[SESSION_DIRECTORY]);
    if (terminal >= 0)
        close(terminal);
    buffer_fini(&body);
    free(request.argv);
    return rc;
}

/* Waits until something came on the wire (1), or the call was interrupted (0). RC_*. */
static int wait_for(struct call *call, struct session_wire *wire, bool interruptible)
{
    const struct interrupt *interrupt = call->front->interrupt;

    for (;;) {
        struct pollfd fds[] = {
            {.fd = wire->fd, .events = POLLIN},
            {.fd = interrupt != NULL && interruptible ? interrupt->event_fd : -1, .events = POLLIN},
        };
        int rc;

        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return detail_set(RC_IO, "cannot wait for the session: %s", strerror(errno));
        rc = session_wire_receive(wire);
        if (rc != 0)
            return rc;
        if (fds[1].revents != 0)
            return 0;
    }
}

/* Takes what came: 1 the command is done. */
static int take_frames(struct session_wire *wire, bool *begun, int *ret_status)
{
    struct bytes body;
    uint8_t type;
    int rc;

    while ((rc = session_wire_first(wire, &type, &body)) == 1) {
        bool done = type == SESSION_DONE;

        if (done)
            *ret_status = bytes_u8(&body);
        else if (type == SESSION_BEGIN)
            *begun = true;
        session_wire_drop(wire);
        if (done)
            return 1;
    }
    return rc;
}

static int report(struct call *call, int rc)
{
    if (rc == RC_SERVICE_STOPPED)
        return call_fail(call, STATUS_SERVICE,
                         "Open another with \"scard connect -r READER\" and start over.",
                         "the session ended in the middle of the command");
    return call_fail_rc(call, rc, "cannot use the session");
}

int session_talk(struct call *call, struct session_wire *wire, int argc, const char *const *argv,
                 int *ret_status)
{
    bool begun = false, cancelled = false;
    int rc;

    /* The time for a command starts with it; what passes until its turn must not be endless either. */
    if (call->globals.timeout_ms >= 0 && call->front->interrupt != NULL)
        interrupt_at(call->front->interrupt, deadline_in_ms((uint64_t)call->globals.timeout_ms));
    rc = send_request(call, wire, argc, argv);
    while (rc >= 0) {
        bool was_begun = begun;

        rc = wait_for(call, wire, !cancelled);
        if (rc < 0)
            break;
        if (rc == 0 && !begun) {
            rc = RC_CANCELLED; /* it never begins: the session sees us leave */
            break;
        }
        if (rc == 0) {
            cancelled = true;
            rc = session_wire_send(wire->fd, true, SESSION_CANCEL, NULL, NULL, 0);
            continue;
        }
        rc = take_frames(wire, &begun, ret_status);
        if (rc == 1)
            return 1;
        if (begun && !was_begun && call->front->interrupt != NULL)
            interrupt_at(call->front->interrupt, deadline_never());
    }
    if (rc == RC_SERVICE_STOPPED && !begun)
        return 0;
    *ret_status = report(call, rc);
    return 1;
}

int session_talk_facts(struct call *call, struct session_wire *wire, struct session_facts *ret_facts)
{
    struct bytes body;
    uint8_t type;
    int rc = session_wire_send(wire->fd, true, SESSION_INFO, NULL, NULL, 0);

    while (rc == RC_OK) {
        if (wait_for(call, wire, true) <= 0)
            return 0;
        rc = session_wire_first(wire, &type, &body);
    }
    return rc == 1 && type == SESSION_INFO && session_facts_parse(body, ret_facts) == RC_OK ? 1 : 0;
}
