/* SPDX-License-Identifier: MIT */
#include "cli/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct pair {
    const char *word;
    DWORD number;
};

static bool find_word(const struct pair *pairs, const char *word, DWORD *ret_number)
{
    for (; pairs->word != NULL; pairs++) {
        if (strcasecmp(pairs->word, word) == 0) {
            *ret_number = pairs->number;
            return true;
        }
    }
    return false;
}

static const char *find_number(const struct pair *pairs, DWORD number)
{
    for (; pairs->word != NULL; pairs++)
        if (pairs->number == number)
            return pairs->word;
    return NULL;
}

static const struct pair shares[] = {{"shared", SCARD_SHARE_SHARED},
                                     {"exclusive", SCARD_SHARE_EXCLUSIVE},
                                     {"direct", SCARD_SHARE_DIRECT},
                                     {0}};

static const struct pair protocols[] = {{"t0", SCARD_PROTOCOL_T0},
                                        {"t1", SCARD_PROTOCOL_T1},
                                        {"any", SCARD_PROTOCOL_ANY},
                                        {"raw", SCARD_PROTOCOL_RAW},
                                        {"t=0", SCARD_PROTOCOL_T0},
                                        {"t=1", SCARD_PROTOCOL_T1},
                                        {0}};

static const struct pair dispositions[] = {{"leave", SCARD_LEAVE_CARD},
                                           {"reset", SCARD_RESET_CARD},
                                           {"unpower", SCARD_UNPOWER_CARD},
                                           {"eject", SCARD_EJECT_CARD},
                                           {0}};

static const struct pair scopes[] = {{"user", SCARD_SCOPE_USER},
                                     {"terminal", SCARD_SCOPE_TERMINAL},
                                     {"system", SCARD_SCOPE_SYSTEM},
                                     {"global", SCARD_SCOPE_GLOBAL},
                                     {0}};

const char *names_share(DWORD share)
{
    return find_number(shares, share);
}

bool names_share_parse(const char *word, DWORD *ret_share)
{
    return find_word(shares, word, ret_share);
}

const char *names_protocol(DWORD protocol)
{
    switch (protocol) {
    case SCARD_PROTOCOL_T0:
        return "T=0";
    case SCARD_PROTOCOL_T1:
        return "T=1";
    case SCARD_PROTOCOL_RAW:
        return "raw";
    default:
        return "none";
    }
}

bool names_protocol_parse(const char *word, DWORD *ret_protocols)
{
    return find_word(protocols, word, ret_protocols);
}

const char *names_disposition(DWORD disposition)
{
    return find_number(dispositions, disposition);
}

bool names_disposition_parse(const char *word, DWORD *ret_disposition)
{
    return find_word(dispositions, word, ret_disposition);
}

bool names_scope_parse(const char *word, DWORD *ret_scope)
{
    return find_word(scopes, word, ret_scope);
}

bool names_duration_parse(const char *text, int64_t *ret_ms)
{
    double value, factor;
    char *end;

    /* strtod knows signs, "inf", "nan" and hex; a duration has none of them. */
    if (strspn(text, "0123456789.") == 0)
        return false;
    for (const char *c = text; *c != '\0'; c++)
        if (strchr("0123456789.sm", *c) == NULL)
            return false;
    value = strtod(text, &end);
    if (end == text)
        return false;
    if (*end == '\0' || strcmp(end, "s") == 0)
        factor = 1000;
    else if (strcmp(end, "ms") == 0)
        factor = 1;
    else if (strcmp(end, "m") == 0)
        factor = 60000;
    else
        return false;
    value *= factor;
    if (value > 2147483647.0)
        return false;
    *ret_ms = (int64_t)value;
    if ((double)*ret_ms < value)
        ++*ret_ms;
    return true;
}

bool names_number_parse(const char *text, uint64_t *ret_number)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;
    unsigned long long number;
    char *end;

    if (digits[0] == '\0' || digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")] != '\0')
        return false;
    errno = 0;
    number = strtoull(digits, &end, hex ? 16 : 10);
    if (errno != 0 || *end != '\0')
        return false;
    *ret_number = number;
    return true;
}
