/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/distribution.h"
#include "cli/doctor/exam.h"
#include "cli/doctor/parse.h"

/* How the socket of pcscd comes to be, on this machine. */
static void mend_unit(struct exam *exam)
{
    static const char *const masks[] = {"/etc/systemd/system/pcscd.socket",
                                        "/run/systemd/system/pcscd.socket"};
    char target[64];

    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++)
        if (system_link(&exam->system, target, sizeof target, "%s", masks[i]) &&
            strcmp(target, "/dev/null") == 0) {
            exam_mend(exam, "sudo systemctl unmask pcscd.socket && sudo systemctl enable --now pcscd.socket");
            return;
        }
    if (system_exists(&exam->system, "/usr/lib/systemd/system/pcscd.socket") ||
        system_exists(&exam->system, "/lib/systemd/system/pcscd.socket"))
        exam_mend(exam, "sudo systemctl enable --now pcscd.socket");
    else if (exam_has_pcscd(exam))
        exam_mend(exam, "sudo pcscd");
    else
        exam_mend(exam, "export SCARD_SERVICE=local  # or install pcscd");
}

static void mend_absent(struct exam *exam, enum place place)
{
    if (place == PLACE_OF_PCSCD)
        mend_unit(exam);
    else
        exam_mend(exam, "scard serve &");
}

static void mend_stale(struct exam *exam, enum place place)
{
    const char *path = exam->servers[place].path;

    if (place == PLACE_OF_PCSCD && !exam->servers[place].host &&
        (system_exists(&exam->system, "/usr/lib/systemd/system/pcscd.socket") ||
         system_exists(&exam->system, "/lib/systemd/system/pcscd.socket")))
        exam_mend(exam, "sudo systemctl restart pcscd.socket");
    else if (!parse_is_plain(path, "/._-"))
        mend_absent(exam, place);
    else if (place == PLACE_OF_PCSCD)
        exam_mend(exam, "sudo rm %s && sudo pcscd", path);
    else
        exam_mend(exam, "rm %s && scard serve &", path);
}

static void mend_denied(struct exam *exam, enum place place)
{
    const char *path = exam->servers[place].path, *name = exam->person.name;
    struct stat status;
    char group[64];

    if (system_stat(&exam->system, &status, "%s", path) != 0 || status.st_gid == 0 ||
        !parse_is_plain(name, "._-"))
        return;
    person_group_name(&exam->system, status.st_gid, group, sizeof group);
    if (parse_is_plain(group, "._-"))
        exam_mend(exam, "sudo usermod -aG %s %s  # then log in again", group, name);
}

/* A server that does not serve: a failure where it is to be used, else of note to other programs. */
static void say(struct exam *exam, bool wanted, enum status status, const char *what)
{
    if (wanted)
        exam_fail(exam, status, "%s", what);
    else
        exam_warn(exam, "%s; scard does without, other programs may not", what);
}

/* A server that does not run, and that nobody asked for: other programs may miss pcscd where it is installed
 * and there are readers for it. It would have none of those that are named, and take away those that scard
 * serve has. */
static bool is_missed(const struct exam *exam, enum place place)
{
    return place == PLACE_OF_PCSCD && exam_has_pcscd(exam) && exam->local && exam->looks_at_usb;
}

static void look_at_socket(struct exam *exam, enum place place, bool wanted)
{
    const struct server *server = &exam->servers[place];
    const char *name = exam_server_name(place);
    char what[SYSTEM_PATH_MAX + 128];

    switch (server->talk.state) {
    case TALK_ABSENT:
        snprintf(what, sizeof what, "there is no socket of %s at %s: it does not run", name, server->path);
        if (wanted || is_missed(exam, place)) {
            mend_absent(exam, place);
            say(exam, wanted, STATUS_SERVICE, what);
        } else {
            exam_ok(exam, "no %s at %s, and none is needed", name, server->path);
        }
        break;
    case TALK_STALE:
        snprintf(what, sizeof what, "nobody listens at %s: the socket was left by a server that has ended",
                 server->path);
        mend_stale(exam, place);
        say(exam, wanted, STATUS_SERVICE, what);
        break;
    case TALK_DENIED:
        snprintf(what, sizeof what, "%s may not connect to %s", exam->person.name, server->path);
        mend_denied(exam, place);
        say(exam, wanted, STATUS_PERMISSION, what);
        break;
    case TALK_SILENT:
        if (!deadline_is_never(exam->deadline)) {
            exam_skip(exam, "there was no time for %s to answer", server->path);
            break;
        }
        snprintf(what, sizeof what, "%s at %s does not answer (%s)", name, server->path,
                 server->talk.error != 0 ? strerror(server->talk.error) : "nothing came");
        if (place == PLACE_OF_PCSCD)
            exam_mend(exam, "sudo systemctl restart pcscd.service");
        say(exam, wanted, STATUS_SERVICE, what);
        break;
    case TALK_REFUSED:
        /* pcscd asks polkit, of which there is a check. */
        if (wanted && place != PLACE_OF_PCSCD) {
            mend_denied(exam, place);
            exam_fail(exam, status_of_scard((LONG)server->talk.code)->status,
                      "%s at %s refuses a context: %s", name, server->path,
                      status_of_scard((LONG)server->talk.code)->what);
            break;
        }
        exam_ok(exam, "%s listens at %s", name, server->path);
        break;
    default:
        exam_ok(exam, "%s listens at %s%s", name, server->path, wanted ? ", and is used" : "");
        break;
    }
}

/* Which servers somebody asked for. */
static bool is_wanted(const struct exam *exam, enum place place)
{
    return !exam->local && exam->used == (int)place;
}

static void run_service(struct exam *exam)
{
    const char *service = exam_variable("SCARD_SERVICE");
    unsigned answering = 0;

    for (int i = 0; i < PLACE_NAMED; i++)
        answering += exam->servers[i].talk.state == TALK_ANSWERS;
    if (!exam->local && exam->used < 0) {
        exam_skip(exam, "SCARD_SERVICE is set to what no service is");
    } else if (answering > 1) {
        if (exam->servers[PLACE_OF_PCSCD].talk.state == TALK_ANSWERS)
            exam_mend(exam, "sudo systemctl disable --now pcscd.socket pcscd.service");
        else
            exam_mend(exam, "systemctl --user disable --now scard.socket scard.service");
        exam_warn(
            exam,
            "%u services run, and a reader is held by the one that was first: programs at the other see "
            "it as busy",
            answering);
    } else if (exam->local) {
        exam_ok(exam, "scard drives the readers itself%s%s", service[0] != '\0' ? ", by SCARD_SERVICE" : "",
                "");
    } else {
        exam_ok(exam, "scard goes to %s at %s", exam_server_name((enum place)exam->used),
                exam->servers[exam->used].path);
    }
}

static void run_socket(struct exam *exam)
{
    for (int i = 0; i < PLACE_COUNT; i++) {
        enum place place = (enum place)i;
        bool wanted = is_wanted(exam, place);

        if (exam->servers[i].path[0] == '\0')
            continue;
        /* Nobody misses those of scard. */
        if (!wanted && (place == PLACE_OF_USER || place == PLACE_OF_MACHINE) &&
            exam->servers[i].talk.state == TALK_ABSENT)
            continue;
        look_at_socket(exam, place, wanted);
    }
}

static void run_version(struct exam *exam)
{
    const struct distribution *distribution = distribution_find(&exam->system);
    bool any = false;

    for (int i = 0; i < PLACE_COUNT; i++) {
        const struct talk *talk = &exam->servers[i].talk;
        const char *path = exam->servers[i].path;

        if (path[0] == '\0' || talk->major == 0)
            continue;
        any = true;
        if (talk->state != TALK_MISMATCH) {
            exam_ok(exam, "%s speaks version %d:%d", path, talk->major, talk->minor);
            continue;
        }
        if (i == PLACE_OF_PCSCD)
            exam_mend(exam, "%s %s  # a newer one, and so in a sandbox", distribution->install,
                      distribution->pcscd);
        if (is_wanted(exam, (enum place)i))
            exam_fail(exam, STATUS_SERVICE,
                      "the service at %s speaks version %d:%d, programs here 4:3 to 4:6", path, talk->major,
                      talk->minor);
        else
            exam_warn(exam, "the service at %s speaks version %d:%d, programs here 4:3 to 4:6", path,
                      talk->major, talk->minor);
    }
    if (!any)
        exam_skip(exam, "no service answers");
}

/* A setting of pcscd's unit that keeps readers from it; text of one file. */
static bool look_at_setting(struct exam *exam, const char *path)
{
    static const char *const settings[] = {"PCSCLITE_FILTER_IGNORE_READER_NAMES", "PCSCLITE_HP_DROPDIR"};
    char *text = system_text(&exam->system, "%s", path);
    bool any = false;

    for (size_t i = 0; text != NULL && i < sizeof settings / sizeof settings[0]; i++) {
        if (!parse_has_both(text, settings[i], "="))
            continue;
        any = true;
        if (parse_is_plain(path, "/._-"))
            exam_mend(exam, "sudo sed -i /%s/d %s && sudo systemctl restart pcscd.service", settings[i],
                      path);
        exam_warn(exam, "%s sets %s: pcscd %s", path, settings[i],
                  i == 0 ? "passes over the readers of those names" : "looks for drivers elsewhere");
    }
    free(text);
    return any;
}

static void run_unit(struct exam *exam)
{
    static const char *const folders[] = {"/etc/systemd/system/pcscd.service.d",
                                          "/run/systemd/system/pcscd.service.d"};
    bool any;

    if (!exam_has_pcscd(exam)) {
        exam_skip(exam, "pcscd is not installed");
        return;
    }
    any = look_at_setting(exam, "/etc/default/pcscd");
    any |= look_at_setting(exam, "/etc/systemd/system/pcscd.service");
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char **names = system_names(&exam->system, "%s", folders[i]), path[SYSTEM_PATH_MAX];

        for (size_t k = 0; names != NULL && names[k] != NULL; k++) {
            snprintf(path, sizeof path, "%s/%.255s", folders[i], names[k]);
            any |= look_at_setting(exam, path);
        }
        system_names_free(names);
    }
    if (!any)
        exam_ok(exam, "no setting keeps readers from pcscd");
}

#define BUNDLES "/usr/lib/pcsc/drivers"

/* What the driver bundles of pcscd say of one reader. */
struct bundles {
    unsigned with_it;
    char last[128], version[32];
    bool any;
};

static void look_at_bundles(struct exam *exam, const struct device *device, struct bundles *bundles)
{
    char **names = system_names(&exam->system, BUNDLES);

    *bundles = (struct bundles){0};
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        char *text = system_text(&exam->system, BUNDLES "/%s/Contents/Info.plist", names[i]);

        if (text != NULL) {
            bundles->any = true;
            if (parse_bundle(text, device->vendor, device->product)) {
                bundles->with_it++;
                snprintf(bundles->last, sizeof bundles->last, "%.127s", names[i]);
                (void)parse_bundle_version(text, bundles->version, sizeof bundles->version);
            }
        }
        free(text);
    }
    system_names_free(names);
}

static void look_at_driver(struct exam *exam, const struct device *device)
{
    const struct distribution *distribution = distribution_find(&exam->system);
    struct bundles bundles;

    look_at_bundles(exam, device, &bundles);
    if (!bundles.any) {
        exam_mend(exam, "%s %s", distribution->install, distribution->ccid);
        if (exam->used == PLACE_OF_PCSCD)
            exam_fail(exam, STATUS_READER, "pcscd has no driver in " BUNDLES);
        else
            exam_warn(exam, "pcscd has no driver in " BUNDLES);
    } else if (bundles.with_it > 1) {
        if (parse_is_plain(bundles.last, "._-"))
            exam_mend(exam,
                      "sudo mv " BUNDLES "/%s /usr/lib/pcsc/%s.off && sudo systemctl restart pcscd.service",
                      bundles.last, bundles.last);
        exam_warn(exam, "%u drivers of pcscd are for %s at usb:%s: one stands in the other's way, such as %s",
                  bundles.with_it, device->name, device->path, bundles.last);
    } else if (bundles.with_it == 0) {
        exam_ok(exam, "no driver of pcscd lists %04x:%04x; it may go by its class", device->vendor,
                device->product);
    } else {
        exam_ok(exam, "%s %s is pcscd's driver for usb:%s", bundles.last, bundles.version, device->path);
    }
}

static void run_driver(struct exam *exam)
{
    if (!exam_has_pcscd(exam) || exam->devices.count == 0) {
        exam_skip(exam, exam->devices.count == 0 ? "no reader on USB" : "pcscd is not installed");
        return;
    }
    for (size_t i = 0; i < exam->devices.count; i++)
        look_at_driver(exam, &exam->devices.list[i]);
}

/* pcscd as a user of its own may open only what it is given. */
static void run_user(struct exam *exam)
{
    const struct distribution *distribution = distribution_find(&exam->system);
    struct person daemon;
    struct process process;
    char user[24];

    if (!processes_named(&exam->system, "pcscd", exam->deadline, &process)) {
        exam_skip(exam, "pcscd does not run");
        return;
    }
    snprintf(user, sizeof user, "%lu", (unsigned long)process.uid);
    if (process.uid == 0) {
        exam_ok(exam, "pcscd runs as root");
        return;
    }
    if (person_init(&daemon, &exam->system, user) != 0) {
        exam_skip(exam, "nothing is known of the user %s, as whom pcscd runs", user);
        return;
    }
    for (size_t i = 0; i < exam->devices.count; i++) {
        const struct device *device = &exam->devices.list[i];

        if (!system_exists(&exam->system, "%s", device->node) ||
            person_may(&daemon, &exam->system, device->node, R_OK | W_OK)) {
            exam_ok(exam, "pcscd runs as %s, which may open %s", daemon.name, device->node);
            continue;
        }
        exam_mend(exam,
                  "%s %s && sudo udevadm control --reload && sudo udevadm trigger --action=add "
                  "--subsystem-match=usb",
                  distribution->install, distribution->ccid);
        if (exam->used == PLACE_OF_PCSCD)
            exam_fail(exam, STATUS_PERMISSION,
                      "pcscd runs as %s, which may not open %s: the rules of libccid are older than 1.7",
                      daemon.name, device->node);
        else
            exam_warn(exam,
                      "pcscd runs as %s, which may not open %s: the rules of libccid are older than 1.7",
                      daemon.name, device->node);
    }
    if (exam->devices.count == 0)
        exam_ok(exam, "pcscd runs as %s", daemon.name);
    person_fini(&daemon);
}

const struct check exam_checks_pcscd[] = {
    {"service", run_service}, {"pcscd.socket", run_socket}, {"pcscd.version", run_version},
    {"pcscd.unit", run_unit}, {"pcscd.driver", run_driver}, {"pcscd.user", run_user},
};
const size_t exam_checks_pcscd_count = sizeof exam_checks_pcscd / sizeof exam_checks_pcscd[0];
