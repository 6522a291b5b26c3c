/* SPDX-License-Identifier: MIT */
/* driver/ccid_link when memory or descriptors run out: the n-th allocation fails, for n = 1, 2, 3 … The
 * result is RC_NO_MEMORY, nothing leaks, and the pipe stays the caller's. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_link.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/fake_pipe.h"

int __real_epoll_create1(int flags);
int __real_eventfd(unsigned count, int flags);
int __real_timerfd_create(int clock, int flags);
int __wrap_epoll_create1(int flags);
int __wrap_eventfd(unsigned count, int flags);
int __wrap_timerfd_create(int clock, int flags);

static int no_descriptor(void)
{
    errno = EMFILE;
    return -1;
}

int __wrap_epoll_create1(int flags)
{
    return failing_alloc_fails() ? no_descriptor() : __real_epoll_create1(flags);
}

int __wrap_eventfd(unsigned count, int flags)
{
    return failing_alloc_fails() ? no_descriptor() : __real_eventfd(count, flags);
}

int __wrap_timerfd_create(int clock, int flags)
{
    return failing_alloc_fails() ? no_descriptor() : __real_timerfd_create(clock, flags);
}

/* The lowest free descriptor: the same before and after if none was left open. */
static int next_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    close(fd);
    return fd;
}

static void a_link_is_made_whole_or_not_at_all(void **state)
{
    static const enum ccid_transport transports[] = {CCID_BULK, CCID_ICCD_B};
    struct ccid_quirk quirk = {0};
    struct ccid_link *link = NULL;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ccid_descriptor descriptor = {
            .slots = 2, .busy_slots = 1, .max_message = 271, .transport = (uint8_t)transports[i]};
        struct fake_pipe *fake = fake_pipe_new();
        int before = next_descriptor(), rc = RC_NO_MEMORY;
        unsigned n = 0;

        while (rc) {
            failing_alloc_arm(++n);
            rc = ccid_link_new(fake_pipe_pipe(fake), &descriptor, &quirk, &link);
            failing_alloc_arm(0);
            assert_true(!rc || rc == RC_NO_MEMORY);
            assert_true(!rc || next_descriptor() == before);
            assert_false(fake_pipe_closed(fake));
        }
        assert_true(n > 9); /* three blocks, and three descriptors for each slot */
        ccid_link_free(link);
        assert_true(fake_pipe_closed(fake));
        assert_int_equal(next_descriptor(), before);
        fake_pipe_free(fake);
    }
}

static void out_of_memory(void)
{
    failing_alloc_arm(1);
}

/* No room to keep the answer for the slot: it is lost, the command aborted, and the next one works. */
static void an_answer_that_finds_no_room_is_lost(void **state)
{
    static const char data[] = "80 02000000 00 qq 000000 9000";
    struct ccid_descriptor descriptor = {.slots = 2, .busy_slots = 1, .max_message = 271};
    struct ccid_command command = {.type = CCID_XFR_BLOCK};
    struct fake_pipe *fake = fake_pipe_new();
    struct ccid_quirk quirk = {0};
    struct ccid_answer answer;
    struct ccid_link *link;

    (void)state;
    assert_int_equal(ccid_link_new(fake_pipe_pipe(fake), &descriptor, &quirk, &link), RC_OK);
    fake_pipe_steps(
        fake, {.what = FAKE_OUT, .bytes = "6F 00000000 00 00 000000"}, {.what = FAKE_IN, .bytes = data},
        {.what = FAKE_CONTROL, .bytes = "2101 0100"}, {.what = FAKE_OUT, .bytes = "72 00000000 00 01 000000"},
        {.what = FAKE_IN, .bytes = "81 00000000 00 01 000000"},
        {.what = FAKE_OUT, .bytes = "6F 00000000 00 02 000000"}, {.what = FAKE_IN, .bytes = data});
    fake_pipe_with_next_answer(fake, out_of_memory);
    assert_int_equal(ccid_link_exchange(link, &command, 1000, &answer), RC_IO);
    assert_true(failing_alloc_hit());
    assert_int_equal(ccid_link_exchange(link, &command, 1000, &answer), RC_OK);
    assert_int_equal(answer.length, 2);
    fake_pipe_done(fake);
    ccid_link_free(link);
    fake_pipe_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_is_made_whole_or_not_at_all),
        cmocka_unit_test(an_answer_that_finds_no_room_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
