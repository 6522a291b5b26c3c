/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <pthread.h>
#include <signal.h>

#include "base/log.h"
#include "base/rc.h"

int thread_start(void *(*run)(void *argument), void *argument)
{
    sigset_t all, before;
    pthread_t thread;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        return detail_set(RC_NO_MEMORY, "no thread can be started (error %d)", error);
    pthread_detach(thread);
    return RC_OK;
}
