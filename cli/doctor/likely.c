/* SPDX-License-Identifier: MIT */
#include "cli/doctor/likely.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/exam.h"

struct group {
    const struct check *checks;
    const size_t *count;
};

#define GROUP(name)                                                                                          \
    {                                                                                                        \
        exam_checks_##name, &exam_checks_##name##_count                                                      \
    }

static const struct group no_reader[] = {GROUP(environment), GROUP(settings), GROUP(usb),
                                         GROUP(node),        GROUP(holder),   {NULL, NULL}};
static const struct group no_service[] = {GROUP(settings), GROUP(environment), GROUP(pcscd), {NULL, NULL}};
static const struct group denied[] = {GROUP(node), GROUP(pcscd), GROUP(polkit), {NULL, NULL}};

static const struct group *groups_for(LONG code)
{
    switch (code) {
    case SCARD_E_NO_READERS_AVAILABLE:
    case SCARD_E_READER_UNAVAILABLE:
        return no_reader;
    case SCARD_E_NO_SERVICE:
    case SCARD_E_SERVICE_STOPPED:
        return no_service;
    case SCARD_W_SECURITY_VIOLATION:
    case SCARD_E_NO_ACCESS:
        return denied;
    default:
        return NULL;
    }
}

bool likely_applies(LONG code)
{
    return groups_for(code) != NULL;
}

/* Leaves the one reader that the failure is about. false: it is not on this machine's USB. */
static bool keep_one(struct exam *exam, const char *name)
{
    const struct device *device = strncmp(name, "usb:", 4) == 0 ? devices_find(&exam->devices, name) : NULL;

    if (device == NULL)
        return false;
    if (device != exam->devices.list)
        exam->devices.list[0] = *device;
    exam->devices.count = 1;
    return true;
}

static char *words(const struct finding *cause, bool brief)
{
    bool has_fix = cause->fix[0] != '\0';
    char *text;

    if (brief && !has_fix)
        return NULL;
    /* A command stands on a line of its own, to be copied. */
    if (asprintf(&text, "%s%s%s%s%s%s\"scard doctor\" tells more.",
                 brief ? "" : "Most likely: ", brief ? "" : cause->text, brief ? "" : ".",
                 has_fix ? "\nMend it with: "
                 : brief ? ""
                         : " ",
                 cause->fix, has_fix ? "\n" : "") < 0)
        return NULL;
    return text;
}

char *likely_find(LONG code, const char *device, bool brief)
{
    const struct group *group = groups_for(code);
    struct exam_options options = {.deadline = deadline_in_ms(LIKELY_MS)};
    const struct finding *cause;
    struct exam exam;
    char *text = NULL;

    if (group == NULL || exam_init(&exam, &options) != 0)
        return NULL;
    if (device[0] == '\0' || keep_one(&exam, device)) {
        for (; group->checks != NULL && exam_cause(&exam) == NULL; group++)
            exam_run(&exam, group->checks, *group->count, true);
        cause = exam_cause(&exam);
        if (cause != NULL && !exam.failed)
            text = words(cause, brief);
    }
    exam_fini(&exam);
    return text;
}
