/* SPDX-License-Identifier: MIT */
/* What every public function begins and ends with. */
#ifndef API_EXPORT_H
#define API_EXPORT_H

#include <pthread.h>

#include "api/codes.h"
#include "base/log.h"
#include "base/rc.h"

#define EXPORT __attribute__((visibility("default")))

/* The function's second name, with A: its text has 8 bits. */
#define EXPORT_A(name) EXPORT __typeof__(name) name##A __attribute__((alias(#name)))

static inline int export_enter(void)
{
    int before;

    detail_clear();
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

static inline void export_leave(const int *before)
{
    pthread_setcancelstate(*before, NULL);
}

/* Stands first in a public function. A thread that is cancelled (pthread_cancel) ends once the call has: to
 * end inside would take a lock or a reader's turn with it. */
#define EXPORT_BEGIN __attribute__((cleanup(export_leave), unused)) const int cancel_before = export_enter()

#endif
