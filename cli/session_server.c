/* SPDX-License-Identifier: MIT */
#include "cli/session_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/rc.h"
#include "cli/session_place.h"
#include "cli/session_start.h"
#include "cli/session_wire.h"
#include "cli/session_worker.h"

/* A connection: of a program whose command waits, runs or is done, or of one that has not said what it wants.
 */
struct peer {
    struct session_wire wire;
    struct session_command command;
    bool asked; /* command is filled, and with the worker until it is done */
    bool gone;  /* nobody is there to be answered */
    struct peer *next;
};

/* What is polled before the connections. */
enum watched { WATCH_SIGNAL, WATCH_OWNER, WATCH_DONE, WATCH_LISTEN, WATCH_PEERS };

struct server {
    struct session_worker worker;
    int signal_fd, owner_fd; /* owner_fd -1: nobody's */
    bool full;               /* no descriptors for more connections: wait until one ends */
    struct peer *peers;
    struct pollfd *polls; /* room for all connections */
    size_t peer_count;
    int64_t idle_ms;
    struct deadline idle;
};

static void free_peer(struct peer *peer)
{
    session_wire_fini(&peer->wire);
    if (peer->asked)
        session_command_fini(&peer->command);
    free(peer);
}

/* Takes the descriptor in any case. */
static void add_peer(struct server *server, int fd)
{
    struct pollfd *polls = reallocarray(server->polls, WATCH_PEERS + server->peer_count + 1, sizeof *polls);
    struct peer *peer = polls != NULL ? calloc(1, sizeof *peer) : NULL, **at = &server->peers;

    if (polls != NULL)
        server->polls = polls;
    if (peer == NULL) {
        close(fd);
        return;
    }
    session_wire_init(&peer->wire, fd);
    while (*at != NULL)
        at = &(*at)->next;
    *at = peer;
    server->peer_count++;
}

static void accept_peer(struct server *server)
{
    int fd = accept4(SESSION_FD_LISTEN, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct ucred peer;
    socklen_t length = sizeof peer;

    if (fd < 0) {
        server->full = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
        return;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 || peer.uid != geteuid())
        close(fd);
    else
        add_peer(server, fd);
}

/* The client's pipe or terminal opened anew, so that it can be made non-blocking here alone: nothing then
 * hangs on a pipe that nobody reads. Where that cannot be done the descriptor stays as it is. */
static int reopen(int fd)
{
    int flags = fcntl(fd, F_GETFL), again;
    struct stat stat;
    char path[64];

    if (flags < 0 || (flags & O_PATH) || fstat(fd, &stat) < 0)
        return fd;
    if (!S_ISFIFO(stat.st_mode) && !(S_ISCHR(stat.st_mode) && isatty(fd)))
        return fd;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    again = open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (again < 0)
        return fd;
    close(fd);
    return again;
}

/* Gives a command to the worker. RC_INVALID_VALUE if it is none. */
static int take_request(struct server *server, struct peer *peer, struct bytes body)
{
    struct session_command *command = &peer->command;
    struct stat stat;
    int rc;

    if (peer->asked || peer->wire.fd_count < SESSION_TERMINAL ||
        fstat(peer->wire.fds[SESSION_DIRECTORY], &stat) < 0 || !S_ISDIR(stat.st_mode))
        return RC_INVALID_VALUE;
    rc = session_request_parse(body, &command->request);
    if (rc < 0)
        return rc;
    if (peer->wire.fd_count < SESSION_TERMINAL + (size_t)command->request.secrets) {
        session_request_fini(&command->request);
        return RC_INVALID_VALUE;
    }
    for (size_t i = 0; i < SESSION_FDS; i++)
        command->fds[i] = -1;
    for (size_t i = command->request.secrets; i-- > 0;)
        command->fds[SESSION_SECRET + i] = peer->wire.fds[--peer->wire.fd_count];
    while (peer->wire.fd_count > SESSION_SECRET)
        close(peer->wire.fds[--peer->wire.fd_count]);
    for (size_t i = 0; i < peer->wire.fd_count; i++)
        command->fds[i] = peer->wire.fds[i];
    peer->wire.fd_count = 0;
    for (size_t i = SESSION_STDIN; i <= SESSION_STDERR; i++)
        command->fds[i] = reopen(command->fds[i]);
    command->reply = peer->wire.fd;
    peer->asked = true;
    session_worker_add(&server->worker, command);
    return RC_OK;
}

static int answer_info(struct server *server, const struct peer *peer)
{
    struct buffer body = {0};
    int rc = session_worker_facts(&server->worker, &body);

    if (rc == RC_OK)
        rc = session_wire_send(peer->wire.fd, false, SESSION_INFO, &body, NULL, 0);
    buffer_fini(&body);
    return rc;
}

static int take_frame(struct server *server, struct peer *peer, uint8_t type, struct bytes body)
{
    switch (type) {
    case SESSION_RUN:
        return take_request(server, peer, body);
    case SESSION_INFO:
        return answer_info(server, peer);
    case SESSION_CANCEL:
        if (!peer->asked)
            return RC_INVALID_VALUE;
        /* Taken back before it began: the closed connection says so. */
        return session_worker_cancel(&server->worker, &peer->command) ? RC_SERVICE_STOPPED : RC_OK;
    default:
        return RC_INVALID_VALUE;
    }
}

/* Takes what came from a connection; anything wrong is answered by closing it. */
static void serve_peer(struct server *server, struct peer *peer)
{
    struct bytes body;
    uint8_t type;
    int rc = session_wire_receive(&peer->wire);

    while (rc > 0 && (rc = session_wire_first(&peer->wire, &type, &body)) == 1) {
        rc = take_frame(server, peer, type, body);
        session_wire_drop(&peer->wire);
        if (rc == RC_OK)
            rc = 1;
    }
    /* No more descriptors than one command has, whenever they come. */
    if (rc >= 0 && peer->asked && peer->wire.fd_count > 0)
        rc = RC_INVALID_VALUE;
    peer->gone = rc < 0;
}

static void send_done(const struct peer *peer)
{
    uint8_t status = (uint8_t)peer->command.status;
    struct buffer body = {.data = &status, .length = 1, .capacity = 1};

    if (!peer->gone)
        session_wire_send(peer->wire.fd, false, SESSION_DONE, &body, NULL, 0);
}

/* Answers what is done, and drops who is gone; a command that runs for nobody is interrupted and stays until
 * done. */
static void settle_peers(struct server *server)
{
    struct peer **at = &server->peers;

    while (*at != NULL) {
        struct peer *peer = *at;
        bool done = peer->asked && session_worker_turn(&server->worker, &peer->command) == TURN_DONE;

        if (done)
            send_done(peer);
        else if (peer->gone && peer->asked && !session_worker_cancel(&server->worker, &peer->command))
            done = session_worker_turn(&server->worker, &peer->command) != TURN_RUNNING;
        else if (peer->gone)
            done = true;
        if (!done) {
            at = &peer->next;
            continue;
        }
        *at = peer->next;
        server->peer_count--;
        server->full = false;
        free_peer(peer);
    }
}

static size_t fill_polls(struct server *server, const struct session_worker_state *state)
{
    size_t count = WATCH_PEERS;

    server->polls[WATCH_SIGNAL] = (struct pollfd){.fd = server->signal_fd, .events = POLLIN};
    server->polls[WATCH_OWNER] = (struct pollfd){.fd = server->owner_fd, .events = POLLIN};
    server->polls[WATCH_DONE] = (struct pollfd){.fd = server->worker.done_fd, .events = POLLIN};
    /* Others are heard when there is a session: what the first command finds out decides that. */
    server->polls[WATCH_LISTEN] =
        (struct pollfd){.fd = server->full || !state->opened ? -1 : SESSION_FD_LISTEN, .events = POLLIN};
    for (struct peer *peer = server->peers; peer != NULL; peer = peer->next)
        server->polls[count++] = (struct pollfd){.fd = peer->gone ? -1 : peer->wire.fd, .events = POLLIN};
    return count;
}

/* One round. False when the session is at its end. */
static bool serve_once(struct server *server)
{
    struct session_worker_state state = session_worker_state(&server->worker);
    size_t count = fill_polls(server, &state), i = WATCH_PEERS;
    uint64_t done;

    if (state.over || (!state.opened && server->peers == NULL))
        return false;
    if (poll(server->polls, count, state.busy ? -1 : deadline_poll_ms(server->idle)) < 0)
        return errno == EINTR;
    if (server->polls[WATCH_SIGNAL].revents != 0 || server->polls[WATCH_OWNER].revents & POLLIN)
        return false;
    if (server->polls[WATCH_DONE].revents != 0 && read(server->worker.done_fd, &done, sizeof done) > 0)
        server->idle = server->idle_ms > 0 ? deadline_in_ms((uint64_t)server->idle_ms) : deadline_never();
    for (struct peer *peer = server->peers; peer != NULL; peer = peer->next)
        if (server->polls[i++].revents != 0)
            serve_peer(server, peer);
    if (server->polls[WATCH_LISTEN].revents != 0)
        accept_peer(server);
    if (session_worker_state(&server->worker).over)
        return false;
    settle_peers(server);
    return session_worker_state(&server->worker).busy || !deadline_passed(server->idle);
}

/* The end: first nobody finds the session any more, then the context goes, then those who wait for that hear
 * of it. */
static void finish(struct server *server, const char *name)
{
    session_place_remove_socket(SESSION_FD_PLACE, name);
    close(SESSION_FD_LISTEN);
    session_worker_stop(&server->worker);
    session_place_remove_lock(SESSION_FD_PLACE, name);
    while (server->peers != NULL) {
        struct peer *peer = server->peers;

        server->peers = peer->next;
        if (peer->asked && peer->command.turn == TURN_DONE)
            send_done(peer);
        free_peer(peer);
    }
    free(server->polls);
    close(server->signal_fd);
}

/* The signals that end a session, as a descriptor; the others do not reach it. */
static int open_signals(void)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The descriptors are what session_open leaves, or somebody tries out the word by hand. */
static bool inherit(void)
{
    int type;
    socklen_t length = sizeof type;

    for (int fd = SESSION_FD_OPENER; fd < SESSION_FD_END; fd++)
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 && fd != SESSION_FD_OWNER)
            return false;
    return getsockopt(SESSION_FD_OPENER, SOL_SOCKET, SO_TYPE, &type, &length) == 0 &&
           getsockopt(SESSION_FD_LISTEN, SOL_SOCKET, SO_TYPE, &type, &length) == 0;
}

int session_serve(const struct front *offers, int argc, const char *const *argv)
{
    struct server server = {.idle = deadline_never()};
    bool started;

    if (argc != 3 || !session_place_is_name(argv[1]) || !inherit())
        return STATUS_USAGE;
    prctl(PR_SET_NAME, "scard");
    server.owner_fd = fcntl(SESSION_FD_OWNER, F_GETFD) >= 0 ? SESSION_FD_OWNER : -1;
    server.idle_ms = strtoll(argv[2], NULL, 10);
    server.signal_fd = open_signals();
    started = server.signal_fd >= 0 && session_worker_start(&server.worker, offers) == RC_OK;
    if (!started) {
        session_place_remove_socket(SESSION_FD_PLACE, argv[1]);
        session_place_remove_lock(SESSION_FD_PLACE, argv[1]);
        return STATUS_SERVICE;
    }
    add_peer(&server, SESSION_FD_OPENER);
    while (server.polls != NULL && serve_once(&server))
        continue;
    finish(&server, argv[1]);
    return STATUS_DONE;
}
