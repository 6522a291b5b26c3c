/* SPDX-License-Identifier: MIT */
#include "api/route.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/config.h"
#include "base/list.h"
#include "base/log.h"
#include "base/rc.h"
#include "ipc/place.h"
#include "ipc/remote.h"

/* A remote service that contexts were made of. */
struct route {
    struct list link;
    struct service *service;
    size_t contexts;
    char path[PLACE_PATH_MAX];
};

static struct {
    pthread_mutex_t lock;
    struct route *current; /* new contexts are made of it; or NULL */
    struct list routes;    /* struct route.link: all, also those whose server has ended */

    /* A server of ours that there was, for that user. */
    char path[PLACE_PATH_MAX];
    uid_t user;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .routes = {&state.routes, &state.routes}};

static const char *pcscd_path(void)
{
    const char *path = secure_getenv("PCSCLITE_CSOCK_NAME");

    return path && path[0] ? path : PLACE_PCSCD;
}

/* What was found: the service and its socket, or NULL and "". */
struct found {
    struct service *service;
    const char *path;
    char user[PLACE_PATH_MAX]; /* room for a path */
};

/* RC_OK with nothing when nobody answers there. */
static int try(const char *path, struct found *found)
{
    int rc = remote_new(path, &found->service);

    if (!rc)
        found->path = path;
    if (rc != RC_NO_SERVICE && rc != RC_DENIED)
        return rc;
    detail_clear();
    found->service = NULL;
    return RC_OK;
}

static bool names_readers(void)
{
    struct config config;
    bool any;

    /* A fault in the file is told by the local service. */
    if (config_load(&config)) {
        detail_clear();
        return true;
    }
    any = config.count > 0;
    config_fini(&config);
    return any;
}

static int find_by_itself(struct found *found)
{
    int rc = RC_OK;

    if (secure_getenv("SCARD_READERS"))
        return RC_OK;
    if (!place_user(found->user))
        rc = try(found->user, found);
    else
        detail_clear();
    if (!rc && !found->service)
        rc = try(PLACE_SYSTEM, found);
    if (!rc && !found->service && !names_readers())
        rc = try(pcscd_path(), found);
    return rc;
}

/* What SCARD_SERVICE names as a socket; NULL if it does not. */
static const char *named_path(const char *which)
{
    static const char unix_socket[] = "unix:";

    if (which && !strcmp(which, "pcscd"))
        return pcscd_path();
    if (which && !strncmp(which, unix_socket, sizeof unix_socket - 1))
        return which + sizeof unix_socket - 1;
    return NULL;
}

static int find(struct found *found)
{
    const char *which = secure_getenv("SCARD_SERVICE");

    found->service = NULL;
    found->path = "";
    if (!which || !which[0] || !strcmp(which, "auto"))
        return find_by_itself(found);
    if (!strcmp(which, "local"))
        return RC_OK;
    if (!named_path(which))
        return detail_set(RC_NO_SERVICE, "SCARD_SERVICE=%s is not known; say auto, local, pcscd or unix:PATH",
                          which);
    found->path = named_path(which);
    return remote_new(found->path, &found->service);
}

char *route_named_socket(void)
{
    const char *path = named_path(secure_getenv("SCARD_SERVICE"));

    return path ? strdup(path) : NULL;
}

int route_socket(char **ret_path)
{
    struct found found;
    int rc = find(&found);
    char *path;

    if (rc)
        return rc;
    path = strdup(found.path);
    if (found.service)
        remote_free(found.service);
    if (!path)
        return RC_NO_MEMORY;
    *ret_path = path;
    return RC_OK;
}

/* With the lock. */
static int use(struct found *found)
{
    struct route *route = calloc(1, sizeof *route);

    if (!route)
        return RC_NO_MEMORY;
    if (state.user == geteuid() && !strcmp(state.path, found->path))
        remote_set_ours(found->service);
    /* remote_new has looked at the length. */
    strcpy(route->path, found->path);
    route->service = found->service;
    list_append(&state.routes, &route->link);
    state.current = route;
    found->service = NULL;
    return RC_OK;
}

int route_get(struct service **ret_service)
{
    struct found found = {0};
    int rc = RC_OK;

    pthread_mutex_lock(&state.lock);
    /* WinSCard: who has lost a service finds the next one, whatever becomes of the lost contexts. */
    if (state.current && !remote_is_there(state.current->service))
        state.current = NULL;
    if (!state.current) {
        pthread_mutex_unlock(&state.lock);
        rc = find(&found);
        pthread_mutex_lock(&state.lock);
    }
    if (!rc && found.service && !state.current)
        rc = use(&found);
    if (!rc) {
        *ret_service = state.current ? state.current->service : NULL;
        if (state.current)
            state.current->contexts++;
    }
    pthread_mutex_unlock(&state.lock);
    /* Another thread was faster. */
    if (found.service)
        remote_free(found.service);
    return rc;
}

void route_put(const struct service *service)
{
    struct route *unused = NULL;

    pthread_mutex_lock(&state.lock);
    list_each(node, &state.routes)
    {
        struct route *route = list_entry(node, struct route, link);

        if (route->service == service && !--route->contexts)
            unused = route;
    }
    if (unused) {
        list_remove(&unused->link);
        if (state.current == unused)
            state.current = NULL;
        state.path[0] = '\0';
        state.user = geteuid();
        if (remote_is_ours(unused->service))
            strcpy(state.path, unused->path);
    }
    pthread_mutex_unlock(&state.lock);
    if (unused)
        remote_free(unused->service);
    free(unused);
}

void route_before_fork(void)
{
    pthread_mutex_lock(&state.lock);
    list_each(node, &state.routes) remote_before_fork(list_entry(node, struct route, link)->service);
}

void route_after_fork(bool in_child)
{
    list_each(node, &state.routes)
    {
        remote_after_fork(list_entry(node, struct route, link)->service, in_child);
    }
    if (in_child) {
        state.current = NULL;
        list_init(&state.routes);
    }
    pthread_mutex_unlock(&state.lock);
}
