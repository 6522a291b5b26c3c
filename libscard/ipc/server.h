/* SPDX-License-Identifier: MIT */
/*
 * A server of the wire protocol around a service: one client connection is one context of it.
 *
 * Threads: as many as there are requests that wait, and a few; a thread that takes a request answers it,
 * another one goes on listening. A client that waits for readers costs no thread. Clients are never trusted:
 * what is not a request closes their connection, with one report, and an id of another connection is
 * unknown.
 */
#ifndef IPC_SERVER_H
#define IPC_SERVER_H

#include <sys/types.h>

#include "base/deadline.h"
#include "manager/service.h"

#define SERVER_GROUP_NOBODY ((gid_t)-1)
#define SERVER_GROUP_ANYBODY ((gid_t)-2)

struct server;

struct server_options {
    /* Who may connect, beside root and the server's own user: a member of this group, nobody, or whoever the
     * socket's permissions let in. */
    gid_t group;

    /* Receives what an administrator wants to know, a line without newline, from any thread; or NULL. It must
     * not call back. */
    void (*report)(void *user, const char *line);
    void *user; /* borrowed until server_free */

    /* Puts something around the context of a client, such as a trace, and takes it over; process is the
     * client's, and start_ns the time when the context was asked for. Never fails: it may give back what it
     * got. Or NULL. */
    struct service_context *(*wrap)(struct service_context *context, int64_t start_ns, uint32_t process);
};

/* Serves on listener, a listening Unix stream socket, which is taken over, also on failure. The service is
 * borrowed until server_free; it has an observe operation that nobody else uses. RC_NO_MEMORY with a detail.
 */
int server_start(struct service *service, int listener, const struct server_options *options,
                 struct server **ret_server);

/* How many clients there are; and since when there has been none (INT64_MAX: there are some), on the
 * monotonic clock. */
size_t server_clients(struct server *server, int64_t *ret_idle_since_ns);

/* Takes no more clients, if there has been none for that long and none is on its way: true. Who connects then
 * waits in the listener's queue for whoever accepts there next; server_free is the only call that may follow.
 * false: if one is on its way, the time without clients begins anew. */
bool server_retire(struct server *server, int64_t idle_ns);

/* Milliseconds that a client has for the rest of a message (30000; for tests). */
void server_set_message_ms(struct server *server, uint32_t milliseconds);

/* An eventfd, readable when the first client has come or the last one has gone since it was read. */
int server_event_fd(const struct server *server);

/* As local_before_fork and local_after_fork: the child has none of the descriptors, and must not call any of
 * these. */
void server_before_fork(struct server *server);
void server_after_fork(struct server *server, bool in_child);

/* Ends: no new clients, calls under way are cancelled, contexts released with their dispositions; closes all.
 */
void server_free(struct server *server);

#endif
