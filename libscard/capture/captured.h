/* SPDX-License-Identifier: MIT */
/*
 * One exchange as it was: what traces, recordings and replays are made of. The public form of it is struct
 * scard_exchange (scard.h), which tells more of each member; api/ asserts that the numbers agree.
 */
#ifndef CAPTURE_CAPTURED_H
#define CAPTURE_CAPTURED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum captured_kind { CAPTURED_CALL, CAPTURED_APDU, CAPTURED_CONNECT, CAPTURED_RESET, CAPTURED_CONTROL };

#define CAPTURED_MASKED 1
#define CAPTURED_AUTOMATIC 2

/* What a masked secret is in command. */
#define CAPTURED_STAR '*'

struct captured {
    enum captured_kind kind;
    const char *call, *words;    /* "" if there is none */
    const char *reader, *device; /* the same */
    uint32_t process, context, card;
    uint32_t protocol; /* PC/SC numbering; 0 = none */
    int64_t time_ns, duration_ns;
    int rc;        /* RC_* */
    uint32_t code; /* control code; of a connection: what became of the card before (1…3: it was reset) */
    const uint8_t *command;
    size_t command_length;
    const uint8_t *response;
    size_t response_length;
    size_t secret_offset, secret_length;
    unsigned flags;
};

/* An exchange without anything: no member is NULL but the bytes. */
struct captured captured_none(void);

/* Makes the exchange one that holds no secret: its command becomes a copy in room (which is emptied first and
 * must live as long), with stars. The number of stars is that of the bytes where Lc tells it, else one.
 * Nothing happens to an exchange without a secret or with a masked one. RC_NO_MEMORY: the command is then
 * left out. */
int captured_mask(struct captured *exchange, struct buffer *room);

/* The command in hex with "**" where the secret was masked, a new string (free it); NULL: out of memory. */
char *captured_command_hex(const struct captured *exchange);

/* SW1 SW2, and how many bytes stand before them; false when the response has less than two bytes. */
bool captured_status(const struct captured *exchange, uint16_t *ret_sw, size_t *ret_data);

/* "T=0", "T=1", "raw", or NULL. */
const char *captured_protocol(const struct captured *exchange);

#endif
