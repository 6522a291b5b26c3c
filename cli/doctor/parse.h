/* SPDX-License-Identifier: MIT */
/* The formats of the files that doctor reads, as far as it needs them. Texts are somebody else's. Pure. */
#ifndef CLI_DOCTOR_PARSE_H
#define CLI_DOCTOR_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The value of the first line "KEY=value", without quotes around it, cut to room; false with "": there is
 * none. Blanks around '=' and at the line's ends do not count. */
bool parse_value(const char *text, const char *key, char *value, size_t room);

/* Is a word the first of a line that is no comment, as an option in a file of GnuPG is written. */
bool parse_has_word(const char *text, const char *word);

/* The rest of such a line behind the word, cut to room. */
bool parse_word(const char *text, const char *word, char *value, size_t room);

/* Is there a line, no comment ("#", "//"), that has both texts in it; b may be NULL. */
bool parse_has_both(const char *text, const char *a, const char *b);

/* Every value for one key of files like passwd and group: field number field of the line whose first field,
 * or whose third, is key. */
bool parse_account(const char *text, const char *name, unsigned field, char *value, size_t room);
bool parse_account_number(const char *text, unsigned long id, unsigned field, char *value, size_t room);

/* "1000", "0x1F" in base 16 without prefix as sysfs has it; false: no such number or larger than most. */
bool parse_number(const char *text, int base, unsigned long most, unsigned long *ret_number);

/* What a file of udev rules does for one device. */
struct parse_rules {
    bool matches;   /* a rule names smart-card readers, or this device */
    bool uaccess;   /* it gives the device to whoever sits at the machine */
    bool reader;    /* it sets ID_SMARTCARD_READER */
    bool by_reader; /* it gives to them what has ID_SMARTCARD_READER */
    bool ignored;   /* it sets PCSCLITE_IGNORE */
    char group[64]; /* "" none */
    char mode[8];   /* "0660", "" none */
};
void parse_rules(const char *text, uint16_t vendor, uint16_t product, struct parse_rules *ret_rules);

/* A driver bundle's Info.plist: is vendor:product in its lists; and its version, "" if it does not say. Lists
 * of different length count as far as both go. */
bool parse_bundle(const char *text, uint16_t vendor, uint16_t product);
bool parse_bundle_version(const char *text, char *version, size_t room);

/* What a POSIX ACL (system.posix_acl_access, version 2) says to a user: 1 granted, 0 refused, -1 it is none.
 * owner and group are the file's; want as in access(2). */
struct person;
int parse_acl(const uint8_t *acl, size_t length, uid_t owner, gid_t group, const struct person *person,
              unsigned want);

/* Are all bytes of a text letters, digits or among extra: fit to stand in a command as they are. "" is not.
 */
bool parse_is_plain(const char *text, const char *extra);

#endif
