/* SPDX-License-Identifier: MIT */
/* The server as a public function: the local service behind a socket. */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <scard.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/export.h"
#include "api/serve.h"
#include "api/setup.h"
#include "api/tracing.h"
#include "base/deadline.h"
#include "ipc/place.h"
#include "ipc/server.h"

_Static_assert(SERVER_GROUP_NOBODY == (gid_t)-1, "no group for a socket");

struct scard_server {
    struct server *server;
    struct place place;
    bool has_place;
};

/* The local service has one observer. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool running;
static struct scard_server *current; /* that runs, or NULL */

static int find_group(const char *name, gid_t *ret_group)
{
    size_t size = 1024;

    *ret_group = SERVER_GROUP_NOBODY;
    if (!name)
        return RC_OK;
    if (!strcmp(name, "*")) {
        *ret_group = SERVER_GROUP_ANYBODY;
        return RC_OK;
    }
    /* A group with many members needs much room. */
    for (;; size *= 2) {
        struct group group, *found = NULL;
        char *room = malloc(size);
        int error;

        if (!room)
            return RC_NO_MEMORY;
        error = getgrnam_r(name, &group, room, size, &found);
        if (found)
            *ret_group = group.gr_gid;
        free(room);
        if (error == ERANGE)
            continue;
        return found ? RC_OK : detail_set(RC_INVALID_VALUE, "there is no group %s", name);
    }
}

static int find_path(const char *given, char path[PLACE_PATH_MAX])
{
    int rc;

    if (given) {
        if (strlen(given) >= PLACE_PATH_MAX)
            return detail_set(RC_INVALID_VALUE, "%s: the path of a socket has at most %d characters", given,
                              PLACE_PATH_MAX - 1);
        strcpy(path, given);
        return RC_OK;
    }
    rc = place_user(path);
    if (rc && geteuid() == 0) {
        detail_clear();
        strcpy(path, PLACE_SYSTEM);
        return RC_OK;
    }
    return rc;
}

static int listen_at(struct scard_server *server, const char *given, gid_t group, int *ret_listener)
{
    char path[PLACE_PATH_MAX];
    bool anybody = group == SERVER_GROUP_ANYBODY, nobody = group == SERVER_GROUP_NOBODY;
    int rc = find_path(given, path);

    if (!rc)
        rc = place_listen(path,
                          anybody  ? 0666
                          : nobody ? 0600
                                   : 0660,
                          anybody ? (gid_t)-1 : group, &server->place);
    if (rc)
        return rc;
    server->has_place = true;
    *ret_listener = server->place.listener;
    return RC_OK;
}

/* A program that was built for an earlier version says less. */
static bool wants_trace(const struct scard_server_options *options)
{
    return options->size >= offsetof(struct scard_server_options, trace) + sizeof options->trace &&
           options->trace;
}

static int start(struct scard_server *server, const struct scard_server_options *options)
{
    struct server_options rules = {.report = options->report,
                                   .user = options->user,
                                   .wrap = wants_trace(options) ? tracing_wrap_client : NULL};
    int listener = options->listener, rc = find_group(options->group, &rules.group);
    struct service *service;

    /* The readers first: whoever can connect finds them. */
    if (!rc)
        rc = setup_get_local(&service);
    if (rc) {
        if (listener >= 0)
            close(listener);
        return rc;
    }
    if (listener < 0)
        rc = listen_at(server, options->path, rules.group, &listener);
    if (!rc)
        rc = server_start(service, listener, &rules, &server->server);
    if (!rc)
        return RC_OK;
    if (server->has_place)
        place_close(&server->place);
    setup_put_local();
    return rc;
}

static int claim(void)
{
    int rc = RC_OK;

    pthread_mutex_lock(&lock);
    if (running)
        rc = detail_set(RC_SHARING, "this process is a server already");
    running = true;
    pthread_mutex_unlock(&lock);
    return rc;
}

static void unclaim(void)
{
    pthread_mutex_lock(&lock);
    running = false;
    pthread_mutex_unlock(&lock);
}

EXPORT LONG scard_server_start(const struct scard_server_options *options, struct scard_server **server)
{
    struct scard_server *made;
    int rc;

    EXPORT_BEGIN;
    if (!options || !server || options->size < offsetof(struct scard_server_options, trace))
        return SCARD_E_INVALID_PARAMETER;
    *server = NULL;
    rc = claim();
    if (rc) {
        if (options->listener >= 0)
            close(options->listener);
        return codes_from_rc(rc);
    }
    made = calloc(1, sizeof *made);
    if (!made && options->listener >= 0)
        close(options->listener);
    rc = made ? start(made, options) : RC_NO_MEMORY;
    if (rc) {
        unclaim();
        free(made);
        return codes_from_rc(rc);
    }
    pthread_mutex_lock(&lock);
    current = made;
    pthread_mutex_unlock(&lock);
    *server = made;
    return SCARD_S_SUCCESS;
}

void serve_before_fork(void)
{
    pthread_mutex_lock(&lock);
    if (current)
        server_before_fork(current->server);
}

void serve_after_fork(bool in_child)
{
    if (current) {
        server_after_fork(current->server, in_child);
        if (in_child && current->has_place)
            close(current->place.lock);
    }
    if (in_child) {
        current = NULL;
        running = false;
    }
    pthread_mutex_unlock(&lock);
}

/* false: a forked child means its parent's. */
static bool take_down(const struct scard_server *server)
{
    bool runs;

    pthread_mutex_lock(&lock);
    runs = server == current;
    current = NULL;
    pthread_mutex_unlock(&lock);
    return runs;
}

EXPORT const char *scard_server_path(const struct scard_server *server)
{
    return server->has_place ? server->place.path : "";
}

EXPORT DWORD scard_server_clients(struct scard_server *server, LPDWORD pdwIdle)
{
    int64_t since;
    size_t count = server_clients(server->server, &since);

    if (pdwIdle)
        *pdwIdle = count ? 0 : (DWORD)((clock_now_ns() - since) / 1000000);
    return count;
}

EXPORT int scard_server_fd(const struct scard_server *server)
{
    return server_event_fd(server->server);
}

EXPORT int scard_server_stop_idle(struct scard_server *server, DWORD dwIdle)
{
    bool retired;

    EXPORT_BEGIN;
    /* Whoever finds the socket is waited for. A listener of the caller's keeps those who come later. */
    if (server->has_place)
        place_hide(&server->place);
    retired = server_retire(server->server, (int64_t)dwIdle * 1000000);
    if (retired)
        scard_server_stop(server);
    else if (server->has_place)
        place_show(&server->place);
    return retired;
}

EXPORT void scard_server_stop(struct scard_server *server)
{
    EXPORT_BEGIN;
    if (!server || !take_down(server))
        return;
    /* Nobody finds it any more, and another server can take the place once this one has let go of the
     * readers. */
    if (server->has_place)
        unlink(server->place.path);
    server_free(server->server);
    if (server->has_place)
        place_close(&server->place);
    setup_put_local();
    unclaim();
    free(server);
}
