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

/* Descriptors of this program, and its variables, mean nothing in the session: those that options name go
 * there too. Made here are the ones to close. */
struct secrets {
    int fds[SECRETS_MAX];
    bool made[SECRETS_MAX];
    uint8_t count;
};

static int find_secrets(const struct call *call, struct secrets *secrets)
{
    const struct option_spec *spec = call->command->options;

    for (; spec != NULL && spec->name != NULL; spec++) {
        const char *value = secret_is_place(spec) ? call_option(call, spec->name) : NULL;
        bool made = spec->value == VALUE_VARIABLE;
        int fd;

        if (value == NULL)
            continue;
        if (secrets->count == SECRETS_MAX)
            return detail_set(RC_INVALID_VALUE, "too many options name a place of a secret");
        fd = made ? secret_variable_fd(value, true) : secret_inherited_fd(value);
        if (fd < 0)
            return detail_set(RC_INVALID_VALUE, "--%s: %s is no %s", spec->name, value,
                              made ? "variable of the environment" : "descriptor that is open for reading");
        secrets->fds[secrets->count] = fd;
        secrets->made[secrets->count++] = made;
    }
    return RC_OK;
}

static void close_secrets(struct secrets *secrets)
{
    for (uint8_t i = 0; i < secrets->count; i++)
        if (secrets->made[i])
            close(secrets->fds[i]);
}

static int send_request(struct call *call, struct session_wire *wire, int argc, const char *const *argv)
{
    struct secrets secrets = {0};
    int fds[SESSION_FDS], terminal, rc = find_secrets(call, &secrets);
    size_t count = SESSION_TERMINAL;
    struct session_request request = {
        .urgent = (call->command->flags & COMMAND_URGENT) != 0,
        .secrets = secrets.count,
        .argc = argc,
        .argv = calloc((size_t)argc + 1, sizeof *request.argv),
        .reader = getenv("SCARD_READER"),
        .no_color = getenv("NO_COLOR"),
        .term = getenv("TERM"),
    };
    struct buffer body = {0};

    if (rc < 0 || request.argv == NULL) {
        close_secrets(&secrets);
        free(request.argv);
        return rc < 0 ? rc : RC_NO_MEMORY;
    }
    memcpy(request.argv, argv, (size_t)argc * sizeof *argv);
    fds[SESSION_STDIN] = call->front->input;
    fds[SESSION_STDOUT] = call->output->out;
    fds[SESSION_STDERR] = call->output->err;
    fds[SESSION_DIRECTORY] = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal >= 0)
        fds[count++] = terminal;
    for (uint8_t i = 0; i < secrets.count; i++)
        fds[count++] = secrets.fds[i];
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
    close_secrets(&secrets);
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
