/* SPDX-License-Identifier: MIT */
#include "iso/apdu.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"

enum { HEADER = 4, DATA_SHORT = 5, DATA_EXTENDED = 7 };

static _Thread_local char why_text[160];

static int malformed(const char **ret_why, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int malformed(const char **ret_why, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(why_text, sizeof why_text, format, args);
    va_end(args);
    if (ret_why)
        *ret_why = why_text;
    return RC_INVALID_VALUE;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* Why length bytes do not fit an Lc that stands before offset and calls for lc data bytes. */
static int misfit(const char **ret_why, size_t lc, size_t length, size_t offset)
{
    bool extended = offset == DATA_EXTENDED;
    const char *name = extended ? "extended Lc" : "Lc";
    size_t there = length - offset;

    if (there < lc)
        return malformed(ret_why, "%s says %zu data byte%s, %zu %s there", name, lc, plural(lc), there,
                         there == 1 ? "is" : "are");
    there -= lc;
    if (extended && there == 1)
        return malformed(ret_why, "1 byte follows the %zu data byte%s of extended Lc, an extended Le has 2",
                         lc, plural(lc));
    return malformed(ret_why, "%s says %zu data byte%s, %zu bytes follow them, Le has %s", name, lc,
                     plural(lc), there, extended ? "2" : "1");
}

static int parse_short(const uint8_t *bytes, size_t length, struct apdu *apdu, const char **ret_why)
{
    size_t lc = bytes[HEADER];

    if (length != DATA_SHORT + lc && length != DATA_SHORT + lc + 1)
        return misfit(ret_why, lc, length, DATA_SHORT);
    apdu->kind = APDU_3S;
    apdu->data = bytes + DATA_SHORT;
    apdu->lc = lc;
    if (length > DATA_SHORT + lc) {
        apdu->kind = APDU_4S;
        apdu->le = bytes[length - 1] ? bytes[length - 1] : 256;
    }
    return RC_OK;
}

static size_t extended_le(const uint8_t *at)
{
    size_t le = (size_t)at[0] << 8 | at[1];

    return le ? le : 65536;
}

/* The byte behind the header is 00, and it is not the last. */
static int parse_extended(const uint8_t *bytes, size_t length, struct apdu *apdu, const char **ret_why)
{
    size_t lc;

    if (length < DATA_EXTENDED)
        return malformed(ret_why,
                         "Lc is 00 and 1 byte follows; without data leave Lc out, an extended Le is 00 and "
                         "2 bytes");
    apdu->extended = true;
    if (length == DATA_EXTENDED) {
        apdu->kind = APDU_2E;
        apdu->le = extended_le(bytes + 5);
        return RC_OK;
    }
    lc = (size_t)bytes[5] << 8 | bytes[6];
    if (!lc)
        return malformed(ret_why, "extended Lc is 0, but %zu byte%s follow%s", length - DATA_EXTENDED,
                         plural(length - DATA_EXTENDED), length - DATA_EXTENDED == 1 ? "s" : "");
    if (length != DATA_EXTENDED + lc && length != DATA_EXTENDED + lc + 2)
        return misfit(ret_why, lc, length, DATA_EXTENDED);
    apdu->kind = APDU_3E;
    apdu->data = bytes + DATA_EXTENDED;
    apdu->lc = lc;
    if (length > DATA_EXTENDED + lc) {
        apdu->kind = APDU_4E;
        apdu->le = extended_le(bytes + length - 2);
    }
    return RC_OK;
}

/* The detail is logged, and the Lc in the words may be the first digit of a PIN whose Lc was forgotten. */
static void set_detail(const uint8_t *bytes, size_t length)
{
    size_t offset, count;

    if (apdu_secret_range(bytes, length, &offset, &count))
        (void)detail_set(RC_INVALID_VALUE, "malformed command APDU: Lc does not agree with its %zu bytes",
                         length);
    else
        (void)detail_set(RC_INVALID_VALUE, "malformed command APDU: %s", why_text);
}

int apdu_parse(const uint8_t *bytes, size_t length, struct apdu *ret_apdu, const char **ret_why)
{
    struct apdu apdu = {0};
    int rc = RC_OK;

    if (length < HEADER) {
        rc = malformed(ret_why, "%zu byte%s, the header CLA INS P1 P2 alone has 4", length, plural(length));
        set_detail(bytes, length);
        return rc;
    }
    apdu.cla = bytes[0];
    apdu.ins = bytes[1];
    apdu.p1 = bytes[2];
    apdu.p2 = bytes[3];
    if (length == HEADER) {
        apdu.kind = APDU_1;
    } else if (length == HEADER + 1) {
        apdu.kind = APDU_2S;
        apdu.le = bytes[HEADER] ? bytes[HEADER] : 256;
    } else if (bytes[HEADER]) {
        rc = parse_short(bytes, length, &apdu, ret_why);
    } else {
        rc = parse_extended(bytes, length, &apdu, ret_why);
    }
    if (!rc)
        *ret_apdu = apdu;
    else
        set_detail(bytes, length);
    return rc;
}

int apdu_build(const struct apdu *apdu, uint8_t *out, size_t capacity, size_t *ret_length)
{
    bool extended = apdu->extended || apdu->lc > 255 || apdu->le > 256;
    size_t length = HEADER, need;

    assert(apdu->data || !apdu->lc);
    if (apdu->lc > 65535)
        return detail_set(RC_INVALID_VALUE, "%zu data bytes, a command APDU holds 65535", apdu->lc);
    if (apdu->le > 65536)
        return detail_set(RC_INVALID_VALUE, "Le is %zu, a response APDU holds 65536 data bytes", apdu->le);
    need = HEADER + apdu->lc + (apdu->lc ? 1 : 0) + (apdu->le ? 1 : 0);
    if (extended) /* Lc grows by two bytes; Le by one, or two when it comes first and has the 00 */
        need += (apdu->lc ? 2U : 0U) + (apdu->le ? apdu->lc ? 1U : 2U : 0U);
    if (need > capacity) {
        *ret_length = need;
        return detail_set(RC_INSUFFICIENT_BUFFER, "command APDU has %zu bytes, the buffer %zu", need,
                          capacity);
    }
    out[0] = apdu->cla;
    out[1] = apdu->ins;
    out[2] = apdu->p1;
    out[3] = apdu->p2;
    if (extended && (apdu->lc || apdu->le))
        out[length++] = 0;
    if (apdu->lc) {
        if (extended)
            out[length++] = (uint8_t)(apdu->lc >> 8);
        out[length++] = (uint8_t)apdu->lc;
        memcpy(out + length, apdu->data, apdu->lc);
        length += apdu->lc;
    }
    if (apdu->le) { /* 256 and 65536 are written as zeros */
        if (extended)
            out[length++] = (uint8_t)(apdu->le >> 8);
        out[length++] = (uint8_t)apdu->le;
    }
    assert(length == need);
    *ret_length = length;
    return RC_OK;
}

/* Which of the two codings of channel and secure messaging a class follows, if any. */
enum coding { CODING_NONE, CODING_FIRST, CODING_FURTHER };

static enum coding coding_of(uint8_t cla)
{
    if (cla & 0x80) {
        unsigned high = cla >> 4;

        return high == 0x8 ? CODING_FIRST : high == 0xc || high == 0xe ? CODING_FURTHER : CODING_NONE;
    }
    return cla & 0x40 ? CODING_FURTHER : cla & 0x20 ? CODING_NONE : CODING_FIRST;
}

struct apdu_class apdu_class(uint8_t cla)
{
    struct apdu_class class = {.interindustry = !(cla & 0x80)};

    switch (coding_of(cla)) {
    case CODING_FIRST:
        class.secure_messaging = cla >> 2 & 3;
        class.channel = cla & 3;
        break;
    case CODING_FURTHER:
        class.secure_messaging = cla >> 5 & 1;
        class.channel = (uint8_t)((cla & 15) + 4);
        break;
    case CODING_NONE:
        return class;
    }
    class.chaining = class.interindustry && (cla & 0x10);
    return class;
}

uint8_t apdu_class_with_channel(uint8_t cla, uint8_t channel)
{
    struct apdu_class class = apdu_class(cla);
    enum coding coding = coding_of(cla);
    unsigned out = cla & 0x90U;

    assert(channel < 20);
    if (coding == CODING_NONE)
        return cla;
    if (channel >= 4)
        return (uint8_t)(out | 0x40 | (class.secure_messaging ? 0x20 : 0) | (channel - 4U));
    /* The one SM bit of channels 4…19 is clause 10 of ISO 7816-4, which channels 0…3 code as 10;
     * GlobalPlatform codes its own as 01. */
    if (coding == CODING_FURTHER && class.secure_messaging)
        class.secure_messaging = class.interindustry ? 2 : 1;
    return (uint8_t)(out | (unsigned)class.secure_messaging << 2 | channel);
}

bool apdu_secret_range(const uint8_t *bytes, size_t length, size_t *ret_offset, size_t *ret_length)
{
    static const uint8_t secret[] = {0x20, 0x21, 0x24, 0x25, 0x26, 0x28, 0x2c, 0x2d, 0x48, 0x82, 0xd8};
    size_t lc, offset = HEADER;

    if (length <= HEADER + 1 || !memchr(secret, bytes[1], sizeof secret))
        return false;
    lc = bytes[HEADER];
    if (lc && (length == DATA_SHORT + lc || length == DATA_SHORT + lc + 1)) {
        offset = DATA_SHORT;
    } else if (!lc && length > DATA_EXTENDED) {
        lc = (size_t)bytes[5] << 8 | bytes[6];
        if (length == DATA_EXTENDED + lc || length == DATA_EXTENDED + lc + 2)
            offset = DATA_EXTENDED;
    }
    *ret_offset = offset;
    *ret_length = length - offset;
    return true;
}

/* ISO 7816-4:2013, table 5; -7, -8, -9 and -13. */
static const char *const iso_names[256] = {
    [0x04] = "DEACTIVATE FILE",
    [0x06] = "DEACTIVATE RECORD",
    [0x07] = "DEACTIVATE RECORD",
    [0x08] = "ACTIVATE RECORD",
    [0x09] = "ACTIVATE RECORD",
    [0x0c] = "ERASE RECORD",
    [0x0d] = "ERASE RECORD",
    [0x0e] = "ERASE BINARY",
    [0x0f] = "ERASE BINARY",
    [0x10] = "PERFORM SCQL OPERATION",
    [0x11] = "PERFORM SCQL OPERATION",
    [0x12] = "PERFORM TRANSACTION OPERATION",
    [0x13] = "PERFORM TRANSACTION OPERATION",
    [0x14] = "PERFORM USER OPERATION",
    [0x15] = "PERFORM USER OPERATION",
    [0x20] = "VERIFY",
    [0x21] = "VERIFY",
    [0x22] = "MANAGE SECURITY ENVIRONMENT",
    [0x24] = "CHANGE REFERENCE DATA",
    [0x25] = "CHANGE REFERENCE DATA",
    [0x26] = "DISABLE VERIFICATION REQUIREMENT",
    [0x28] = "ENABLE VERIFICATION REQUIREMENT",
    [0x2a] = "PERFORM SECURITY OPERATION",
    [0x2b] = "PERFORM SECURITY OPERATION",
    [0x2c] = "RESET RETRY COUNTER",
    [0x2d] = "RESET RETRY COUNTER",
    [0x2e] = "PERFORM BIOMETRIC OPERATION",
    [0x2f] = "PERFORM BIOMETRIC OPERATION",
    [0x33] = "COMPARE",
    [0x34] = "GET ATTRIBUTE",
    [0x35] = "GET ATTRIBUTE",
    [0x40] = "APPLICATION MANAGEMENT REQUEST",
    [0x41] = "APPLICATION MANAGEMENT REQUEST",
    [0x44] = "ACTIVATE FILE",
    [0x46] = "GENERATE ASYMMETRIC KEY PAIR",
    [0x47] = "GENERATE ASYMMETRIC KEY PAIR",
    [0x48] = "IMPORT CARD SECRET",
    [0x70] = "MANAGE CHANNEL",
    [0x82] = "EXTERNAL AUTHENTICATE", /* MUTUAL AUTHENTICATE when Le is there */
    [0x84] = "GET CHALLENGE",
    [0x86] = "GENERAL AUTHENTICATE",
    [0x87] = "GENERAL AUTHENTICATE",
    [0x88] = "INTERNAL AUTHENTICATE",
    [0xa0] = "SEARCH BINARY",
    [0xa1] = "SEARCH BINARY",
    [0xa2] = "SEARCH RECORD",
    [0xa4] = "SELECT",
    [0xa5] = "SELECT DATA",
    [0xb0] = "READ BINARY",
    [0xb1] = "READ BINARY",
    [0xb2] = "READ RECORD",
    [0xb3] = "READ RECORD",
    [0xc0] = "GET RESPONSE",
    [0xc2] = "ENVELOPE",
    [0xc3] = "ENVELOPE",
    [0xca] = "GET DATA",
    [0xcb] = "GET DATA",
    [0xcc] = "GET NEXT DATA",
    [0xcd] = "GET NEXT DATA",
    [0xcf] = "MANAGE DATA",
    [0xd0] = "WRITE BINARY",
    [0xd1] = "WRITE BINARY",
    [0xd2] = "WRITE RECORD",
    [0xd6] = "UPDATE BINARY",
    [0xd7] = "UPDATE BINARY",
    [0xd8] = "PUT NEXT DATA",
    [0xd9] = "PUT NEXT DATA",
    [0xda] = "PUT DATA",
    [0xdb] = "PUT DATA",
    [0xdc] = "UPDATE RECORD",
    [0xdd] = "UPDATE RECORD",
    [0xde] = "UPDATE DATA",
    [0xdf] = "UPDATE DATA",
    [0xe0] = "CREATE FILE",
    [0xe2] = "APPEND RECORD",
    [0xe4] = "DELETE FILE",
    [0xe6] = "TERMINATE DF",
    [0xe8] = "TERMINATE EF",
    [0xea] = "LOAD APPLICATION",
    [0xeb] = "LOAD APPLICATION",
    [0xec] = "REMOVE APPLICATION",
    [0xed] = "REMOVE APPLICATION",
    [0xee] = "DELETE DATA",
    [0xfe] = "TERMINATE CARD USAGE",
};

struct name {
    uint8_t ins;
    const char *name;
};

/* GlobalPlatform Card Specification 2.3, 11; then EMV Book 3 and ETSI TS 102 221 where they do not clash. */
static const struct name gp_names[] = {
    {0x10, "TERMINAL PROFILE"},
    {0x12, "FETCH"},
    {0x14, "TERMINAL RESPONSE"},
    {0x16, "CARD BLOCK"},
    {0x18, "APPLICATION UNBLOCK"},
    {0x1e, "APPLICATION BLOCK"},
    {0x24, "PIN CHANGE/UNBLOCK"},
    {0x50, "INITIALIZE UPDATE"},
    {0x78, "END R-MAC SESSION"},
    {0x7a, "BEGIN R-MAC SESSION"},
    {0xa8, "GET PROCESSING OPTIONS"},
    {0xaa, "TERMINAL CAPABILITY"},
    {0xae, "GENERATE AC"},
    {0xd8, "PUT KEY"},
    {0xe2, "STORE DATA"},
    {0xe4, "DELETE"},
    {0xe6, "INSTALL"},
    {0xe8, "LOAD"},
    {0xf0, "SET STATUS"},
    {0xf2, "GET STATUS"},
};

/* GSM 11.11, 9.2, table 9; GSM 11.14. */
static const struct name gsm_names[] = {
    {0x04, "INVALIDATE"},    {0x10, "TERMINAL PROFILE"},
    {0x12, "FETCH"},         {0x14, "TERMINAL RESPONSE"},
    {0x20, "VERIFY CHV"},    {0x24, "CHANGE CHV"},
    {0x26, "DISABLE CHV"},   {0x28, "ENABLE CHV"},
    {0x2c, "UNBLOCK CHV"},   {0x32, "INCREASE"},
    {0x44, "REHABILITATE"},  {0x88, "RUN GSM ALGORITHM"},
    {0xa2, "SEEK"},          {0xa4, "SELECT"},
    {0xb0, "READ BINARY"},   {0xb2, "READ RECORD"},
    {0xc0, "GET RESPONSE"},  {0xc2, "ENVELOPE"},
    {0xd6, "UPDATE BINARY"}, {0xdc, "UPDATE RECORD"},
    {0xf2, "STATUS"},        {0xfa, "SLEEP"},
};

/* PC/SC part 3, 3.2.2.1 and its supplement 2. */
static const struct name pseudo_names[] = {
    {0x82, "LOAD KEYS"}, {0x86, "GENERAL AUTHENTICATE"}, {0xb0, "READ BINARY"}, {0xc2, "TRANSPARENT SESSION"},
    {0xca, "GET DATA"},  {0xd6, "UPDATE BINARY"},
};

static const char *find_name(const struct name *names, size_t count, uint8_t ins)
{
    for (size_t i = 0; i < count; i++)
        if (names[i].ins == ins)
            return names[i].name;
    return NULL;
}

const char *apdu_instruction_name(uint8_t cla, uint8_t ins)
{
    const char *name;

    if (!(cla & 0x80))
        return iso_names[ins];
    if (cla == 0xa0)
        return find_name(gsm_names, sizeof gsm_names / sizeof *gsm_names, ins);
    if (cla == 0xff)
        return find_name(pseudo_names, sizeof pseudo_names / sizeof *pseudo_names, ins);
    if (coding_of(cla) == CODING_NONE)
        return NULL;
    name = find_name(gp_names, sizeof gp_names / sizeof *gp_names, ins);
    return name ? name : iso_names[ins];
}
