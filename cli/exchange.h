/* SPDX-License-Identifier: MIT */
/*
 * One command and its response: the one record from which text, JSON, traces and history are printed, so that
 * secrets are masked in one place.
 *
 * Automatic handling (off with --raw), each added exchange shown and marked:
 *   61xx  GET RESPONSE with Le xx, until the card has no more (ISO 7816-4:2013, 5.3.4)
 *   6Cxx  the command once more with Le xx
 *   T=0   the Le of a case 4 command is cut (ISO 7816-3:2006, 12.2.1)
 * An expectation that names 6Cxx, or 61xx and not 9000, means the word itself: nothing is added then.
 */
#ifndef CLI_EXCHANGE_H
#define CLI_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/apdu_text.h"
#include "cli/call.h"
#include "cli/secret.h"

struct exchange {
    unsigned number;            /* of the APDU that the user gave, from 1 */
    const struct buffer *given; /* that APDU, which command may follow up */
    const uint8_t *command;
    size_t command_length;
    const uint8_t *response; /* with SW1 SW2 */
    size_t response_length;
    uint16_t sw; /* 0 if the response is shorter than two bytes */
    int64_t elapsed_ns;
    bool automatic;                      /* not typed by the user */
    bool cut;                            /* Le was taken off for T=0 */
    bool last;                           /* nothing follows for this APDU */
    size_t secret_offset, secret_length; /* in command; masked unless --show-secrets */
};

struct exchange_result {
    struct buffer data; /* response data of all parts, joined, without status words */
    uint16_t sw;        /* the last one */
    bool accepted;      /* as expected */
};

/* Command bytes in hex with the secret range as "**" (unless shown), for every rendering. NULL: out of
 * memory. */
char *exchange_command_hex(const struct exchange *exchange, bool show_secrets);

/* Sends one APDU over call->desk with automatic handling and writes its records. number is what they are
 * counted as. STATUS_DONE (also when the answer is not accepted: see the result), or the status of a reported
 * failure. ret_result may be NULL. */
int exchange_run(struct call *call, const struct apdu_text *apdu, unsigned number,
                 struct exchange_result *ret_result);
void exchange_result_fini(struct exchange_result *result);

/* Parses an APDU that was typed; a fault is reported with its column, never with the text. Secrets that the
 * text asks for come from secrets; NULL = the terminal. STATUS_DONE: *ret_apdu is the caller's. */
int exchange_parse(struct call *call, const char *text, unsigned number, struct secret_source *secrets,
                   struct apdu_text *ret_apdu);

/* Sends it and judges the answer: STATUS_ANSWER, reported, when it is not as expected. */
int exchange_send(struct call *call, const struct apdu_text *apdu, unsigned number);

/* The arguments from first on as suffixes behind an APDU, each behind a blank, in a new string that the caller
 * frees; "" for none. NULL: out of memory. */
char *exchange_suffixes(const struct call *call, size_t first);

/* Both. */
int exchange_text(struct call *call, const char *text, unsigned number, struct secret_source *secrets);

#endif
