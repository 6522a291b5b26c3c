/* SPDX-License-Identifier: MIT */
#include "api/route.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/config.h"
#include "base/log.h"
#include "base/rc.h"
#include "ipc/place.h"
#include "ipc/remote.h"

static struct {
    pthread_mutex_t lock;
    struct service *service; /* the remote one that contexts are made of, or NULL */
    size_t contexts;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char *pcscd_path(void)
{
    const char *path = secure_getenv("PCSCLITE_CSOCK_NAME");

    return path && path[0] ? path : PLACE_PCSCD;
}

/* RC_OK with NULL when nobody answers there. */
static int try(const char *path, struct service **ret_service)
{
    int rc = remote_new(path, ret_service);

    if (rc != RC_NO_SERVICE && rc != RC_DENIED)
        return rc;
    detail_clear();
    *ret_service = NULL;
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

static int find_by_itself(struct service **ret_service)
{
    char path[PLACE_PATH_MAX];
    int rc = RC_OK;

    *ret_service = NULL;
    if (secure_getenv("SCARD_READERS"))
        return RC_OK;
    if (!place_user(path))
        rc = try(path, ret_service);
    else
        detail_clear();
    if (!rc && !*ret_service)
        rc = try(PLACE_SYSTEM, ret_service);
    if (!rc && !*ret_service && !names_readers())
        rc = try(pcscd_path(), ret_service);
    return rc;
}

static int find(struct service **ret_service)
{
    static const char unix_socket[] = "unix:";
    const char *which = secure_getenv("SCARD_SERVICE");

    if (!which || !which[0] || !strcmp(which, "auto"))
        return find_by_itself(ret_service);
    *ret_service = NULL;
    if (!strcmp(which, "local"))
        return RC_OK;
    if (!strcmp(which, "pcscd"))
        return remote_new(pcscd_path(), ret_service);
    if (!strncmp(which, unix_socket, sizeof unix_socket - 1))
        return remote_new(which + sizeof unix_socket - 1, ret_service);
    return detail_set(RC_NO_SERVICE, "SCARD_SERVICE=%s is not known; say auto, local, pcscd or unix:PATH",
                      which);
}

int route_get(struct service **ret_service)
{
    struct service *found = NULL;
    int rc = RC_OK;

    pthread_mutex_lock(&state.lock);
    if (!state.service) {
        pthread_mutex_unlock(&state.lock);
        rc = find(&found);
        pthread_mutex_lock(&state.lock);
    }
    if (!rc && found && !state.service) {
        state.service = found;
        found = NULL;
    }
    if (!rc) {
        *ret_service = state.service;
        state.contexts += state.service != NULL;
    }
    pthread_mutex_unlock(&state.lock);
    /* Another thread was faster. */
    if (found)
        remote_free(found);
    return rc;
}

void route_put(void)
{
    struct service *service = NULL;

    pthread_mutex_lock(&state.lock);
    if (!--state.contexts) {
        service = state.service;
        state.service = NULL;
    }
    pthread_mutex_unlock(&state.lock);
    if (service)
        remote_free(service);
}

void route_before_fork(void)
{
    pthread_mutex_lock(&state.lock);
    if (state.service)
        remote_before_fork(state.service);
}

void route_after_fork(bool in_child)
{
    if (state.service)
        remote_after_fork(state.service, in_child);
    if (in_child) {
        state.service = NULL;
        state.contexts = 0;
    }
    pthread_mutex_unlock(&state.lock);
}
