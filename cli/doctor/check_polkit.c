/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winscard.h>

#include "cli/doctor/exam.h"
#include "cli/doctor/parse.h"

#define ACTION "org.debian.pcsc-lite.access_"
#define POLICY "/usr/share/polkit-1/actions/org.debian.pcsc-lite.policy"

/* What logind knows of the sessions of the person. */
struct session {
    bool known, any;    /* its files can be read; there is one */
    bool local, active; /* there is one that is */
};

static void look_at_session(const struct exam *exam, const char *text, struct session *session)
{
    char uid[24], remote[8], active[8];
    unsigned long number;

    if (!parse_value(text, "UID", uid, sizeof uid) || !parse_number(uid, 10, UINT32_MAX - 1, &number) ||
        number != exam->person.uid)
        return;
    session->any = true;
    if (parse_value(text, "REMOTE", remote, sizeof remote) && strcmp(remote, "1") == 0)
        return;
    session->local = true;
    session->active |= parse_value(text, "ACTIVE", active, sizeof active) && strcmp(active, "1") == 0;
}

static struct session find_session(const struct exam *exam)
{
    const char *own = exam_variable("XDG_SESSION_ID");
    bool named = exam->person.self && parse_is_plain(own, "");
    struct session session = {0};
    char **names = system_names(&exam->system, "/run/systemd/sessions");

    session.known = names != NULL;
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        char *text;

        if (strstr(names[i], ".ref") != NULL || (named && strcmp(names[i], own) != 0))
            continue;
        text = system_text(&exam->system, "/run/systemd/sessions/%s", names[i]);
        if (text != NULL)
            look_at_session(exam, text, &session);
        free(text);
    }
    system_names_free(names);
    if (exam->person.self && exam_variable("SSH_CONNECTION")[0] != '\0')
        session.local = session.active = false;
    return session;
}

static const char *session_words(const struct session *session)
{
    return session->active  ? "local and active"
           : session->local ? "local, but not active"
           : session->any   ? "remote"
           : session->known ? "none that logind knows (cron, a service, a container)"
                            : "not known";
}

/* Does a rule of an administrator speak of the service. */
static bool has_rule(const struct exam *exam)
{
    static const char *const folders[] = {"/etc/polkit-1/rules.d", "/run/polkit-1/rules.d",
                                          "/usr/share/polkit-1/rules.d"};
    bool found = false;

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char **names = system_names(&exam->system, "%s", folders[i]);

        for (size_t k = 0; names != NULL && names[k] != NULL && !found; k++) {
            char *text = system_text(&exam->system, "%s/%s", folders[i], names[k]);

            found = text != NULL && parse_has_both(text, "org.debian.pcsc-lite", NULL);
            free(text);
        }
        system_names_free(names);
    }
    return found;
}

static void mend(struct exam *exam)
{
    const char *name = exam->person.name;

    if (!parse_is_plain(name, "._-"))
        return;
    exam_mend(exam,
              "echo 'polkit.addRule(function(a, s) { if (a.id.indexOf(\"" ACTION
              "\") == 0 && s.user == \"%s\") "
              "return polkit.Result.YES; });' | sudo tee /etc/polkit-1/rules.d/45-scard-pcscd.rules",
              name);
}

static bool is_refused(const struct talk *talk)
{
    return talk->state == TALK_REFUSED && talk->code == (uint32_t)SCARD_W_SECURITY_VIOLATION;
}

static void say_refused(struct exam *exam, const struct session *session)
{
    bool wanted = exam->used == PLACE_OF_PCSCD;

    mend(exam);
    if (wanted)
        exam_fail(exam, STATUS_PERMISSION, "pcscd refuses %s through polkit: the session is %s",
                  exam->person.name, session_words(session));
    else
        exam_warn(exam, "pcscd refuses %s through polkit: the session is %s", exam->person.name,
                  session_words(session));
}

static void run_session(struct exam *exam)
{
    const struct talk *talk = &exam->servers[PLACE_OF_PCSCD].talk;
    struct session session = find_session(exam);

    if (is_refused(talk)) {
        say_refused(exam, &session);
    } else if (talk->state == TALK_REFUSED && exam->used == PLACE_OF_PCSCD) {
        exam_mend(exam, "sudo systemctl restart pcscd.service");
        exam_fail(exam, STATUS_SERVICE, "pcscd refuses a context: %s",
                  status_of_scard((LONG)talk->code)->what);
    } else if (exam->person.uid == 0) {
        exam_ok(exam, "polkit lets root through");
    } else if (!system_exists(&exam->system, POLICY)) {
        exam_ok(exam, "pcscd does not ask polkit here");
    } else if (talk->state == TALK_ANSWERS && exam->person.self) {
        exam_ok(exam, "polkit lets %s through; the session is %s", exam->person.name,
                session_words(&session));
    } else if (session.active || has_rule(exam)) {
        exam_ok(exam, "polkit is to let %s through: %s", exam->person.name,
                session.active ? "the session is local and active"
                               : "an administrator's rule speaks of pcscd");
    } else if (exam->used == PLACE_OF_PCSCD && !exam->person.self) {
        say_refused(exam, &session);
    } else {
        exam_ok(exam, "polkit would not let %s to pcscd: the session is %s", exam->person.name,
                session_words(&session));
    }
}

/* polkit looks at /proc of who asks, and does not see it there. */
static void run_hidepid(struct exam *exam)
{
    char *text = system_text(&exam->system, "/proc/self/mountinfo");
    bool hidden = text != NULL && parse_has_both(text, " /proc ", "hidepid=") &&
                  !parse_has_both(text, " /proc ", "hidepid=0") &&
                  !parse_has_both(text, " /proc ", "hidepid=off");

    if (text == NULL) {
        exam_skip(exam, "/proc/self/mountinfo cannot be read");
    } else if (!hidden) {
        exam_ok(exam, "/proc shows all processes");
    } else {
        exam_mend(exam, "sudo mount -o remount,hidepid=0 /proc");
        if (is_refused(&exam->servers[PLACE_OF_PCSCD].talk))
            exam_warn(exam, "/proc is mounted with hidepid, so polkit cannot see who asks, and refuses");
        else if (exam_has_pcscd(exam) && system_exists(&exam->system, POLICY))
            exam_warn(exam,
                      "/proc is mounted with hidepid: polkit may not see who asks pcscd, and then refuses");
        else
            exam_ok(exam, "/proc is mounted with hidepid; only polkit would mind");
    }
    free(text);
}

/* The last words of SELinux on pcscd in the audit log. */
static void run_selinux(struct exam *exam)
{
    char enforce[8];
    char *text;

    if (!system_line(&exam->system, enforce, sizeof enforce, "/sys/fs/selinux/enforce")) {
        exam_ok(exam, "SELinux is not in use");
        return;
    }
    if (strcmp(enforce, "1") != 0) {
        exam_ok(exam, "SELinux forbids nothing now");
        return;
    }
    text = system_tail(&exam->system, "/var/log/audit/audit.log");
    if (text == NULL) {
        exam_skip(exam, "SELinux is in force; its log cannot be read");
        exam_would(exam, "what SELinux has forbidden");
    } else if (parse_has_both(text, "denied", "comm=\"pcscd\"") ||
               parse_has_both(text, "denied", "comm=\"scard\"")) {
        bool pcscd = parse_has_both(text, "denied", "comm=\"pcscd\"");
        const char *name = pcscd ? "pcscd" : "scard";

        exam_mend(exam,
                  "sudo ausearch -m avc -c %s --raw | audit2allow -M scard-local && sudo semodule -i "
                  "scard-local.pp",
                  name);
        exam_fail(exam, STATUS_PERMISSION, "SELinux forbids %s what it needs (audit.log)", name);
    } else {
        exam_ok(exam, "SELinux is in force and has forbidden nothing of this");
    }
    free(text);
}

const struct check exam_checks_polkit[] = {
    {"proc.hidepid", run_hidepid}, {"polkit.session", run_session}, {"selinux", run_selinux}};
const size_t exam_checks_polkit_count = sizeof exam_checks_polkit / sizeof exam_checks_polkit[0];
