/* SPDX-License-Identifier: MIT */
#include "cli/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <scard.h>

#include "base/rc.h"

/* SCardCancel ends only the wait that is there at that moment; one that begins just after it would never end.
 * So while an interrupt stands the cancel is repeated, until the command has noticed and the front has
 * cleared it. */
#define REPEAT_MS 20

/* One wish may arrive as several signals: timeout(1) sends to the process and then to its group, a terminal
 * that closes and its shell send one each. Nobody presses Ctrl-C twice in that time. */
#define TOGETHER_NS (100 * INT64_C(1000000))

static void signals_of_interest(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

static void raise_with(struct interrupt *interrupt, enum interrupt_cause cause)
{
    int none = INTERRUPT_NONE, gentle = INTERRUPT_CANCEL;
    uint64_t one = 1;
    int saved = errno;

    if (atomic_compare_exchange_strong(&interrupt->cause, &none, (int)cause))
        (void)!write(interrupt->event_fd, &one, sizeof one);
    else
        atomic_compare_exchange_strong(&interrupt->cause, &gentle, (int)cause);
    errno = saved;
}

/* The user insists: end as the signal does where nobody catches it. */
static void die_of(int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(signal);
}

static void take_signal(struct interrupt *interrupt)
{
    struct signalfd_siginfo info;
    int64_t now_ns = clock_now_ns();
    bool together = interrupt->signalled_ns != 0 && now_ns - interrupt->signalled_ns < TOGETHER_NS;

    if (read(interrupt->signal_fd, &info, sizeof info) != sizeof info)
        return;
    if (info.ssi_signo != SIGINT)
        atomic_store(&interrupt->over, true);
    if (!interrupt_raised(interrupt)) {
        interrupt->signalled_ns = now_ns;
        raise_with(interrupt, INTERRUPT_USER);
    } else if (!together) {
        die_of((int)info.ssi_signo);
    }
}

bool interrupt_over(const struct interrupt *interrupt)
{
    return atomic_load(&interrupt->over);
}

/* Ends what the context is in, if an interrupt stands. Returns how long to wait for the next event. */
static int watch_once(struct interrupt *interrupt)
{
    int wait_ms;

    if (interrupt_raised(interrupt)) {
        if (interrupt->context == 0)
            return -1;
        SCardCancel(interrupt->context);
        if (interrupt_cause(interrupt) != INTERRUPT_CANCEL)
            scard_abort(interrupt->context);
        return REPEAT_MS;
    }
    if (deadline_passed(interrupt->deadline)) {
        interrupt->deadline = deadline_never();
        raise_with(interrupt, INTERRUPT_TIMEOUT);
        return 0;
    }
    wait_ms = deadline_poll_ms(interrupt->deadline);
    return wait_ms;
}

static void lose_output(struct interrupt *interrupt, int fd)
{
    pthread_mutex_lock(&interrupt->lock);
    if (interrupt->output_fd == fd) {
        interrupt->output_fd = -1;
        raise_with(interrupt, INTERRUPT_PIPE);
    }
    pthread_mutex_unlock(&interrupt->lock);
}

static void *watch(void *user)
{
    struct interrupt *interrupt = user;

    for (;;) {
        struct pollfd fds[] = {
            {.fd = interrupt->wake_fd, .events = POLLIN},
            {.fd = interrupt->signal_fd, .events = POLLIN},
            {.fd = interrupt_raised(interrupt) ? -1 : interrupt->event_fd, .events = POLLIN},
            {.fd = -1}, /* without events: errors only */
        };
        uint64_t count;
        int wait_ms;
        bool stop;

        pthread_mutex_lock(&interrupt->lock);
        stop = interrupt->stop;
        fds[3].fd = interrupt_raised(interrupt) ? -1 : interrupt->output_fd;
        wait_ms = stop ? 0 : watch_once(interrupt);
        pthread_mutex_unlock(&interrupt->lock);
        if (stop)
            return NULL;
        if (poll(fds, 4, wait_ms) <= 0)
            continue;
        if (fds[0].revents != 0)
            (void)!read(interrupt->wake_fd, &count, sizeof count);
        if (fds[1].revents != 0)
            take_signal(interrupt);
        if (fds[3].revents != 0)
            lose_output(interrupt, fds[3].fd);
    }
}

static void wake(struct interrupt *interrupt)
{
    uint64_t one = 1;

    (void)!write(interrupt->wake_fd, &one, sizeof one);
}

static void close_all(struct interrupt *interrupt)
{
    const int fds[] = {interrupt->event_fd, interrupt->wake_fd, interrupt->signal_fd};

    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    pthread_mutex_destroy(&interrupt->lock);
}

int interrupt_init(struct interrupt *interrupt, bool signals)
{
    sigset_t all, old, set;
    int error;

    *interrupt = (struct interrupt){
        .event_fd = -1, .wake_fd = -1, .signal_fd = -1, .output_fd = -1, .deadline = deadline_never()};
    atomic_init(&interrupt->cause, INTERRUPT_NONE);
    atomic_init(&interrupt->over, false);
    pthread_mutex_init(&interrupt->lock, NULL);
    interrupt->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    interrupt->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (interrupt->event_fd < 0 || interrupt->wake_fd < 0)
        goto fail;
    if (signals) {
        signals_of_interest(&set);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        interrupt->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (interrupt->signal_fd < 0)
            goto fail;
    }
    /* The watcher takes no signal but by descriptor. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    error = pthread_create(&interrupt->watcher, NULL, watch, interrupt);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (error == 0)
        return RC_OK;
fail:
    close_all(interrupt);
    return RC_NO_MEMORY;
}

void interrupt_fini(struct interrupt *interrupt)
{
    pthread_mutex_lock(&interrupt->lock);
    interrupt->stop = true;
    pthread_mutex_unlock(&interrupt->lock);
    wake(interrupt);
    pthread_join(interrupt->watcher, NULL);
    close_all(interrupt);
}

void interrupt_raise(struct interrupt *interrupt)
{
    raise_with(interrupt, INTERRUPT_USER);
}

void interrupt_cancel(struct interrupt *interrupt)
{
    raise_with(interrupt, INTERRUPT_CANCEL);
}

enum interrupt_cause interrupt_cause(const struct interrupt *interrupt)
{
    return (enum interrupt_cause)atomic_load(&interrupt->cause);
}

bool interrupt_raised(const struct interrupt *interrupt)
{
    return interrupt_cause(interrupt) != INTERRUPT_NONE;
}

void interrupt_clear(struct interrupt *interrupt)
{
    uint64_t count;

    pthread_mutex_lock(&interrupt->lock);
    interrupt->deadline = deadline_never();
    (void)!read(interrupt->event_fd, &count, sizeof count);
    atomic_store(&interrupt->cause, INTERRUPT_NONE);
    pthread_mutex_unlock(&interrupt->lock);
    wake(interrupt);
}

void interrupt_at(struct interrupt *interrupt, struct deadline deadline)
{
    pthread_mutex_lock(&interrupt->lock);
    interrupt->deadline = deadline;
    pthread_mutex_unlock(&interrupt->lock);
    wake(interrupt);
}

struct deadline interrupt_deadline(struct interrupt *interrupt)
{
    struct deadline deadline;

    pthread_mutex_lock(&interrupt->lock);
    deadline = interrupt->deadline;
    pthread_mutex_unlock(&interrupt->lock);
    return deadline;
}

void interrupt_output(struct interrupt *interrupt, int fd)
{
    pthread_mutex_lock(&interrupt->lock);
    interrupt->output_fd = fd;
    pthread_mutex_unlock(&interrupt->lock);
    wake(interrupt);
}

void interrupt_watch(struct interrupt *interrupt, SCARDCONTEXT context)
{
    pthread_mutex_lock(&interrupt->lock);
    interrupt->context = context;
    pthread_mutex_unlock(&interrupt->lock);
    wake(interrupt);
}
