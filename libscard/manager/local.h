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

/* A service without readers. RC_NO_MEMORY. */
int local_new(struct service **ret_service);

/* Stops the threads, closes the readers and frees the service. Its contexts must be released and freed. */
void local_free(struct service *service);

/* Attaches the slots of one device: their names "model (serial) NN MM" share one NN, the lowest that is free;
 * a name too long for READER_NAME_MAX has model and serial cut.
 * Takes over the readers, also on failure (they are then closed). RC_NO_MEMORY. */
int local_add(struct service *service, struct reader *const *readers, size_t count);

/* Attaches a reader that cannot be used, so that it is listed with its problem: every connect answers
 * RC_READER_UNAVAILABLE. All texts are copied. */
int local_add_unusable(struct service *service, const char *model, const char *device, const char *problem);

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
