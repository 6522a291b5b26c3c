/* SPDX-License-Identifier: MIT */
/*
 * What a conformance case works on: a service under test, readers that can be pulled and plugged, and calls
 * in other threads. A target says which service; the cases (cases.h) are the same for all.
 */
#ifndef CONFORM_BENCH_H
#define CONFORM_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/rc.h"
#include "manager/service.h"
#include "tests/conform/test_reader.h"

#define BENCH_READERS 16
#define BENCH_CONTEXTS 32
#define BENCH_HANDLES 64
#define PATIENCE_MS 20000 /* longer than any sane call takes; only a failing test waits for it */
#define T0 PROTOCOL_T0
#define T1 PROTOCOL_T1
#define ANY (PROTOCOL_T0 | PROTOCOL_T1)

/* Readers of a target: test readers (test_reader.h), or something that can only be pulled and plugged. */
struct conform_readers {
    bool scripted; /* test readers: cases may hold and count their calls */
    struct reader *(*make)(void);
    void (*insert)(struct reader *device);
    void (*remove)(struct reader *device);
};

struct bench;

/* Readers that are elsewhere than in a machine of this process, by number. */
struct conform_outside {
    void (*attach)(struct bench *bench, size_t reader, bool with_card);
    void (*detach)(struct bench *bench, size_t reader);
    void (*insert)(struct bench *bench, size_t reader);
    void (*remove)(struct bench *bench, size_t reader);
};

/* A case that a target cannot pass, and why. */
struct conform_difference {
    const char *name, *reason;
    bool sometimes; /* it depends on who is faster */
};

struct conform_target {
    const char *name;
    const struct conform_readers *readers; /* in the machine; or NULL */
    const struct conform_outside *outside; /* or NULL */
    /* open sets bench->machine, the local service that holds the readers, if there is one, and
     * bench->service, the one under test. */
    void (*open)(struct bench *bench);
    void (*close)(struct bench *bench);
    /* How many calls of the service under test sleep. */
    unsigned (*blocked)(struct bench *bench);
    /* Ended by one without a name; NULL: none. The run fails when one of them always passes. */
    const struct conform_difference *differences;
    /* After each case, which runs in a process of its own and may have left anything behind; or NULL. */
    void (*tidy)(void);
    /* Whether the service, which is not ours, has ended by itself: a case that failed for that is run again.
     * Or NULL. */
    bool (*broke)(void);
};

struct bench_reader {
    struct reader *device;
    char name[128];
    bool attached;
};

struct bench {
    const struct conform_target *target;
    struct service *machine, *service;
    struct service_context *observer; /* the bench's own context */
    struct bench_reader readers[BENCH_READERS];
    size_t reader_count;
    struct service_context *contexts[BENCH_CONTEXTS];
    size_t context_count;
    struct service_handle *handles[BENCH_HANDLES];
    size_t handle_count;
};

void bench_open(struct bench *bench, const struct conform_target *target);
/* Releases and frees everything; no test reader may have been abused. */
void bench_close(struct bench *bench);

/* Readers, by number. */
size_t bench_add(struct bench *bench, bool with_card);
void bench_detach(struct bench *bench, size_t reader);
void bench_insert(struct bench *bench, size_t reader); /* and waits until the service has seen it */
void bench_pull(struct bench *bench, size_t reader);
/* The same, without waiting. */
void bench_insert_only(struct bench *bench, size_t reader);
void bench_pull_only(struct bench *bench, size_t reader);
bool bench_is_scripted(const struct bench *bench);
struct reader *bench_device(struct bench *bench, size_t reader);
/* Waits until the reader's state has these bits of the mask. Returns the state. */
uint32_t bench_await_state(struct bench *bench, size_t reader, uint32_t bits, uint32_t mask);
uint32_t bench_state(struct bench *bench, size_t reader);

/* Contexts and handles of the service under test; the bench frees them. */
struct service_context *bench_context(struct bench *bench);
struct service_context *bench_context_no_wait(struct bench *bench);
int bench_try_connect(struct bench *bench, struct service_context *context, size_t reader,
                      enum share_mode share, uint32_t protocols, struct service_handle **ret_handle);
struct service_handle *bench_connect(struct bench *bench, struct service_context *context, size_t reader,
                                     enum share_mode share, uint32_t protocols);
/* A new context and a shared handle, any protocol. */
struct service_handle *bench_user(struct bench *bench, size_t reader);

/* The verbs with the arguments that do not matter left out. */
int do_begin(struct service_handle *handle);
int do_end(struct service_handle *handle, enum disposition disposition);
int do_transmit(struct service_handle *handle); /* with the active protocol */
int do_status(struct service_handle *handle);
int do_control(struct service_handle *handle);
int do_get_attribute(struct service_handle *handle);
int do_set_attribute(struct service_handle *handle);
int do_reconnect(struct service_handle *handle, enum share_mode share, enum disposition initialization);
int do_disconnect(struct service_handle *handle, enum disposition disposition);
void do_release(struct service_context *context);
int do_cancel(struct service_context *context);
uint32_t status_state(struct service_handle *handle);

/* A call in a thread of its own. */
enum verb {
    V_BEGIN,
    V_END,
    V_TRANSMIT,
    V_STATUS,
    V_CONTROL,
    V_GET_ATTRIBUTE,
    V_SET_ATTRIBUTE,
    V_RECONNECT,
    V_DISCONNECT,
    V_CONNECT,
    V_WAIT,
    V_RELEASE,
};

struct call {
    struct bench *bench;
    enum verb verb;
    struct service_handle *handle; /* out for V_CONNECT */
    struct service_context *context;
    size_t reader;
    enum disposition disposition;
    enum share_mode share;
    uint32_t timeout_ms; /* UINT32_MAX: none */
    struct reader_watch *watches;
    size_t count;

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
    int rc;
};

void call_on(struct call *call, struct bench *bench, enum verb verb, struct service_handle *handle);
void call_disposing(struct call *call, struct bench *bench, enum verb verb, struct service_handle *handle,
                    enum disposition disposition);
void call_connect(struct call *call, struct bench *bench, struct service_context *context, size_t reader,
                  enum share_mode share);
void call_wait(struct call *call, struct bench *bench, struct service_context *context,
               struct reader_watch *watches, size_t count);
void call_release(struct call *call, struct bench *bench, struct service_context *context);
bool call_is_done(struct call *call);
/* The call's result; fails the test when it does not come. */
int call_join(struct call *call);

/* Waits until as many calls sleep. */
void bench_await_blocked(struct bench *bench, unsigned count);

/* Calls that sleep in the machine, and, of the remote service under test, those that sleep for its own
 * reasons and those that sleep because the server does not answer. */
unsigned bench_blocked_in_machine(struct bench *bench);
unsigned bench_blocked_in_remote(struct bench *bench, bool answers_count);

#define assert_rc(expression, code) assert_string_equal(rc_name(expression), rc_name(code))

#endif
