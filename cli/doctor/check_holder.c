/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cli/doctor/exam.h"
#include "cli/doctor/own_session.h"
#include "cli/doctor/parse.h"
#include "cli/doctor/peers.h"

static bool find(struct exam *exam)
{
    struct process_target *targets = calloc(exam->devices.count, sizeof *targets);
    bool good;

    if (targets == NULL)
        return false;
    for (size_t i = 0; i < exam->devices.count; i++)
        targets[i].path = exam->devices.list[i].node;
    processes_fini(&exam->holders);
    good = processes_find(&exam->holders, &exam->system, targets, exam->devices.count, exam->deadline);
    free(targets);
    return good;
}

static bool is_used_server(const struct exam *exam, const struct process *holder)
{
    const struct server *server = exam_server(exam);

    return server != NULL && (server->talk.server == holder->pid ||
                              strcmp(holder->name, exam->used == PLACE_OF_PCSCD ? "pcscd" : "scard") == 0);
}

static void say_pcscd(struct exam *exam, const struct device *device, const struct process *holder)
{
    const struct talk *talk = &exam->servers[PLACE_OF_PCSCD].talk;

    if (talk->state == TALK_REFUSED || talk->state == TALK_DENIED) {
        exam_ok(exam, "usb:%s is held by pcscd (pid %d), which does not serve this user", device->path,
                (int)holder->pid);
        return;
    }
    if (talk->state == TALK_ANSWERS)
        exam_mend(exam, "export SCARD_SERVICE=pcscd");
    else
        exam_mend(exam, "sudo systemctl stop pcscd.socket pcscd.service");
    exam_fail(exam, STATUS_SHARING,
              "%s at usb:%s is held by pcscd (pid %d), and scard is not to go through it", device->name,
              device->path, (int)holder->pid);
}

/* The user's own session is no fault but where a command has failed: likely.c looks for the reason of that.
 */
static void say_session(struct exam *exam, const struct device *device, const struct process *holder,
                        const char *session)
{
    if (deadline_is_never(exam->deadline)) {
        exam_ok(exam,
                "usb:%s is held by the session %s (pid %d) of scard connect: commands in it reach the card, "
                "\"scard release --session %s\" gives it back",
                device->path, session, (int)holder->pid, session);
        return;
    }
    exam_mend(exam, "scard release --session %s", session);
    exam_fail(exam, STATUS_SHARING, "%s at usb:%s is held by the session %s (pid %d) of scard connect",
              device->name, device->path, session, (int)holder->pid);
}

static void say_held(struct exam *exam, const struct device *device, const struct process *holder)
{
    const char *sudo = holder->uid == exam->person.uid ? "" : "sudo ", *session;
    char name[OWN_SESSION_ROOM];

    if (!exam->system.prepared && holder->pid == getpid()) {
        exam_ok(exam, "usb:%s is open in this scard", device->path);
        return;
    }
    if (is_used_server(exam, holder)) {
        exam_ok(exam, "usb:%s is held by %s (pid %d), which serves it", device->path, holder->name,
                (int)holder->pid);
        return;
    }
    if (strcmp(holder->name, "pcscd") == 0) {
        say_pcscd(exam, device, holder);
        return;
    }
    session = own_session_name(exam, holder, name);
    if (session != NULL) {
        say_session(exam, device, holder, session);
        return;
    }
    if (strcmp(holder->name, "scdaemon") == 0)
        exam_mend(exam, "gpgconf --kill scdaemon");
    else if (strncmp(holder->name, "qemu", 4) == 0)
        exam_mend(exam, "virsh list  # then take the reader out of that machine: virsh detach-device");
    else
        exam_mend(exam, "%skill %d", sudo, (int)holder->pid);
    exam_fail(exam, STATUS_SHARING, "%s at usb:%s is held by %s (pid %d)", device->name, device->path,
              holder->name, (int)holder->pid);
}

static void look_at(struct exam *exam, size_t index)
{
    const struct device *device = &exam->devices.list[index];
    bool claimed = strcmp(device->driver, "usbfs") == 0, any = false;

    for (size_t i = 0; i < exam->holders.count; i++)
        if (exam->holders.list[i].target == index) {
            say_held(exam, device, &exam->holders.list[i]);
            any = true;
        }
    if (any)
        return;
    if (!claimed) {
        exam_ok(exam, "nobody has usb:%s open%s", device->path,
                exam->holders.hidden > 0 ? " as far as this user can see" : "");
    } else if (exam_server(exam) != NULL) {
        exam_ok(exam, "usb:%s is held, as it seems by %s, which serves it", device->path,
                exam_server_name((enum place)exam->used));
    } else {
        exam_mend(exam, "sudo scard who");
        exam_fail(exam, STATUS_SHARING, "%s at usb:%s is held by a program that only root can see",
                  device->name, device->path);
    }
}

static void run_usb(struct exam *exam)
{
    if (!exam->looks_at_usb || exam->devices.count == 0) {
        exam_skip(exam, exam->looks_at_usb ? "no reader on USB" : "readers on USB are not used");
        return;
    }
    if (!find(exam)) {
        exam->failed = true;
        return;
    }
    if (exam->holders.failed) {
        exam_skip(exam, "/proc cannot be read");
        return;
    }
    if (exam->holders.hidden > 0)
        exam_would(exam, "which programs of other users hold a reader");
    for (size_t i = 0; i < exam->devices.count; i++)
        look_at(exam, i);
}

static bool list_clients(const struct processes *clients, struct buffer *text)
{
    char one[96];

    for (size_t i = 0; i < clients->count; i++) {
        snprintf(one, sizeof one, "%s%s (pid %d)", text->length > 0 ? ", " : "", clients->list[i].name,
                 (int)clients->list[i].pid);
        if (buffer_append(text, one, strlen(one)) < 0)
            return false;
    }
    return buffer_append(text, "", 1) == 0;
}

/* The programs at the other ends of the sockets of the server that is used. */
static bool find_clients(struct exam *exam, const struct server *server, struct processes *clients)
{
    const char *path = server->path;
    struct peers peers;
    struct process_target *targets;
    size_t count = 0;
    bool good = false;

    if (peers_find(&peers, &path, 1) != 0)
        return false;
    targets = calloc(peers.count + 1, sizeof *targets);
    for (size_t i = 0; targets != NULL && i < peers.count; i++)
        if (!peers.list[i].server)
            targets[count++].inode = peers.list[i].inode;
    if (targets != NULL)
        good = processes_find(clients, &exam->system, targets, count, exam->deadline);
    free(targets);
    peers_fini(&peers);
    return good;
}

static void run_pcsc(struct exam *exam)
{
    const struct server *server = exam_server(exam);
    struct processes clients = {0};
    struct buffer text = {0};

    if (server == NULL) {
        exam_skip(exam, "scard drives the readers itself");
    } else if (exam->system.prepared) {
        exam_skip(exam, "connections are seen on the running system alone");
    } else if (!find_clients(exam, server, &clients)) {
        exam_skip(exam, "the kernel does not tell who is connected");
    } else {
        if (clients.hidden > 0)
            exam_would(exam, "which programs of other users are connected");
        if (!list_clients(&clients, &text))
            exam->failed = true;
        else if (clients.count > 0)
            exam_ok(exam, "connected to %s: %s", server->path, (const char *)text.data);
        else
            exam_ok(exam, "nobody is seen that is connected to %s", server->path);
    }
    buffer_fini(&text);
    processes_fini(&clients);
}

const struct check exam_checks_holder[] = {{"hold.usb", run_usb}, {"hold.pcsc", run_pcsc}};
const size_t exam_checks_holder_count = sizeof exam_checks_holder / sizeof exam_checks_holder[0];
