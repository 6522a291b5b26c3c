/* SPDX-License-Identifier: MIT */
/* explain_parameters */
#include "cli/explain/bytes.h"
#include "iso/apdu.h"

struct place {
    const uint8_t *header;
    enum explain_context context;
    size_t base;
    unsigned depth;
    struct explanation *out;
};

#define P1(...) explanation_add(place->out, place->depth, place->base + 2, 1, "P1", __VA_ARGS__)
#define P2(...) explanation_add(place->out, place->depth, place->base + 3, 1, "P2", __VA_ARGS__)
#define BOTH(...) explanation_add(place->out, place->depth, place->base + 2, 2, "P1 P2", __VA_ARGS__)

/* ISO 7816-4:2013, tables 63 and 64. */
static void add_select(const struct place *place)
{
    static const char *const occurrences[4] = {"first or only one", "last one", "next one", "previous one"};
    static const char *const answers[4] = {"control information (FCI)", "control parameters (FCP)",
                                           "management data (FMD)", "no data, or proprietary"};
    const char *how = "reserved";

    switch (place->header[2]) {
    case 0x00:
        how = "by file identifier";
        break;
    case 0x01:
        how = "child directory";
        break;
    case 0x02:
        how = "file in this directory";
        break;
    case 0x03:
        how = "parent directory";
        break;
    case 0x04:
        how = "by name";
        break;
    case 0x08:
        how = "by path from the master file";
        break;
    case 0x09:
        how = "by path from here";
        break;
    default:
        break;
    }
    P1("%s", how);
    if (place->header[0] == 0xA0)
        P2("%s", "");
    else
        P2("%s, answer: %s", occurrences[place->header[3] & 3], answers[place->header[3] >> 2 & 3]);
}

/* ISO 7816-4:2013, 11.2.3: with bit 8 of P1 a short file identifier and an offset of one byte. */
static void add_binary(const struct place *place)
{
    uint8_t p1 = place->header[2], p2 = place->header[3];

    if (place->header[1] & 1)
        BOTH("%s", p1 || p2 ? "file identifier; the offset is in the data"
                            : "current file; the offset is in the data");
    else if (p1 & 0x80 && !(p1 & 0x60))
        BOTH("file %u (short identifier), offset %u", p1 & 31, p2);
    else
        BOTH("offset %u", (p1 & 0x7F) << 8 | p2);
}

/* ISO 7816-4:2013, 11.3.1. */
static void add_record(const struct place *place)
{
    uint8_t p1 = place->header[2], file = place->header[3] >> 3, how = place->header[3] & 7;
    static const char *const hows[8] = {"first with this identifier",
                                        "last with this identifier",
                                        "next with this identifier",
                                        "previous with this identifier",
                                        "this record",
                                        "all from this one on",
                                        "all from the last up to this",
                                        "reserved"};

    if (p1)
        P1("record %s%u", how < 4 ? "identifier " : "", p1);
    else
        P1("current record");
    if (file)
        P2("file %u (short identifier), %s", file, hows[how]);
    else
        P2("current file, %s", hows[how]);
}

static const char *piv_key(uint8_t reference)
{
    switch (reference) {
    case 0x00:
        return "global PIN";
    case 0x80:
        return "PIN";
    case 0x81:
        return "PUK";
    case 0x9A:
        return "key for authentication";
    case 0x9B:
        return "management key";
    case 0x9C:
        return "key for signatures";
    case 0x9D:
        return "key for key management";
    case 0x9E:
        return "key for card authentication";
    case 0xF9:
        return "attestation key";
    default:
        return reference >= 0x82 && reference <= 0x95 ? "retired key" : NULL;
    }
}

static const char *openpgp_pin(uint8_t reference)
{
    return reference == 0x81   ? "user PIN, for signatures (PW1)"
           : reference == 0x82 ? "user PIN, for the rest (PW1)"
           : reference == 0x83 ? "admin PIN (PW3)"
                               : NULL;
}

/* ISO 7816-4:2013, table 95. */
static void add_reference(const struct place *place)
{
    uint8_t reference = place->header[3];
    const char *name = place->context == EXPLAIN_PIV       ? piv_key(reference)
                       : place->context == EXPLAIN_OPENPGP ? openpgp_pin(reference)
                                                           : NULL;

    P1("%s", place->header[2] == 0xFF && place->header[1] == 0x20 ? "forget the verification" : "");
    if (name)
        P2("%s", name);
    else if (!reference)
        P2("no reference: the card knows which");
    else
        P2("%s reference %u", reference & 0x80 ? "application's" : "global", reference & 0x1F);
}

static void add_tag(const struct place *place)
{
    uint32_t tag = (uint32_t)place->header[2] << 8 | place->header[3];
    const char *name = explain_tag(tag, place->context);

    if (tag == 0x3FFF)
        BOTH("current directory; the tag is in the data");
    else if (name)
        BOTH("tag %02X: %s", tag, name);
    else
        BOTH("tag %02X", tag);
}

static void add_channel(const struct place *place)
{
    if (place->header[2] == 0x80)
        BOTH("close channel %u", place->header[3]);
    else if (place->header[2] == 0x00 && place->header[3])
        BOTH("open channel %u", place->header[3]);
    else
        BOTH("%s", place->header[2] ? "reserved" : "open a channel, the card says which");
}

/* PC/SC part 3, 3.2.2.1: the reader's own. */
static void add_pseudo(const struct place *place)
{
    uint8_t p1 = place->header[2];

    if (place->header[1] == 0xCA && !place->header[3] && p1 < 2) {
        BOTH("%s", p1 ? "historical bytes of the ATS" : "serial number (UID) of the card");
    } else if (place->header[1] == 0xB0 || place->header[1] == 0xD6) {
        BOTH("block %u", p1 << 8 | place->header[3]);
    } else if (place->header[1] == 0x82) {
        P1("%s key, %s memory", p1 & 0x80 ? "reader" : "card", p1 & 0x20 ? "permanent" : "volatile");
        P2("key number %u", place->header[3]);
    } else {
        BOTH("%s", "");
    }
}

static bool add_known(const struct place *place)
{
    switch (place->header[1]) {
    case 0xA4:
        if (place->context == EXPLAIN_OATH && place->header[2] != 0x04)
            return false;
        add_select(place);
        return true;
    case 0xB0:
    case 0xB1:
    case 0xD0:
    case 0xD1:
    case 0xD6:
    case 0xD7:
    case 0x0E:
    case 0x0F:
        add_binary(place);
        return true;
    case 0xB2:
    case 0xB3:
    case 0xD2:
    case 0xDC:
    case 0xDD:
    case 0xE2:
        add_record(place);
        return true;
    case 0x20:
    case 0x21:
    case 0x24:
    case 0x2C:
        add_reference(place);
        return true;
    case 0xCA:
    case 0xCB:
    case 0xDA:
    case 0xDB:
        add_tag(place);
        return true;
    case 0x70:
        add_channel(place);
        return true;
    default:
        return false;
    }
}

void explain_parameters(const uint8_t header[4], enum explain_context context, size_t base, unsigned depth,
                        struct explanation *out)
{
    const struct place here = {header, context, base, depth, out}, *place = &here;
    bool interindustry = apdu_class(header[0]).interindustry;
    /* GET DATA is the same in the classes of GlobalPlatform and EMV. */
    bool data = header[1] == 0xCA && header[0] >> 4 == 8;

    if (header[0] == 0xFF)
        add_pseudo(place);
    else if (!((interindustry || header[0] == 0xA0 || data) && add_known(place)))
        BOTH("%s", "");
}
