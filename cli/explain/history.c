/* SPDX-License-Identifier: MIT */
/* explain_history (ISO 7816-4:2013, 12.1.1) */
#include <stdio.h>
#include <string.h>

#include "cli/explain/bytes.h"
#include "cli/explain/sw.h"

struct bit {
    uint8_t mask, value;
    const char *words;
};

static void say_bits(struct explanation *out, uint8_t byte, const struct bit *bits, size_t count)
{
    const char *between = "";

    for (size_t i = 0; i < count; i++) {
        if ((byte & bits[i].mask) != bits[i].value)
            continue;
        explanation_more(out, "%s%s", between, bits[i].words);
        between = ", ";
    }
}

#define SAY_BITS(out, byte, ...)                                                                             \
    say_bits(out, byte, (const struct bit[]){__VA_ARGS__},                                                   \
             sizeof((const struct bit[]){__VA_ARGS__}) / sizeof(struct bit))

/* Table 117. */
static void add_service(uint8_t byte, size_t at, unsigned depth, struct explanation *out)
{
    explanation_add(out, depth, at, 1, "service", "%s", "");
    SAY_BITS(out, byte, {0x80, 0x80, "selects by full name"}, {0x40, 0x40, "selects by part of a name"},
             {0x20, 0x20, "objects in EF.DIR"}, {0x10, 0x10, "objects in EF.ATR"},
             {0x0E, 0x08, "read by READ BINARY"}, {0x0E, 0x00, "read by READ RECORD"},
             {0x0E, 0x04, "read by GET DATA"}, {0x01, 0x01, "no master file"}, {0x01, 0x00, "master file"});
}

/* Table 119. Data units are counted in powers of two of half bytes. */
static void add_coding(uint8_t byte, size_t at, unsigned depth, struct explanation *out)
{
    unsigned quartets = 1U << (byte & 15);

    explanation_add(out, depth, at, 1, "coding", "%s", "");
    SAY_BITS(out, byte, {0x80, 0x80, "TLV files"}, {0x60, 0x00, "write once"},
             {0x60, 0x20, "write behaviour proprietary"}, {0x60, 0x40, "write OR"}, {0x60, 0x60, "write AND"},
             {0x10, 0x10, "FF begins tags"});
    if (quartets == 1)
        explanation_more(out, ", units of half a byte");
    else
        explanation_more(out, ", units of %u byte%s", quartets / 2, quartets == 2 ? "" : "s");
}

/* Table 120. */
static void add_lengths(uint8_t byte, size_t at, unsigned depth, struct explanation *out)
{
    static const char *const givers[4] = {NULL, "the reader", "the card", "reader or card"};
    unsigned giver = byte >> 3 & 3, channels = (byte & 7) + 1U;

    explanation_add(out, depth, at, 1, "lengths", "%s", "");
    SAY_BITS(out, byte, {0x80, 0x80, "command chaining"}, {0x40, 0x40, "extended lengths"},
             {0x20, 0x20, "extended lengths told in EF.ATR"});
    explanation_more(out, "%s", byte & 0xE0 ? ", " : "");
    if (giver)
        explanation_more(out, "%u logical channel%s%s, numbered by %s", channels, channels == 1 ? "" : "s",
                         channels == 8 ? " or more" : "", givers[giver]);
    else
        explanation_more(out, "no logical channels");
}

/* Tables 118 to 120. */
static void add_capabilities(const uint8_t *bytes, size_t count, size_t at, unsigned depth,
                             struct explanation *out)
{
    explanation_add(out, depth, at, 1, "selection", "%s", "");
    SAY_BITS(out, bytes[0], {0x80, 0x80, "by full name"}, {0x40, 0x40, "by part of a name"},
             {0x20, 0x20, "by path"}, {0x10, 0x10, "by file identifier"}, {0x08, 0x08, "implicit"},
             {0x04, 0x04, "short file identifiers"}, {0x02, 0x02, "record numbers"},
             {0x01, 0x01, "record identifiers"});
    if (count > 1)
        add_coding(bytes[1], at + 1, depth, out);
    if (count > 2)
        add_lengths(bytes[2], at + 2, depth, out);
}

/* One byte the life cycle, two the status word, three both. */
static void add_status(const uint8_t *bytes, size_t count, size_t at, unsigned depth, struct explanation *out)
{
    char words[SW_TEXT_MAX];

    if (count != 2) {
        explanation_add(out, depth, at, 1, "life cycle", "%s", bytes[0] ? "state" : "");
        explain_value(bytes, 1, TAG_LIFE_CYCLE, EXPLAIN_ISO, out);
    }
    if (count >= 2)
        explanation_add(
            out, depth, at + count - 2, 2, "SW", "%s",
            sw_describe((uint16_t)(bytes[count - 2] << 8 | bytes[count - 1]), words, sizeof words));
}

/* PC/SC part 3, 3.1.3.2.3.2 and its supplement: which memory card it is. */
static const char *card_name(uint16_t number)
{
    static const struct {
        uint16_t number;
        const char *name;
    } names[] = {
        {0x0001, "MIFARE Classic 1K"}, {0x0002, "MIFARE Classic 4K"},   {0x0003, "MIFARE Ultralight"},
        {0x0026, "MIFARE Mini"},       {0x003A, "MIFARE Ultralight C"}, {0x003B, "FeliCa"},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number)
            return names[i].name;
    return "unknown";
}

static const char *card_standard(uint8_t number)
{
    static const char *const names[] = {[0x01] = "ISO 14443 A, part 1",
                                        [0x02] = "ISO 14443 A, part 2",
                                        [0x03] = "ISO 14443 A, part 3",
                                        [0x05] = "ISO 14443 B, part 1",
                                        [0x06] = "ISO 14443 B, part 2",
                                        [0x07] = "ISO 14443 B, part 3",
                                        [0x09] = "ISO 15693, part 1",
                                        [0x0A] = "ISO 15693, part 2",
                                        [0x0B] = "ISO 15693, part 3",
                                        [0x0C] = "ISO 15693, part 4",
                                        [0x11] = "FeliCa"};

    return number < sizeof names / sizeof *names && names[number] ? names[number] : "unknown";
}

/* Memory cards have the workgroup's RID and a kind behind it; of others the application is named. */
static void add_aid(const uint8_t *bytes, size_t count, size_t at, unsigned depth, struct explanation *out)
{
    static const uint8_t workgroup[] = {0xA0, 0x00, 0x00, 0x03, 0x06};

    if (count < 8 || memcmp(bytes, workgroup, sizeof workgroup) != 0) {
        explain_value(bytes, count, TAG_AID, EXPLAIN_ISO, out);
        return;
    }
    explanation_add(out, depth, at, 5, "RID", "PC/SC Workgroup: a memory card");
    explanation_add(out, depth, at + 5, 1, "standard", "%s", card_standard(bytes[5]));
    explanation_add(out, depth, at + 6, 2, "card", "%s", card_name((uint16_t)(bytes[6] << 8 | bytes[7])));
    if (count > 8)
        explanation_add(out, depth, at + 8, count - 8, "", "reserved");
}

static void add_object(uint8_t tag, const uint8_t *bytes, size_t count, size_t at, unsigned depth,
                       struct explanation *out)
{
    static const char *const names[16] = {[1] = "country code",           [2] = "issuer identification",
                                          [3] = "card service data",      [4] = "initial access data",
                                          [5] = "card issuer's data",     [6] = "pre-issuing data",
                                          [7] = "card capabilities",      [8] = "status",
                                          [15] = "application identifier"};
    char label[8];

    (void)snprintf(label, sizeof label, "%X", tag);
    explanation_add(out, depth, at, count, label, "%s", names[tag] ? names[tag] : "unknown object");
    if (tag == 3 && count == 1)
        add_service(bytes[0], at, depth + 1, out);
    else if (tag == 7 && count && count <= 3)
        add_capabilities(bytes, count, at, depth + 1, out);
    else if (tag == 8 && count && count <= 3)
        add_status(bytes, count, at, depth + 1, out);
    else if (tag == 15 && count)
        add_aid(bytes, count, at, depth + 1, out);
    else if (tag == 4 || tag == 5 || tag == 6)
        explain_value(bytes, count, TAG_TEXT, EXPLAIN_ISO, out);
}

/* Compact-TLV: tag and length in one byte. 4F, whose 15 bytes have no room, is the tag of an AID with a byte
 * of length (PC/SC part 3, 3.1.3.2.3.2). */
static void add_objects(const uint8_t *bytes, size_t length, size_t base, unsigned depth,
                        struct explanation *out)
{
    size_t at = 0;

    while (at < length) {
        bool aid = bytes[at] == 0x4F && length - at > 1;
        size_t head = aid ? 2 : 1, count = aid ? bytes[at + 1] : bytes[at] & 15U;

        if (count > length - at - head) {
            explanation_add(out, depth, base + at, length - at, "?",
                            "no object: it says %zu bytes, %zu are there", count, length - at - head);
            return;
        }
        add_object(aid ? 15 : bytes[at] >> 4, bytes + at + head, count, base + at + head, depth, out);
        at += head + count;
    }
}

void explain_history(const uint8_t *bytes, size_t length, size_t base, unsigned depth,
                     struct explanation *out)
{
    if (!length)
        return;
    switch (bytes[0]) {
    case 0x00:
        explanation_add(out, depth, base, 1, "category", "objects, and a status in the last three bytes");
        if (length < 4) {
            explanation_add(out, depth, base + 1, length - 1, "?", "the status is cut off");
            return;
        }
        add_objects(bytes + 1, length - 4, base + 1, depth, out);
        add_status(bytes + length - 3, 3, base + length - 3, depth, out);
        return;
    case 0x80:
        explanation_add(out, depth, base, 1, "category", "objects");
        add_objects(bytes + 1, length - 1, base + 1, depth, out);
        return;
    case 0x10:
        explanation_add(out, depth, base, 1, "category", "reference to an object of EF.DIR");
        if (length > 1)
            explanation_add(out, depth, base + 1, length - 1, "reference", "%s", "");
        return;
    default:
        explanation_add(out, depth, base, length, "", "%s",
                        bytes[0] >= 0x81 && bytes[0] <= 0x8F ? "reserved category" : "proprietary");
        explain_value(bytes, length, TAG_TEXT, EXPLAIN_ISO, out);
    }
}
