/* SPDX-License-Identifier: MIT */
/* The card's side of T=1, with an APDU card behind it (ISO 7816-3:2006, 11). */
#include <string.h>

#include "base/rc.h"
#include "tests/usbemu/emu.h"
#include "tests/usbemu/emu_line_state.h"

#define DEFAULT_IFS 32

void line_t1_fini(struct line_t1 *t1)
{
    buffer_fini(&t1->command);
    buffer_fini(&t1->response);
}

void line_t1_reset(struct emu_line *line)
{
    struct line_t1 *t1 = &line->t1;

    t1->ns = t1->nr = 0;
    t1->ifsd = DEFAULT_IFS;
    t1->ifsc = line->atr_good ? line->atr.ifsc : DEFAULT_IFS;
    t1->crc = line->atr_good && line->atr.crc;
    t1->command.length = t1->response.length = 0;
    t1->at = t1->cut = t1->last_length = 0;
    t1->answering = t1->ifs_done = false;
    t1->request = 0;
}

static void say(struct line_t1 *t1, const struct t1_block *block)
{
    uint8_t nad = (uint8_t)(t1->nad << 4 | t1->nad >> 4);

    t1->last_length = t1_block_write(block, nad, t1->crc, t1->last);
}

static void say_r(struct line_t1 *t1, uint8_t fault)
{
    say(t1, &(struct t1_block){.kind = T1_R, .number = t1->nr, .type = fault});
}

static void say_request(struct line_t1 *t1, enum t1_supervision type, uint8_t value)
{
    t1->request = (uint8_t)(0xC0 | type);
    t1->value = value;
    say(t1, &(struct t1_block){.kind = T1_S_REQUEST, .type = (uint8_t)type, .inf = &t1->value, .length = 1});
}

/* The I-block of the response that begins at t1->at. */
static void say_part(struct line_t1 *t1)
{
    size_t left = t1->response.length - t1->at;
    bool more = left > t1->ifsd;

    t1->cut = more ? t1->ifsd : left;
    say(t1, &(struct t1_block){.kind = T1_I,
                               .number = t1->ns,
                               .more = more,
                               .inf = t1->response.data + t1->at,
                               .length = t1->cut});
}

/* 11.6.3, rules 7.1 to 7.3: its own request, or the R-block, again; else an R-block. */
static void refuse(struct line_t1 *t1, uint8_t fault)
{
    if (!t1->request)
        say_r(t1, fault);
}

static enum emu_said execute(struct emu_line *line)
{
    struct line_t1 *t1 = &line->t1;
    enum emu_said said;

    t1->response.length = 0;
    t1->at = 0;
    said = line_run(line, false, t1->command.data, t1->command.length, &t1->response);
    secret_wipe(t1->command.data, t1->command.length);
    t1->command.length = 0;
    if (said != LINE_SAID)
        return said;
    t1->answering = true;
    if (line->options.ifs && !t1->ifs_done) {
        t1->ifs_done = true;
        say_request(t1, T1_IFS, (uint8_t)line->options.ifs);
    } else if (line->options.wtx) {
        say_request(t1, T1_WTX, (uint8_t)line->options.wtx);
    } else {
        say_part(t1);
    }
    return LINE_SAID;
}

static enum emu_said hear_i(struct emu_line *line, const struct t1_block *block)
{
    struct line_t1 *t1 = &line->t1;

    if (block->number != t1->nr || t1->request) {
        refuse(t1, T1_FAULT_OTHER);
        return LINE_SAID;
    }
    if (block->length > t1->ifsc)
        emu_blame("T=1: block of %zu bytes; the card takes %u (IFSC)", block->length, (unsigned)t1->ifsc);
    if (t1->answering && t1->at + t1->cut < t1->response.length) {
        emu_blame("T=1: I-block in the middle of the card's chain");
        refuse(t1, T1_FAULT_OTHER);
        return LINE_SAID;
    }
    if (t1->answering) { /* a new command: the last block of the response arrived */
        t1->answering = false;
        t1->ns ^= 1;
    }
    t1->nr ^= 1;
    if (buffer_append(&t1->command, block->inf, block->length))
        return LINE_MUTE;
    if (!block->more)
        return execute(line);
    say_r(t1, T1_FAULT_NONE);
    return LINE_SAID;
}

static void hear_r(struct line_t1 *t1, const struct t1_block *block)
{
    if (t1->request) /* said again as it is */
        return;
    if (!t1->answering) {
        say_r(t1, T1_FAULT_NONE);
    } else if (block->number == t1->ns) {
        say_part(t1);
    } else if (t1->at + t1->cut < t1->response.length) {
        t1->at += t1->cut;
        t1->ns ^= 1;
        say_part(t1);
    } else { /* the next command was damaged, and then the word of it */
        say_r(t1, T1_FAULT_NONE);
    }
}

static void hear_request(struct emu_line *line, const struct t1_block *block)
{
    struct line_t1 *t1 = &line->t1;
    uint8_t value = block->length ? block->inf[0] : 0;

    switch (block->type) {
    case T1_RESYNCH:
        line_t1_reset(line);
        break;
    case T1_IFS:
        t1->ifsd = value;
        break;
    case T1_ABORT:
        t1->command.length = 0;
        break;
    default:
        emu_blame("T=1: the reader's side asks for more time (WTX)");
        refuse(t1, T1_FAULT_OTHER);
        return;
    }
    say(t1, &(struct t1_block){
                .kind = T1_S_RESPONSE, .type = block->type, .inf = &value, .length = block->length});
}

static void hear_response(struct emu_line *line, const struct t1_block *block)
{
    struct line_t1 *t1 = &line->t1;
    uint8_t kind = t1->request & 0x1F;

    if (!t1->request || block->type != kind || block->length != 1 || block->inf[0] != t1->value) {
        refuse(t1, T1_FAULT_OTHER);
        return;
    }
    t1->request = 0;
    if (kind == T1_IFS) {
        t1->ifsc = t1->value;
        if (line->options.wtx) {
            say_request(t1, T1_WTX, (uint8_t)line->options.wtx);
            return;
        }
    }
    say_part(t1);
}

static enum emu_said hear(struct emu_line *line, const uint8_t *bytes, size_t length)
{
    struct line_t1 *t1 = &line->t1;
    struct t1_block block;
    enum t1_fault fault = t1_block_read(bytes, length, bytes[0], t1->crc, &block);

    t1->nad = bytes[0];
    if (fault) {
        emu_blame("T=1: %zu bytes that are no block (fault %d)", length, (int)fault);
        refuse(t1, (uint8_t)fault);
        return LINE_SAID;
    }
    switch (block.kind) {
    case T1_I:
        return hear_i(line, &block);
    case T1_R:
        hear_r(t1, &block);
        break;
    case T1_S_REQUEST:
        hear_request(line, &block);
        break;
    case T1_S_RESPONSE:
        hear_response(line, &block);
        break;
    }
    return LINE_SAID;
}

enum emu_said line_t1_send(struct emu_line *line, const uint8_t *bytes, size_t length, struct buffer *out)
{
    struct line_t1 *t1 = &line->t1;
    enum emu_said said;

    if (!length)
        return LINE_SAID;
    said = hear(line, bytes, length);
    if (said != LINE_SAID)
        return said;
    if (buffer_append(out, t1->last, t1->last_length))
        return LINE_MUTE;
    if (line->options.damage && ++t1->sent % line->options.damage == 0)
        out->data[out->length - 1] ^= 0x01;
    return LINE_SAID;
}
