/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/exam.h"
#include "cli/doctor/parse.h"

static enum container by_control_groups(const struct system *system)
{
    char *text = system_text(system, "/proc/1/cgroup");
    enum container container = CONTAINER_NONE;

    if (text != NULL)
        container = strstr(text, "kubepods") != NULL  ? CONTAINER_KUBERNETES
                    : strstr(text, "/docker") != NULL ? CONTAINER_DOCKER
                    : strstr(text, "/libpod") != NULL ? CONTAINER_PODMAN
                    : strstr(text, "/lxc") != NULL    ? CONTAINER_LXC
                    : strstr(text, "/machine.") != NULL && strstr(text, "payload") != NULL ? CONTAINER_NSPAWN
                                                                                           : CONTAINER_NONE;
    free(text);
    return container;
}

/* What systemd's container interface says: the variable "container" of the first process. */
static enum container by_manager(const struct system *system)
{
    char name[32];

    if (!system_line(system, name, sizeof name, "/run/systemd/container"))
        return CONTAINER_NONE;
    return strcmp(name, "docker") == 0           ? CONTAINER_DOCKER
           : strcmp(name, "podman") == 0         ? CONTAINER_PODMAN
           : strncmp(name, "lxc", 3) == 0        ? CONTAINER_LXC
           : strcmp(name, "systemd-nspawn") == 0 ? CONTAINER_NSPAWN
                                                 : CONTAINER_NONE;
}

static enum container which(const struct system *system)
{
    if (system_exists(system, "/.flatpak-info"))
        return CONTAINER_FLATPAK;
    if (exam_variable("SNAP")[0] != '\0' && exam_variable("SNAP_INSTANCE_NAME")[0] != '\0')
        return CONTAINER_SNAP;
    if (system_exists(system, "/run/.containerenv"))
        return CONTAINER_PODMAN;
    if (system_exists(system, "/.dockerenv"))
        return CONTAINER_DOCKER;
    return by_manager(system) != CONTAINER_NONE ? by_manager(system) : by_control_groups(system);
}

/* Is there no way out of the sandbox: no server's socket, no reader whose node is there. */
static bool is_sealed(const struct exam *exam)
{
    if ((exam->local && !exam->looks_at_usb) || exam->used == PLACE_NAMED)
        return false;
    for (int i = 0; i < PLACE_COUNT; i++)
        if (exam->servers[i].path[0] != '\0' && exam->servers[i].talk.state != TALK_ABSENT &&
            exam->servers[i].talk.state != TALK_STALE)
            return false;
    for (size_t i = 0; i < exam->devices.count; i++)
        if (system_exists(&exam->system, "%s", exam->devices.list[i].node))
            return false;
    return true;
}

#define SOCKET "/run/pcscd/pcscd.comm"

static void docker(struct exam *exam, const char *program)
{
    const struct devices *devices = &exam->devices;

    if (!is_sealed(exam)) {
        exam_ok(exam, "in a %s container; what it needs is let in", program);
        return;
    }
    if (devices->count > 0)
        exam_mend(exam, "%s run --device %s ...", program, devices->list[0].node);
    else
        exam_mend(exam, "%s run -v " SOCKET ":" SOCKET " ...", program);
    exam_fail(exam, STATUS_READER, "the %s container has neither a reader's device nor pcscd's socket",
              program);
}

static void flatpak(struct exam *exam)
{
    char *text = system_text(&exam->system, "/.flatpak-info"), id[128];

    if (!is_sealed(exam)) {
        exam_ok(exam, "inside flatpak; the socket of pcscd is let in");
    } else {
        if (text == NULL || !parse_value(text, "name", id, sizeof id) || !parse_is_plain(id, "._-"))
            snprintf(id, sizeof id, "APPLICATION");
        exam_mend(exam, "flatpak override --user --socket=pcsc %s", id);
        exam_fail(exam, STATUS_SERVICE, "inside flatpak without access to pcscd");
    }
    free(text);
}

static void snap(struct exam *exam)
{
    const char *name = exam_variable("SNAP_INSTANCE_NAME");

    if (!is_sealed(exam)) {
        exam_ok(exam, "inside the snap %s; pcscd is let in", parse_is_plain(name, "_-") ? name : "");
        return;
    }
    exam_mend(exam, "sudo snap connect %s:pcscd", parse_is_plain(name, "_-") ? name : "NAME");
    exam_fail(exam, STATUS_SERVICE, "inside a snap without access to pcscd");
}

static void other(struct exam *exam, const char *kind, const char *fix)
{
    if (!is_sealed(exam)) {
        exam_ok(exam, "in a container (%s); what it needs is let in", kind);
        return;
    }
    exam_mend(exam, "%s", fix);
    exam_fail(exam, STATUS_READER, "the container (%s) has neither a reader's device nor pcscd's socket",
              kind);
}

static void run_container(struct exam *exam)
{
    exam->container = which(&exam->system);
    switch (exam->container) {
    case CONTAINER_DOCKER:
        docker(exam, "docker");
        break;
    case CONTAINER_PODMAN:
        docker(exam, "podman");
        break;
    case CONTAINER_FLATPAK:
        flatpak(exam);
        break;
    case CONTAINER_SNAP:
        snap(exam);
        break;
    case CONTAINER_LXC:
        other(exam, "lxc", "lxc config device add NAME pcscd disk source=/run/pcscd path=/run/pcscd");
        break;
    case CONTAINER_NSPAWN:
        other(exam, "systemd-nspawn", "systemd-nspawn --bind=/run/pcscd ...");
        break;
    case CONTAINER_KUBERNETES:
        other(exam, "kubernetes",
              "kubectl explain pod.spec.volumes.hostPath  # mount /run/pcscd of the node");
        break;
    case CONTAINER_NONE:
        exam_ok(exam, "not in a container");
        break;
    }
}

static void run_wsl(struct exam *exam)
{
    char release[128];

    if (!system_line(&exam->system, release, sizeof release, "/proc/sys/kernel/osrelease")) {
        exam_skip(exam, "/proc/sys/kernel/osrelease cannot be read");
        return;
    }
    if (strcasestr(release, "microsoft") == NULL) {
        exam_ok(exam, "Linux %s, not under Windows", release);
        return;
    }
    if (exam->devices.count > 0) {
        exam_ok(exam, "Windows' Linux, with a reader attached");
        return;
    }
    if (exam_server(exam) != NULL) {
        exam_ok(exam, "Windows' Linux, with a service");
        return;
    }
    exam_mend(
        exam,
        "usbipd.exe attach --wsl --busid BUSID  # after: usbipd.exe list; usbipd.exe bind --busid BUSID");
    exam_fail(
        exam, STATUS_READER, "this is Linux under Windows (WSL), and Windows has not handed it a reader%s",
        system_exists(&exam->system, "/sys/module/vhci_hcd") ? "" : ", nor is the driver vhci_hcd loaded");
}

const struct check exam_checks_environment[] = {
    {"env.container", run_container},
    {"env.wsl", run_wsl},
};
const size_t exam_checks_environment_count =
    sizeof exam_checks_environment / sizeof exam_checks_environment[0];
