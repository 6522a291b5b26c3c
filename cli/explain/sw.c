/* SPDX-License-Identifier: MIT */
#include "cli/explain/sw.h"

#include <stdio.h>
#include <string.h>

struct row {
    uint16_t sw;
    const char *text;
};

/* GlobalPlatform 2.3.1, 11.1.3 and the tables of each command. */
static const struct row gp[] = {
    {0x6200, "the logical channel is closed already"},
    {0x6283, "the card is locked (CARD_LOCKED)"},
    {0x6300, "the host's cryptogram is wrong"},
    {0x6310, "more data: repeat GET STATUS for the next entries"},
    {0x6581, "memory failure"},
    {0x6982, "security status not satisfied: a secure channel is needed first"},
    {0x6985, "conditions of use not satisfied"},
    {0x6A80, "wrong data in the command"},
    {0x6A82, "application not found"},
    {0x6A84, "not enough memory on the card"},
    {0x6A88, "referenced data not found"},
    {0x9484, "algorithm not supported"},
    {0x9485, "key check value is wrong"},
};

/* EMV 4.3, Book 1, 11 and 12.3; Book 3, 6. */
static const struct row emv[] = {
    {0x6283, "the application is blocked"},
    {0x6700, "wrong length"},
    {0x6983, "the PIN is blocked"},
    {0x6984, "the PIN is not usable"},
    {0x6985, "conditions of use not satisfied: the card declines"},
    {0x6A81, "the card is blocked, or SELECT is not supported"},
    {0x6A82, "application or file not found"},
    {0x6A83, "no more records in the file"},
    {0x6A88, "data object not found"},
};

/* ETSI TS 102 221, 10.2.1; GSM 11.11, 9.4, without what iso/sw has to say about others than SIMs. */
static const struct row sim[] = {
    {0x6982, "access condition not fulfilled: a PIN is needed first"},
    {0x6983, "the PIN is blocked"},
    {0x6984, "the PIN is disabled or not usable"},
    {0x6999, "security status not satisfied"},
    {0x9210, "not enough memory"},
    {0x9240, "memory problem"},
    {0x9400, "no EF selected"},
    {0x9402, "address out of range"},
    {0x9404, "file or pattern not found"},
    {0x9408, "command does not fit the file"},
    {0x9802, "no CHV initialised"},
    {0x9804, "access condition not fulfilled, or CHV wrong with tries left"},
    {0x9808, "contradicts the CHV status"},
    {0x9810, "contradicts the invalidation status"},
    {0x9840, "CHV or unblock CHV wrong, no try left: blocked"},
    {0x9850, "cannot increase, maximum reached"},
};

/* NIST SP 800-73-4, part 2, 3. */
static const struct row piv[] = {
    {0x6300, "verification failed"},
    {0x6982, "security status not satisfied: verify the PIN or authenticate the management key first"},
    {0x6983, "the PIN or PUK is blocked"},
    {0x6A80, "wrong data in the command"},
    {0x6A82, "data object or application not found: the slot is empty"},
    {0x6A84, "not enough memory"},
    {0x6A88, "key not found"},
};

/* OpenPGP card 3.4, 7.1 and 7.2. */
static const struct row openpgp[] = {
    {0x6285, "the application is terminated: ACTIVATE FILE makes it usable again"},
    {0x640E, "out of memory"},
    {0x6581, "memory failure"},
    {0x6600, "security-related error: often the touch for confirmation was missing"},
    {0x6982, "wrong PIN, or a PIN is needed first"},
    {0x6983, "the PIN is blocked"},
    {0x6985, "conditions of use not satisfied: often there is no key"},
    {0x6A80, "wrong data in the command"},
    {0x6A88, "data or key not found"},
};

/* FIDO U2F raw messages 1.2, 3.3; CTAP 2.1, 11.3.7. */
static const struct row fido[] = {
    {0x6985, "touch the device and repeat"},
    {0x6A80, "the key handle is not of this device or application"},
    {0x9100, "still busy: ask with CTAP GET RESPONSE"},
};

/* Yubico's OATH protocol. */
static const struct row oath[] = {
    {0x6982, "a password is needed first (VALIDATE)"},
    {0x6984, "no such account"},
    {0x6A80, "wrong data in the command"},
    {0x6A84, "no room for another account"},
    {0x6581, "error"},
};

/* PC/SC part 3, revision 2.02, 3.2.2.1: of LOAD KEYS 638x and 6988, of the others as in ISO 7816-4. */
static const struct row reader[] = {
    {0x6281, "part of the data may be corrupted"},
    {0x6282, "end of data before Le bytes"},
    {0x6300, "no information: often the card did not answer or the key is wrong"},
    {0x6382, "card keys are not supported"},
    {0x6383, "reader keys are not supported"},
    {0x6384, "keys in the clear are not supported"},
    {0x6385, "encrypted keys are not supported"},
    {0x6386, "no volatile memory for keys"},
    {0x6387, "no permanent memory for keys"},
    {0x6388, "no such key number"},
    {0x6389, "wrong length of the key"},
    {0x6581, "memory failure"},
    {0x6981, "command does not fit the card"},
    {0x6982, "security status not satisfied: authenticate the block first"},
    {0x6983, "authentication cannot be done"},
    {0x6984, "the key is not usable"},
    {0x6986, "key type not known, or command not allowed"},
    {0x6988, "no such key number"},
    {0x6A81, "function not supported, by the reader or for this card"},
    {0x6A82, "no such block or byte"},
};

static const struct {
    const struct row *rows;
    size_t count;
} tables[EXPLAIN_CONTEXTS] = {
#define TABLE(context, name) [context] = {name, sizeof name / sizeof *name}
    TABLE(EXPLAIN_GP, gp),     TABLE(EXPLAIN_EMV, emv),         TABLE(EXPLAIN_SIM, sim),
    TABLE(EXPLAIN_PIV, piv),   TABLE(EXPLAIN_OPENPGP, openpgp), TABLE(EXPLAIN_FIDO, fido),
    TABLE(EXPLAIN_OATH, oath), TABLE(EXPLAIN_READER, reader),
#undef TABLE
};

/* What iso/sw tells of two standards is cut to one. */
static bool describe_91(uint8_t sw2, enum explain_context context, char *text, size_t capacity)
{
    static const char other[] = "; DESFire: ";
    char *found;

    if (context == EXPLAIN_DESFIRE && (!sw2 || sw2 == 0xAF)) {
        (void)snprintf(text, capacity, "%s", sw2 ? "done, another frame follows" : "done");
        return true;
    }
    if (context == EXPLAIN_SIM && !sw2) {
        (void)snprintf(text, capacity, "done, a proactive command waits");
        return true;
    }
    (void)sw_describe((uint16_t)(0x9100 | sw2), text, capacity);
    found = strstr(text, other);
    if (context == EXPLAIN_DESFIRE && found)
        memmove(text, found + sizeof other - 1, strlen(found + sizeof other - 1) + 1);
    else if (context == EXPLAIN_DESFIRE)
        (void)snprintf(text, capacity, "unknown status");
    else if (context == EXPLAIN_SIM && found)
        *found = '\0';
    return context == EXPLAIN_DESFIRE || context == EXPLAIN_SIM;
}

const char *explain_sw(uint16_t sw, enum explain_context context, char *text, size_t capacity)
{
    for (size_t i = 0; i < tables[context].count; i++) {
        if (tables[context].rows[i].sw == sw) {
            (void)snprintf(text, capacity, "%s", tables[context].rows[i].text);
            return text;
        }
    }
    if (sw >> 8 == 0x91 && describe_91((uint8_t)sw, context, text, capacity))
        return text;
    return sw_describe(sw, text, capacity);
}

const char *explain_sw_of(const uint8_t *command, size_t length, uint16_t sw, enum explain_context context,
                          char *text, size_t capacity)
{
    /* VERIFY, CHANGE REFERENCE DATA, DISABLE and ENABLE VERIFICATION REQUIREMENT, RESET RETRY COUNTER */
    static const uint8_t verifying[] = {0x20, 0x21, 0x24, 0x25, 0x26, 0x28, 0x2C, 0x2D};
    unsigned count = sw & 15;

    if (length)
        context = explain_context_for(command[0], context);
    if ((sw & 0xFFF0) != 0x63C0 || length < 2 || !memchr(verifying, command[1], sizeof verifying))
        return explain_sw(sw, context, text, capacity);
    /* Without data VERIFY asks for the tries (ISO 7816-4:2013, 11.5.6): nothing has failed. */
    (void)snprintf(text, capacity, "%s, %u tr%s left", length > 5 ? "verification failed" : "not verified",
                   count, count == 1 ? "y" : "ies");
    return text;
}
