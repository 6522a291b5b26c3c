/* SPDX-License-Identifier: MIT */
/* XfrBlock (CCID 1.1, 6.1.4) at character, TPDU and short APDU level. */
#include <string.h>

#include "iso/t1_block.h"
#include "tests/usbemu/emu_reader_state.h"

#define AUTO_IFSD 0x400
#define SHORT_APDU_MAX 261
#define PROCEDURE_NULL 0x60

void exchange_forget(struct emu_slot *slot)
{
    slot->queue.length = slot->command.length = slot->response.length = 0;
    slot->response_at = 0;
    slot->gathering = slot->giving = false;
}

static bool accept_said(struct emu_slot *slot, enum emu_said said)
{
    if (emu_line_left(slot->line))
        slot->leaves = true;
    if (said != LINE_SAID)
        slot_fail(slot, said == LINE_PARITY ? CCID_PARITY : CCID_MUTE);
    return said == LINE_SAID;
}

static enum emu_said line_send(struct emu_slot *slot, enum emu_way way, const uint8_t *data, size_t length,
                               struct buffer *out)
{
    return emu_line_send(slot->line, slot->parameters[0], way, data, length, out);
}

/* A PPS of the host, to be passed on as it is: FF PPS0 … PCK. */
static bool is_pps(const uint8_t *data, size_t length)
{
    uint8_t sum = 0;
    size_t want = 3;

    if (length < 3 || data[0] != 0xFF || data[1] & 0x80)
        return false;
    for (unsigned bit = 0x10; bit < 0x80; bit <<= 1)
        want += !!(data[1] & bit);
    for (size_t i = 0; i < length; i++)
        sum ^= data[i];
    return length == want && !sum;
}

static bool pass_pps(struct emu_slot *slot, const uint8_t *data, size_t length, struct buffer *out)
{
    enum emu_said said;

    if (emu_line_used(slot->line))
        emu_blame("PPS after other data");
    said = line_send(slot, EMU_UNKNOWN, data, length, out);
    return accept_said(slot, said == LINE_SAID && !out->length ? LINE_MUTE : said);
}

/* A T=0 command under way: the reader obeys the procedure bytes (ISO 7816-3:2006, 10.3.3). */
struct t0_run {
    struct emu_slot *slot;
    const uint8_t *out; /* data to the card, still to be sent */
    size_t out_left, in_left;
    struct buffer said; /* by the card; from at on not looked at */
    size_t at;
    enum emu_said state;
    unsigned nulls;
};

static void t0_push(struct t0_run *run, enum emu_way way, const uint8_t *bytes, size_t length)
{
    run->state = line_send(run->slot, way, bytes, length, &run->said);
}

static uint8_t t0_next(struct t0_run *run)
{
    if (run->state == LINE_SAID && run->at >= run->said.length)
        run->state = LINE_MUTE;
    return run->state == LINE_SAID ? run->said.data[run->at++] : 0;
}

static void t0_move(struct t0_run *run, size_t count, struct buffer *out)
{
    if (run->out_left) {
        t0_push(run, EMU_TO_CARD, run->out, count);
        run->out += count;
        run->out_left -= count;
        return;
    }
    for (; count && run->state == LINE_SAID; count--, run->in_left--) {
        uint8_t byte = t0_next(run);

        if (buffer_append(out, &byte, 1))
            run->state = LINE_MUTE;
    }
}

/* 0, or bError. */
static uint8_t t0_obey(struct t0_run *run, uint8_t ins, struct buffer *out)
{
    for (;;) {
        uint8_t byte = t0_next(run), sw[2];
        size_t left = run->out_left ? run->out_left : run->in_left;

        if (run->state != LINE_SAID) {
            return run->state == LINE_PARITY ? CCID_PARITY : CCID_MUTE;
        } else if (byte == PROCEDURE_NULL) {
            run->nulls++;
        } else if (left && byte == ins) {
            t0_move(run, left, out);
        } else if (left && (byte ^ ins) == 0xFF) {
            t0_move(run, 1, out);
        } else if ((byte & 0xF0) == 0x90 || (byte & 0xF0) == 0x60) {
            sw[0] = byte;
            sw[1] = t0_next(run);
            if (run->state != LINE_SAID || buffer_append(out, sw, 2))
                return CCID_MUTE;
            return 0;
        } else {
            return CCID_PROCEDURE_BYTE;
        }
    }
}

static bool t0_tpdu(struct emu_slot *slot, const uint8_t *data, size_t length, struct buffer *out)
{
    struct t0_run run = {.slot = slot};
    uint8_t header[5] = {0}, error;

    if (length < 4 || length > 5 + 255 || (length > 5 && data[4] != length - 5)) {
        emu_blame("T=0: %zu bytes are no TPDU", length);
        slot_fail(slot, CCID_BAD_LENGTH);
        return false;
    }
    memcpy(header, data, length < 5 ? length : 5); /* CCID 1.1, 3.2.1: P3 of case 1 is added by the reader */
    run.out = data + 5;
    run.out_left = length > 5 ? length - 5 : 0;
    run.in_left = length == 5 ? (data[4] ? data[4] : 256U) : 0;
    t0_push(&run, length < 5 ? EMU_NO_DATA : length > 5 ? EMU_TO_CARD : EMU_FROM_CARD, header, 5);
    error = t0_obey(&run, header[1], out);
    slot->extensions += run.nulls;
    slot->multiplier = 1;
    buffer_fini(&run.said);
    if (emu_line_left(slot->line))
        slot->leaves = true;
    if (error)
        slot_fail(slot, error);
    return !error;
}

/* The reader's own first exchange, if it is one that announces IFSD. */
static void announce_ifsd(struct emu_slot *slot)
{
    const struct emu_reader_config *config = &slot->function->reader->config;
    uint8_t ifsd = (uint8_t)(config->max_ifsd > T1_INF_MAX ? T1_INF_MAX : config->max_ifsd);
    struct t1_block request = {.kind = T1_S_REQUEST, .type = T1_IFS, .inf = &ifsd, .length = 1};
    uint8_t block[T1_BLOCK_MAX];
    struct buffer answer = {0};
    size_t length = t1_block_write(&request, 0, slot->parameters[1] & 1, block);

    if (!(config->features & AUTO_IFSD) || slot->ifsd_done || !ifsd)
        return;
    slot->ifsd_done = true;
    (void)line_send(slot, EMU_UNKNOWN, block, length, &answer);
    buffer_fini(&answer);
}

static void judge_block(struct emu_slot *slot, uint8_t bwi, const uint8_t *data, size_t length)
{
    bool crc = slot->parameters[1] & 1;
    struct t1_block block;
    uint8_t wanted = 0;

    if (length && !t1_block_read(data, length, data[0], crc, &block)) {
        if (block.kind == T1_S_RESPONSE && block.type == T1_WTX)
            wanted = block.inf[0];
    } /* with all else the card finds fault */
    if (bwi != wanted)
        emu_blame("XfrBlock: bBWI %u where it should be %u", (unsigned)bwi, (unsigned)wanted);
}

static bool tpdu(struct emu_slot *slot, const uint8_t *data, size_t length, struct buffer *out)
{
    if (is_pps(data, length) && (slot->protocol == 0 || !emu_line_used(slot->line)))
        return pass_pps(slot, data, length, out);
    if (slot->protocol == 0)
        return t0_tpdu(slot, data, length, out);
    announce_ifsd(slot);
    return accept_said(slot, line_send(slot, EMU_UNKNOWN, data, length, out));
}

static bool apdu(struct emu_slot *slot, const uint8_t *data, size_t length, struct buffer *out)
{
    enum emu_said said;

    if (slot->protocol != emu_line_protocol(slot->line) ||
        slot->parameters[0] != emu_line_speed(slot->line)) {
        slot_fail(slot, CCID_MUTE);
        return false;
    }
    said = emu_line_apdu(slot->line, data, length, out);
    if (emu_line_wtx(slot->line)) {
        slot->extensions++;
        slot->multiplier = emu_line_wtx(slot->line);
    }
    return accept_said(slot, said);
}

bool exchange_card(struct emu_slot *slot, const uint8_t *data, size_t length, struct buffer *out)
{
    if (slot->function->reader->config.level >= EMU_SHORT_APDU)
        return apdu(slot, data, length, out);
    return tpdu(slot, data, length, out);
}

/* Characters both ways: wLevelParameter of them are awaited. */
static void character(struct emu_slot *slot, uint16_t expect, const uint8_t *data, size_t length)
{
    enum emu_said said = LINE_SAID;

    if (length)
        slot->queue.length = 0; /* what was not fetched is lost when the reader sends */
    if (is_pps(data, length) && emu_line_used(slot->line) && slot->protocol == 0)
        emu_blame("PPS after other data");
    if (length || slot->queue.length < expect)
        said = line_send(slot, EMU_UNKNOWN, data, length, &slot->queue);
    if (!accept_said(slot, said))
        return;
    if (slot->queue.length < expect) {
        slot->queue.length = 0;
        slot_fail(slot, CCID_MUTE);
        return;
    }
    if (!expect && !length) /* characters to the card need not be answered (CCID 1.1, 3.2.4) */
        emu_blame("XfrBlock at character level that sends and awaits nothing");
    slot_answer(slot, CCID_DATA_BLOCK, 0, slot->queue.data, expect);
    slot->queue.length -= expect;
    memmove(slot->queue.data, slot->queue.data + expect, slot->queue.length);
}

static void whole(struct emu_slot *slot, uint16_t level, const uint8_t *data, size_t length)
{
    const struct emu_reader *reader = slot->function->reader;
    struct buffer out = {0};

    if (level) {
        emu_blame("XfrBlock: wLevelParameter %04X at %s level", (unsigned)level,
                  reader->config.level == EMU_TPDU ? "TPDU" : "short APDU");
        slot_fail(slot, 8);
        return;
    }
    if (reader->config.level == EMU_SHORT_APDU && length > SHORT_APDU_MAX) {
        emu_blame("APDU of %zu bytes at short APDU level", length);
        slot_fail(slot, CCID_BAD_LENGTH);
        return;
    }
    if (exchange_card(slot, data, length, &out)) {
        if (out.length > reader->capacity - CCID_HEADER)
            slot_fail(slot, CCID_OVERRUN);
        else
            slot_answer(slot, CCID_DATA_BLOCK, 0, out.data, out.length);
    }
    buffer_fini(&out);
}

void exchange_block(struct emu_slot *slot, uint8_t bwi, uint16_t level, const uint8_t *data, size_t length)
{
    unsigned how = slot->function->reader->config.level;
    bool blocks = how <= EMU_TPDU && slot->protocol == 1 && !is_pps(data, length);

    if (!slot->host_on)
        emu_blame("XfrBlock to a card that is not powered");
    if (!slot->active) {
        slot_fail(slot, CCID_MUTE);
        slot_send(slot, 0);
        return;
    }
    if (blocks && length)
        judge_block(slot, bwi, data, length);
    else if (bwi && slot->protocol == 1)
        emu_blame("XfrBlock: bBWI %u, but no block asks for it", (unsigned)bwi);
    if (how == EMU_EXTENDED_APDU)
        chain_block(slot, level, data, length);
    else if (how == EMU_CHARACTER)
        character(slot, level, data, length);
    else
        whole(slot, level, data, length);
    slot_send(slot, slot->line ? emu_line_delay(slot->line) : 0);
}
