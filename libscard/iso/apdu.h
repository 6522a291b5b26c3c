/* SPDX-License-Identifier: MIT */
/* Command and response APDUs (ISO 7816-4:2013, 5). Pure; buffers are the caller's. */
#ifndef ISO_APDU_H
#define ISO_APDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum apdu_case {
    APDU_1 = 1, /* CLA INS P1 P2 */
    APDU_2S,    /* Le */
    APDU_3S,    /* Lc data */
    APDU_4S,    /* Lc data Le */
    APDU_2E,
    APDU_3E,
    APDU_4E,
};

#define APDU_COMMAND_MAX 65544  /* extended case 4 with 65,535 data bytes */
#define APDU_RESPONSE_MAX 65538 /* 65,536 data bytes and SW1 SW2 */

struct apdu {
    enum apdu_case kind;
    uint8_t cla, ins, p1, p2;
    const uint8_t *data; /* borrowed from the input; NULL if none */
    size_t lc;           /* 0 if absent */
    size_t le;           /* 0 if absent, else 1…256 or 1…65536 */
    bool extended;
};

/* RC_INVALID_VALUE when the bytes are no well-formed command APDU; *ret_why (not NULL) then says so in words
 * ("Lc says 5 data bytes, 3 are there"), a static or thread-local string. */
int apdu_parse(const uint8_t *bytes, size_t length, struct apdu *ret_apdu, const char **ret_why);

/* Writes the APDU, in extended form if extended is set or lc > 255 or le > 256. le 0 = no Le.
 * RC_INSUFFICIENT_BUFFER, RC_INVALID_VALUE (lc > 65535, le > 65536). */
int apdu_build(const struct apdu *apdu, uint8_t *out, size_t capacity, size_t *ret_length);

/* What CLA says (ISO 7816-4:2013, 5.4.1). */
struct apdu_class {
    bool interindustry;     /* 0xxx xxxx */
    bool chaining;          /* bit 5: more commands follow */
    uint8_t secure_messaging; /* 0 none, else the SM bits */
    uint8_t channel;        /* 0…19 */
};
struct apdu_class apdu_class(uint8_t cla);

/* CLA of the same command on another logical channel (0…19); chaining and SM kept where the coding has room. */
uint8_t apdu_class_with_channel(uint8_t cla, uint8_t channel);

/* Does the data field of this command carry a secret (PIN, key): VERIFY 20/21, CHANGE REFERENCE DATA 24/25,
 * RESET RETRY COUNTER 2C/2D, ENABLE/DISABLE VERIFICATION 26/28, EXTERNAL or MUTUAL AUTHENTICATE 82, PUT KEY D8.
 * Used for masking in history, logs, traces. bytes may be malformed or chained. *ret_offset, *ret_length give the
 * range to mask (everything after the header and Lc). */
bool apdu_secret_range(const uint8_t *bytes, size_t length, size_t *ret_offset, size_t *ret_length);

/* Name of an instruction ("READ BINARY"), or NULL. cla decides for proprietary classes. */
const char *apdu_instruction_name(uint8_t cla, uint8_t ins);

#endif
