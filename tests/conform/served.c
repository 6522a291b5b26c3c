/* SPDX-License-Identifier: MIT */
/* The conformance table on the remote service, behind which is our server around a local one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ipc/remote.h"
#include "ipc/server.h"
#include "manager/local.h"
#include "tests/conform/cases.h"

static char folder[32], path[48];
static struct server *server;

static int make_listener(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, SOMAXCONN), 0);
    return fd;
}

static void open_served(struct bench *bench)
{
    static const struct server_options options = {.group = SERVER_GROUP_NOBODY};

    strcpy(folder, "/tmp/scard-served-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    assert_rc(local_new(&bench->machine), RC_OK);
    assert_rc(server_start(bench->machine, make_listener(), &options, &server), RC_OK);
    assert_rc(remote_new(path, &bench->service), RC_OK);
}

static void close_served(struct bench *bench)
{
    remote_free(bench->service);
    server_free(server);
    local_free(bench->machine);
    unlink(path);
    rmdir(folder);
}

/* Behind the server each call has a thread that waits in the machine, but for waits for readers. */
static unsigned count_blocked(struct bench *bench)
{
    return bench_blocked_in_machine(bench) + bench_blocked_in_remote(bench, false);
}

int main(void)
{
    static const struct conform_difference differences[] = {
        {.name = "attributes", .reason = "the protocol has room for 264 bytes of an attribute"},
        {0},
    };
    static const struct conform_target targets[] = {
        {.name = "remote service and our server, test readers",
         .readers = &conform_scripted,
         .open = open_served,
         .close = close_served,
         .blocked = count_blocked,
         .differences = differences},
        {.name = "remote service and our server, simulated cards",
         .readers = &conform_simulated,
         .open = open_served,
         .close = close_served,
         .blocked = count_blocked},
    };
    int failures = 0;

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        failures += conform_run(&targets[i]);
    return failures;
}
