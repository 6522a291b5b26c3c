/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/exam.h"
#include "cli/doctor/parse.h"
#include "cli/doctor/rules.h"

#define EACH_READER(device)                                                                                  \
    for (const struct device *device = exam->devices.list;                                                   \
         device < exam->devices.list + exam->devices.count; device++)

#define RELOAD "sudo udevadm control --reload && sudo udevadm trigger --action=add --subsystem-match=usb"
#define RULE "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", "

static bool applies(struct exam *exam)
{
    if (!exam->looks_at_usb || exam->devices.count == 0)
        exam_skip(exam, exam->looks_at_usb ? "no reader on USB" : "readers on USB are not used");
    return exam->looks_at_usb && exam->devices.count > 0;
}

static bool may_open(const struct exam *exam, const struct device *device)
{
    return person_may(&exam->person, &exam->system, device->node, R_OK | W_OK);
}

/* What a rule says to pick the reader. */
static void pick(const struct device *device, char *text, size_t room)
{
    if (device->described && device->ccid.class_code != 0x0B)
        snprintf(text, room, "ATTR{idVendor}==\"%04x\", ATTR{idProduct}==\"%04x\"", device->vendor,
                 device->product);
    else
        snprintf(text, room, "ENV{ID_USB_INTERFACES}==\"*:0b????:*\"");
}

static void say_no_rule(struct exam *exam, const struct device *device)
{
    char picked[96];

    pick(device, picked, sizeof picked);
    exam_mend(exam,
              "echo '" RULE
              "%s, TAG+=\"uaccess\"' | sudo tee /etc/udev/rules.d/70-scard-local.rules && " RELOAD,
              picked);
    exam_fail(exam, STATUS_PERMISSION, "no rule of udev gives %s at usb:%s to %s%s", device->name,
              device->path, exam->person.name,
              device->described && device->ccid.class_code != 0x0B
                  ? ", because its interface has a class of its vendor (FF)"
                  : "");
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static void say_late(struct exam *exam, const struct rules *rules)
{
    const char *name = file_name(rules->late);

    if (parse_is_plain(name, "._-"))
        exam_mend(exam, "sudo mv %s /etc/udev/rules.d/70-%s && " RELOAD, rules->late,
                  name + strspn(name, "0123456789-"));
    exam_fail(exam, STATUS_PERMISSION,
              "%s tags readers too late: systemd gives out what is tagged in 73-seat-late.rules",
              rules->late);
}

static void say_unknown_group(struct exam *exam, const struct rules *rules, bool denied)
{
    if (parse_is_plain(rules->group, "_-"))
        exam_mend(exam, "sudo groupadd --system %s && " RELOAD, rules->group);
    if (denied)
        exam_fail(exam, STATUS_PERMISSION, "%s gives readers to the group %s, which does not exist",
                  rules->group_file, rules->group);
    else
        exam_warn(exam, "%s gives readers to the group %s, which does not exist", rules->group_file,
                  rules->group);
}

/* Was the group of the rules given to the node. */
static bool has_group(const struct exam *exam, const struct device *device, gid_t group)
{
    struct stat status;

    return system_stat(&exam->system, &status, "%s", device->node) == 0 && status.st_gid == group;
}

static void say_not_applied(struct exam *exam, const struct device *device, const char *file)
{
    exam_mend(exam, RELOAD);
    exam_fail(exam, STATUS_PERMISSION, "%s was not applied to %s at usb:%s, which was plugged in before",
              file, device->name, device->path);
}

static void say_hidden(struct exam *exam, const struct device *device, const struct rules *rules)
{
    const char *file = rules->ignored[0] != '\0' ? rules->ignored : "a rule of udev";

    if (rules->ignored[0] != '\0' && parse_is_plain(file_name(rules->ignored), "._-"))
        exam_mend(exam, "sudo sed -i /PCSCLITE_IGNORE/d %s && " RELOAD, rules->ignored);
    if (exam->used == PLACE_OF_PCSCD)
        exam_fail(exam, STATUS_READER, "%s hides %s at usb:%s from pcscd (PCSCLITE_IGNORE)", file,
                  device->name, device->path);
    else
        exam_warn(exam, "%s hides %s at usb:%s from pcscd (PCSCLITE_IGNORE)", file, device->name,
                  device->path);
}

static void look_at_rules(struct exam *exam, const struct device *device)
{
    bool denied = rules_needed(exam) && !may_open(exam, device), group_known;
    struct rules rules;
    gid_t group = 0;

    rules_find(exam, device, &rules);
    group_known = rules.group[0] != '\0' && person_group_number(&exam->system, rules.group, &group);
    if (rules.hidden || (!rules.known && rules.ignored[0] != '\0'))
        say_hidden(exam, device, &rules);
    if (rules.group[0] != '\0' && !group_known)
        say_unknown_group(exam, &rules, denied && rules.uaccess[0] == '\0');
    else if (!denied)
        exam_ok(exam, "usb:%s: %s%s%s", device->path,
                rules.uaccess[0] != '\0' ? "for whoever sits at the machine, by "
                : group_known            ? "for a group, by "
                                         : "no rule is needed",
                rules.uaccess[0] != '\0' ? rules.uaccess
                : group_known            ? rules.group_file
                                         : "",
                "");
    else if (!rules.any)
        exam_skip(exam, "there are no rules of udev here");
    else if (rules.uaccess[0] == '\0' && rules.late[0] != '\0' && !group_known)
        say_late(exam, &rules);
    else if (rules.uaccess[0] == '\0' && !group_known)
        say_no_rule(exam, device);
    else if (rules.uaccess[0] != '\0' && rules.known && !rules.tagged)
        say_not_applied(exam, device, rules.uaccess);
    else if (rules.uaccess[0] == '\0' && !has_group(exam, device, group))
        say_not_applied(exam, device, rules.group_file);
    else
        exam_ok(exam, "usb:%s: by %s", device->path, group_known ? rules.group_file : rules.uaccess);
}

static void run_rules(struct exam *exam)
{
    if (!applies(exam))
        return;
    EACH_READER(device)
    look_at_rules(exam, device);
}

static void say_no_node(struct exam *exam, const struct device *device)
{
    if (exam->container == CONTAINER_DOCKER || exam->container == CONTAINER_PODMAN)
        exam_mend(exam, "%s run --device %s ...", exam->container == CONTAINER_DOCKER ? "docker" : "podman",
                  device->node);
    else
        exam_mend(exam, "sudo udevadm trigger --action=add --subsystem-match=usb");
    exam_fail(exam, STATUS_PERMISSION, "there is no %s for %s at usb:%s", device->node, device->name,
              device->path);
}

/* The rights of a node, as people read them: "root:root 0664". */
static void say_denied(struct exam *exam, const struct device *device, const struct stat *status)
{
    char owner[64], group[64], picked[96];
    const char *name = exam->person.name;
    struct rules rules;
    gid_t number;

    person_user_name(&exam->system, status->st_uid, owner, sizeof owner);
    person_group_name(&exam->system, status->st_gid, group, sizeof group);
    rules_find(exam, device, &rules);
    if (!parse_is_plain(name, "._-")) {
        exam_mend(exam, "sudo setfacl -m u:%lu:rw %s", (unsigned long)exam->person.uid, device->node);
    } else if (rules.group[0] != '\0' && rules.group[0] != '-' && parse_is_plain(rules.group, "_-") &&
               person_group_number(&exam->system, rules.group, &number) &&
               !person_in_group(&exam->person, number)) {
        exam_mend(exam, "sudo usermod -aG %s %s  # then log in again", rules.group, name);
        exam_fail(exam, STATUS_PERMISSION, "%s is for the group %s (%s:%s %04o), and %s is not in it",
                  device->node, rules.group, owner, group, (unsigned)status->st_mode & 0777u, name);
        return;
    } else {
        pick(device, picked, sizeof picked);
        exam_mend(exam,
                  "sudo groupadd -f --system scard && sudo usermod -aG scard %s && echo '" RULE
                  "%s, GROUP=\"scard\", MODE=\"0660\"' | sudo tee /etc/udev/rules.d/71-scard-group.rules "
                  "&& " RELOAD,
                  name, picked);
    }
    exam_fail(exam, STATUS_PERMISSION, "%s may not open %s (%s:%s %04o)%s", name, device->node, owner, group,
              (unsigned)status->st_mode & 0777u,
              rules.tagged ? ", which is for whoever sits at the machine: this is no local session" : "");
}

static void run_node(struct exam *exam)
{
    if (!applies(exam))
        return;
    EACH_READER(device)
    {
        struct stat status;

        if (device->blocked)
            exam_skip(exam, "usb:%s is not authorized", device->path);
        else if (!rules_needed(exam))
            exam_ok(exam, "%s is opened by %s", device->node,
                    exam->used >= 0 ? exam_server_name((enum place)exam->used) : "a service");
        else if (system_stat(&exam->system, &status, "%s", device->node) != 0)
            say_no_node(exam, device);
        else if (may_open(exam, device))
            exam_ok(exam, "%s may open %s", exam->person.name, device->node);
        else
            say_denied(exam, device, &status);
    }
}

const struct check exam_checks_node[] = {{"usb.rules", run_rules}, {"usb.node", run_node}};
const size_t exam_checks_node_count = sizeof exam_checks_node / sizeof exam_checks_node[0];
