/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/exam.h"
#include "cli/doctor/parse.h"

/* The file of scdaemon's settings, as a shell takes it, and its text or NULL. */
static char *gpg_settings(const struct exam *exam)
{
    const char *home = exam_variable("GNUPGHOME");

    if (home[0] != '\0' && exam->person.self && !exam->system.prepared)
        return system_text(&exam->system, "%s/scdaemon.conf", home);
    return exam->person.home[0] == '/'
               ? system_text(&exam->system, "%s/.gnupg/scdaemon.conf", exam->person.home)
               : NULL;
}

static bool uses_pcscd(const struct exam *exam)
{
    return exam->used == PLACE_OF_PCSCD || exam->servers[PLACE_OF_PCSCD].talk.state == TALK_ANSWERS ||
           exam->servers[PLACE_OF_PCSCD].talk.state == TALK_REFUSED;
}

#define SETTINGS "\"${GNUPGHOME:-$HOME/.gnupg}/scdaemon.conf\""
#define KILL " && gpgconf --kill scdaemon"

static void run_gpg(struct exam *exam)
{
    char *text = gpg_settings(exam);
    struct process process;
    bool runs = processes_named(&exam->system, "scdaemon", exam->deadline, &process);
    bool off = text != NULL && parse_has_word(text, "disable-ccid");
    bool shared = text != NULL && parse_has_word(text, "pcsc-shared");

    if (text == NULL && !runs) {
        exam_ok(exam, "GnuPG uses no cards here");
    } else if (off && !uses_pcscd(exam) && !exam_has_pcscd(exam)) {
        exam_mend(exam, "sed -i /^disable-ccid/d " SETTINGS KILL);
        exam_warn(exam, "scdaemon.conf says disable-ccid, but there is no pcscd: GnuPG finds no reader");
    } else if (!uses_pcscd(exam)) {
        exam_ok(exam, "GnuPG%s takes readers by itself while it uses a card", runs ? " (scdaemon runs)" : "");
    } else if (!off) {
        exam_mend(exam, "printf '%s' >> " SETTINGS KILL,
                  shared ? "disable-ccid\\n" : "disable-ccid\\npcsc-shared\\n");
        exam_warn(exam, "scdaemon takes readers away from pcscd: scdaemon.conf lacks %s",
                  shared ? "disable-ccid" : "the lines disable-ccid and pcsc-shared");
    } else if (!shared) {
        exam_mend(exam, "printf 'pcsc-shared\\n' >> " SETTINGS KILL);
        exam_warn(exam, "scdaemon keeps a card to itself: scdaemon.conf lacks the line pcsc-shared");
    } else {
        exam_ok(exam, "GnuPG shares readers through pcscd");
    }
    free(text);
}

static void run_p11(struct exam *exam)
{
    char **names = system_names(&exam->system, "/usr/share/p11-kit/modules");
    char list[256] = "";

    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        if (strlen(list) + strlen(names[i]) + 3 < sizeof list)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%.200s", i > 0 ? ", " : "",
                     names[i]);
    system_names_free(names);
    system_clean(list);
    if (list[0] != '\0')
        exam_ok(exam, "programs that use PKCS #11 load %s", list);
    else
        exam_ok(exam, "no PKCS #11 modules are set up");
}

static void run_serial(struct exam *exam)
{
    char **names = system_names(&exam->system, "/etc/reader.conf.d");
    bool used = false;
    struct process process;

    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        char *text = system_text(&exam->system, "/etc/reader.conf.d/%s", names[i]);

        used |= text != NULL && parse_has_both(text, "/dev/tty", NULL);
        free(text);
    }
    system_names_free(names);
    if (used && processes_named(&exam->system, "ModemManager", exam->deadline, &process)) {
        exam_mend(exam,
                  "echo 'KERNEL==\"ttyUSB*|ttyACM*\", ENV{ID_MM_DEVICE_IGNORE}=\"1\"' | sudo tee "
                  "/etc/udev/rules.d/70-scard-serial.rules && sudo udevadm control --reload && sudo udevadm "
                  "trigger --subsystem-match=tty");
        exam_warn(exam, "ModemManager tries serial ports, also those that /etc/reader.conf.d gives to pcscd");
    } else {
        exam_ok(exam, used ? "pcscd has readers on serial ports" : "no reader on a serial port");
    }
}

/* Room for one record, and more than that the kernel does not hand out at once. */
#define RECORD_ROOM 8192

/* The kernel's log: a record each read, or a file in a prepared system. */
static char *kernel_log(const struct exam *exam)
{
    size_t length = 0;
    char *text;
    int fd;

    if (exam->system.prepared)
        return system_tail(&exam->system, "/dev/kmsg");
    fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    text = fd < 0 ? NULL : malloc(SYSTEM_TEXT_MAX + 1);
    while (text != NULL) {
        ssize_t got;

        /* What is old goes, a half at a time. */
        if (length + RECORD_ROOM > SYSTEM_TEXT_MAX) {
            memmove(text, text + length / 2, length - length / 2);
            length -= length / 2;
        }
        got = read(fd, text + length, RECORD_ROOM);
        if (got < 0 && (errno == EPIPE || errno == EINTR))
            continue; /* records that were overwritten meanwhile are passed over */
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    if (text != NULL)
        text[length] = '\0';
    if (fd >= 0)
        close(fd);
    return text;
}

static unsigned count_lines(const char *text, const char *about, const char *const *signs, size_t count)
{
    unsigned found = 0;

    for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n') {
        size_t length = strcspn(text, "\n");

        if (memmem(text, length, about, strlen(about)) == NULL)
            continue;
        for (size_t i = 0; i < count; i++)
            if (memmem(text, length, signs[i], strlen(signs[i])) != NULL) {
                found++;
                break;
            }
    }
    return found;
}

static void run_log(struct exam *exam)
{
    static const char *const signs[] = {
        "reset full-speed", "reset high-speed",       "reset low-speed",      "reset SuperSpeed",
        "over-current",     "device descriptor read", "device not accepting", "unable to enumerate"};
    char *text = exam->devices.count > 0 ? kernel_log(exam) : NULL;

    if (text == NULL) {
        exam_skip(exam, exam->devices.count > 0 ? "the kernel's log cannot be read" : "no reader on USB");
        if (exam->devices.count > 0)
            exam_would(exam, "what the kernel's log says of the readers");
        return;
    }
    for (size_t i = 0; i < exam->devices.count; i++) {
        const struct device *device = &exam->devices.list[i];
        char about[48];
        unsigned found;

        snprintf(about, sizeof about, "usb %s:", device->path);
        found = count_lines(text, about, signs, sizeof signs / sizeof signs[0]);
        if (found < 3)
            exam_ok(exam, "the kernel's log has %s of usb:%s", found > 0 ? "little" : "no complaint",
                    device->path);
        else
            exam_warn(exam, "the kernel's log has %u resets and errors of usb:%s: try another port or cable",
                      found, device->path);
    }
    free(text);
}

const struct check exam_checks_programs[] = {
    {"gpg", run_gpg}, {"p11", run_p11}, {"serial", run_serial}, {"log.kernel", run_log}};
const size_t exam_checks_programs_count = sizeof exam_checks_programs / sizeof exam_checks_programs[0];
