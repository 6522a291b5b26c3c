/* SPDX-License-Identifier: MIT */
#include "cli/session_worker.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "cli/dispatch.h"

static void close_fds(struct session_command *command)
{
    for (size_t i = 0; i < SESSION_FDS; i++) {
        if (command->fds[i] >= 0)
            close(command->fds[i]);
        command->fds[i] = -1;
    }
}

void session_command_fini(struct session_command *command)
{
    close_fds(command);
    session_request_fini(&command->request);
}

static int run_command(struct session_worker *worker, const struct session_command *command)
{
    const struct session_request *request = &command->request;
    struct front front = *worker->offers;
    struct output output;
    struct call call;
    int status;

    output_init(&output, command->fds[SESSION_STDOUT], command->fds[SESSION_STDERR], request->no_color,
                request->term);
    output.interrupt = &worker->interrupt;
    front.kind = FRONT_SESSION;
    front.desk = &worker->desk;
    front.output = &output;
    front.interrupt = &worker->interrupt;
    front.reader = request->reader;
    front.input = command->fds[SESSION_STDIN];
    front.directory = command->fds[SESSION_DIRECTORY];
    front.terminal = command->fds[SESSION_TERMINAL];
    front.secret_fds = command->fds + SESSION_SECRET;
    front.open_session = NULL;
    front.run_shell = NULL;
    /* Not dispatch(): it would clear an interrupt that has come since the command has its turn. */
    status = dispatch_parse(&front, request->argc, request->argv, &call);
    if (status == STATUS_DONE)
        status = dispatch_run(&call);
    dispatch_free(&call);
    return status;
}

/* Under the lock, after a command: what others may ask for. */
static void note_state(struct session_worker *worker, int status)
{
    free(worker->reader);
    worker->reader = worker->desk.reader != NULL ? strdup(worker->desk.reader) : NULL;
    worker->depth = worker->desk.depth;
    worker->over = worker->desk.context == 0 || (!worker->opened && status != STATUS_DONE);
    worker->opened = true;
}

static void *work(void *user)
{
    struct session_worker *worker = user;

    pthread_mutex_lock(&worker->lock);
    while (!worker->stop && !worker->over) {
        struct session_command *command = worker->waiting;
        const uint64_t one = 1;
        int status;

        if (command == NULL) {
            pthread_cond_wait(&worker->changed, &worker->lock);
            continue;
        }
        worker->waiting = command->next;
        worker->running = command;
        command->turn = TURN_RUNNING;
        interrupt_clear(&worker->interrupt);
        pthread_mutex_unlock(&worker->lock);

        session_wire_send(command->reply, false, SESSION_BEGIN, NULL, NULL, 0);
        status = run_command(worker, command);
        /* Whoever reads the command's output sees its end before the program that was called has ended. */
        close_fds(command);

        pthread_mutex_lock(&worker->lock);
        worker->running = NULL;
        command->turn = TURN_DONE;
        command->status = status;
        note_state(worker, status);
        (void)!write(worker->done_fd, &one, sizeof one);
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

int session_worker_start(struct session_worker *worker, const struct front *offers)
{
    *worker = (struct session_worker){.offers = offers};
    if (interrupt_init(&worker->interrupt, false) < 0)
        return RC_NO_MEMORY;
    desk_init(&worker->desk, &worker->interrupt);
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->changed, NULL);
    worker->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->done_fd >= 0 && pthread_create(&worker->thread, NULL, work, worker) == 0)
        return RC_OK;
    if (worker->done_fd >= 0)
        close(worker->done_fd);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    interrupt_fini(&worker->interrupt);
    return RC_NO_MEMORY;
}

void session_worker_stop(struct session_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->stop = true;
    if (worker->running != NULL)
        interrupt_raise(&worker->interrupt);
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL);
    interrupt_clear(&worker->interrupt);
    /* In a transaction the card is in the middle of something: releasing the context resets it. */
    if (worker->desk.depth > 0)
        desk_release(&worker->desk);
    desk_fini(&worker->desk);
    interrupt_fini(&worker->interrupt);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    close(worker->done_fd);
    free(worker->reader);
}

void session_worker_add(struct session_worker *worker, struct session_command *command)
{
    struct session_command **at = &worker->waiting;

    pthread_mutex_lock(&worker->lock);
    /* Urgent ones stand before the others, and among themselves in order. */
    while (*at != NULL && (!command->request.urgent || (*at)->request.urgent))
        at = &(*at)->next;
    command->next = *at;
    *at = command;
    command->turn = TURN_WAITING;
    if (command->request.urgent && worker->running != NULL && !worker->running->request.urgent)
        interrupt_cancel(&worker->interrupt);
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

bool session_worker_cancel(struct session_worker *worker, struct session_command *command)
{
    struct session_command **at = &worker->waiting;
    bool taken = false;

    pthread_mutex_lock(&worker->lock);
    if (command->turn == TURN_RUNNING) {
        interrupt_raise(&worker->interrupt);
    } else if (command->turn == TURN_WAITING) {
        while (*at != command)
            at = &(*at)->next;
        *at = command->next;
        command->turn = TURN_NONE;
        taken = true;
    }
    pthread_mutex_unlock(&worker->lock);
    return taken;
}

enum session_turn session_worker_turn(struct session_worker *worker, const struct session_command *command)
{
    enum session_turn turn;

    pthread_mutex_lock(&worker->lock);
    turn = command->turn;
    pthread_mutex_unlock(&worker->lock);
    return turn;
}

struct session_worker_state session_worker_state(struct session_worker *worker)
{
    struct session_worker_state state;

    pthread_mutex_lock(&worker->lock);
    state = (struct session_worker_state){
        .busy = worker->running != NULL || worker->waiting != NULL,
        .opened = worker->opened,
        .over = worker->over,
    };
    pthread_mutex_unlock(&worker->lock);
    return state;
}

int session_worker_facts(struct session_worker *worker, struct buffer *body)
{
    struct session_facts facts;
    int rc;

    pthread_mutex_lock(&worker->lock);
    facts = (struct session_facts){
        .pid = getpid(),
        .busy = worker->running != NULL,
        .depth = worker->depth,
        .reader = worker->reader != NULL ? worker->reader : "",
    };
    rc = session_facts_append(&facts, body);
    pthread_mutex_unlock(&worker->lock);
    return rc;
}
