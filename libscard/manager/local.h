/* SPDX-License-Identifier: MIT */
/*
 * The local service: the resource manager in this process.
 *
 * Locks: one state lock, held briefly and never across I/O. A reader's turn (turn.h) serialises the calls
 * on its device; waiting for it is part of the state, so that it can be cancelled.
 * Threads: a card exchange runs in the caller's thread. A few threads of the manager's own wait for
 * presence changes of the readers and power up cards that come in.
 */
#ifndef MANAGER_LOCAL_H
#define MANAGER_LOCAL_H

#include "manager/service.h"

struct slot;

/* A service without readers. RC_NO_MEMORY. */
int local_new(struct service **ret_service);

/* Stops the threads, closes the readers and frees the service. Its contexts must be released and freed. */
void local_free(struct service *service);

/* Attaches the slots of one device: their names "model (serial) NN MM" share one NN, the lowest that is free;
 * a name too long for READER_NAME_MAX has model and serial cut.
 * Takes over the readers, also on failure (they are then closed). RC_NO_MEMORY. */
int local_add(struct service *service, struct reader *const *readers, size_t count);

/* As local_add, with texts about the device for those who ask (service fact "facts": lines "key=value",
 * copied; or NULL), and in place of an unusable reader (or NULL), whose NN it gets and which is gone then,
 * also on failure. */
int local_add_device(struct service *service, struct reader *const *readers, size_t count, const char *facts,
                     struct slot *instead);

/* A reader that cannot be used. All texts are copied. */
struct local_unusable {
    const char *model, *serial; /* for the name; serial may be NULL */
    const char *device;         /* as in struct reader */
    const char *problem;        /* why, for people */
    const char *facts;          /* as for local_add_device, or NULL */
};

/* Attaches it, so that it is listed with its problem: every connect answers RC_READER_UNAVAILABLE with that
 * as detail. *ret_slot (ret_slot may be NULL) stands for it in the calls below. RC_NO_MEMORY. */
int local_add_unusable(struct service *service, const struct local_unusable *unusable,
                       struct slot **ret_slot);

/* It is something else by now. RC_NO_MEMORY. */
int local_set_problem(struct service *service, struct slot *unusable, const char *problem);

/* Detaches it. Never waits. */
void local_remove_unusable(struct service *service, struct slot *unusable);

/* Detaches the reader: its handles answer RC_READER_UNAVAILABLE from now on, watchers are told. Ends a call
 * on it by cancel, waits for that, and closes it. The reader must be attached. */
void local_remove(struct service *service, struct reader *reader);

/* Waits until the first look at every reader is done, or the deadline. */
void local_settle(struct service *service, struct deadline deadline);

/* Around a fork, by the thread that forks: before it nothing may be changing; after it the parent goes on,
 * and the child closes the descriptors that it inherited. In the child the service is not used again; its
 * memory stays. */
void local_before_fork(struct service *service);
void local_after_fork(struct service *service, bool in_child);

/* Milliseconds after which a powered card is powered off when nobody is connected (5000; for tests). */
void local_set_idle_power_ms(struct service *service, uint32_t milliseconds);

#endif
