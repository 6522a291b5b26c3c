/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/distribution.h"
#include "cli/doctor/exam.h"
#include "cli/doctor/parse.h"
#include "driver/ccid_quirks.h"

/* A reader on USB matters only where something is to use it. */
static bool applies(struct exam *exam)
{
    if (!exam->looks_at_usb)
        exam_skip(exam, "readers on USB are not used: SCARD_READERS or the configuration names others");
    else if (exam->devices.count == 0)
        exam_skip(exam, "no reader on USB");
    return exam->looks_at_usb && exam->devices.count > 0;
}

#define EACH_READER(device)                                                                                  \
    for (const struct device *device = exam->devices.list;                                                   \
         device < exam->devices.list + exam->devices.count; device++)

static bool is_virtual_machine(const struct exam *exam)
{
    static const char *const makers[] = {"QEMU", "VMware", "innotek", "Xen", "Parallels", "Microsoft"};
    char vendor[64];

    (void)system_line(&exam->system, vendor, sizeof vendor, "/sys/class/dmi/id/sys_vendor");
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++)
        if (strncmp(vendor, makers[i], strlen(makers[i])) == 0)
            return true;
    return false;
}

static void say_no_reader(struct exam *exam, const char *what)
{
    bool machine = is_virtual_machine(exam);

    exam_mend(exam, "%s", "scard wait --reader-in");
    exam_fail(exam, STATUS_READER, "%s: plug a reader in%s", what,
              machine ? ", and hand it to this virtual machine" : "");
}

static void run_sysfs(struct exam *exam)
{
    const struct devices *devices = &exam->devices;
    char what[160];

    if (!exam->looks_at_usb) {
        exam_skip(exam, "readers on USB are not used: SCARD_READERS or the configuration names others");
    } else if (devices->count > 0) {
        exam_ok(exam, "%zu %s on USB, %zu other devices", devices->count,
                devices->count == 1 ? "reader" : "readers", devices->others);
    } else if (exam_server(exam) != NULL && (devices->error != 0 || devices->hubs == 0)) {
        exam_ok(exam, "no USB here; the service at %s has the readers", exam_server(exam)->path);
    } else if (devices->error != 0 && devices->error != ENOENT) {
        exam_skip(exam, "/sys/bus/usb/devices cannot be read: %s", strerror(devices->error));
    } else if (devices->error == ENOENT || (devices->hubs == 0 && devices->others == 0)) {
        say_no_reader(exam, "this machine shows no USB at all");
    } else if (devices->blocked > 0) {
        snprintf(what, sizeof what,
                 "no reader is among the %zu devices on USB, but %zu of them are not authorized",
                 devices->others, devices->blocked);
        exam_mend(exam, "for d in /sys/bus/usb/devices/*-*; do [ ! -f $d/authorized ] || echo 1 | sudo tee "
                        "$d/authorized; done");
        exam_fail(exam, STATUS_PERMISSION, "%s", what);
    } else {
        snprintf(what, sizeof what, "none of the %zu devices on USB is a smart-card reader", devices->others);
        say_no_reader(exam, what);
    }
}

static void run_ident(struct exam *exam)
{
    if (!applies(exam))
        return;
    EACH_READER(device)
    {
        if (!device->blocked) {
            exam_ok(exam, "%s (%04x:%04x) at usb:%s, firmware %x.%02x%s%s", device->name, device->vendor,
                    device->product, device->path, device->firmware >> 8, device->firmware & 0xFFu,
                    device->serial[0] != '\0' ? ", serial number " : "", device->serial);
            continue;
        }
        if (system_exists(&exam->system, "/etc/usbguard/usbguard-daemon.conf"))
            exam_mend(exam, "sudo usbguard allow-device -p \"id %04x:%04x\"", device->vendor,
                      device->product);
        else
            exam_mend(exam, "echo 1 | sudo tee /sys/bus/usb/devices/%s/authorized", device->path);
        exam_fail(exam, STATUS_PERMISSION, "%s at usb:%s is not authorized: the kernel lets nobody use it",
                  device->name, device->path);
    }
}

static const char *level_words(const struct ccid_descriptor *ccid)
{
    switch (ccid->level) {
    case CCID_EXTENDED_APDU:
        return "extended APDUs";
    case CCID_SHORT_APDU:
        return "short APDUs: extended ones are chained or refused";
    case CCID_TPDU:
        return "TPDUs";
    default:
        return "single characters";
    }
}

static void describe(struct exam *exam, const struct device *device)
{
    struct ccid_quirk quirk = ccid_quirks_find(device->vendor, device->product, device->firmware);
    struct ccid_descriptor ccid = device->ccid;

    ccid_quirks_apply(&quirk, &ccid);
    exam_ok(exam, "usb:%s carries %s; longest message %u bytes; %u slot%s%s%s", device->path,
            level_words(&ccid), ccid.max_message, ccid.slots, ccid.slots == 1 ? "" : "s",
            ccid.pin_verify ? "; PIN pad" : "",
            ccid.interrupt.address == 0 ? "; no interrupt endpoint, so cards are noticed by polling" : "");
}

static void run_desc(struct exam *exam)
{
    if (!applies(exam))
        return;
    EACH_READER(device)
    {
        if (!device->described) {
            exam_skip(exam, "/sys/bus/usb/devices/%s/descriptors cannot be read", device->path);
        } else if (device->ccid.defect != CCID_SOUND) {
            exam_mend(exam,
                      "echo 0 | sudo tee /sys/bus/usb/devices/%s/authorized; echo 1 | sudo tee "
                      "/sys/bus/usb/devices/%s/authorized",
                      device->path, device->path);
            exam_fail(
                exam, STATUS_TRANSPORT,
                "%s at usb:%s cannot be used: %s; if it stays so after it was plugged in again, it needs "
                "its vendor's driver",
                device->name, device->path, ccid_defect_text(device->ccid.defect));
        } else {
            describe(exam, device);
        }
    }
}

static void run_quirk(struct exam *exam)
{
    if (!applies(exam))
        return;
    EACH_READER(device)
    {
        struct ccid_quirk all = ccid_quirks_find(device->vendor, device->product, device->firmware);
        const struct ccid_quirk *row = NULL;
        bool any = false;

        if (all.flags & CCID_FIRMWARE_BAD) {
            exam_mend(exam, "fwupdmgr update");
            exam_fail(exam, STATUS_TRANSPORT,
                      "%s at usb:%s has firmware %x.%02x with a known fault; %x.%02x or later is needed: "
                      "update it, "
                      "by its vendor's program if need be, or use another reader",
                      device->name, device->path, device->firmware >> 8, device->firmware & 0xFFu,
                      all.below >> 8, all.below & 0xFFu);
            continue;
        }
        while ((row = ccid_quirks_next(row, device->vendor, device->product, device->firmware)) != NULL) {
            exam_ok(exam, "usb:%s is known: %s; that is taken care of", device->path, row->note);
            any = true;
        }
        if (!any)
            exam_ok(exam, "nothing special is known of usb:%s", device->path);
    }
}

/* Kernel drivers that take readers for near-field communication, and what they hang on. */
static bool is_nfc_driver(const char *driver)
{
    static const char *const drivers[] = {"pn533_usb", "pn533", "port100", "nfcmrvl_usb", "st21nfca"};

    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
        if (strcmp(driver, drivers[i]) == 0)
            return true;
    return false;
}

static bool is_blacklisted(const struct exam *exam, const char *driver)
{
    static const char *const folders[] = {"/etc/modprobe.d", "/run/modprobe.d", "/usr/lib/modprobe.d",
                                          "/lib/modprobe.d"};
    char line[96];
    bool found = false;

    snprintf(line, sizeof line, "blacklist %s", driver);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && !found; i++) {
        char **names = system_names(&exam->system, "%s", folders[i]);

        for (size_t k = 0; names != NULL && names[k] != NULL && !found; k++) {
            char *text = system_text(&exam->system, "%s/%s", folders[i], names[k]), value[64];

            found = text != NULL && parse_word(text, "blacklist", value, sizeof value) &&
                    parse_has_both(text, line, NULL);
            free(text);
        }
        system_names_free(names);
    }
    return found;
}

static void run_driver(struct exam *exam)
{
    if (!applies(exam))
        return;
    EACH_READER(device)
    {
        const char *driver = device->driver;

        if (device->interface[0] == '\0') {
            exam_skip(exam, "usb:%s has no interface now", device->path);
        } else if (driver[0] == '\0') {
            exam_ok(exam, "usb:%s is free", device->path);
        } else if (strcmp(driver, "usbfs") == 0) {
            exam_ok(exam, "a program has usb:%s", device->path);
        } else if (is_nfc_driver(driver)) {
            exam_ok(exam, "the kernel has usb:%s, see nfc.kernel", device->path);
        } else {
            exam_mend(exam, "echo %s | sudo tee /sys/bus/usb/drivers/%s/unbind", device->interface, driver);
            exam_fail(exam, STATUS_SHARING, "the kernel's driver %s has taken %s at usb:%s", driver,
                      device->name, device->path);
        }
    }
}

static void say_nfc(struct exam *exam, const struct device *device)
{
    const char *driver = device->driver;

    if (is_blacklisted(exam, driver)) {
        exam_mend(exam, "sudo modprobe -r %s && %s", driver, distribution_find(&exam->system)->initramfs);
        exam_fail(
            exam, STATUS_SHARING,
            "the kernel's NFC driver %s has taken %s at usb:%s, though it is blacklisted: it was loaded "
            "before, or from an old initramfs",
            driver, device->name, device->path);
        return;
    }
    exam_mend(exam, "echo blacklist %s | sudo tee /etc/modprobe.d/scard-nfc.conf && sudo modprobe -r %s",
              driver, driver);
    exam_fail(exam, STATUS_SHARING, "the kernel's NFC driver %s has taken %s at usb:%s", driver, device->name,
              device->path);
}

static void run_nfc(struct exam *exam)
{
    bool any = false;

    if (!applies(exam))
        return;
    EACH_READER(device)
    {
        if (!is_nfc_driver(device->driver))
            continue;
        any = true;
        say_nfc(exam, device);
    }
    if (!any)
        exam_ok(exam, "no NFC driver of the kernel has a reader");
}

/* Readers that do not come back from being suspended. */
static bool dislikes_suspend(const struct device *device)
{
    return (device->vendor == 0x0783 && device->product == 0x0003) ||
           (device->vendor == 0x058F && device->product == 0x9520);
}

static void run_power(struct exam *exam)
{
    if (!applies(exam))
        return;
    EACH_READER(device)
    {
        bool automatic = strcmp(device->power, "auto") == 0, broken = strcmp(device->running, "error") == 0;

        if (device->power[0] == '\0') {
            exam_skip(exam, "power/control of usb:%s cannot be read", device->path);
        } else if (automatic && (dislikes_suspend(device) || broken)) {
            exam_mend(exam, "echo on | sudo tee /sys/bus/usb/devices/%s/power/control", device->path);
            exam_warn(exam,
                      broken ? "%s at usb:%s was suspended and did not come back"
                             : "%s at usb:%s may be suspended when idle, and this model does not come back "
                               "from that",
                      device->name, device->path);
        } else {
            exam_ok(exam, "usb:%s: suspending is %s", device->path, automatic ? "allowed when idle" : "off");
        }
    }
}

const struct check exam_checks_usb[] = {
    {"usb.sysfs", run_sysfs}, {"usb.ident", run_ident},   {"usb.desc", run_desc},  {"usb.quirk", run_quirk},
    {"usb.power", run_power}, {"usb.driver", run_driver}, {"nfc.kernel", run_nfc},
};
const size_t exam_checks_usb_count = sizeof exam_checks_usb / sizeof exam_checks_usb[0];
