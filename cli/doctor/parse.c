/* SPDX-License-Identifier: MIT */
#include "cli/doctor/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/person.h"

/* A piece of a text, borrowed. */
struct piece {
    const char *at;
    size_t length;
};

static struct piece trimmed(struct piece piece)
{
    while (piece.length > 0 && strchr(" \t\r", piece.at[0]) != NULL) {
        piece.at++;
        piece.length--;
    }
    while (piece.length > 0 && strchr(" \t\r", piece.at[piece.length - 1]) != NULL)
        piece.length--;
    return piece;
}

/* The line at *text, trimmed; *text goes behind it. false: no more. */
static bool next_line(const char **text, struct piece *ret_line)
{
    size_t length = strcspn(*text, "\n");

    if (**text == '\0')
        return false;
    *ret_line = trimmed((struct piece){*text, length});
    *text += length + ((*text)[length] == '\n');
    return true;
}

static void copy(struct piece piece, char *value, size_t room)
{
    size_t length = piece.length < room ? piece.length : room - 1;

    memcpy(value, piece.at, length);
    value[length] = '\0';
}

static bool starts(struct piece piece, const char *word)
{
    return piece.length >= strlen(word) && strncmp(piece.at, word, strlen(word)) == 0;
}

static struct piece behind(struct piece piece, size_t count)
{
    return trimmed((struct piece){piece.at + count, piece.length - count});
}

static bool is_comment(struct piece line)
{
    return starts(line, "#") || starts(line, "//");
}

bool parse_value(const char *text, const char *key, char *value, size_t room)
{
    struct piece line;

    value[0] = '\0';
    while (next_line(&text, &line)) {
        if (!starts(line, key))
            continue;
        line = behind(line, strlen(key));
        if (!starts(line, "="))
            continue;
        line = behind(line, 1);
        if (line.length >= 2 && strchr("\"'", line.at[0]) != NULL && line.at[line.length - 1] == line.at[0])
            line = (struct piece){line.at + 1, line.length - 2};
        copy(line, value, room);
        return true;
    }
    return false;
}

bool parse_word(const char *text, const char *word, char *value, size_t room)
{
    struct piece line;

    value[0] = '\0';
    while (next_line(&text, &line)) {
        if (!starts(line, word) ||
            (line.length > strlen(word) && strchr(" \t", line.at[strlen(word)]) == NULL))
            continue;
        copy(behind(line, strlen(word)), value, room);
        return true;
    }
    return false;
}

bool parse_has_word(const char *text, const char *word)
{
    char value[2];

    return parse_word(text, word, value, sizeof value);
}

bool parse_has_both(const char *text, const char *a, const char *b)
{
    struct piece line;

    while (next_line(&text, &line))
        if (!is_comment(line) && memmem(line.at, line.length, a, strlen(a)) != NULL &&
            (b == NULL || memmem(line.at, line.length, b, strlen(b)) != NULL))
            return true;
    return false;
}

/* Field number index, from 0, of a line with ':' between; false: there are less. */
static bool field_of(struct piece line, unsigned index, struct piece *ret_field)
{
    for (;; index--) {
        const char *colon = memchr(line.at, ':', line.length);
        size_t length = colon != NULL ? (size_t)(colon - line.at) : line.length;

        if (index == 0) {
            *ret_field = (struct piece){line.at, length};
            return true;
        }
        if (colon == NULL)
            return false;
        line = (struct piece){colon + 1, line.length - length - 1};
    }
}

static bool account(const char *text, unsigned which, const char *wanted, unsigned field, char *value,
                    size_t room)
{
    struct piece line, found;

    value[0] = '\0';
    while (next_line(&text, &line)) {
        if (!field_of(line, which, &found) || found.length != strlen(wanted) || !starts(found, wanted))
            continue;
        if (!field_of(line, field, &found))
            continue;
        copy(found, value, room);
        return true;
    }
    return false;
}

bool parse_account(const char *text, const char *name, unsigned field, char *value, size_t room)
{
    return account(text, 0, name, field, value, room);
}

bool parse_account_number(const char *text, unsigned long id, unsigned field, char *value, size_t room)
{
    char number[24];

    snprintf(number, sizeof number, "%lu", id);
    return account(text, 2, number, field, value, room);
}

bool parse_number(const char *text, int base, unsigned long most, unsigned long *ret_number)
{
    unsigned long number;
    char *end;

    if (!isxdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    number = strtoul(text, &end, base);
    if (errno != 0 || end == text || *end != '\0' || number > most)
        return false;
    *ret_number = number;
    return true;
}

bool parse_is_plain(const char *text, const char *extra)
{
    if (text[0] == '\0' || text[0] == '-')
        return false;
    for (; *text != '\0'; text++)
        if (!isascii((unsigned char)*text) ||
            (!isalnum((unsigned char)*text) && strchr(extra, *text) == NULL))
            return false;
    return true;
}

static uint16_t u16le(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t u32le(const uint8_t *at)
{
    return u16le(at) | (uint32_t)u16le(at + 2) << 16;
}

enum acl_tag {
    ACL_OWNER = 1,
    ACL_USER = 2,
    ACL_OWNING_GROUP = 4,
    ACL_GROUP = 8,
    ACL_MASK = 16,
    ACL_OTHER = 32
};

/* acl(5), ACCESS CHECK ALGORITHM: entries are 8 bytes: tag, permissions, id. */
int parse_acl(const uint8_t *acl, size_t length, uid_t owner, gid_t group, const struct person *person,
              unsigned want)
{
    unsigned mask = 7, user = 0, groups = 0, other = 0, own = 0;
    bool user_named = false, in_group = false, group_grants = false;

    if (length < 4 || u32le(acl) != 2 || (length - 4) % 8 != 0)
        return -1;
    for (const uint8_t *entry = acl + 4; entry < acl + length; entry += 8) {
        unsigned tag = u16le(entry), rights = u16le(entry + 2) & 7u;
        uint32_t id = u32le(entry + 4);

        if (tag == ACL_OWNER) {
            own = rights;
        } else if (tag == ACL_USER && id == person->uid) {
            user = rights;
            user_named = true;
        } else if (tag == ACL_OWNING_GROUP || tag == ACL_GROUP) {
            if (person_in_group(person, tag == ACL_GROUP ? (gid_t)id : group)) {
                in_group = true;
                groups |= (rights & want) == want ? rights : 0;
                group_grants = groups != 0;
            }
        } else if (tag == ACL_MASK) {
            mask = rights;
        } else if (tag == ACL_OTHER) {
            other = rights;
        }
    }
    if (person->uid == owner)
        return (own & want) == want;
    if (user_named)
        return (user & mask & want) == want;
    if (in_group)
        return group_grants && (mask & want) == want;
    return (other & want) == want;
}
