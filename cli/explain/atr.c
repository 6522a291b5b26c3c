/* SPDX-License-Identifier: MIT */
/* explain_atr (ISO 7816-3:2006, 8.2, 8.3, 10.2, 11.4) */
#include "iso/atr.h"

#include <stdio.h>

#include "cli/explain/bytes.h"

struct walk {
    const uint8_t *bytes;
    size_t length, at;
    size_t base;
    unsigned depth;
    struct explanation *out;
    unsigned group;  /* i of TAi, from 1 */
    unsigned t;      /* named last; of the groups from the third on */
    bool seen[2][3]; /* TA, TB, TC after T=1 and after T=15 */
    bool tck_due;
};

static void add(struct walk *walk, const char *label, const char *words)
{
    explanation_add(walk->out, walk->depth, walk->base + walk->at, 1, label, "%s", words);
    walk->at++;
}

/* "TA1" to "TD1" as the bits of Y say. */
static void add_announced(struct walk *walk, uint8_t y)
{
    static const char letters[] = "ABCD";
    const char *between = " ";

    if (!(y >> 4)) {
        explanation_more(walk->out, "no interface bytes follow");
        return;
    }
    explanation_more(walk->out, "followed by");
    for (unsigned i = 0; i < 4; i++) {
        if (!(y & 0x10U << i))
            continue;
        explanation_more(walk->out, "%sT%c%u", between, letters[i], walk->group);
        between = ", ";
    }
}

static void say_ta1(struct walk *walk, uint8_t ta)
{
    unsigned fi, di, fmax_khz;

    if (atr_fi_di(ta, &fi, &di, &fmax_khz))
        explanation_more(walk->out, "Fi=%u, Di=%u: %g clock cycles for a bit, up to %g MHz", fi, di,
                         (double)fi / di, fmax_khz / 1000.0);
    else
        explanation_more(walk->out, "reserved Fi or Di: 372 and 1 are used");
}

static void say_ta2(struct walk *walk, uint8_t ta)
{
    explanation_more(walk->out, "specific mode: T=%u, %s, %s", ta & 15,
                     ta & 0x10 ? "F and D as the reader knows them" : "F and D of TA1",
                     ta & 0x80 ? "cannot be changed" : "can be changed after a warm reset");
}

static void say_t1(struct walk *walk, unsigned letter, uint8_t byte)
{
    if (letter == 0 && (byte == 0 || byte == 0xFF))
        explanation_more(walk->out, "T=1: reserved size of blocks, %u is used", byte ? 254 : 32);
    else if (letter == 0)
        explanation_more(walk->out, "T=1: the card takes blocks of up to %u bytes (IFSC)", byte);
    else if (letter == 1 && byte >> 4 > 9)
        explanation_more(walk->out, "T=1: reserved BWI=%u, 9 is used; CWI=%u", byte >> 4, byte & 15);
    else if (letter == 1)
        explanation_more(walk->out, "T=1: waiting times, BWI=%u, CWI=%u", byte >> 4, byte & 15);
    else
        explanation_more(walk->out, "T=1: blocks end in %s", byte & 1 ? "a CRC" : "an LRC");
}

static void say_t15(struct walk *walk, unsigned letter, uint8_t byte)
{
    static const char *const stops[4] = {"cannot be stopped", "can be stopped, low", "can be stopped, high",
                                         "can be stopped"};

    if (letter == 0) {
        explanation_more(walk->out, "the clock %s; voltages:", stops[byte >> 6]);
        explanation_more(walk->out, "%s%s%s%s", byte & 1 ? " 5 V" : "", byte & 2 ? " 3 V" : "",
                         byte & 4 ? " 1.8 V" : "", byte & 0x3F ? "" : " none");
        if (byte & 0x38)
            explanation_more(walk->out, ", reserved bits");
    } else if (letter == 1) {
        explanation_more(walk->out, "contact C6: %s",
                         !byte         ? "not used"
                         : byte & 0x80 ? "proprietary use"
                                       : "standard use");
    } else {
        explanation_more(walk->out, "T=15: reserved");
    }
}

/* From the third group on a byte belongs to the protocol named before it; the first one of each counts. */
static void say_later(struct walk *walk, unsigned letter, uint8_t byte)
{
    if (walk->t != 1 && walk->t != 15) {
        explanation_more(walk->out, "T=%u: no meaning", walk->t);
        return;
    }
    if (walk->t == 1)
        say_t1(walk, letter, byte);
    else
        say_t15(walk, letter, byte);
    if (walk->seen[walk->t == 15][letter])
        explanation_more(walk->out, " (the first one counts, this one does not)");
    walk->seen[walk->t == 15][letter] = true;
}

static void say_guard(struct walk *walk, uint8_t tc)
{
    if (tc == 255)
        explanation_more(walk->out, "extra guard time N=255: the shortest, 12 bits with T=0, 11 with T=1");
    else
        explanation_more(walk->out, "extra guard time N=%u", tc);
}

static void add_interface(struct walk *walk, unsigned letter)
{
    uint8_t byte = walk->bytes[walk->at];
    char label[16];

    (void)snprintf(label, sizeof label, "T%c%u", "ABC"[letter], walk -> group);
    add(walk, label, "");
    if (walk->group == 1 && letter == 0)
        say_ta1(walk, byte);
    else if (walk->group == 1 && letter == 2)
        say_guard(walk, byte);
    else if (walk->group == 2 && letter == 0)
        say_ta2(walk, byte);
    else if (walk->group == 2 && letter == 2)
        explanation_more(walk->out, "T=0: waiting integer WI=%u%s", byte,
                         byte ? "" : ", reserved: 10 is used");
    else if (letter == 1 && walk->group <= 2)
        explanation_more(walk->out, "programming voltage, no longer used");
    else
        say_later(walk, letter, byte);
}

static void add_td(struct walk *walk, uint8_t td)
{
    unsigned t = td & 15;
    char label[16];

    (void)snprintf(label, sizeof label, "TD%u", walk->group);
    add(walk, label, "");
    if (t == 15)
        explanation_more(walk->out, "what follows holds for every protocol (T=15)");
    else
        explanation_more(walk->out, "protocol T=%u", t);
    if (t == 15 && walk->group == 1)
        explanation_more(walk->out, ", which may not stand here");
    else if (walk->group > 1 && t < walk->t)
        explanation_more(walk->out, ", out of order");
    explanation_more(walk->out, "; ");
    if (t)
        walk->tck_due = true;
    walk->t = t;
    walk->group++;
    add_announced(walk, td);
}

/* What T0 and each TDi announce. False when the bytes end before. */
static bool add_groups(struct walk *walk)
{
    uint8_t y = walk->bytes[1];

    for (;;) {
        for (unsigned letter = 0; letter < 3; letter++) {
            if (!(y & 0x10U << letter))
                continue;
            if (walk->at >= walk->length)
                return false;
            add_interface(walk, letter);
        }
        if (!(y & 0x80))
            return true;
        if (walk->at >= walk->length)
            return false;
        y = walk->bytes[walk->at];
        add_td(walk, y);
    }
}

static void add_tck(struct walk *walk)
{
    uint8_t sum = 0;

    if (!walk->tck_due)
        return;
    if (walk->at >= walk->length) {
        explanation_add(walk->out, walk->depth, walk->base + walk->length, 0, "TCK", "missing");
        return;
    }
    for (size_t i = 1; i < walk->at; i++)
        sum ^= walk->bytes[i];
    add(walk, "TCK", "");
    if (sum == walk->bytes[walk->at - 1])
        explanation_more(walk->out, "check byte, right");
    else
        explanation_more(walk->out, "check byte, wrong: %02X would be right", sum);
}

static void add_tail(struct walk *walk)
{
    size_t announced = walk->bytes[1] & 15, left = walk->length - walk->at;
    size_t count = announced < left ? announced : left;

    if (count) {
        explanation_add(walk->out, walk->depth, walk->base + walk->at, count, "T1...", "historical bytes");
        explain_history(walk->bytes + walk->at, count, walk->base + walk->at, walk->depth + 1, walk->out);
    }
    if (count < announced)
        explanation_add(walk->out, walk->depth, walk->base + walk->length, 0, "?",
                        "%zu of %zu historical bytes are missing", announced - count, announced);
    walk->at += count;
    add_tck(walk);
    if (walk->at < walk->length)
        explanation_add(walk->out, walk->depth, walk->base + walk->at, walk->length - walk->at, "?",
                        "behind the end");
}

void explain_atr(const uint8_t *bytes, size_t length, size_t base, unsigned depth, struct explanation *out)
{
    struct walk walk = {
        .bytes = bytes, .length = length, .base = base, .depth = depth, .out = out, .group = 1};

    if (length)
        add(&walk, "TS",
            bytes[0] == 0x3B   ? "direct convention"
            : bytes[0] == 0x3F ? "inverse convention"
                               : "no TS, which is 3B or 3F");
    if (length < 2) {
        explanation_add(out, depth, base + length, 0, "?", "an answer to reset has two bytes or more");
        return;
    }
    add(&walk, "T0", "");
    explanation_more(out, "%u historical byte%s; ", bytes[1] & 15, (bytes[1] & 15) == 1 ? "" : "s");
    add_announced(&walk, bytes[1]);
    if (add_groups(&walk))
        add_tail(&walk);
    else
        explanation_add(out, depth, base + length, 0, "?", "cut off in the interface bytes");
}
