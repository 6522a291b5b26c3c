/* SPDX-License-Identifier: MIT */
#include "tests/usbemu/emu_line.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rc.h"
#include "base/uri.h"
#include "iso/pps.h"
#include "tests/usbemu/emu_line_state.h"

/* The card waits: no time passes here, the reader lets it pass before it answers. */
static int line_wait(struct sim_line *sim_line, struct deadline deadline)
{
    struct emu_line *line = (struct emu_line *)(void *)sim_line;

    line->delay_ms += (unsigned)deadline_poll_ms(deadline);
    return RC_OK;
}

static void line_leave(struct sim_line *sim_line)
{
    ((struct emu_line *)(void *)sim_line)->left = true;
}

static struct emu_line *line_new(void)
{
    struct emu_line *line = calloc(1, sizeof *line);

    if (line) {
        line->sim_line.wait = line_wait;
        line->sim_line.leave = line_leave;
        line->options.voltages = 7;
    }
    return line;
}

int emu_line_open(const char *text, struct emu_line **ret_line)
{
    struct uri uri;
    struct emu_line *line;
    int rc = uri_parse(text, strlen(text), &uri);

    if (rc)
        return rc;
    line = line_new();
    rc = line ? line_options_take(&uri, &line->options) : RC_NO_MEMORY;
    if (!rc)
        rc = sim_card_new(&uri, &line->card);
    uri_fini(&uri);
    if (rc) {
        emu_line_close(line);
        return rc;
    }
    line->card->line = &line->sim_line;
    *ret_line = line;
    return RC_OK;
}

struct emu_line *emu_line_script(const struct emu_script *script)
{
    struct emu_line *line = line_new();

    if (line) {
        line->script = script;
        if (script->voltages)
            line->options.voltages = script->voltages;
    }
    return line;
}

void emu_line_close(struct emu_line *line)
{
    if (!line)
        return;
    if (line->card)
        line->card->ops->free(line->card);
    buffer_fini(&line->in);
    buffer_fini(&line->t0.rest.held);
    line_t1_fini(&line->t1);
    free(line);
}

/* The card's ATR with other interface bytes: TA1, and T=1 with this IFSC and EDC. */
static void change_atr(struct emu_line *line, uint8_t atr[ATR_MAX], size_t *length)
{
    const struct line_options *options = &line->options;
    struct atr old;
    uint8_t history[15], tck = 0;
    size_t count, n = 0;

    if (atr_parse(atr, *length, &old) || old.history_length > sizeof history)
        return;
    count = old.history_length;
    memcpy(history, old.history, count);
    atr[n++] = 0x3B;
    atr[n++] = (uint8_t)(0x90 | count);
    atr[n++] = options->ta1 ? (uint8_t)options->ta1 : old.ta1;
    if (!(old.protocols & 2)) {
        atr[1] &= 0x7F;
    } else {
        atr[n++] = old.protocols & 1 ? 0x80 : 0x81;
        atr[n++] = options->crc ? 0x71 : 0x31;
        atr[n++] = options->ifsc ? (uint8_t)options->ifsc : old.ifsc;
        atr[n++] = (uint8_t)(old.bwi << 4 | old.cwi);
        if (options->crc)
            atr[n++] = 0x01;
    }
    memcpy(atr + n, history, count);
    n += count;
    if (old.protocols & 2) {
        for (size_t i = 1; i < n; i++)
            tck ^= atr[i];
        atr[n++] = tck;
    }
    *length = n;
}

static enum emu_said find_atr(struct emu_line *line)
{
    const struct line_options *options = &line->options;
    const uint8_t *atr;
    size_t at;

    if (line->script) {
        if (!line->script->atr ||
            hex_parse(line->script->atr, strlen(line->script->atr), line->atr_bytes, &line->atr_length, &at))
            return LINE_MUTE;
        return LINE_SAID;
    }
    if (line->card->ops->reset(line->card, &atr, &line->atr_length))
        return LINE_MUTE;
    memcpy(line->atr_bytes, atr, line->atr_length);
    if (options->atr_length) {
        memcpy(line->atr_bytes, options->atr, options->atr_length);
        line->atr_length = options->atr_length;
    } else if (options->ta1 || options->ifsc || options->crc) {
        change_atr(line, line->atr_bytes, &line->atr_length);
    }
    return LINE_SAID;
}

static void begin(struct emu_line *line)
{
    line->delay_ms = 0;
    line->wtx = 0;
}

enum emu_said emu_line_reset(struct emu_line *line, uint8_t voltage, struct buffer *out)
{
    begin(line);
    line->left = false;
    line->phase = LINE_DEAD;
    line->step = 0;
    if (!(line->options.voltages & voltage) || find_atr(line) != LINE_SAID)
        return LINE_MUTE;
    line->phase = LINE_FRESH;
    line->in.length = 0;
    line->commands = 0;
    line->fd = PPS_DEFAULT_FD;
    line->protocol = 0;
    line->atr_good = !atr_parse(line->atr_bytes, line->atr_length, &line->atr);
    if (line->atr_good) {
        line->protocol = line->atr.specific ? line->atr.specific_protocol : line->atr.first_protocol;
        if (line->atr.specific && !line->atr.specific_implicit)
            line->fd = line->atr.ta1;
    }
    line_t0_reset(&line->t0);
    line_t1_reset(line);
    return buffer_append(out, line->atr_bytes, line->atr_length) ? LINE_MUTE : LINE_SAID;
}

void emu_line_off(struct emu_line *line)
{
    line->phase = LINE_OFF;
}

/* ISO 7816-3:2006, 9.2: as many bytes as PPS0 says. */
static size_t pps_length(const uint8_t *bytes, size_t length)
{
    size_t want = 3;

    if (length < 2)
        return 3;
    for (unsigned bit = 0x10; bit < 0x80; bit <<= 1)
        want += !!(bytes[1] & bit);
    return want;
}

static enum emu_said answer_pps(struct emu_line *line, struct buffer *out)
{
    const uint8_t *request = line->in.data;
    size_t length = line->in.length;
    uint8_t fd = PPS_DEFAULT_FD, sum = 0, answer[PPS_FRAME_MAX];
    unsigned protocol = request[1] & 0x0F;

    for (size_t i = 0; i < length; i++)
        sum ^= request[i];
    line->in.length = 0;
    if (sum || line->options.pps == LINE_PPS_REFUSE || !line->atr_good || line->atr.specific ||
        !(line->atr.protocols >> protocol & 1)) {
        line->phase = LINE_DEAD;
        return LINE_MUTE;
    }
    memcpy(answer, request, length);
    if (request[1] & 0x10 && line->options.pps == LINE_PPS_SLOW)
        length = pps_build(protocol, PPS_DEFAULT_FD, answer);
    else if (request[1] & 0x10)
        fd = request[2];
    if (line->options.pps == LINE_PPS_WRONG)
        answer[length - 1] ^= 0x01;
    line->protocol = protocol;
    line->fd = fd;
    line->phase = LINE_USED;
    return buffer_append(out, answer, length) ? LINE_MUTE : LINE_SAID;
}

/* Is this the beginning of a PPS? A T=0 command of class FF has b8 of INS set, or is longer. */
static bool is_pps(const struct emu_line *line, const uint8_t *bytes, size_t length)
{
    if (line->phase != LINE_FRESH || !line->atr_good)
        return false;
    if (line->in.length)
        return true;
    return length && bytes[0] == 0xFF &&
           (length < 2 || (!(bytes[1] & 0x80) && length <= pps_length(bytes, length)));
}

enum emu_said emu_line_send(struct emu_line *line, uint8_t fd, enum emu_way way, const uint8_t *bytes,
                            size_t length, struct buffer *out)
{
    begin(line);
    if (line->phase == LINE_OFF || line->phase == LINE_DEAD)
        return LINE_MUTE;
    if (line->script)
        return length ? line_script_send(line, bytes, length, out) : LINE_SAID;
    if (fd != line->fd) { /* it hears noise */
        if (length)
            line->phase = LINE_DEAD;
        return LINE_MUTE;
    }
    if (is_pps(line, bytes, length)) {
        if (buffer_append(&line->in, bytes, length))
            return LINE_MUTE;
        return line->in.length < pps_length(line->in.data, line->in.length) ? LINE_SAID
                                                                            : answer_pps(line, out);
    }
    if (length)
        line->phase = LINE_USED;
    return line->protocol == 1 ? line_t1_send(line, bytes, length, out)
                               : line_t0_send(line, way, bytes, length, out);
}

enum emu_said emu_line_apdu(struct emu_line *line, const uint8_t *command, size_t length, struct buffer *out)
{
    enum emu_said said;

    begin(line);
    if (line->phase == LINE_OFF || line->phase == LINE_DEAD)
        return LINE_MUTE;
    line->phase = LINE_USED;
    if (line->script)
        return line_script_send(line, command, length, out);
    said = line_run(line, false, command, length, out);
    line->wtx = line->options.wtx;
    return said;
}

enum emu_said line_run(struct emu_line *line, bool t0, const uint8_t *command, size_t length,
                       struct buffer *out)
{
    int rc;

    line->delay_ms += line->options.delay_ms;
    if (++line->commands == line->options.mute) {
        line->phase = LINE_DEAD;
        return LINE_MUTE;
    }
    rc = t0 ? t0_transmit(&line->t0.rest, line->card, command, length, out)
            : line->card->ops->apdu(line->card, command, length, out);
    if (rc == RC_NOT_TRANSACTED)
        return LINE_PARITY;
    if (rc == RC_MUTE)
        line->phase = LINE_DEAD;
    return rc ? LINE_MUTE : LINE_SAID;
}

enum emu_said line_script_send(struct emu_line *line, const uint8_t *bytes, size_t length, struct buffer *out)
{
    const struct emu_script *script = line->script;

    line->phase = LINE_USED;
    for (size_t tried = 0; tried < script->count; tried++) {
        const struct emu_script_step *step = &script->steps[line->step++ % script->count];
        size_t at, count = 0;
        uint8_t want[1024];

        if (step->in &&
            (strlen(step->in) / 2 > sizeof want || hex_parse(step->in, strlen(step->in), want, &count, &at) ||
             count != length || memcmp(want, bytes, length) != 0))
            continue;
        line->delay_ms = step->delay_ms;
        if (!step->out)
            return LINE_MUTE;
        if (buffer_reserve(out, strlen(step->out) / 2) ||
            hex_parse(step->out, strlen(step->out), out->data + out->length, &count, &at))
            return LINE_MUTE;
        out->length += count;
        return LINE_SAID;
    }
    return LINE_MUTE;
}

unsigned emu_line_delay(const struct emu_line *line)
{
    return line->delay_ms;
}

unsigned emu_line_wtx(const struct emu_line *line)
{
    return line->wtx;
}

bool emu_line_left(const struct emu_line *line)
{
    return line->left;
}

bool emu_line_used(const struct emu_line *line)
{
    return line->phase != LINE_FRESH;
}

unsigned emu_line_protocol(const struct emu_line *line)
{
    return line->protocol;
}

uint8_t emu_line_speed(const struct emu_line *line)
{
    return line->fd;
}
