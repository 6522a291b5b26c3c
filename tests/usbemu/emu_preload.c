/* SPDX-License-Identifier: MIT */
/* In a program that knows nothing of the emulator: EMU_INIT and EMU_CTL (emu_ctl.h). */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "emu_ctl.h"

#define REPLY 2048

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static pid_t owner; /* of the socket's path */

static void execute_init(const char *text)
{
    char *copy = strdup(text), *rest = copy, *line;

    while ((line = strsep(&rest, "\n;")) != NULL) {
        char reply[REPLY];

        if (emu_ctl_line(line, reply, sizeof reply) < 0)
            fprintf(stderr, "usbemu: EMU_INIT: %s: %s\n", line, reply);
    }
    free(copy);
}

static void *serve_client(void *user)
{
    FILE *client = user;
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, client) > 0) {
        char reply[REPLY];
        int result = emu_ctl_line(line, reply, sizeof reply);

        if (dprintf(fileno(client), "%s%s%s\n", result < 0 ? "error" : "ok", reply[0] != '\0' ? " " : "",
                    reply) < 0)
            break;
    }
    free(line);
    fclose(client);
    return NULL;
}

static void start_thread(void *(*run)(void *user), void *user)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    pthread_t thread;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, run, user) != 0)
        abort();
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void *serve(void *user)
{
    int listener = (int)(intptr_t)user;

    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        FILE *client = fd >= 0 ? fdopen(fd, "r") : NULL;

        if (client != NULL)
            start_thread(serve_client, client);
        else if (errno != EINTR && errno != ECONNABORTED)
            return NULL;
    }
}

/* The path is taken over from a program that is no more, not from one that answers. */
static int listen_at(const char *path)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(path) >= sizeof address.sun_path) {
        errno = fd < 0 ? errno : ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        errno = EADDRINUSE;
        return -1;
    }
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 8) < 0)
        return -1;
    owner = getpid();
    return fd;
}

__attribute__((constructor)) static void begin(void)
{
    const char *program = getenv("EMU_PROG"), *init = getenv("EMU_INIT"), *path = getenv("EMU_CTL");

    if (program != NULL && strcmp(program, program_invocation_short_name) != 0)
        return;
    if (init != NULL)
        execute_init(init);
    if (path != NULL) {
        int listener = listen_at(path);

        if (listener >= 0)
            start_thread(serve, (void *)(intptr_t)listener);
        else
            fprintf(stderr, "usbemu: EMU_CTL: %s: %s\n", path, strerror(errno));
    }
}

__attribute__((destructor)) static void end(void)
{
    if (owner == getpid())
        unlink(address.sun_path);
}
