/* SPDX-License-Identifier: MIT */
/* A captured exchange that is being made. What there is no memory for is left out of its words. Does nothing
 * when nobody wants it. */
#ifndef MANAGER_TRACE_NOTE_H
#define MANAGER_TRACE_NOTE_H

#include "manager/trace.h"

struct trace_note {
    struct captured exchange;
    struct buffer words, masked;
    int64_t start_ns;
    bool wanted;
};

/* trace_note_begin takes the time, trace_note_end gives the exchange to the sink and frees what the note
 * holds. */
struct trace_note trace_note_begin(const struct trace_sink *sink, const char *call);
void trace_note_end(struct trace_note *note, struct trace_sink *sink, int rc);

/* How long it took is known: what follows is not of the call. */
void trace_note_timed(struct trace_note *note);

void trace_note_add(struct trace_note *note, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trace_note_hex(struct trace_note *note, const uint8_t *bytes, size_t count);
/* In quotes, behind a blank. */
void trace_note_name(struct trace_note *note, const char *name);

/* It is a transmit of this command, with what its instruction and trace_hint say is secret. */
void trace_note_command(struct trace_note *note, const uint8_t *bytes, size_t count);

/* It is a control; all that goes in may be a secret. */
void trace_note_control(struct trace_note *note, uint32_t code, const uint8_t *bytes, size_t count);
void trace_note_response(struct trace_note *note, const uint8_t *bytes, size_t count);

const char *trace_share_word(enum share_mode share);
const char *trace_disposition_word(enum disposition disposition);
const char *trace_protocol_word(uint32_t protocols);

#endif
