/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/doctor/parse.h"

/* One assignment or comparison of a rule: KEY{name}OP"value". udev(7). */
struct term {
    char key[64]; /* with its {name} */
    char op[3];
    char value[128];
};

/* The term at *at, up to end; false: no more that can be read. */
static bool next_term(const char **at, const char *end, struct term *term)
{
    const char *p = *at;
    size_t length = 0;

    while (p < end && strchr(", \t\\\n", *p) != NULL)
        p++;
    while (p < end && *p != '=' && *p != '!' && *p != '+' && *p != '-' && *p != ':' && *p != ' ' &&
           length < sizeof term->key - 1)
        term->key[length++] = *p++;
    term->key[length] = '\0';
    while (p < end && *p == ' ')
        p++;
    for (length = 0; p < end && length < sizeof term->op - 1 && strchr("=!+-:", *p) != NULL; p++)
        term->op[length++] = *p;
    term->op[length] = '\0';
    while (p < end && *p == ' ')
        p++;
    if (length == 0 || p >= end || *p != '"')
        return false;
    for (length = 0, p++; p < end && *p != '"'; p++)
        if (length < sizeof term->value - 1)
            term->value[length++] = *p;
    term->value[length] = '\0';
    if (p >= end)
        return false;
    *at = p + 1;
    return true;
}

static bool is_id(const char *value, uint16_t id)
{
    char text[8];

    snprintf(text, sizeof text, "%04x", id);
    /* Patterns such as "34*" or "5111|5115" are taken for what they are meant to be. */
    for (const char *p = value; *p != '\0'; p += strcspn(p, "|"), p += *p == '|') {
        size_t length = strcspn(p, "|"), same = 0;

        while (same < length && same < 4 && (p[same] == '?' || tolower((unsigned char)p[same]) == text[same]))
            same++;
        if ((same == 4 && length == 4) || (same < length && p[same] == '*'))
            return true;
    }
    return false;
}

struct match {
    bool readers, property, vendor, product, other_vendor, other_product, skips;
};

static void look_at_match(const struct term *term, uint16_t vendor, uint16_t product, struct match *match)
{
    bool equal = strcmp(term->op, "==") == 0;

    if (strstr(term->key, "idVendor") != NULL || strcmp(term->key, "ENV{ID_VENDOR_ID}") == 0)
        *(equal && is_id(term->value, vendor) ? &match->vendor : &match->other_vendor) = true;
    else if (strstr(term->key, "idProduct") != NULL || strcmp(term->key, "ENV{ID_MODEL_ID}") == 0)
        *(equal && is_id(term->value, product) ? &match->product : &match->other_product) = true;
    else if (equal && strcmp(term->key, "ENV{ID_USB_INTERFACES}") == 0 && strstr(term->value, ":0b") != NULL)
        match->readers = true;
    else if (equal && strstr(term->key, "bInterfaceClass") != NULL && strcmp(term->value, "0b") == 0)
        match->readers = true;
    else if (equal && strcmp(term->key, "ENV{ID_SMARTCARD_READER}") == 0)
        match->property = true;
    else if (strcmp(term->key, "GOTO") == 0)
        match->skips = true;
}

static void take(const struct term *term, struct parse_rules *rules)
{
    bool plain = strcmp(term->op, "=") == 0 || strcmp(term->op, ":=") == 0;

    if (strcmp(term->key, "TAG") == 0 && strcmp(term->op, "+=") == 0 && strcmp(term->value, "uaccess") == 0)
        rules->uaccess = true;
    else if (plain && strcmp(term->key, "ENV{ID_SMARTCARD_READER}") == 0 && term->value[0] != '\0')
        rules->reader = true;
    else if (plain && strcmp(term->key, "ENV{PCSCLITE_IGNORE}") == 0 && term->value[0] == '1')
        rules->ignored = true;
    else if (plain && strcmp(term->key, "GROUP") == 0)
        snprintf(rules->group, sizeof rules->group, "%.63s", term->value);
    else if (plain && strcmp(term->key, "MODE") == 0)
        snprintf(rules->mode, sizeof rules->mode, "%.7s", term->value);
}

static void look_at_rule(const char *at, const char *end, uint16_t vendor, uint16_t product,
                         struct parse_rules *rules)
{
    struct match match = {0};
    const char *again = at;
    struct term term;

    while (next_term(&at, end, &term))
        look_at_match(&term, vendor, product, &match);
    if (match.skips || match.other_vendor || match.other_product)
        return;
    if (match.property) {
        while (next_term(&again, end, &term))
            rules->by_reader |= strcmp(term.key, "TAG") == 0 && strcmp(term.value, "uaccess") == 0;
        return;
    }
    if (!match.readers && !match.vendor)
        return;
    rules->matches = true;
    while (next_term(&again, end, &term))
        take(&term, rules);
}

void parse_rules(const char *text, uint16_t vendor, uint16_t product, struct parse_rules *ret_rules)
{
    *ret_rules = (struct parse_rules){0};
    while (*text != '\0') {
        const char *end = text + strcspn(text, "\n");

        /* A backslash before the line end joins lines. */
        while (*end == '\n' && end > text && end[-1] == '\\')
            end += 1 + strcspn(end + 1, "\n");
        text += strspn(text, " \t");
        if (text < end && *text != '#')
            look_at_rule(text, end, vendor, product, ret_rules);
        text = end + (*end == '\n');
    }
}

/* The content of the element that follows <key>NAME</key>; NULL: there is none. */
static const char *plist_behind(const char *text, const char *name)
{
    char key[96];
    const char *at;

    snprintf(key, sizeof key, "<key>%s</key>", name);
    at = strstr(text, key);
    return at != NULL ? at + strlen(key) : NULL;
}

/* The next <string> of an array as a number; false: the array ends. What is no number is UINT16_MAX + 1. */
static bool next_entry(const char **at, uint32_t *ret_id)
{
    static const char string[] = "<string>";
    const char *open = *at != NULL ? strstr(*at, string) : NULL;
    const char *end = *at != NULL ? strstr(*at, "</array>") : NULL;
    unsigned value;

    if (open == NULL || end == NULL || open > end)
        return false;
    *at = open + sizeof string - 1;
    *ret_id = sscanf(*at, " 0x%4x", &value) == 1 ? value : UINT16_MAX + 1;
    return true;
}

bool parse_bundle(const char *text, uint16_t vendor, uint16_t product)
{
    const char *vendors = plist_behind(text, "ifdVendorID"), *products = plist_behind(text, "ifdProductID");
    uint32_t a, b;

    while (next_entry(&vendors, &a) && next_entry(&products, &b))
        if (a == vendor && b == product)
            return true;
    return false;
}

bool parse_bundle_version(const char *text, char *version, size_t room)
{
    static const char string[] = "<string>";
    const char *at = plist_behind(text, "CFBundleShortVersionString");
    size_t length;

    version[0] = '\0';
    if (at == NULL)
        return false;
    at += strspn(at, " \t\r\n");
    if (strncmp(at, string, sizeof string - 1) != 0)
        return false;
    at += sizeof string - 1;
    length = strcspn(at, "<\n");
    if (length >= room)
        length = room - 1;
    memcpy(version, at, length);
    version[length] = '\0';
    return true;
}
