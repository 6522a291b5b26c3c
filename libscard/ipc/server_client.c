/* SPDX-License-Identifier: MIT */
#include "ipc/server_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "ipc/server_accept.h"
#include "ipc/server_message.h"
#include "ipc/server_notify.h"
#include "ipc/server_output.h"
#include "ipc/server_request.h"

/* A client that asks one thing after the other keeps its thread, which saves half of the calls to the kernel:
 * for so long after each answer, and so many clients at once. */
#define STAY_US 2000
#define STAYING_MAX 64u

/* A request comes in so many: three from libpcsclite, a long one in more. Who needs more waits like those
 * that are slow, and has its time counted. */
#define PIECES_MAX 8u

/* Told once, to one thread, until that listens again. */
static int listen_to(struct server_client *client, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = client->id};

    return epoll_ctl(client->server->epoll_fd, operation, client->fd, &event);
}

int server_client_new(struct server *server, int fd, uid_t uid, pid_t pid)
{
    struct server_client *client = calloc(1, sizeof *client);
    int rc;

    if (!client) {
        pthread_mutex_lock(&server->lock);
        server->incoming = -1;
        close(fd);
        pthread_mutex_unlock(&server->lock);
        return detail_set(RC_NO_MEMORY, "out of memory");
    }
    *client = (struct server_client){
        .server = server, .fd = fd, .uid = uid, .pid = pid, .references = 1, .minor = WIRE_MINOR_TABLE};
    client->told_count = UINT32_MAX;
    list_init(&client->link);
    list_init(&client->unfinished_link);
    list_init(&client->wait_link);
    pthread_mutex_init(&client->output_lock, NULL);
    pthread_mutex_lock(&server->lock);
    list_append(&server->clients, &client->link);
    server->incoming = -1;
    rc = server_accept_count(client);
    if (!rc)
        rc = ids_add(&server->client_ids, client, &client->id);
    if (!rc && listen_to(client, EPOLL_CTL_ADD)) {
        rc = detail_set(RC_NO_MEMORY, "a client cannot be watched (error %d)", errno);
        ids_remove(&server->client_ids, client->id);
    }
    if (rc)
        server_client_unref(client);
    pthread_mutex_unlock(&server->lock);
    return rc;
}

void server_client_unref(struct server_client *client)
{
    struct server *server = client->server;

    if (--client->references)
        return;
    list_remove(&client->link);
    close(client->fd);
    pthread_mutex_unlock(&server->lock);
    buffer_fini(&client->input);
    buffer_fini(&client->output);
    pthread_mutex_destroy(&client->output_lock);
    server_accept_again(server);
    pthread_mutex_lock(&server->lock);
    /* Only now nothing is left of it: no thread is about to end its calls any more. */
    server_accept_uncount(client);
    free(client);
}

void server_client_expel(struct server_client *client, const char *why)
{
    if (!atomic_exchange(&client->expelled, true))
        server_report(client->server, "process %ld of user %lu disconnected: %s", (long)client->pid,
                      (unsigned long)client->uid, why);
    /* Tells epoll as well, so that the thread that has it busy, or the next one, gives it up. */
    shutdown(client->fd, SHUT_RDWR);
}

/* Answers the whole requests among the bytes. *ret_used: how many bytes they were. false: it is over. */
static bool answer(struct server_client *client, struct server_worker *worker, const uint8_t *bytes,
                   size_t length, size_t *ret_used)
{
    struct server_message message;
    size_t used = 0;

    while (used < length) {
        int rc = server_message_read(client->minor, bytes + used, length - used, &message);

        if (rc > 0)
            break;
        if (!rc && client->gone)
            return false;
        if (!rc && worker->last)
            server_find_listener(worker);
        if (!rc)
            rc = server_request_answer(client, worker, &message);
        if (rc) {
            server_client_expel(client, detail_get());
            return false;
        }
        used += message.size;
    }
    *ret_used = used;
    return true;
}

/* The beginning of a message goes on in the worker's room. How many bytes it is. */
static size_t resume(struct server_client *client, struct server_worker *worker)
{
    struct buffer *input = &client->input;
    size_t length = input->length;

    if (length)
        memcpy(worker->in, input->data, length);
    buffer_fini(input);
    *input = (struct buffer){0};
    return length;
}

/* The beginning of a message is kept with the client. */
static bool keep(struct server_client *client, const struct server_worker *worker, size_t length)
{
    if (!length || !buffer_append(&client->input, worker->in, length))
        return true;
    server_client_expel(client, "no memory for its message");
    return false;
}

/* Whether the next request will be there before it is worth while to listen for it together with all others:
 * the last one came at once. */
static bool may_stay(struct server_client *client, bool quick)
{
    struct timeval stay = {.tv_usec = STAY_US};

    if (!quick)
        return false;
    client->can_stay =
        client->can_stay || !setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &stay, sizeof stay);
    return client->can_stay && client->server->staying < STAYING_MAX;
}

/* What comes now, or with stays in the next moment. */
static ssize_t receive(struct server_client *client, void *room, size_t size, bool stays)
{
    struct server *server = client->server;
    ssize_t got;

    server->staying += stays;
    do
        got = recv(client->fd, room, size, stays ? 0 : MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    server->staying -= stays;
    return got;
}

/* Reads and answers until nothing more is there. false: it is over. */
static bool read_requests(struct server_client *client, struct server_worker *worker)
{
    bool quick = clock_now_ns() - client->answered_ns < STAY_US * INT64_C(1000), stays = false, go_on;
    size_t held = resume(client, worker), used, room;
    unsigned pieces = 0;
    ssize_t got;

    client->begun = !held;
    do {
        room = sizeof worker->in - held;
        got = receive(client, worker->in + held, room, stays);
        go_on = got < 0 && errno == EAGAIN;
        if (!got && held)
            server_client_expel(client, "it ended in the middle of a message");
        if (got <= 0 || !answer(client, worker, worker->in, held + (size_t)got, &used))
            break;
        held += (size_t)got - used;
        memmove(worker->in, worker->in + used, held);
        secret_wipe(worker->in + held, used);
        client->begun |= used > 0;
        client->answered_ns = clock_now_ns();
        pieces = held ? pieces + 1 : 0;
        stays = (size_t)got < room && pieces < PIECES_MAX && may_stay(client, quick);
        go_on = true;
        /* What comes now is told of; the rest of a message is most likely there. */
    } while ((size_t)got == room || held || stays);
    go_on = go_on && keep(client, worker, held);
    client->begun = client->begun && held;
    secret_wipe(worker->in, held);
    return go_on;
}

/* The end, by the thread that has the client busy. */
static void end(struct server_client *client)
{
    struct server *server = client->server;

    epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, client->fd, NULL);
    if (client->watched)
        epoll_ctl(server->watch_fd, EPOLL_CTL_DEL, client->fd, NULL);
    shutdown(client->fd, SHUT_RDWR);
    server_notify_forget(client);
    server_request_end_context(client);
    pthread_mutex_lock(&server->lock);
    ids_remove(&server->client_ids, client->id);
    list_remove(&client->unfinished_link);
    server_client_unref(client);
    pthread_mutex_unlock(&server->lock);
}

/* With the lock: the client is, or is no longer, in the middle of a message. */
static void note_unfinished(struct server_client *client)
{
    struct server *server = client->server;

    if (!client->input.length || client->begun)
        list_remove(&client->unfinished_link);
    if (!client->begun)
        return;
    client->begun = false;
    client->deadline = deadline_in_ms(server->message_ms);
    list_append(&server->unfinished, &client->unfinished_link);
    if (server->unfinished.next == &client->unfinished_link)
        server_set_timer(server);
}

static void serve(struct server_client *client, struct server_worker *worker)
{
    struct server *server = client->server;
    bool go_on = read_requests(client, worker);

    pthread_mutex_lock(&server->lock);
    if (!go_on || client->gone) {
        client->gone = true;
        pthread_mutex_unlock(&server->lock);
        end(client);
        return;
    }
    note_unfinished(client);
    client->busy = false;
    pthread_mutex_unlock(&server->lock);
    listen_to(client, EPOLL_CTL_MOD);
}

/* With the lock: nobody waits any more for what the client's thread is doing. Released, and not just
 * cancelled, because the thread may be on its way to a wait. */
static void abandon(struct server_client *client)
{
    struct server *server = client->server;
    struct server_context *context = client->context;
    struct service_context *service;

    if (!context || context->released)
        return;
    context->released = true;
    context->references++;
    service = context->service;
    pthread_mutex_unlock(&server->lock);
    server_context_ops(service)->release(service);
    pthread_mutex_lock(&server->lock);
    server_context_unref(context);
}

void server_client_event(struct server_worker *worker, uint32_t id, uint32_t events)
{
    struct server *server = worker->server;
    struct server_client *client = ids_get(&server->client_ids, id);

    if (!client)
        return;
    client->references++;
    client->busy = true;
    /* The other end is closed; one that only sends no more may wait for its answers. */
    if (events & (EPOLLHUP | EPOLLERR))
        client->gone = true;
    pthread_mutex_unlock(&server->lock);
    serve(client, worker);
    pthread_mutex_lock(&server->lock);
    server_client_unref(client);
}

static void note(struct server *server, uint32_t id, uint32_t events)
{
    struct server_client *client;

    pthread_mutex_lock(&server->lock);
    client = ids_get(&server->client_ids, id);
    if (client) {
        client->references++;
        /* One that is not being served is told of there as well, unless a thread has just taken its request
         * and is on its way: that one is to know. */
        if (events & (EPOLLHUP | EPOLLERR)) {
            client->gone = true;
            if (client->busy)
                abandon(client);
        }
        pthread_mutex_unlock(&server->lock);
        if (events & EPOLLOUT)
            server_output_rest(client);
        pthread_mutex_lock(&server->lock);
        server_client_unref(client);
    }
    pthread_mutex_unlock(&server->lock);
}

void server_client_watch_event(struct server *server)
{
    struct epoll_event events[16];
    int count;

    while ((count = epoll_wait(server->watch_fd, events, sizeof events / sizeof *events, 0)) > 0)
        for (int i = 0; i < count; i++)
            note(server, (uint32_t)events[i].data.u64, events[i].events);
}

void server_client_expire(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    while (!list_empty(&server->unfinished)) {
        struct server_client *client =
            list_entry(server->unfinished.next, struct server_client, unfinished_link);

        if (!deadline_passed(client->deadline))
            break;
        list_remove(&client->unfinished_link);
        client->references++;
        pthread_mutex_unlock(&server->lock);
        server_client_expel(client, "half a message, and no more of it came");
        pthread_mutex_lock(&server->lock);
        server_client_unref(client);
    }
    pthread_mutex_unlock(&server->lock);
}
