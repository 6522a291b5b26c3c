/* SPDX-License-Identifier: MIT */
/*
 * Pasted text: hex, or the log of a program. What passed between program and card is taken out of it,
 * whatever else there is:
 *
 *   scriptor, pyscard, this shell   "> 00 A4 …", "< 6F … 90 00 : …", also "=>", "<-" and the like
 *   gp, apdu4j                      "A>> T=1 (4+0007) 00A40400 07 …", "A<< (0018+2) (14ms) 6F… 9000", "# ATR:
 * 3B…" pcscd                           "00000012 APDU: 00 A4 …", "00004711 SW: … 90 00", "Card ATR: …", and
 * libccid's
 *                                   "-> 000000 6F …", "<- 000000 80 …"
 *   opensc                          "Outgoing APDU (5 bytes):" and a dump, "Incoming APDU …"; opensc-tool's
 * "Sending:" and "Received (SW1=0x90, SW2=0x00):" scdaemon                        "raw apdu: …", "response:
 * sw=9000  datalen=2", "dump: …" ykman                           "SEND: …", "RECV: … SW=9000" scard
 * "SCardTransmit #1.1 00A4… > 6D00", JSON lines of exchanges cardpeek                        "R:3B…",
 * "C:00A4…:9000:…" hex                             lines of nothing but bytes: each is what it looks like
 *
 * "**" in a command is a secret that was masked there. Other lines are skipped. Pure.
 */
#ifndef CLI_EXPLAIN_LOG_H
#define CLI_EXPLAIN_LOG_H

#include <stdbool.h>

#include "cli/explain/guess.h"

struct log_item {
    enum explain_kind kind;
    const uint8_t *bytes;
    size_t length;
    bool cut;      /* a secret stood behind these bytes and was masked */
    unsigned line; /* where it begins, from 1 */
    bool plain;    /* bytes without a word about what they are: kind is a guess */
};

/* Gets each item in order; borrowed until it returns. Not RC_OK ends the reading with that. */
typedef int log_item_fn(void *user, const struct log_item *item);

/* Reads all of it. *ret_skipped: lines with words that meant nothing here. RC_NO_MEMORY, or what fn said. */
int log_read(const char *text, size_t length, log_item_fn *fn, void *user, unsigned *ret_skipped);

#endif
