/* SPDX-License-Identifier: MIT */
/*
 * A recording: the exchanges of a file, in order. Pure. The format shows itself:
 *
 *   jsonl      write_json.c's; unknown lines and keys are skipped
 *   apdu4j     "# ATR: hex", "# PROTOCOL: T=1", then commands and responses in turn, "# 24ms" between them
 *   cardpeek   "R:ATR", "C:command:status word:data"
 *   gp         "A>> T=1 (4+0008) …", "A<< (0028+2) (17ms) …", between whatever else it prints
 *   pcscd      "APDU: …", "SW: …" with a time in microseconds before them, between other lines of its log
 *   scard      the scripts that write_script.c writes: "# scard script", then "APDU =[data]SW"
 *   ETSI       "RST", "CMD hex [data](SW, SW)", "REM", "INI", "OFF"; XX in an answer is taken as 00
 *   pcapng     captures of link type 252, as write_pcapng.c makes them; a packet's number is its line
 *
 * Bytes of a command that were masked ("**") are one star, told by secret_offset and secret_length: they
 * stand for any bytes of any number.
 */
#ifndef CAPTURE_RECORDING_H
#define CAPTURE_RECORDING_H

#include "capture/captured.h"

struct recorded {
    struct captured exchange; /* APDU, CONNECT, RESET or CONTROL; all it points to is the recording's */
    unsigned line;
};

struct recording {
    const char *format; /* "jsonl" */
    struct recorded *items;
    size_t count;
    char **texts; /* that the items point to, besides bytes */
    size_t text_count;
};

/* Bytes in a file: more are no recording, and devices have no end. */
#define RECORDING_MAX (64u << 20)

/* name is for messages. RC_INVALID_VALUE with a detail that says name and line; RC_NO_MEMORY. */
int recording_parse(const char *name, const char *text, size_t length, struct recording *ret_recording);

/* The same of a file. RC_NOT_FOUND with a detail when it cannot be read. */
int recording_load(const char *path, struct recording *ret_recording);

void recording_fini(struct recording *recording); /* wipes */

/* Is that the recorded command? Stars stand for any bytes. */
bool recorded_is(const struct captured *recorded, const uint8_t *command, size_t length);

#endif
