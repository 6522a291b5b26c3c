/* SPDX-License-Identifier: MIT */
#include "cli/doctor/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/parse.h"

/* A server that lives answers at once; one that is started by its first client takes longer. */
#define TALK_MS 2000

static void set_path(struct server *server, bool host, const char *path)
{
    snprintf(server->path, sizeof server->path, "%.*s", (int)sizeof server->path - 1, path);
    server->host = host;
}

void route_paths(struct exam *exam)
{
    const char *runtime = exam_variable("XDG_RUNTIME_DIR"), *pcscd = exam_variable("PCSCLITE_CSOCK_NAME");
    const char *service = exam_variable("SCARD_SERVICE");
    struct server *user = &exam->servers[PLACE_OF_USER];

    if (!exam->system.prepared && exam->person.self && runtime[0] == '/')
        snprintf(user->path, sizeof user->path, "%.480s/scard/scard.comm", runtime);
    else
        snprintf(user->path, sizeof user->path, "/run/user/%lu/scard/scard.comm",
                 (unsigned long)exam->person.uid);
    set_path(&exam->servers[PLACE_OF_MACHINE], false, "/run/scard/scard.comm");
    if (pcscd[0] != '\0')
        set_path(&exam->servers[PLACE_OF_PCSCD], true, pcscd);
    else
        set_path(&exam->servers[PLACE_OF_PCSCD], false, "/run/pcscd/pcscd.comm");
    if (strncmp(service, "unix:", 5) == 0)
        set_path(&exam->servers[PLACE_NAMED], true, service + 5);
}

void route_files(const struct exam *exam, struct route_file files[ROUTE_FILES])
{
    const char *named = exam_variable("SCARD_CONFIG"), *home = exam_variable("XDG_CONFIG_HOME");

    memset(files, 0, ROUTE_FILES * sizeof files[0]);
    if (named[0] != '\0') {
        snprintf(files[0].path, sizeof files[0].path, "%.511s", named);
        files[0].host = files[0].must_exist = true;
        return;
    }
    snprintf(files[0].path, sizeof files[0].path, "/etc/scard/scard.conf");
    if (!exam->system.prepared && exam->person.self && home[0] == '/')
        snprintf(files[1].path, sizeof files[1].path, "%.480s/scard/scard.conf", home);
    else if (exam->person.home[0] == '/')
        snprintf(files[1].path, sizeof files[1].path, "%.480s/.config/scard/scard.conf", exam->person.home);
}

/* Do the files name readers, and do they leave out those on USB. A fault in them is the check's to tell. */
static void read_files(const struct exam *exam, bool *ret_names, bool *ret_usb)
{
    struct route_file files[ROUTE_FILES];
    char value[16];

    route_files(exam, files);
    *ret_names = false;
    *ret_usb = true;
    for (size_t i = 0; i < ROUTE_FILES; i++) {
        struct system running = {.folder = -1};
        char *text;

        if (files[i].path[0] == '\0')
            continue;
        text = system_text(files[i].host ? &running : &exam->system, "%s", files[i].path);
        if (text == NULL)
            continue;
        if (parse_value(text, "usb", value, sizeof value))
            *ret_usb = strncasecmp(value, "false", 5) != 0;
        *ret_names |= parse_value(text, "readers", value, sizeof value);
        free(text);
    }
}

/* Is there a reader that this user can open, and nobody has. */
static bool can_do_itself(const struct exam *exam)
{
    for (size_t i = 0; i < exam->devices.count; i++) {
        const struct device *device = &exam->devices.list[i];

        if (strcmp(device->driver, "usbfs") != 0 &&
            person_may(&exam->person, &exam->system, device->node, R_OK | W_OK))
            return true;
    }
    return exam->devices.count == 0;
}

/* As the library's route does it: named readers are driven by the program itself. */
static void choose(struct exam *exam)
{
    const char *service = exam_variable("SCARD_SERVICE"), *readers = exam_variable("SCARD_READERS");
    const struct talk *pcscd = &exam->servers[PLACE_OF_PCSCD].talk;
    bool names = false, usb = true;

    read_files(exam, &names, &usb);
    exam->looks_at_usb = readers[0] != '\0' ? strstr(readers, "usb:") != NULL : usb;
    exam->used = -1;
    if (strcmp(service, "local") == 0) {
        exam->local = true;
    } else if (strcmp(service, "pcscd") == 0) {
        exam->used = PLACE_OF_PCSCD;
    } else if (strncmp(service, "unix:", 5) == 0) {
        exam->used = PLACE_NAMED;
    } else if (service[0] == '\0' || strcmp(service, "auto") == 0) {
        exam->local = true;
        for (int i = PLACE_OF_USER; i <= PLACE_OF_PCSCD && secure_getenv("SCARD_READERS") == NULL; i++) {
            if (exam->servers[i].talk.state != TALK_ANSWERS || (i == PLACE_OF_PCSCD && names))
                continue;
            exam->local = false;
            exam->used = i;
            break;
        }
        /* It falls back to itself where pcscd refuses it, in vain if pcscd has the readers: then that is the
         * matter. */
        if (exam->local && secure_getenv("SCARD_READERS") == NULL && !names && !can_do_itself(exam) &&
            (pcscd->state == TALK_REFUSED || pcscd->state == TALK_DENIED || pcscd->state == TALK_MISMATCH)) {
            exam->local = false;
            exam->used = PLACE_OF_PCSCD;
        }
    }
    if (!exam->local)
        exam->looks_at_usb = true;
}

void route_find(struct exam *exam)
{
    for (int i = 0; i < PLACE_COUNT; i++) {
        struct server *server = &exam->servers[i];

        if (server->path[0] != '\0')
            server->talk = talk_to(&exam->system, server->path, server->host,
                                   deadline_min(deadline_in_ms(TALK_MS), exam->deadline));
    }
    choose(exam);
}
