/* SPDX-License-Identifier: MIT */
#include "api/object.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "api/setup.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/rc.h"
#include "manager/trace.h"

/* Contexts and cards share the table, so each entry begins with what it is. */
enum kind { KIND_CONTEXT, KIND_CARD };

struct context_object {
    enum kind kind;
    struct api_context context;
};

struct card_object {
    enum kind kind;
    struct api_card card;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ids table;
static bool table_ready;

static int add(void *object, uint32_t *ret_id)
{
    if (!table_ready) {
        ids_init(&table);
        table_ready = true;
    }
    return ids_add(&table, object, ret_id);
}

/* Under the lock: the entry of that kind, or NULL. */
static void *find(LONG handle, enum kind kind)
{
    enum kind *entry;

    if (handle <= 0 || handle > INT32_MAX || !table_ready)
        return NULL;
    entry = ids_get(&table, (uint32_t)handle);
    return entry && *entry == kind ? entry : NULL;
}

int object_add_context(struct service_context *service, DWORD scope, SCARDCONTEXT *ret_handle)
{
    struct context_object *object = calloc(1, sizeof *object);
    int rc;

    if (!object)
        return RC_NO_MEMORY;
    object->kind = KIND_CONTEXT;
    object->context.service = service;
    object->context.scope = scope;
    object->context.references = 1;
    list_init(&object->context.cards);
    list_init(&object->context.waits);
    list_init(&object->context.blocks);
    pthread_mutex_lock(&lock);
    rc = add(object, &object->context.id);
    if (!rc)
        *ret_handle = (SCARDCONTEXT)object->context.id;
    pthread_mutex_unlock(&lock);
    /* From here on whoever knows the number may close the object. */
    if (rc)
        free(object);
    return rc;
}

static void free_card(struct card_object *object)
{
    free(object->card.name);
    free(object);
}

int object_add_card(struct api_context *context, struct service_handle *service, const char *name,
                    SCARDHANDLE *ret_handle)
{
    struct card_object *object = calloc(1, sizeof *object);
    int rc;

    if (!object)
        return RC_NO_MEMORY;
    object->card.name = strdup(name);
    if (!object->card.name) {
        free(object);
        return RC_NO_MEMORY;
    }
    object->kind = KIND_CARD;
    object->card.context = context;
    object->card.service = service;
    object->card.references = 1;
    pthread_mutex_lock(&lock);
    rc = context->closed ? RC_CANCELLED : add(object, &object->card.id);
    if (!rc) {
        context->references++;
        list_append(&context->cards, &object->card.link);
        *ret_handle = (SCARDHANDLE)object->card.id;
    }
    pthread_mutex_unlock(&lock);
    /* From here on a release of the context may free the object. */
    if (rc)
        free_card(object);
    return rc;
}

static bool is_in(const struct buffer *names, const char *name)
{
    const char *list = (const char *)names->data;

    for (size_t at = 0; at < names->length; at += strlen(list + at) + 1)
        if (!strcmp(list + at, name))
            return true;
    return false;
}

int object_connected(struct api_context *context, char **ret_names)
{
    struct buffer names = {0};
    int rc = RC_OK;

    pthread_mutex_lock(&lock);
    list_each(node, &context->cards)
    {
        const char *name = list_entry(node, struct api_card, link)->name;

        if (!rc && !is_in(&names, name))
            rc = buffer_append(&names, name, strlen(name) + 1);
    }
    pthread_mutex_unlock(&lock);
    if (!rc)
        rc = buffer_append(&names, "", 1);
    if (rc)
        buffer_fini(&names);
    else
        *ret_names = (char *)names.data;
    return rc;
}

struct api_context *object_context(SCARDCONTEXT handle)
{
    struct context_object *object;

    pthread_mutex_lock(&lock);
    object = find(handle, KIND_CONTEXT);
    if (object)
        object->context.references++;
    pthread_mutex_unlock(&lock);
    return object ? &object->context : NULL;
}

struct api_card *object_card(SCARDHANDLE handle)
{
    struct card_object *object;

    pthread_mutex_lock(&lock);
    object = find(handle, KIND_CARD);
    if (object)
        object->card.references++;
    pthread_mutex_unlock(&lock);
    return object ? &object->card : NULL;
}

void object_put_context(struct api_context *context)
{
    struct service *service = trace_behind(context->service->service);
    bool last;

    pthread_mutex_lock(&lock);
    last = !--context->references;
    pthread_mutex_unlock(&lock);
    if (!last)
        return;
    context_ops(context)->context_free(context->service);
    free(list_entry(context, struct context_object, context));
    setup_put_service(service);
}

void object_put_card(struct api_card *card)
{
    struct api_context *context = card->context;
    bool last;

    pthread_mutex_lock(&lock);
    last = !--card->references;
    pthread_mutex_unlock(&lock);
    if (!last)
        return;
    context_ops(context)->handle_free(card->service);
    free_card(list_entry(card, struct card_object, card));
    object_put_context(context);
}

struct api_context *object_close_context(SCARDCONTEXT handle)
{
    struct context_object *object;

    pthread_mutex_lock(&lock);
    object = find(handle, KIND_CONTEXT);
    if (object) {
        object->context.closed = true;
        ids_remove(&table, object->context.id);
        list_each(node, &object->context.cards)
            ids_remove(&table, list_entry(node, struct api_card, link)->id);
    }
    pthread_mutex_unlock(&lock);
    return object ? &object->context : NULL;
}

/* Takes one card out of the context; NULL when none is left. */
static struct api_card *take_card(struct api_context *context)
{
    struct api_card *card = NULL;

    pthread_mutex_lock(&lock);
    if (!list_empty(&context->cards)) {
        card = list_entry(context->cards.next, struct api_card, link);
        card->closed = true;
        list_remove(&card->link);
    }
    pthread_mutex_unlock(&lock);
    return card;
}

void object_drop_cards(struct api_context *context)
{
    struct api_card *card;

    while ((card = take_card(context)))
        object_put_card(card);
}

void object_close_card(struct api_card *card)
{
    bool mine;

    pthread_mutex_lock(&lock);
    mine = !card->closed;
    if (mine) {
        card->closed = true;
        ids_remove(&table, card->id);
        list_remove(&card->link);
    }
    pthread_mutex_unlock(&lock);
    if (mine)
        object_put_card(card);
}

void object_begin_wait(struct api_context *context, struct api_wait *wait)
{
    pthread_mutex_lock(&lock);
    list_append(&context->waits, &wait->link);
    if (context->closed)
        eventfd_write(wait->fd, 1);
    pthread_mutex_unlock(&lock);
}

void object_end_wait(struct api_wait *wait)
{
    pthread_mutex_lock(&lock);
    list_remove(&wait->link);
    pthread_mutex_unlock(&lock);
}

void object_end_waits(struct api_context *context)
{
    pthread_mutex_lock(&lock);
    list_each(node, &context->waits) eventfd_write(list_entry(node, struct api_wait, link)->fd, 1);
    pthread_mutex_unlock(&lock);
}

void object_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

void object_after_fork(bool in_child)
{
    if (in_child)
        ids_clear(&table);
    pthread_mutex_unlock(&lock);
}
