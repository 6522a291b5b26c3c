/* SPDX-License-Identifier: MIT */
#include "cli/dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <scard.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "cli/arguments.h"
#include "cli/choose.h"
#include "cli/guard.h"
#include "cli/help.h"
#include "cli/trace.h"

/* Errors of the parse itself are to be in JSON already. */
static bool asks_for_json(int argc, const char *const *argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

int dispatch_parse(const struct front *front, int argc, const char *const *argv, struct call *ret_call)
{
    enum output_mode mode = front->output->mode;
    int status;

    *ret_call = (struct call){
        .front = front,
        .globals = front->globals,
        .word_count = argc,
        .words = argv,
        .desk = front->desk,
        .output = front->output,
    };
    if (front->globals.json || asks_for_json(argc, argv))
        front->output->mode = OUTPUT_JSON;
    status = arguments_parse(ret_call, argc, argv);
    front->output->mode = mode;
    return status;
}

void dispatch_free(struct call *call)
{
    if (call->desk == &call->guest)
        desk_fini(&call->guest);
    free(call->options);
    free(call->arguments);
    free(call->reader);
    *call = (struct call){.front = call->front};
}

/* One write for each line, so that lines of several threads do not mix. */
static void log_line(void *user, const char *line)
{
    const struct output *output = user;
    char *text;
    int length = asprintf(&text, "scard: debug: %s\n", line);

    if (length < 0)
        return;
    (void)!write(output->err, text, (size_t)length);
    free(text);
}

/* The service reads SCARD_READERS when it starts; a context that is open has it started. */
static int add_readers(struct call *call)
{
    const char *readers = call->globals.readers;

    if (readers == NULL || readers == call->front->globals.readers)
        return STATUS_DONE;
    if (call->front->desk->context != 0)
        return call_fail(call, STATUS_USAGE, "Release the context first: \"scard release\".",
                         "--readers comes too late: the readers are set when the context is opened");
    if (setenv("SCARD_READERS", readers, 1) < 0)
        return call_no_memory(call);
    return STATUS_DONE;
}

static int prepare(struct call *call)
{
    const struct command *command = call->command;
    int status;

    if ((command->flags & COMMAND_KEEPS) && call->front->kind == FRONT_ONE_SHOT)
        return call_fail(call, STATUS_USAGE, "Open one with \"scard connect -r READER\".",
                         "no session is open");
    status = add_readers(call);
    return status != STATUS_DONE ? status : choose_prepare(call, command->needs);
}

static int run_prepared(struct call *call)
{
    int status = prepare(call);

    if (status == STATUS_DONE)
        status = call->command->run(call);
    if (call->desk == &call->guest) {
        desk_fini(&call->guest);
        call->desk = call->front->desk;
    }
    return status;
}

static int run_traced(struct call *call)
{
    bool started;
    int status = trace_begin_call(call, &started), stopped = STATUS_DONE;

    if (status == STATUS_DONE)
        status = run_prepared(call);
    if (started)
        stopped = trace_stop(call);
    return status != STATUS_DONE ? status : stopped;
}

static int run_command(struct call *call)
{
    struct guard guard;
    int status;

    if (call->globals.timeout_ms >= 0 && !(call->command->flags & COMMAND_TIMES) &&
        call->front->interrupt != NULL)
        interrupt_at(call->front->interrupt, deadline_in_ms((uint64_t)call->globals.timeout_ms));
    if ((call->command->flags & COMMAND_OPENS) && call->front->open_session != NULL)
        return call->front->open_session(call);
    guard_begin(&guard, call);
    status = run_traced(call);
    guard_end(&guard);
    return status;
}

static int broken_output(struct call *call)
{
    struct output *output = call->output;

    /* Not as a record: that goes where nothing can be written. */
    if (output->mode == OUTPUT_JSON)
        output->mode = OUTPUT_BARE;
    if (output->broken_errno == EPIPE)
        return STATUS_PIPE;
    if (output->broken_errno == ECANCELED)
        return STATUS_INTERRUPTED;
    return call_fail(call, STATUS_TRANSPORT, "", "cannot write the output: %s",
                     strerror(output->broken_errno));
}

int dispatch_run(struct call *call)
{
    struct output *output = call->output;
    enum output_mode mode = output->mode;
    bool quiet = output->quiet;
    int status;

    if (call->globals.json)
        output->mode = OUTPUT_JSON;
    output->quiet = quiet || call->globals.quiet;
    if (call->globals.verbose)
        scard_set_log(log_line, output);
    if (call->globals.version && (call->command == NULL || !call->globals.help))
        call->command = command_find(call->front->commands, "version");
    if (call->command == NULL || call->command->children != NULL || call->globals.help) {
        status = help_show(call, call->command);
        if (status == STATUS_DONE && !call->globals.help)
            status = STATUS_USAGE;
    } else {
        status = run_command(call);
    }
    if (output->broken)
        status = broken_output(call);
    if (call->globals.verbose)
        scard_set_log(NULL, NULL);
    output->mode = mode;
    output->quiet = quiet;
    return status;
}

int dispatch(const struct front *front, int argc, const char *const *argv)
{
    struct call call;
    int status;

    if (front->interrupt != NULL && front->kind != FRONT_SCRIPT)
        interrupt_clear(front->interrupt);
    status = dispatch_parse(front, argc, argv, &call);
    if (status == STATUS_DONE)
        status = dispatch_run(&call);
    dispatch_free(&call);
    return status;
}
