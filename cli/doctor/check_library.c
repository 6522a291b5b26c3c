/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <scard.h>

#include "base/hex.h"
#include "cli/doctor/exam.h"
#include "cli/doctor/own_session.h"
#include "cli/doctor/parse.h"
#include "cli/doctor/route.h"
#include "cli/names.h"
#include "cli/readers.h"

/* The library names the file as it opens it, with the root before it. */
static const char *without_root(const struct exam *exam, const struct route_file *file, const char *detail)
{
    size_t length = strlen(exam->system.root);

    if (!file->host && exam->system.prepared && strncmp(detail, exam->system.root, length) == 0)
        return detail + length;
    return detail;
}

/* What stands in a line to be mended, "…/scard.conf, line 3: …"; 0 none. */
static unsigned long line_in(const char *detail)
{
    const char *at = strstr(detail, ", line ");

    return at != NULL ? strtoul(at + 7, NULL, 10) : 0;
}

/* A bracket that is open at the end of the file is an error behind its last line: there is no line to take
 * out. */
static void mend_file(struct exam *exam, const struct system *system, const char *path, unsigned long line)
{
    const char *sudo = strncmp(path, "/etc/", 5) == 0 ? "sudo " : "";
    char *text = system_text(system, "%s", path);
    unsigned long lines = 0;

    for (const char *at = text; at != NULL && *at != '\0'; lines++) {
        const char *end = strchr(at, '\n');

        at = end != NULL ? end + 1 : NULL;
    }
    free(text);
    if (line == 0 || !parse_is_plain(path, "/._-"))
        return;
    if (line <= lines)
        exam_mend(exam, "%ssed -i '%lus/^/#/' %s", sudo, line, path);
    else
        exam_mend(exam, "%smv %s %s.off", sudo, path, path);
}

static void look_at_file(struct exam *exam, const struct route_file *file)
{
    struct system running = {.folder = -1};
    const struct system *system = file->host ? &running : &exam->system;
    const char *detail;
    struct stat status;
    char *path;
    bool in_order;
    int error = system_stat(system, &status, "%s", file->path);

    if (error != 0 && !file->must_exist) {
        if (error != ENOENT && error != ENOTDIR)
            exam_skip(exam, "%s cannot be read: %s", file->path, strerror(error));
        return;
    }
    if (error != 0) {
        exam_mend(exam, "unset SCARD_CONFIG");
        exam_fail(exam, STATUS_SERVICE, "SCARD_CONFIG names %s, which cannot be read: %s", file->path,
                  strerror(error));
        return;
    }
    if (asprintf(&path, "%s%s", file->host ? "" : exam->system.root, file->path) < 0) {
        exam->failed = true;
        return;
    }
    /* Only of a regular file is it sure that reading ends. */
    in_order = S_ISREG(status.st_mode) && scard_configuration_check(path) == SCARD_S_SUCCESS;
    free(path);
    if (in_order) {
        exam_ok(exam, "%s is in order", file->path);
        return;
    }
    detail = S_ISREG(status.st_mode) ? without_root(exam, file, scard_error_detail()) : "it is no file";
    mend_file(exam, system, file->path, line_in(detail));
    /* A server that is there already has read what it needed. */
    if (exam_server(exam) != NULL)
        exam_warn(exam, "the configuration cannot be used: %s", detail);
    else
        exam_fail(exam, STATUS_SERVICE, "the configuration cannot be used: %s", detail);
}

static void run_config(struct exam *exam)
{
    struct route_file files[ROUTE_FILES];
    size_t before = exam->count;

    route_files(exam, files);
    for (size_t i = 0; i < ROUTE_FILES; i++)
        if (files[i].path[0] != '\0')
            look_at_file(exam, &files[i]);
    if (exam->count == before)
        exam_ok(exam, "no configuration file; none is needed");
}

static void run_env(struct exam *exam)
{
    static const struct {
        const char *name, *what;
    } variables[] = {
        {"LD_PRELOAD", "other code stands between programs and the library"},
        {"LIBPCSCLITE_DELEGATE", "programs on pcsc-lite use another library"},
        {"PCSCLITE_FILTER_IGNORE_READER_NAMES", "readers are hidden from programs on pcsc-lite"},
        {"PCSCLITE_FILTER_EXTEND_READER_NAMES", "readers have other names"},
        {"SCARD_READERS", "readers are named there, and no others are used"},
        {"PCSCLITE_CSOCK_NAME", "pcscd is looked for elsewhere"},
    };
    bool any = false;

    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        char value[96];

        if (exam_variable(variables[i].name)[0] == '\0')
            continue;
        any = true;
        snprintf(value, sizeof value, "%.95s", exam_variable(variables[i].name));
        system_clean(value);
        exam_ok(exam, "%s=%s: %s", variables[i].name, value, variables[i].what);
    }
    if (!exam->local && exam->used < 0) {
        any = true;
        exam_mend(exam, "unset SCARD_SERVICE");
        exam_fail(exam, STATUS_SERVICE,
                  "SCARD_SERVICE is set to what no service is: auto, local, pcscd, unix:PATH");
    }
    if (!any)
        exam_ok(exam, "no variable changes what programs use");
}

static void say_code(struct exam *exam, LONG code, const char *doing)
{
    const struct status_words *words = status_of_scard(code);
    char detail[512];

    snprintf(detail, sizeof detail, "%s", scard_error_detail());
    /* Its own sentence may end with what to do; the full stop is put behind it again. */
    while (detail[0] != '\0' && detail[strlen(detail) - 1] == '.')
        detail[strlen(detail) - 1] = '\0';
    exam_fail(exam, words->status, "%s: %s", doing, detail[0] != '\0' ? detail : words->what);
}

static bool is_asked(struct exam *exam)
{
    if (exam->desk == NULL || exam->system.prepared || !exam->person.self)
        exam_skip(exam, exam->system.prepared ? "this is asked on the running system alone"
                                              : "this is asked for the user who runs scard alone");
    return exam->desk != NULL && !exam->system.prepared && exam->person.self;
}

static void say_reader(struct exam *exam, const struct reader_entry *entry)
{
    char session[OWN_SESSION_ROOM];
    pid_t pid;

    if (entry->problem[0] == '\0' && entry->state & SCARD_STATE_MUTE) {
        exam_mend(exam, "scard reset -r '%s'", parse_is_plain(entry->device, ":.-_") ? entry->device : "0");
        exam_fail(exam, STATUS_TRANSPORT,
                  "the card in %s does not answer: insert it the other way round, or clean its contacts",
                  entry->name);
        return;
    }
    if (entry->problem[0] == '\0') {
        exam_ok(exam, "%s: %s", entry->name, readers_state_word(entry->state));
        return;
    }
    if (own_session_find(exam, entry->device, session, &pid)) {
        exam_ok(exam,
                "%s is open in the session %s (pid %d): commands in it reach the card, \"scard release "
                "--session %s\" gives it back",
                entry->name, session, (int)pid, session);
        return;
    }
    exam_mend(exam, "scard info -r '%s'", parse_is_plain(entry->device, ":.-_") ? entry->device : "0");
    exam_fail(exam, STATUS_TRANSPORT, "%s cannot be used: %s", entry->name, entry->problem);
}

static void run_readers(struct exam *exam)
{
    struct reader_list list;
    LONG code;

    if (!is_asked(exam))
        return;
    code = desk_establish(exam->desk, SCARD_SCOPE_SYSTEM);
    if (code == SCARD_S_SUCCESS)
        code = readers_load(exam->desk->context, &list);
    if (code != SCARD_S_SUCCESS) {
        if (status_of_scard(code)->status == STATUS_USAGE && exam_variable("SCARD_READERS")[0] != '\0')
            exam_mend(exam, "unset SCARD_READERS");
        say_code(exam, code, "the library gives no context");
        return;
    }
    for (size_t i = 0; i < list.count; i++)
        say_reader(exam, &list.entries[i]);
    if (list.count == 0) {
        exam_mend(exam, "scard wait --reader-in");
        exam_fail(exam, STATUS_READER, "no reader is connected");
    }
    readers_free(&list);
}

static void power(struct exam *exam, const struct reader_entry *entry)
{
    char atr[2 * MAX_ATR_SIZE + 1] = "", about[256];
    uint8_t bytes[MAX_ATR_SIZE];
    DWORD length = sizeof bytes;
    struct desk desk;
    LONG code;

    desk_init_guest(&desk, exam->desk);
    code = desk_connect(&desk, entry->name, SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY);
    if (code == SCARD_S_SUCCESS &&
        SCardStatus(desk.card, NULL, NULL, NULL, NULL, bytes, &length) == SCARD_S_SUCCESS)
        hex_format(bytes, length, atr);
    if (code == SCARD_S_SUCCESS) {
        exam_ok(exam, "%s: the card answers %s, %s", entry->name, atr, names_protocol(desk.protocol));
    } else {
        snprintf(about, sizeof about, "%.200s: the card cannot be used", entry->name);
        exam_mend(exam, "scard reset -r '%s'", parse_is_plain(entry->device, ":.-_") ? entry->device : "0");
        say_code(exam, code, about);
    }
    desk_fini(&desk);
}

static void run_card(struct exam *exam)
{
    struct reader_list list;
    bool any = false;

    if (!exam->probe) {
        exam_skip(exam, "cards are powered with --probe");
        return;
    }
    if (!is_asked(exam))
        return;
    if (exam->desk->context == 0 || readers_load(exam->desk->context, &list) != SCARD_S_SUCCESS) {
        exam_skip(exam, "there is no context to do it in");
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        if (!(list.entries[i].state & SCARD_STATE_PRESENT) || list.entries[i].state & SCARD_STATE_EXCLUSIVE)
            continue;
        power(exam, &list.entries[i]);
        any = true;
    }
    if (!any)
        exam_skip(exam, "no card is in a reader");
    readers_free(&list);
}

const struct check exam_checks_settings[] = {{"config", run_config}, {"lib.env", run_env}};
const size_t exam_checks_settings_count = sizeof exam_checks_settings / sizeof exam_checks_settings[0];

const struct check exam_checks_library[] = {{"lib.readers", run_readers}, {"card.power", run_card}};
const size_t exam_checks_library_count = sizeof exam_checks_library / sizeof exam_checks_library[0];
