/* SPDX-License-Identifier: MIT */
#include "cli/launch.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <scard.h>

#include "cli/trace.h"

/* As of a shell, env or nohup. */
#define STATUS_CANNOT_RUN 126
#define STATUS_NOT_FOUND 127

static struct {
    sigset_t mask;
    struct sigaction pipe;
} inherited;

void launch_remember(void)
{
    pthread_sigmask(SIG_SETMASK, NULL, &inherited.mask);
    sigaction(SIGPIPE, NULL, &inherited.pipe);
}

/* The folder of the drop-in libraries, a new string; NULL with errno. It stands beside libscard.so.1: scard/
 * where that is installed, compat/ in a build tree. */
static char *find_folder(void)
{
    static const char *const folders[] = {"scard", "compat"};
    void *symbol = dlsym(RTLD_DEFAULT, "scard_version");
    char *library, *slash, *folder = NULL;
    Dl_info info;

    if (symbol == NULL || dladdr(symbol, &info) == 0) {
        errno = ENOENT;
        return NULL;
    }
    library = realpath(info.dli_fname, NULL);
    if (library == NULL)
        return NULL;
    slash = strrchr(library, '/');
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char *file;

        if (asprintf(&file, "%.*s/%s/libpcsclite.so.1", (int)(slash - library), library, folders[i]) < 0)
            break;
        if (access(file, R_OK) == 0) {
            *strrchr(file, '/') = '\0';
            folder = file;
            break;
        }
        free(file);
    }
    free(library);
    return folder;
}

/* name = folder<between>value-so-far; without the latter where there was none. */
static int put_in_front(const char *name, const char *folder)
{
    const char *before = getenv(name);
    char *value;
    int result;

    if (before == NULL || before[0] == '\0')
        return setenv(name, folder, 1);
    if (asprintf(&value, "%s:%s", folder, before) < 0)
        return -1;
    result = setenv(name, value, 1);
    free(value);
    return result;
}

/* A libpcsclite.so.1 of pcsc-lite 2.x that the program brings along asks this variable where to hand on to.
 */
static int set_delegate(const char *folder)
{
    char *path;
    int result;

    if (asprintf(&path, "%s/libpcsclite_real.so.1", folder) < 0)
        return -1;
    result = setenv("LIBPCSCLITE_DELEGATE", path, 1);
    free(path);
    return result;
}

/* For what cannot load our libraries and speaks to a service's socket itself: the socket that we would use.
 */
static int set_socket(void)
{
    char path[256]; /* more than a socket's path can have */
    DWORD length = sizeof path;

    if (scard_service_socket(path, &length) != SCARD_S_SUCCESS || path[0] == '\0')
        return 0;
    return setenv("PCSCLITE_CSOCK_NAME", path, 1);
}

/* An empty file of our own, named so that it is found from every folder. */
static int make_trace_file(struct call *call, const char *name)
{
    int fd = trace_create(call, name), status = STATUS_DONE;
    char *path;

    if (fd < 0)
        return STATUS_TRANSPORT;
    close(fd);
    path = realpath(name, NULL);
    if (path == NULL || setenv("SCARD_TRACE", path, 1) < 0)
        status = call_fail(call, STATUS_TRANSPORT, "", "cannot write %s: %s", name, strerror(errno));
    free(path);
    return status;
}

/* The program's library writes it: the variables are those of api/tracing.h. */
static int set_trace(struct call *call)
{
    const char *file = call->globals.trace;

    if (file == NULL)
        return STATUS_DONE;
    if (setenv("SCARD_TRACE", "2", 1) < 0 ||
        setenv("SCARD_TRACE_FORMAT", trace_format(file, call->globals.trace_format, "text"), 1) < 0 ||
        (call->globals.show_secrets && setenv("SCARD_TRACE_SECRETS", "1", 1) < 0))
        return call_no_memory(call);
    return strcmp(file, "-") == 0 ? STATUS_DONE : make_trace_file(call, file);
}

static int set_environment(struct call *call)
{
    char *folder = find_folder();
    int status = STATUS_DONE;

    if (folder == NULL)
        return call_fail(call, STATUS_SERVICE, "Install scard again: it brings them along.",
                         "the libraries that stand in for pcsc-lite's are not beside libscard.so.1: %s",
                         strerror(errno));
    if (strpbrk(folder, ":;") != NULL)
        status = call_fail(call, STATUS_SERVICE, "Install scard into a folder without ':' and ';'.",
                           "%s cannot stand in LD_LIBRARY_PATH", folder);
    else if (put_in_front("LD_LIBRARY_PATH", folder) < 0 || set_delegate(folder) < 0 || set_socket() < 0 ||
             (call->globals.reader != NULL && setenv("SCARD_READER", call->globals.reader, 1) < 0))
        status = call_no_memory(call);
    free(folder);
    return status == STATUS_DONE ? set_trace(call) : status;
}

static int become(struct call *call)
{
    int error;

    /* From here on a signal ends this program as it will that one; one that came before it is not lost. */
    sigaction(SIGPIPE, &inherited.pipe, NULL);
    pthread_sigmask(SIG_SETMASK, &inherited.mask, NULL);
    if (call_interrupted(call))
        return STATUS_INTERRUPTED;
    /* The list ends with NULL, and execvp does not write to its strings. */
    execvp(call->arguments[0], (char *const *)(uintptr_t)call->arguments);
    error = errno;
    call_fail(call, STATUS_USAGE, "", "cannot run %s: %s", call->arguments[0], strerror(error));
    return error == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN;
}

int launch_program(struct call *call)
{
    int status;

    if (call->globals.has_timeout)
        return call_fail(call, STATUS_USAGE, "Put timeout(1) in front of the program.",
                         "exec has no --timeout: the program takes its place");
    status = set_environment(call);
    return status == STATUS_DONE ? become(call) : status;
}
