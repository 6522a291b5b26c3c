/* SPDX-License-Identifier: MIT */
#include "cli/doctor/exam.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/route.h"

int exam_init(struct exam *exam, const struct exam_options *options)
{
    int error;

    *exam = (struct exam){
        .probe = options->probe, .desk = options->desk, .deadline = options->deadline, .used = -1};
    error = system_init(&exam->system, options->root);
    if (error != 0)
        return error;
    exam->system.plain |= !deadline_is_never(options->deadline);
    error = person_init(&exam->person, &exam->system, options->user);
    if (error != 0) {
        system_fini(&exam->system);
        return error;
    }
    devices_load(&exam->devices, &exam->system);
    route_paths(exam);
    if (!options->silent)
        route_find(exam);
    return 0;
}

void exam_fini(struct exam *exam)
{
    for (size_t i = 0; i < exam->count; i++) {
        free(exam->findings[i].text);
        free(exam->findings[i].fix);
    }
    free(exam->findings);
    free(exam->mend);
    free(exam->would);
    processes_fini(&exam->holders);
    devices_fini(&exam->devices);
    person_fini(&exam->person);
    system_fini(&exam->system);
}

void exam_run(struct exam *exam, const struct check *checks, size_t count, bool first)
{
    for (size_t i = 0; i < count && !deadline_passed(exam->deadline); i++) {
        exam->id = checks[i].id;
        checks[i].run(exam);
        free(exam->mend);
        exam->mend = NULL;
        if (first && exam_cause(exam) != NULL)
            return;
    }
}

const struct finding *exam_cause(const struct exam *exam)
{
    for (size_t i = 0; i < exam->count; i++)
        if (exam->findings[i].level == FINDING_FAIL)
            return &exam->findings[i];
    return NULL;
}

int exam_status(const struct exam *exam)
{
    const struct finding *cause = exam_cause(exam);

    if (cause != NULL)
        return (int)cause->status;
    for (size_t i = 0; i < exam->count; i++)
        if (exam->findings[i].level == FINDING_WARN)
            return STATUS_ANSWER;
    return STATUS_DONE;
}

__attribute__((format(printf, 4, 0))) static void add(struct exam *exam, enum finding_level level,
                                                      enum status status, const char *format, va_list args)
{
    struct finding *grown = reallocarray(exam->findings, exam->count + 1, sizeof *grown);
    struct finding finding = {.id = exam->id, .level = level, .status = status, .fix = exam->mend};

    exam->mend = NULL;
    if (grown != NULL)
        exam->findings = grown;
    if (finding.fix == NULL)
        finding.fix = strdup("");
    if (vasprintf(&finding.text, format, args) < 0)
        finding.text = NULL;
    if (grown == NULL || finding.fix == NULL || finding.text == NULL) {
        exam->failed = true;
        free(finding.fix);
        free(finding.text);
        return;
    }
    grown[exam->count++] = finding;
}

#define ADD(level, status)                                                                                   \
    va_list args;                                                                                            \
    va_start(args, format);                                                                                  \
    add(exam, level, status, format, args);                                                                  \
    va_end(args)

void exam_ok(struct exam *exam, const char *format, ...)
{
    ADD(FINDING_OK, STATUS_DONE);
}

void exam_skip(struct exam *exam, const char *format, ...)
{
    ADD(FINDING_SKIP, STATUS_DONE);
}

void exam_warn(struct exam *exam, const char *format, ...)
{
    ADD(FINDING_WARN, STATUS_DONE);
}

void exam_fail(struct exam *exam, enum status status, const char *format, ...)
{
    ADD(FINDING_FAIL, status);
}

void exam_mend(struct exam *exam, const char *format, ...)
{
    va_list args;

    free(exam->mend);
    va_start(args, format);
    if (vasprintf(&exam->mend, format, args) < 0) {
        exam->mend = NULL;
        exam->failed = true;
    }
    va_end(args);
}

void exam_would(struct exam *exam, const char *what)
{
    char *longer;

    if (exam->would != NULL && strstr(exam->would, what) != NULL)
        return;
    if (asprintf(&longer, "%s%s%s", exam->would != NULL ? exam->would : "", exam->would != NULL ? ", " : "",
                 what) < 0) {
        exam->failed = true;
        return;
    }
    free(exam->would);
    exam->would = longer;
}

const char *exam_variable(const char *name)
{
    const char *value = secure_getenv(name);

    return value != NULL ? value : "";
}

const struct server *exam_server(const struct exam *exam)
{
    const struct server *server = !exam->local && exam->used >= 0 ? &exam->servers[exam->used] : NULL;

    return server != NULL && server->talk.state >= TALK_DENIED ? server : NULL;
}

const char *exam_server_name(enum place place)
{
    switch (place) {
    case PLACE_OF_USER:
        return "scard serve of this user";
    case PLACE_OF_MACHINE:
        return "scard serve";
    case PLACE_OF_PCSCD:
        return "pcscd";
    default:
        return "the service";
    }
}

bool exam_has_pcscd(const struct exam *exam)
{
    static const char *const signs[] = {"/usr/sbin/pcscd", "/usr/bin/pcscd",
                                        "/usr/lib/systemd/system/pcscd.socket",
                                        "/lib/systemd/system/pcscd.socket"};

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (system_exists(&exam->system, "%s", signs[i]))
            return true;
    return exam->servers[PLACE_OF_PCSCD].talk.state == TALK_ANSWERS;
}

void exam_run_all(struct exam *exam)
{
    const struct {
        const struct check *checks;
        size_t count;
    } groups[] = {
        {exam_checks_settings, exam_checks_settings_count}, /* nothing works while one is wrong */
        {exam_checks_environment, exam_checks_environment_count},
        {exam_checks_usb, exam_checks_usb_count},
        {exam_checks_node, exam_checks_node_count},
        {exam_checks_holder, exam_checks_holder_count},
        {exam_checks_pcscd, exam_checks_pcscd_count},
        {exam_checks_polkit, exam_checks_polkit_count},
        {exam_checks_programs, exam_checks_programs_count},
        {exam_checks_library, exam_checks_library_count},
    };

    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        exam_run(exam, groups[i].checks, groups[i].count, false);
}
