/* SPDX-License-Identifier: MIT */
/* Rights and rules as doctor works them out: against what acl(5), udev(7) and passwd(5) say. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>
#include <scard.h>

#include "cli/doctor/parse.h"
#include "cli/doctor/person.h"
#include "cli/doctor/service_talk.h"
#include "cli/doctor/system.h"

struct entry {
    uint16_t tag, rights;
    uint32_t id;
};

#define NOBODY 0xFFFFFFFF

static size_t write_acl(const struct entry *entries, size_t count, uint8_t *acl)
{
    memcpy(acl, "\x02\x00\x00\x00", 4);
    for (size_t i = 0; i < count; i++)
        memcpy(acl + 4 + 8 * i, &entries[i], 8);
    return 4 + 8 * count;
}

/* owner 0 rw, user 1000 rw, group 0 r, group 100 rw, mask as given, other none. */
static int ask(uid_t uid, gid_t group, uint16_t mask, unsigned want)
{
    const struct entry entries[] = {{1, 6, NOBODY}, {2, 6, 1000},       {4, 4, NOBODY},
                                    {8, 6, 100},    {16, mask, NOBODY}, {32, 0, NOBODY}};
    struct person person = {.uid = uid, .groups = &group, .group_count = 1};
    uint8_t acl[64];
    size_t length = write_acl(entries, sizeof entries / sizeof entries[0], acl);

    return parse_acl(acl, length, 0, 0, &person, want);
}

static void test_acl(void **state)
{
    (void)state;
    assert_int_equal(ask(0, 7, 0, 6), 1);    /* the owner: the mask is not for him */
    assert_int_equal(ask(1000, 7, 6, 6), 1); /* a named user */
    assert_int_equal(ask(1000, 7, 4, 6), 0); /* within the mask */
    assert_int_equal(ask(1000, 7, 4, 4), 1);
    assert_int_equal(ask(1001, 100, 6, 6), 1); /* a named group */
    assert_int_equal(ask(1001, 0, 6, 6), 0);   /* the owning group reads */
    assert_int_equal(ask(1001, 0, 6, 4), 1);
    assert_int_equal(ask(1001, 7, 6, 4), 0); /* others */
}

/* A user who is let in by the ACL of a file alone. */
static void test_acl_of_file(void **state)
{
    char root[] = "/tmp/scard-doctor-XXXXXX", name[64];
    const struct entry entries[] = {
        {1, 6, NOBODY}, {2, 6, 1000}, {4, 0, NOBODY}, {16, 6, NOBODY}, {32, 0, NOBODY}};
    struct person person = {.uid = 1000}, other = {.uid = 1001};
    uint8_t acl[64];
    size_t length = write_acl(entries, sizeof entries / sizeof entries[0], acl);
    struct system system;

    (void)state;
    assert_non_null(mkdtemp(root));
    snprintf(name, sizeof name, "%s/node", root);
    assert_return_code(close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), errno);
    assert_int_equal(system_init(&system, root), 0);
    assert_false(person_may(&person, &system, "/node", R_OK | W_OK));
    /* Not every file system has ACLs. */
    if (setxattr(name, "system.posix_acl_access", acl, length, 0) == 0) {
        assert_true(person_may(&person, &system, "/node", R_OK | W_OK));
        assert_false(person_may(&other, &system, "/node", R_OK));
    } else {
        assert_int_equal(errno, ENOTSUP);
    }
    system_fini(&system);
    assert_return_code(remove(name), errno);
    assert_return_code(rmdir(root), errno);
}

static void test_no_acl(void **state)
{
    struct person person = {.uid = 1};

    (void)state;
    assert_int_equal(parse_acl((const uint8_t *)"", 0, 0, 0, &person, 4), -1);
    assert_int_equal(parse_acl((const uint8_t *)"\x01\0\0\0", 4, 0, 0, &person, 4), -1);
    assert_int_equal(parse_acl((const uint8_t *)"\x02\0\0\0\x01\0", 6, 0, 0, &person, 4), -1);
}

static struct parse_rules rules(const char *text)
{
    struct parse_rules found;

    parse_rules(text, 0x072F, 0x2200, &found);
    return found;
}

static void test_rules(void **state)
{
    (void)state;
    assert_true(rules("ENV{ID_USB_INTERFACES}==\"*:0b????:*\", TAG+=\"uaccess\"").uaccess);
    assert_true(rules("  ENV{ID_USB_INTERFACES}==\"*:0b0000:*\",\\\n TAG += \"uaccess\"\n").uaccess);
    assert_false(rules("# ENV{ID_USB_INTERFACES}==\"*:0b????:*\", TAG+=\"uaccess\"").matches);
    assert_false(rules("ENV{ID_USB_INTERFACES}!=\"*:0b????:*\", TAG+=\"uaccess\"").matches);
    assert_false(rules("ENV{ID_USB_INTERFACES}==\"*:0b????:*\", GOTO=\"end\"").matches);
    assert_false(rules("KERNEL==\"card0\", TAG+=\"uaccess\"").matches);
    assert_string_equal(rules("ATTRS{bInterfaceClass}==\"0b\", GROUP=\"pcscd\"").group, "pcscd");
    assert_string_equal(rules("ATTRS{bInterfaceClass}==\"0b\", MODE:=\"0660\"").mode, "0660");
    assert_true(rules("ATTRS{idVendor}==\"072f\", ATTRS{idProduct}==\"2200\", TAG+=\"uaccess\"").uaccess);
    assert_true(rules("ATTRS{idVendor}==\"072F\", ATTRS{idProduct}==\"90cc|22*\", TAG+=\"uaccess\"").uaccess);
    assert_false(rules("ATTRS{idVendor}==\"072f\", ATTRS{idProduct}==\"2201\", TAG+=\"uaccess\"").matches);
    assert_false(rules("ATTRS{idVendor}==\"08e6\", TAG+=\"uaccess\"").matches);
    assert_false(rules("ENV{ID_SMARTCARD_READER}==\"?*\", TAG+=\"uaccess\"").uaccess);
    assert_true(rules("ENV{ID_SMARTCARD_READER}==\"?*\", TAG+=\"uaccess\"").by_reader);
    assert_true(rules("ATTR{idVendor}==\"072f\", ENV{PCSCLITE_IGNORE}=\"1\"").ignored);
}

static void test_bundle(void **state)
{
    static const char text[] =
        "<key>CFBundleShortVersionString</key>\n  <string>1.5.2</string>"
        "<key>ifdVendorID</key><array><string>0x08E6</string><string>0x072F</string></array>"
        "<key>ifdProductID</key><array><string>0x3437</string><string>0x2200</string></array>";
    char version[4];

    (void)state;
    assert_true(parse_bundle(text, 0x072F, 0x2200));
    assert_false(parse_bundle(text, 0x08E6, 0x2200));
    assert_false(parse_bundle("<key>ifdVendorID</key><array><string>0x072F", 0x072F, 0x2200));
    assert_true(parse_bundle_version(text, version, sizeof version));
    assert_string_equal(version, "1.5");
}

/* A folder for a system, with one file. */
static void make(char *root, const char *path, const char *text)
{
    char name[256];
    FILE *file;

    snprintf(name, sizeof name, "%s%s", root, path);
    file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_system(void **state)
{
    char root[] = "/tmp/scard-doctor-XXXXXX", name[128], line[8], *text;
    struct system system;
    struct person person;
    struct stat status;

    (void)state;
    assert_non_null(mkdtemp(root));
    snprintf(name, sizeof name, "%s/etc", root);
    assert_int_equal(mkdir(name, 0700), 0);
    make(root, "/etc/passwd", "bob:x:1234:77::/home/bob:/bin/sh\n");
    make(root, "/etc/group", "bob:x:77:\ncards:x:88:alice,bob\nothers:x:99:bobby\n");
    make(root, "/bytes", "a\033b\tc\n\377d\n");
    snprintf(name, sizeof name, "%s/out", root);
    assert_int_equal(symlink("/etc/passwd", name), 0);
    snprintf(name, sizeof name, "%s/fifo", root);
    assert_int_equal(mkfifo(name, 0600), 0);

    assert_int_equal(system_init(&system, root), 0);
    text = system_text(&system, "/bytes");
    assert_non_null(text);
    assert_string_equal(text, "a?b c\n?d\n");
    free(text);
    /* A link leads to the tree's file; nothing waits for a pipe. */
    text = system_text(&system, "/out");
    assert_non_null(text);
    assert_non_null(strstr(text, "bob:x:1234"));
    free(text);
    assert_null(system_text(&system, "/fifo"));
    assert_null(system_text(&system, "/%s", "none"));
    assert_true(system_line(&system, line, sizeof line, "/etc/passwd"));
    assert_string_equal(line, "bob:x:1");
    assert_int_equal(system_stat(&system, &status, "/none"), ENOENT);

    assert_int_equal(person_init(&person, &system, "bob"), 0);
    assert_int_equal(person.uid, 1234);
    assert_string_equal(person.home, "/home/bob");
    assert_true(person_in_group(&person, 77) && person_in_group(&person, 88));
    assert_false(person_in_group(&person, 99));
    person_fini(&person);
    assert_int_equal(person_init(&person, &system, "4321"), 0);
    assert_string_equal(person.name, "uid 4321");
    person_fini(&person);
    assert_int_equal(person_init(&person, &system, "nobody"), ENOENT);
    system_fini(&system);
    assert_int_equal(system_init(&system, "/none/at/all"), ENOENT);

    assert_int_equal(system_init(&system, NULL), 0);
    system_fini(&system);
    for (size_t i = 0; i < 6; i++) {
        static const char *const paths[] = {"/etc/passwd", "/etc/group", "/etc", "/bytes", "/out", "/fifo"};

        snprintf(name, sizeof name, "%s%s", root, paths[i]);
        assert_int_equal(remove(name), 0);
    }
    assert_int_equal(rmdir(root), 0);
}

static void test_configuration(void **state)
{
    char root[] = "/tmp/scard-doctor-XXXXXX", name[64];

    (void)state;
    assert_non_null(mkdtemp(root));
    snprintf(name, sizeof name, "%s/scard.conf", root);
    assert_int_equal(scard_configuration_check(name), SCARD_E_NO_SERVICE); /* there is none */
    make(root, "/scard.conf", "usb = false;\nreaders = ( \"sim:iso\" );\n");
    assert_int_equal(scard_configuration_check(name), SCARD_S_SUCCESS);
    make(root, "/scard.conf", "usb = false;\nmagic = 1;\n");
    assert_int_equal(scard_configuration_check(name), SCARD_E_NO_SERVICE);
    assert_non_null(strstr(scard_error_detail(), "scard.conf, line 2: unknown setting 'magic'"));
    assert_int_equal(scard_configuration_check(root), SCARD_E_NO_SERVICE); /* a folder */
    assert_int_equal(scard_configuration_check(NULL), SCARD_E_INVALID_PARAMETER);
    assert_return_code(remove(name), errno);
    assert_return_code(rmdir(root), errno);
}

/* A server that does not answer keeps nobody longer than the deadline; nor does one that is not there. */
static void test_talk(void **state)
{
    char root[] = "/tmp/scard-doctor-XXXXXX";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct system system;
    struct talk talk;

    (void)state;
    assert_non_null(mkdtemp(root));
    assert_int_equal(system_init(&system, root), 0);
    talk = talk_to(&system, "/none/socket", false, deadline_in_ms(10));
    assert_int_equal(talk.state, TALK_ABSENT);
    talk = talk_to(&system, "/socket", false, deadline_in_ms(10));
    assert_int_equal(talk.state, TALK_ABSENT);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", root);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    talk = talk_to(&system, "/socket", false, deadline_in_ms(10));
    assert_int_equal(talk.state, TALK_STALE);
    assert_int_equal(listen(listener, 1), 0);
    talk = talk_to(&system, "/socket", false, deadline_in_ms(10));
    assert_int_equal(talk.state, TALK_SILENT);
    assert_int_equal(talk.error, ETIMEDOUT);
    /* The same socket by its path on this system. */
    talk = talk_to(&system, address.sun_path, true, deadline_in_ms(10));
    assert_int_equal(talk.state, TALK_SILENT);
    close(listener);
    system_fini(&system);
    assert_return_code(remove(address.sun_path), errno);
    assert_return_code(rmdir(root), errno);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acl),   cmocka_unit_test(test_acl_of_file),   cmocka_unit_test(test_no_acl),
        cmocka_unit_test(test_rules), cmocka_unit_test(test_bundle),        cmocka_unit_test(test_system),
        cmocka_unit_test(test_talk),  cmocka_unit_test(test_configuration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
