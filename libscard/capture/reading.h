/* SPDX-License-Identifier: MIT */
/* A recording that is being read: what the formats share. Faults are told with name and line. */
#ifndef CAPTURE_READING_H
#define CAPTURE_READING_H

#include "capture/recording.h"

struct reading {
    const char *name;
    unsigned line;
    struct recording recording;

    const char *reader, *device; /* of the connection; the recording's */
    uint32_t protocol;
    struct buffer command, response, atr;
    size_t secret_offset, secret_length; /* of command */
    unsigned command_line;               /* 0: no command waits for its response */
    int64_t duration_ns, time_ns;
};

struct recording_format {
    const char *name;
    /* Could this line, which is not empty, be of it? The first line that one format knows decides. */
    bool (*knows)(const char *line, size_t length);
    int (*take)(struct reading *reading, const char *line, size_t length);
};

extern const struct recording_format recording_json, recording_apdu4j, recording_cardpeek, recording_gp,
    recording_pcscd, recording_etsi, recording_script;

/* A capture, which has no lines: all of it. */
bool reading_is_pcapng(const void *data, size_t length);
int reading_pcapng(struct reading *reading, const void *data, size_t length);

/* RC_INVALID_VALUE, the detail set. */
int reading_fault(const struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A text of the recording's own. */
int reading_text(struct reading *reading, const char *text, const char **ret_text);

/* Hex with blanks into a buffer that is emptied first; a fault says that what is none. stars: "**" is taken
 * as a masked secret, one star, for command. */
int reading_hex(struct reading *reading, const char *text, size_t length, const char *what,
                struct buffer *bytes);
int reading_command(struct reading *reading, const char *text, size_t length);

/* "T=1" and what is like it; 0 if it is no protocol. */
uint32_t reading_protocol(const char *text, size_t length);

/* Adds what was gathered: an APDU of command and response (which are then empty), a connection of atr, a
 * reset. */
int reading_add_apdu(struct reading *reading, int rc, unsigned flags);
int reading_add_connection(struct reading *reading);
int reading_add_reset(struct reading *reading);

/* A line that begins with '#' in a dump or trace: ATR, protocol, duration, or which bytes of the next command
 * are stars; and whether these are in it. */
int reading_comment(struct reading *reading, const char *line, size_t length);
int reading_check_secret(const struct reading *reading);

/* What an exchange that failed with that name (rc_name) is replayed as. */
int reading_failure(const char *name);

/* Text without the blanks at its ends. */
void reading_trim(const char **text, size_t *length);

/* Behind the first place of word in the text, or NULL. */
const char *reading_behind(const char *text, size_t length, const char *word);

/* How much of the text is hex pairs and blanks. */
size_t reading_hex_length(const char *text, size_t length);

#endif
