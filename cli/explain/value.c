/* SPDX-License-Identifier: MIT */
/* explain_value */
#include <stdio.h>

#include "base/bytes.h"
#include "cli/explain/aid.h"
#include "cli/explain/bytes.h"

/* Words need no more of a text; all its bytes are shown beside. */
#define TEXT_SHOWN 120

bool explain_is_text(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] < 0x20 || bytes[i] > 0x7E)
            return false;
    return length > 0;
}

static void add_text(const uint8_t *bytes, size_t length, struct explanation *out)
{
    bool cut = length > TEXT_SHOWN;

    if (explain_is_text(bytes, length))
        explanation_more(out, ": \"%.*s%s\"", (int)(cut ? TEXT_SHOWN : length), (const char *)bytes,
                         cut ? "..." : "");
}

static void add_number(const uint8_t *bytes, size_t length, struct explanation *out)
{
    uint64_t number = 0;

    if (!length || length > sizeof number)
        return;
    for (size_t i = 0; i < length; i++)
        number = number << 8 | bytes[i];
    explanation_more(out, ": %llu", (unsigned long long)number);
}

/* Years under 50 are of this century (EMV 4.3, Book 4, 6.7.3). */
static void add_date(const uint8_t *bytes, size_t length, struct explanation *out)
{
    if (length != 3 || bytes[1] < 1 || bytes[1] > 0x12 || bytes[2] < 1 || bytes[2] > 0x31)
        return;
    explanation_more(out, ": %s%02X-%02X-%02X", bytes[0] < 0x50 ? "20" : "19", bytes[0], bytes[1], bytes[2]);
}

/* ISO 8825-1, 8.19. */
static void add_oid(const uint8_t *bytes, size_t length, struct explanation *out)
{
    uint32_t arc = 0;
    bool first = true;

    if (!length || length > 64 || bytes[length - 1] & 0x80)
        return;
    explanation_more(out, ": ");
    for (size_t i = 0; i < length; i++) {
        if (arc >> 25) {
            explanation_more(out, ", and an arc that is too long");
            return;
        }
        arc = arc << 7 | (bytes[i] & 0x7FU);
        if (bytes[i] & 0x80)
            continue;
        if (first) {
            uint32_t top = arc < 40 ? 0 : arc < 80 ? 1 : 2;

            explanation_more(out, "%u.%u", top, arc - 40 * top);
        } else {
            explanation_more(out, ".%u", arc);
        }
        first = false;
        arc = 0;
    }
}

static void add_aid(const uint8_t *bytes, size_t length, struct explanation *out)
{
    const char *name = aid_name(bytes, length);

    if (name)
        explanation_more(out, ": %s", name);
    else
        add_text(bytes, length, out);
}

/* Tag of a list: as in tlv_next, without its padding. */
static bool read_tag(struct bytes *in, uint32_t *ret_tag)
{
    uint8_t byte = bytes_u8(in);
    uint32_t tag = byte;

    if ((byte & 0x1F) == 0x1F) {
        do {
            if (tag > 0xFFFF)
                return false;
            byte = bytes_u8(in);
            tag = tag << 8 | byte;
        } while (byte & 0x80);
    }
    *ret_tag = tag;
    return bytes_ok(in);
}

static void add_tags(const uint8_t *bytes, size_t length, bool lengths, enum explain_context context,
                     struct explanation *out)
{
    struct bytes in = bytes_of(bytes, length);
    const char *between = ": ";
    uint32_t tag;

    while (in.left) {
        const char *name;
        uint8_t count = 0;

        if (!read_tag(&in, &tag)) {
            explanation_more(out, "%sand a tag that is cut off", between);
            return;
        }
        if (lengths)
            count = bytes_u8(&in);
        name = explain_tag(tag, context);
        explanation_more(out, "%s%02X", between, tag);
        if (name)
            explanation_more(out, " %s", name);
        if (lengths && bytes_ok(&in))
            explanation_more(out, " (%u)", count);
        between = ", ";
    }
}

/* ISO 7816-4:2013, table 14. */
static void add_life_cycle(const uint8_t *bytes, size_t length, struct explanation *out)
{
    static const char *const states[16] = {"no information",
                                           "being created",
                                           NULL,
                                           "being initialised",
                                           "deactivated",
                                           "activated",
                                           "deactivated",
                                           "activated",
                                           NULL,
                                           NULL,
                                           NULL,
                                           NULL,
                                           "terminated",
                                           "terminated",
                                           "terminated",
                                           "terminated"};

    if (length != 1)
        return;
    explanation_more(out, ": %s",
                     bytes[0] > 15      ? "proprietary"
                     : states[bytes[0]] ? states[bytes[0]]
                                        : "reserved");
}

/* ISO 7816-4:2013, table 12, and what stands behind it (7.4.5). */
static void add_descriptor(const uint8_t *bytes, size_t length, struct explanation *out)
{
    static const char *const structures[8] = {
        "of unknown structure", "transparent",          "linear fixed", "linear fixed, TLV",
        "linear variable",      "linear variable, TLV", "cyclic",       "cyclic, TLV"};
    uint8_t type;

    if (!length)
        return;
    type = bytes[0] & 0x3F;
    if (bytes[0] & 0x80)
        explanation_more(out, ": reserved");
    else if (type == 0x38)
        explanation_more(out, ": directory (DF)");
    else if (type == 0x39 || type == 0x3A)
        explanation_more(out, ": objects (%s-TLV)", type == 0x39 ? "BER" : "SIMPLE");
    else
        explanation_more(out, ": %s file, %s",
                         (type & 0x38) == 0      ? "working"
                         : (type & 0x38) == 0x08 ? "internal"
                                                 : "proprietary",
                         structures[type & 7]);
    if (bytes[0] & 0x40)
        explanation_more(out, ", shareable");
    if (length == 3)
        explanation_more(out, ", records of %u bytes", bytes[2]);
    else if (length >= 4)
        explanation_more(out, ", records of %u bytes", bytes[2] << 8 | bytes[3]);
    if (length == 5)
        explanation_more(out, ", %u of them", bytes[4]);
    else if (length == 6)
        explanation_more(out, ", %u of them", bytes[4] << 8 | bytes[5]);
}

static void add_certificate(const uint8_t *bytes, size_t length, struct explanation *out)
{
    const char *form = "";

    if (length > 4 && bytes[0] == 0x30 && bytes[1] == 0x82)
        form = " (DER)";
    else if (length > 2 && bytes[0] == 0x1F && bytes[1] == 0x8B)
        form = " (gzip)";
    explanation_more(out, ": %zu bytes%s", length, form);
}

void explain_value(const uint8_t *bytes, size_t length, enum tag_value value, enum explain_context context,
                   struct explanation *out)
{
    switch (value) {
    case TAG_TEXT:
    case TAG_PLAIN:
        add_text(bytes, length, out);
        break;
    case TAG_DATE:
        add_date(bytes, length, out);
        break;
    case TAG_NUMBER:
        add_number(bytes, length, out);
        break;
    case TAG_AID:
        add_aid(bytes, length, out);
        break;
    case TAG_OID:
        add_oid(bytes, length, out);
        break;
    case TAG_CERTIFICATE:
        add_certificate(bytes, length, out);
        break;
    case TAG_TAGS:
    case TAG_TAGS_LENGTHS:
        add_tags(bytes, length, value == TAG_TAGS_LENGTHS, context, out);
        break;
    case TAG_LIFE_CYCLE:
        add_life_cycle(bytes, length, out);
        break;
    case TAG_DESCRIPTOR:
        add_descriptor(bytes, length, out);
        break;
    case TAG_SECRET:
        explanation_hide(out);
        break;
    case TAG_BYTES:
    case TAG_DIGITS:
    case TAG_OBJECTS:
        break;
    }
}
