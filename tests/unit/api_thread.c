/* SPDX-License-Identifier: MIT */
/* Public functions and what programs do with threads: much thread-local data, which takes room in the stack
 * of every thread, those of the library too; and pthread_cancel. */
#include <pthread.h>
#include <semaphore.h>

#include "tests/unit/api_kit.h"

static _Thread_local volatile char much[1024 * 1024];

static void library_has_its_threads(void **state)
{
    SCARDCONTEXT context;

    (void)state;
    much[0] = 1;
    context = establish();
    assert_code(transmit_echo(connect_shared(context, ECHO)), SCARD_S_SUCCESS);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static sem_t called;

static void *wait_for_readers(void *argument)
{
    SCARD_READERSTATE list = {.szReader = "\\\\?PnP?\\Notification"};

    sem_post(&called);
    SCardGetStatusChange(*(SCARDCONTEXT *)argument, INFINITE, &list, 1);
    pthread_testcancel();
    return NULL;
}

/* Wherever the cancel meets the thread: the others go on, and it ends with its call. */
static void cancelled_thread_leaves_the_library_whole(void **state)
{
    (void)state;
    sem_init(&called, 0, 0);
    for (unsigned i = 0; i < 200; i++) {
        SCARDCONTEXT context = establish(), other = establish();
        char names[256];
        DWORD length = sizeof names;
        pthread_t thread;
        void *end;

        assert_int_equal(pthread_create(&thread, NULL, wait_for_readers, &context), 0);
        assert_int_equal(sem_wait(&called), 0);
        assert_int_equal(pthread_cancel(thread), 0);
        assert_code(SCardListReaders(other, NULL, names, &length), SCARD_S_SUCCESS);
        assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
        assert_int_equal(pthread_join(thread, &end), 0);
        assert_ptr_equal(end, PTHREAD_CANCELED);
        assert_code(SCardReleaseContext(other), SCARD_S_SUCCESS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(library_has_its_threads),
        cmocka_unit_test(cancelled_thread_leaves_the_library_whole),
    };

    setenv("SCARD_READERS", "sim:echo", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
