/* SPDX-License-Identifier: MIT */
/*
 * What stands behind SCARDCONTEXT and SCARDHANDLE values: one table of ids for the process.
 *
 * An object lives while it has an id or a call uses it. Closing takes the id away, so that new calls find
 * nothing; the last user frees the memory. In a forked child the table is empty: inherited values find
 * nothing.
 */
#ifndef API_OBJECT_H
#define API_OBJECT_H

#include <winscard.h>

#include "base/list.h"
#include "manager/service.h"

/* A call on a context that waits for something that the service knows nothing of. */
struct api_wait {
    struct list link;
    int fd; /* eventfd, of the waiting call: readable when SCardCancel or a release of the context ends it */
};

struct api_context {
    struct service_context *service;
    DWORD scope; /* SCARD_SCOPE_* */
    uint32_t id;
    unsigned references;
    bool closed;
    struct list cards;  /* struct api_card.link */
    struct list waits;  /* struct api_wait.link */
    struct list blocks; /* memory.c, under its lock */
    bool blocks_closed;
};

struct api_card {
    struct api_context *context;
    struct service_handle *service;
    char *name; /* that the reader was connected by */
    uint32_t id;
    unsigned references;
    bool closed;
    struct list link;
};

static inline const struct service_ops *context_ops(const struct api_context *context)
{
    return context->service->service->ops;
}

static inline const struct service_ops *card_ops(const struct api_card *card)
{
    return context_ops(card->context);
}

/* Enters a context, with a reference for its id. RC_NO_MEMORY. */
int object_add_context(struct service_context *service, DWORD scope, SCARDCONTEXT *ret_handle);

/* Enters a card handle under a context that the caller has a reference to; name is copied. RC_NO_MEMORY;
 * RC_CANCELLED if the context was closed meanwhile. */
int object_add_card(struct api_context *context, struct service_handle *service, const char *name,
                    SCARDHANDLE *ret_handle);

/* The names that the readers of the context's cards were connected by, each once, as a multi-string in a new
 * block (free it). RC_NO_MEMORY. */
int object_connected(struct api_context *context, char **ret_names);

/* The object with a reference for the caller, or NULL. */
struct api_context *object_context(SCARDCONTEXT handle);
struct api_card *object_card(SCARDHANDLE handle);

/* Gives a reference back. */
void object_put_context(struct api_context *context);
void object_put_card(struct api_card *card);

/* Takes the id of the context and those of its cards away. Returns the context with the id's reference, which
 * is now the caller's, or NULL. */
struct api_context *object_close_context(SCARDCONTEXT handle);

/* Ends what object_close_context began: gives up the cards. */
void object_drop_cards(struct api_context *context);

/* Between begin and end the wait is one of the context's; a context that has been closed ends it at once. The
 * caller has a reference to the context. */
void object_begin_wait(struct api_context *context, struct api_wait *wait);
void object_end_wait(struct api_wait *wait);

/* Ends all waits that have begun. */
void object_end_waits(struct api_context *context);

/* Takes the id of the card away and gives its reference up. Nothing happens the second time. */
void object_close_card(struct api_card *card);

/* Around fork: the table is whole when the child gets it, and the child empties its own. */
void object_before_fork(void);
void object_after_fork(bool in_child);

#endif
