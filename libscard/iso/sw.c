/* SPDX-License-Identifier: MIT */
#include "iso/sw.h"

#include <stdio.h>

struct word {
    uint16_t sw;
    const char *text;
};

/*
 * ISO 7816-4:2013, tables 6 and 7, with what PIN pads put into 64xx (PC/SC part 10, 2.5.11) and what UICCs
 * add (TS 102 221, 10.2.1); then GSM 11.11, 9.4.
 */
static const struct word words[] = {
    {0x6200, "warning, nothing changed"},
    {0x6281, "part of the data may be corrupted"},
    {0x6282, "end of file or record before Le bytes, or search without success"},
    {0x6283, "selected file is deactivated"},
    {0x6284, "file control information is not in the expected form"},
    {0x6285, "selected file is terminated"},
    {0x6286, "no input from a sensor on the card"},
    {0x6287, "a referenced record is deactivated"},
    {0x62f1, "more data available (UICC)"},
    {0x62f2, "more data available and a proactive command waits (UICC)"},
    {0x62f3, "response data available (UICC)"},
    {0x6300, "warning, memory changed; often: verification failed"},
    {0x6381, "file filled up by the last write"},
    {0x63f1, "more data expected (UICC)"},
    {0x63f2, "more data expected and a proactive command waits (UICC)"},
    {0x6400, "execution error, nothing changed; from a PIN pad: no entry in time"},
    {0x6401, "card needs an immediate response; from a PIN pad: cancelled by the user"},
    {0x6402, "from a PIN pad: the two entries of the new PIN differ"},
    {0x6403, "from a PIN pad: PIN too short or too long"},
    {0x6480, "from a PIN pad: key pressed out of order"},
    {0x6500, "execution error, memory changed"},
    {0x6581, "memory failure"},
    {0x6600, "security-related error"},
    {0x6700, "wrong length"},
    {0x6701, "command APDU not in the form that CLA says"},
    {0x6702, "Lc is not the expected one"},
    {0x6800, "function in CLA not supported"},
    {0x6881, "logical channel not supported"},
    {0x6882, "secure messaging not supported"},
    {0x6883, "last command of the chain expected"},
    {0x6884, "command chaining not supported"},
    {0x6900, "command not allowed"},
    {0x6981, "command does not fit the structure of the file"},
    {0x6982, "security status not satisfied"},
    {0x6983, "authentication method blocked"},
    {0x6984, "reference data not usable"},
    {0x6985, "conditions of use not satisfied"},
    {0x6986, "command not allowed, no current EF"},
    {0x6987, "secure messaging data objects missing"},
    {0x6988, "secure messaging data objects incorrect"},
    {0x6999, "applet selection failed (Java Card)"},
    {0x6a00, "wrong P1 or P2"},
    {0x6a80, "wrong data in the command"},
    {0x6a81, "function not supported"},
    {0x6a82, "file or application not found"},
    {0x6a83, "record not found"},
    {0x6a84, "not enough memory in the file"},
    {0x6a85, "Lc does not agree with the TLV structure"},
    {0x6a86, "wrong P1 or P2"},
    {0x6a87, "Lc does not agree with P1 and P2"},
    {0x6a88, "referenced data not found"},
    {0x6a89, "file exists already"},
    {0x6a8a, "DF name exists already"},
    {0x6b00, "wrong P1 or P2, or offset outside the file"},
    {0x6d00, "instruction not supported or invalid"},
    {0x6e00, "class not supported"},
    {0x6f00, "error without a precise diagnosis"},
    {0x9000, "done"},
    {0x9210, "not enough memory (UICC)"},
    {0x9240, "memory problem (SIM)"},
    {0x9300, "SIM application toolkit is busy"},
    {0x9400, "no EF selected (SIM)"},
    {0x9402, "address out of range (SIM)"},
    {0x9404, "file or pattern not found (SIM)"},
    {0x9408, "command does not fit the file (SIM)"},
    {0x9802, "no CHV initialised (SIM)"},
    {0x9804, "access condition not fulfilled, or CHV wrong with tries left (SIM)"},
    {0x9808, "contradicts the CHV status (SIM)"},
    {0x9810, "contradicts the invalidation status (SIM)"},
    {0x9840, "CHV or unblock CHV wrong, no try left: blocked (SIM)"},
    {0x9850, "cannot increase, maximum reached (SIM)"},
    {0x9862, "authentication error, incorrect MAC (UICC)"},
    {0x9863, "authentication error, security session or association expired (UICC)"},
    {0x9864, "authentication error, security context not supported (UICC)"},
    {0x9865, "key freshness failure (UICC)"},
    {0x9866, "authentication error, no memory available (UICC)"},
    {0x9867, "authentication error, no memory available in EF MUK (UICC)"},
};

/* Meaning of an SW1 whose SW2 says nothing known. */
static const char *const families[256] = {
    [0x62] = "warning, nothing changed",
    [0x63] = "warning, memory changed",
    [0x64] = "execution error, nothing changed",
    [0x65] = "execution error, memory changed",
    [0x66] = "security-related error",
    [0x67] = "wrong length",
    [0x68] = "function in CLA not supported",
    [0x69] = "command not allowed",
    [0x6a] = "wrong parameters or data",
    [0x6b] = "wrong P1 or P2",
    [0x6d] = "instruction not supported or invalid",
    [0x6e] = "class not supported",
    [0x6f] = "error without a precise diagnosis",
    [0x92] = "memory management (SIM)",
    [0x94] = "referencing error (SIM)",
    [0x98] = "security error (SIM)",
};

/* DESFire native errors in 91xx; 00 is success and AF asks for the next frame. */
static const struct word desfire_errors[] = {
    {0x0c, "no changes"},
    {0x0e, "out of memory"},
    {0x1c, "illegal command"},
    {0x1e, "integrity error"},
    {0x40, "no such key"},
    {0x7e, "length error"},
    {0x9d, "permission denied"},
    {0x9e, "parameter error"},
    {0xa0, "application not found"},
    {0xa1, "application integrity error"},
    {0xae, "authentication error"},
    {0xbe, "boundary error"},
    {0xc1, "card integrity error"},
    {0xca, "command aborted"},
    {0xcd, "card disabled"},
    {0xce, "too many applications"},
    {0xde, "duplicate"},
    {0xee, "memory error"},
    {0xf0, "file not found"},
    {0xf1, "file integrity error"},
};

static const char *find_word(const struct word *table, size_t count, uint16_t sw)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].sw == sw)
            return table[i].text;
    return NULL;
}

static const char *desfire_error(uint8_t sw2)
{
    return find_word(desfire_errors, sizeof desfire_errors / sizeof *desfire_errors, sw2);
}

enum sw_class sw_classify(uint16_t sw)
{
    uint8_t sw1 = (uint8_t)(sw >> 8), sw2 = (uint8_t)sw;

    if (sw == 0x9000 || sw1 == 0x61 || sw1 == 0x9f || (sw1 == 0x92 && sw2 < 16))
        return SW_DONE;
    if (sw1 == 0x91)
        return desfire_error(sw2) ? SW_ERROR : SW_DONE;
    if (sw1 == 0x63 && sw2 >> 4 == 0xc)
        return SW_TRIES_LEFT;
    if (sw1 == 0x62 || sw1 == 0x63)
        return SW_WARNING;
    return SW_ERROR;
}

bool sw_is_success(uint16_t sw)
{
    switch (sw >> 8) {
    case 0x61:
    case 0x62:
        return true;
    case 0x63:
        return (sw & 0xF0) != 0xC0;
    default:
        return sw == 0x9000;
    }
}

/* 00 stands for 256, as it does in Le (ISO 7816-4:2013, 5.6). */
static unsigned byte_count(uint8_t sw2)
{
    return sw2 ? sw2 : 256;
}

static void describe_91(uint8_t sw2, char *text, size_t capacity)
{
    const char *error = desfire_error(sw2);

    if (!sw2)
        (void)snprintf(text, capacity, "done (DESFire)");
    else if (sw2 == 0xaf)
        (void)snprintf(text, capacity, "done, a proactive command of 175 bytes waits; DESFire: next frame");
    else if (error)
        (void)snprintf(text, capacity, "done, a proactive command of %u bytes waits; DESFire: %s", sw2,
                       error);
    else
        (void)snprintf(text, capacity, "done, a proactive command of %u byte%s waits", sw2,
                       sw2 == 1 ? "" : "s");
}

/* Words whose SW2 is a number. False when this is none of them. */
static bool describe_number(uint16_t sw, char *text, size_t capacity)
{
    uint8_t sw1 = (uint8_t)(sw >> 8), sw2 = (uint8_t)sw;
    unsigned count = byte_count(sw2), low = sw2 & 15;
    const char *s = count == 1 ? "" : "s";

    if (sw1 == 0x61)
        (void)snprintf(text, capacity, "done, %u%s byte%s more by GET RESPONSE", count, sw2 ? "" : " or more",
                       s);
    else if (sw1 == 0x6c)
        (void)snprintf(text, capacity, "wrong Le, %u byte%s available", count, s);
    else if ((sw & 0xfff0) == 0x63c0)
        (void)snprintf(text, capacity, "verification failed, %u tr%s left (elsewhere: counter is %u)", low,
                       low == 1 ? "y" : "ies", low);
    else if (sw1 == 0x62 && sw2 >= 0x02 && sw2 <= 0x80)
        (void)snprintf(text, capacity, "card asks for a query of %u bytes first, nothing changed", sw2);
    else if (sw1 == 0x64 && sw2 > 0x03 && sw2 < 0x80)
        (void)snprintf(text, capacity, "card asks for a query of %u bytes first", sw2);
    else if (sw1 == 0x9f)
        (void)snprintf(text, capacity, "done, %u byte%s of response data (SIM)", count, s);
    else if (sw1 == 0x9e)
        (void)snprintf(text, capacity, "data download error, %u byte%s of response data (SIM)", count, s);
    else if (sw1 == 0x91)
        describe_91(sw2, text, capacity);
    else if (sw1 == 0x92 && sw2 < 16)
        (void)snprintf(text, capacity, "done after %u internal retr%s (SIM)", low, low == 1 ? "y" : "ies");
    else
        return false;
    return true;
}

const char *sw_describe(uint16_t sw, char *text, size_t capacity)
{
    const char *found = find_word(words, sizeof words / sizeof *words, sw);

    if (!found && describe_number(sw, text, capacity))
        return text;
    if (!found)
        found = families[sw >> 8];
    (void)snprintf(text, capacity, "%s", found ? found : "unknown status");
    return text;
}
