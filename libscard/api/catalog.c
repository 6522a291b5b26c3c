/* SPDX-License-Identifier: MIT */
#include "api/catalog.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/rc.h"

struct loaded {
    struct database database; /* first */
    struct database_stamp stamp;
    unsigned references;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct loaded *current; /* with a reference of its own; NULL: load it */
static unsigned long changes;
static struct database_place place;
static bool placed;

int catalog_place(const struct database_place **ret_place)
{
    int rc = RC_OK;

    pthread_mutex_lock(&lock);
    if (!placed)
        rc = database_place_find(&place);
    placed = !rc;
    pthread_mutex_unlock(&lock);
    if (!rc)
        *ret_place = &place;
    return rc;
}

enum database_scope catalog_scope(const struct api_context *context)
{
    return context && context->scope >= SCARD_SCOPE_SYSTEM ? DATABASE_SYSTEM : DATABASE_USER;
}

/* Under the lock: takes a reference away. The one to be freed without it, or NULL. */
static struct loaded *drop(struct loaded *loaded)
{
    return loaded && !--loaded->references ? loaded : NULL;
}

static void destroy(struct loaded *loaded)
{
    if (loaded)
        database_fini(&loaded->database);
    free(loaded);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_stamp(const struct database_stamp *a, const struct database_stamp *b)
{
    for (size_t i = 0; i < sizeof a->inode / sizeof *a->inode; i++)
        if (a->inode[i] != b->inode[i] || !same_time(&a->changed[i], &b->changed[i]))
            return false;
    return a->files == b->files;
}

/* Under the lock: the current one with a reference for the caller, if it is of that stamp. */
static struct loaded *take_current(const struct database_stamp *stamp)
{
    if (!current || !same_stamp(&current->stamp, stamp))
        return NULL;
    current->references++;
    return current;
}

static int load(const struct database_place *from, const struct database_stamp *stamp,
                struct loaded **ret_loaded)
{
    struct loaded *loaded = calloc(1, sizeof *loaded);
    int rc;

    if (!loaded)
        return RC_NO_MEMORY;
    /* Stamped before it is read: what changes meanwhile makes another stamp, and is read the next time. */
    loaded->stamp = *stamp;
    loaded->references = 1;
    rc = database_load(from, &loaded->database);
    if (rc) {
        free(loaded);
        return rc;
    }
    *ret_loaded = loaded;
    return RC_OK;
}

int catalog_get(const struct database **ret_database)
{
    const struct database_place *from;
    struct loaded *loaded = NULL, *old = NULL;
    struct database_stamp stamp;
    unsigned long before;
    int rc = catalog_place(&from);

    if (rc)
        return rc;
    pthread_mutex_lock(&lock);
    before = changes;
    pthread_mutex_unlock(&lock);
    database_stamp(from, &stamp);
    pthread_mutex_lock(&lock);
    loaded = take_current(&stamp);
    pthread_mutex_unlock(&lock);
    if (!loaded) {
        /* Without the lock: files may be far away. Of threads that come together each loads its own. */
        rc = load(from, &stamp, &loaded);
        if (rc)
            return rc;
        pthread_mutex_lock(&lock);
        if (changes == before) {
            old = drop(current);
            current = loaded;
            loaded->references++;
        }
        pthread_mutex_unlock(&lock);
        destroy(old);
    }
    *ret_database = &loaded->database;
    return RC_OK;
}

void catalog_put(const struct database *database)
{
    struct loaded *loaded = (struct loaded *)(uintptr_t)database;

    pthread_mutex_lock(&lock);
    loaded = drop(loaded);
    pthread_mutex_unlock(&lock);
    destroy(loaded);
}

int catalog_written(int rc, int not_found)
{
    struct loaded *old;

    pthread_mutex_lock(&lock);
    changes++;
    old = drop(current);
    current = NULL;
    pthread_mutex_unlock(&lock);
    destroy(old);
    if (rc == RC_NOT_FOUND)
        return not_found;
    return rc == RC_NO_SERVICE ? RC_NO_ACCESS : rc;
}

void catalog_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

void catalog_after_fork(bool in_child)
{
    (void)in_child;
    pthread_mutex_unlock(&lock);
}
