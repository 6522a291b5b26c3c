/* SPDX-License-Identifier: MIT */
#include "api/setup.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/catalog.h"
#include "api/config.h"
#include "api/event.h"
#include "api/memory.h"
#include "api/object.h"
#include "api/plug.h"
#include "api/route.h"
#include "api/serve.h"
#include "api/tracing.h"
#include "base/log.h"
#include "base/rc.h"
#include "base/thread.h"
#include "driver/vpcd.h"
#include "manager/local.h"
#include "sim/mount.h"

/* A program that makes contexts one after another keeps its readers open; one that is done lets go of them
 * soon. */
#define LINGER_MS 1000
/* How long the first context waits for cards that are being powered up; a slower one is seen later. */
#define SETTLE_MS 2000

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* starting or stopping ended */
    pthread_cond_t keeper;  /* contexts became 0 */
    struct service *service;
    struct plug *plug; /* its USB readers; NULL: it has none */
    size_t contexts;
    int64_t idle_since_ns;
    bool changing;      /* being started or stopped, without the lock */
    bool keeper_counts; /* the keeper looks again by itself: no need to wake it */
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool no_blocking, keep_memory;

static void init_conditions(void)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&state.changed, &monotonic);
    pthread_cond_init(&state.keeper, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

/* No other thread may be changing the tables while they are copied. */
static void before_fork(void)
{
    pthread_mutex_lock(&state.lock);
    event_before_fork();
    object_before_fork();
    catalog_before_fork();
    memory_before_fork();
    route_before_fork();
    serve_before_fork();
    plug_before_fork(state.plug);
    if (state.service)
        local_before_fork(state.service);
    tracing_before_fork();
}

static void after_fork_in_parent(void)
{
    tracing_after_fork(false);
    if (state.service)
        local_after_fork(state.service, false);
    plug_after_fork(state.plug, false);
    serve_after_fork(false);
    route_after_fork(false);
    memory_after_fork(false);
    catalog_after_fork(false);
    object_after_fork(false);
    event_after_fork(false);
    pthread_mutex_unlock(&state.lock);
}

/* The threads of the service do not exist in a forked child. Its descriptors are closed, so that a child that
 * outlives the parent can have the readers for itself; all else is left alone: touching it could disturb the
 * parent. */
static void after_fork_in_child(void)
{
    tracing_after_fork(true);
    if (state.service)
        local_after_fork(state.service, true);
    plug_after_fork(state.plug, true);
    serve_after_fork(true);
    route_after_fork(true);
    log_after_fork();
    memory_after_fork(true);
    catalog_after_fork(true);
    object_after_fork(true);
    event_after_fork(true);
    init_conditions();
    state.service = NULL;
    state.plug = NULL;
    state.contexts = 0;
    state.changing = state.keeper_counts = false;
    pthread_mutex_unlock(&state.lock);
}

static bool is_on(const char *name)
{
    const char *value = secure_getenv(name);

    return value && value[0] && strcmp(value, "0") != 0;
}

static void init(void)
{
    init_conditions();
    no_blocking = secure_getenv("PCSCLITE_NO_BLOCKING") != NULL;
    keep_memory = is_on("SCARD_KEEP_MEMORY");
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

bool setup_no_blocking(void)
{
    return no_blocking;
}

bool setup_keep_memory(void)
{
    return keep_memory;
}

/* A service that is being made. */
struct local {
    struct service *service;
    struct plug_choices choices; /* of USB readers */
    struct plug *plug;
};

static int add_vpcd(struct local *local, const struct uri *uri)
{
    struct reader **readers;
    size_t count;
    int rc = vpcd_open(uri, &readers, &count);

    if (rc)
        return rc;
    rc = local_add(local->service, readers, count);
    free(readers);
    return rc;
}

static int add_sim(struct local *local, const struct uri *uri)
{
    struct reader *reader;
    int rc = sim_open(uri, &reader);

    return rc ? rc : local_add(local->service, &reader, 1);
}

static int add_usb(struct local *local, const struct uri *uri)
{
    return plug_choices_add(&local->choices, uri);
}

static const struct driver {
    const char *scheme, *model; /* model: of a reader that cannot be opened */
    int (*add)(struct local *local, const struct uri *uri);
} drivers[] = {
    {"usb", "USB", add_usb},
    {"vpcd", "Virtual PCD", add_vpcd},
    {"sim", "scard sim", add_sim},
    {"replay", "scard replay", add_sim},
};

static int add_by_driver(struct local *local, const struct uri *uri)
{
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
        char problem[DETAIL_ROOM];
        int rc;

        if (strcmp(uri->scheme, drivers[i].scheme) != 0)
            continue;
        rc = drivers[i].add(local, uri);
        if (rc != RC_READER_UNAVAILABLE)
            return rc;
        /* The reader is listed with its problem; the others work. */
        strcpy(problem, detail_get());
        return local_add_unusable(
            local->service,
            &(struct local_unusable){.model = drivers[i].model, .device = uri->text, .problem = problem},
            NULL);
    }
    return detail_set(RC_INVALID_VALUE, "%s: unknown type of reader '%s'; known are usb, vpcd, sim and replay",
                      uri->text, uri->scheme);
}

static int add_reader(struct local *local, const char *text, size_t length)
{
    struct uri uri;
    int rc = uri_parse(text, length, &uri);

    if (rc)
        return rc;
    rc = add_by_driver(local, &uri);
    uri_fini(&uri);
    return rc;
}

static int add_from_environment(struct local *local, const char *list)
{
    static const char separators[] = " \t\n,";
    int rc = RC_OK;

    for (const char *at = list + strspn(list, separators); *at && !rc; at += strspn(at, separators)) {
        size_t length = strcspn(at, separators);

        rc = add_reader(local, at, length);
        at += length;
    }
    return rc;
}

static int add_from_config(struct local *local)
{
    static const char all[] = "usb:";
    struct config config;
    int rc = config_load(&config);

    if (rc)
        return rc;
    if (config.usb)
        rc = add_reader(local, all, sizeof all - 1);
    for (size_t i = 0; i < config.count && !rc; i++) {
        const struct config_reader *reader = &config.readers[i];

        rc = add_reader(local, reader->uri, strlen(reader->uri));
        if (rc == RC_INVALID_VALUE) {
            char fault[DETAIL_ROOM];

            strcpy(fault, detail_get());
            rc = detail_set(RC_NO_SERVICE, "%s, line %u: %s", reader->path, reader->line, fault);
        }
    }
    config_fini(&config);
    return rc;
}

/* Without USB to be had, a service that was not told about it has its other readers. */
static int add_plug(struct local *local, bool asked_for)
{
    int rc = RC_OK;

    if (local->choices.count)
        rc = plug_start(local->service, &local->choices, &local->plug);
    if (rc == RC_NO_SERVICE && !asked_for)
        rc = RC_OK;
    plug_choices_fini(&local->choices);
    return rc;
}

static void settle(const struct local *local)
{
    struct deadline deadline = deadline_in_ms(SETTLE_MS);

    if (local->plug)
        plug_settle(local->plug, deadline);
    local_settle(local->service, deadline);
}

static int start(struct local *local)
{
    const char *list = secure_getenv("SCARD_READERS");
    int rc = local_new(&local->service);

    if (rc)
        return rc;
    rc = list ? add_from_environment(local, list) : add_from_config(local);
    if (!rc)
        rc = add_plug(local, list != NULL);
    if (rc) {
        plug_choices_fini(&local->choices);
        local_free(local->service);
        return rc;
    }
    settle(local);
    return RC_OK;
}

/* Under the lock: sleeps until nobody has used the service for LINGER_MS. */
static void wait_until_idle(void)
{
    for (;;) {
        int64_t end;
        struct timespec at;

        while (state.contexts)
            pthread_cond_wait(&state.keeper, &state.lock);
        end = state.idle_since_ns + (int64_t)LINGER_MS * 1000000;
        if (clock_now_ns() >= end)
            return;
        at = deadline_timespec((struct deadline){.at_ns = end});
        state.keeper_counts = true;
        pthread_cond_timedwait(&state.keeper, &state.lock, &at);
        state.keeper_counts = false;
    }
}

/* One for each started service: stops it when it is not needed any more. */
static void *keeper_thread(void *argument)
{
    struct service *service = argument;
    struct plug *plug;

    pthread_mutex_lock(&state.lock);
    wait_until_idle();
    plug = state.plug;
    state.service = NULL;
    state.plug = NULL;
    state.changing = true;
    pthread_mutex_unlock(&state.lock);
    plug_stop(plug);
    local_free(service);
    pthread_mutex_lock(&state.lock);
    state.changing = false;
    pthread_cond_broadcast(&state.changed);
    pthread_mutex_unlock(&state.lock);
    return NULL;
}

int setup_get_service(struct service **ret_service)
{
    struct service *remote;
    int rc;

    pthread_once(&once, init);
    rc = route_get(&remote);
    if (rc)
        return rc;
    if (!remote)
        return setup_get_local(ret_service);
    *ret_service = remote;
    return RC_OK;
}

int setup_get_local(struct service **ret_service)
{
    struct local local = {0};
    int rc = RC_OK;

    pthread_once(&once, init);
    pthread_mutex_lock(&state.lock);
    while (state.changing)
        pthread_cond_wait(&state.changed, &state.lock);
    if (!state.service) {
        state.changing = true;
        pthread_mutex_unlock(&state.lock);
        rc = start(&local);
        pthread_mutex_lock(&state.lock);
        state.changing = false;
        pthread_cond_broadcast(&state.changed);
    }
    if (!rc) {
        state.contexts++;
        if (local.service) {
            state.service = local.service;
            state.plug = local.plug;
            if (thread_start(keeper_thread, local.service))
                log_debug("the service stays until the program ends");
        }
        *ret_service = state.service;
    }
    pthread_mutex_unlock(&state.lock);
    return rc;
}

void setup_put_service(const struct service *service)
{
    bool local;

    pthread_mutex_lock(&state.lock);
    local = service == state.service;
    pthread_mutex_unlock(&state.lock);
    if (local)
        setup_put_local();
    else
        route_put(service);
}

void setup_put_local(void)
{
    pthread_mutex_lock(&state.lock);
    if (!--state.contexts) {
        state.idle_since_ns = clock_now_ns();
        if (!state.keeper_counts)
            pthread_cond_signal(&state.keeper);
    }
    pthread_mutex_unlock(&state.lock);
}
