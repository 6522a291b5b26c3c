/* SPDX-License-Identifier: MIT */
#include "ipc/server_output.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/log.h"
#include "ipc/server_client.h"

/* What may wait for a client that does not read, beside the last message. The kernel holds as much again. */
#define OUTPUT_MAX (256u * 1024)

/* With the output's lock: the end of the connection (epoll(7): that is always told of) and more. */
static void watch(struct server_client *client, uint32_t more)
{
    struct epoll_event event = {.events = EPOLLET | more, .data.u64 = client->id};
    int operation = client->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (epoll_ctl(client->server->watch_fd, operation, client->fd, &event))
        log_debug("a client cannot be watched: error %d", errno);
    else
        client->watched = true;
}

void server_output_watch(struct server_client *client)
{
    pthread_mutex_lock(&client->output_lock);
    if (!client->watched)
        watch(client, 0);
    pthread_mutex_unlock(&client->output_lock);
}

/* With the output's lock: sends what waits. false: the client takes nothing for now, or never again. */
static bool flush(struct server_client *client)
{
    struct buffer *output = &client->output;

    while (client->output_sent < output->length) {
        ssize_t sent = send(client->fd, output->data + client->output_sent,
                            output->length - client->output_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        client->output_sent += (size_t)sent;
    }
    buffer_fini(output);
    *output = (struct buffer){0};
    client->output_sent = 0;
    return true;
}

/* With the output's lock: a client that is always behind must not have all kept that it was ever sent. */
static void drop_sent(struct server_client *client)
{
    struct buffer *output = &client->output;
    size_t left = output->length - client->output_sent;

    if (client->output_sent < left)
        return; /* never more is moved than was sent */
    memmove(output->data, output->data + client->output_sent, left);
    output->length = left;
    client->output_sent = 0;
}

void server_output_send(struct server_client *client, const void *data, size_t length)
{
    struct buffer *output = &client->output;
    const char *why = NULL;
    ssize_t sent = 0;

    pthread_mutex_lock(&client->output_lock);
    if (!output->length) {
        do
            sent = send(client->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        /* Gone: the event of it comes. */
        if (sent < 0 && errno != EAGAIN)
            goto out;
        sent = sent < 0 ? 0 : sent;
    }
    if ((size_t)sent == length)
        goto out;
    if (output->length)
        drop_sent(client);
    if (output->length - client->output_sent > OUTPUT_MAX)
        why = "it does not read what it asks for";
    else if (buffer_append(output, (const uint8_t *)data + sent, length - (size_t)sent))
        why = "no memory for what it does not read";
    else if (output->length == length - (size_t)sent)
        watch(client, EPOLLOUT);
out:
    pthread_mutex_unlock(&client->output_lock);
    if (why)
        server_client_expel(client, why);
}

void server_output_rest(struct server_client *client)
{
    pthread_mutex_lock(&client->output_lock);
    if (client->output.length && flush(client))
        watch(client, 0);
    pthread_mutex_unlock(&client->output_lock);
}
