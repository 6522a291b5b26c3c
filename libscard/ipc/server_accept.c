/* SPDX-License-Identifier: MIT */
#include "ipc/server_accept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "ipc/server_client.h"

/* When the machine, and not the server, is out of something: the next try. */
#define AGAIN_MS 1000

/* Once for each event: as long as a thread accepts, it is the only one. */
static int listen_again(struct server *server, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = SERVER_EVENT_LISTENER};

    return epoll_ctl(server->epoll_fd, operation, server->listener, &event);
}

int server_accept_start(struct server *server)
{
    struct rlimit files = {0};

    /* One user must not have all the descriptors. */
    getrlimit(RLIMIT_NOFILE, &files);
    server->others_max = (size_t)(files.rlim_cur / 2);
    if (listen_again(server, EPOLL_CTL_ADD))
        return detail_set(RC_NO_MEMORY, "the socket cannot be watched (error %d)", errno);
    return RC_OK;
}

static bool is_member(int fd, const struct ucred *peer, gid_t group)
{
    gid_t *groups = NULL;
    socklen_t size = 0;
    bool member = peer->gid == group;

    if (member)
        return true;
    /* unix(7): how many bytes it takes comes with ERANGE. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
        return false;
    groups = malloc(size);
    if (groups && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0)
        for (size_t i = 0; i < size / sizeof *groups; i++)
            member |= groups[i] == group;
    free(groups);
    return member;
}

static bool may_connect(const struct server *server, int fd, const struct ucred *peer)
{
    gid_t group = server->options.group;

    if (peer->uid == 0 || peer->uid == geteuid() || group == SERVER_GROUP_ANYBODY)
        return true;
    return group != SERVER_GROUP_NOBODY && is_member(fd, peer, group);
}

static void refuse(struct server *server, int fd)
{
    pthread_mutex_lock(&server->lock);
    server->incoming = -1;
    close(fd);
    pthread_mutex_unlock(&server->lock);
}

static void welcome(struct server *server, int fd)
{
    struct ucred peer = {0};
    socklen_t size = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) || !may_connect(server, fd, &peer)) {
        server_report(server, "process %ld of user %lu refused: it is not in the group that may connect",
                      (long)peer.pid, (unsigned long)peer.uid);
        refuse(server, fd);
    } else if (server_client_new(server, fd, peer.uid, peer.pid)) {
        server_report(server, "process %ld of user %lu refused: %s", (long)peer.pid, (unsigned long)peer.uid,
                      detail_get());
    }
}

/* Until a client leaves, or for a second. */
static void go_deaf(struct server *server, int error)
{
    bool first;

    pthread_mutex_lock(&server->lock);
    first = !server->deaf;
    server->deaf = true;
    server->again = deadline_in_ms(AGAIN_MS);
    server_set_timer(server);
    pthread_mutex_unlock(&server->lock);
    if (first)
        server_report(server, "no more connections for now: %s; raise LimitNOFILE or ulimit -n",
                      strerror(error));
}

/* Under the lock, so that a forked child knows of every descriptor. One thread accepts at a time. */
static int receive(struct server *server)
{
    int fd, error;

    pthread_mutex_lock(&server->lock);
    fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    error = errno;
    server->incoming = fd;
    pthread_mutex_unlock(&server->lock);
    errno = error;
    return fd;
}

/* 0 or the error of something that is wanting. */
static int accept_all(struct server *server)
{
    for (;;) {
        int fd = receive(server), error = errno;

        if (fd >= 0)
            welcome(server, fd);
        else if (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS)
            return error;
        else if (error != EINTR && error != ECONNABORTED)
            return 0;
    }
}

/* true: unless the server is stopping. */
static bool set_accepting(struct server *server, bool accepting)
{
    bool stopping;

    pthread_mutex_lock(&server->lock);
    stopping = server->stopping;
    server->accepting = accepting && !stopping;
    pthread_mutex_unlock(&server->lock);
    return !stopping;
}

void server_accept_event(struct server *server)
{
    int error;

    if (!set_accepting(server, true))
        return;
    error = accept_all(server);
    if (error)
        go_deaf(server, error);
    if (set_accepting(server, false) && !error)
        listen_again(server, EPOLL_CTL_MOD);
}

void server_accept_again(struct server *server)
{
    bool deaf;

    pthread_mutex_lock(&server->lock);
    deaf = server->deaf && !server->stopping;
    server->deaf = false;
    pthread_mutex_unlock(&server->lock);
    if (deaf)
        listen_again(server, EPOLL_CTL_MOD);
}

static struct server_user *find_user(struct server *server, uid_t uid)
{
    struct server_user *user;

    list_each(node, &server->users)
    {
        user = list_entry(node, struct server_user, link);
        if (user->uid == uid)
            return user;
    }
    user = calloc(1, sizeof *user);
    if (!user)
        return NULL;
    user->uid = uid;
    list_append(&server->users, &user->link);
    return user;
}

int server_accept_count(struct server_client *client)
{
    struct server *server = client->server;
    struct server_user *user;

    if (server->stopping)
        return detail_set(RC_DENIED, "the server is stopping");
    user = find_user(server, client->uid);
    if (!user)
        return detail_set(RC_NO_MEMORY, "out of memory");
    if (user->count >= server->others_max && client->uid != 0 && client->uid != geteuid())
        return detail_set(RC_DENIED, "the user has %zu connections already", user->count);
    user->count++;
    client->user = user;
    if (!server->client_count++)
        server_signal(server->event_fd);
    return RC_OK;
}

void server_accept_uncount(struct server_client *client)
{
    struct server *server = client->server;
    struct server_user *user = client->user;

    if (!user)
        return;
    client->user = NULL;
    if (!--user->count) {
        list_remove(&user->link);
        free(user);
    }
    if (!--server->client_count) {
        server->idle_since_ns = clock_now_ns();
        server_signal(server->event_fd);
        pthread_cond_broadcast(&server->changed);
    }
}
