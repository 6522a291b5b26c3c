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

/* RC_INVALID_VALUE when the bytes are no well-formed command APDU; *ret_why (unless ret_why is NULL) then
 * says so in words ("Lc says 5 data bytes, 3 are there"), valid until the thread's next call. The
 * detail is set, too, without numbers where they may come from a secret (apdu_secret_range). */
int apdu_parse(const uint8_t *bytes, size_t length, struct apdu *ret_apdu, const char **ret_why);

/* Writes the APDU, in extended form if extended is set or lc > 255 or le > 256 (case 1 has one form). le 0 =
 * no Le. kind is not read; data and out do not overlap. What apdu_parse gave comes out byte for byte.
 * RC_INSUFFICIENT_BUFFER, with *ret_length the room needed; RC_INVALID_VALUE (lc > 65535, le > 65536). */
int apdu_build(const struct apdu *apdu, uint8_t *out, size_t capacity, size_t *ret_length);

/*
 * What CLA says (ISO 7816-4:2013, 5.4.1). 001x xxxx is reserved: channel 0, no more. Of the proprietary
 * classes those that GlobalPlatform and ETSI TS 102 221 code after the interindustry ones have a channel and
 * secure messaging: 8x like 0x; Cx and Ex like 4x and 6x.
 */
struct apdu_class {
    bool interindustry;       /* 0xxx xxxx */
    bool chaining;            /* bit 5: more commands follow */
    uint8_t secure_messaging; /* 0 none, else the SM bits */
    uint8_t channel;          /* 0…19 */
};
struct apdu_class apdu_class(uint8_t cla);

/* CLA of the same command on another logical channel (0…19); chaining and SM kept where the coding has room
 * (channels 4…19 have one SM bit). A class that codes no channel comes back as it is. */
uint8_t apdu_class_with_channel(uint8_t cla, uint8_t channel);

/* Does the data field of this command carry a secret (PIN, key): VERIFY 20/21, CHANGE REFERENCE DATA 24/25,
 * RESET RETRY COUNTER 2C/2D, ENABLE/DISABLE VERIFICATION 26/28, IMPORT CARD SECRET 48, EXTERNAL or MUTUAL
 * AUTHENTICATE 82 (as a PC/SC pseudo-APDU: load keys), PUT KEY D8; in any class.
 * Used for masking in history, logs, traces. bytes may be malformed or chained. *ret_offset, *ret_length give
 * the range to mask: everything after the header and Lc - of a malformed command, or one with an extended Le
 * alone, everything after the header, as its Lc may be a byte of the secret. */
bool apdu_secret_range(const uint8_t *bytes, size_t length, size_t *ret_offset, size_t *ret_length);

/* Name of an instruction ("READ BINARY"), or NULL. cla chooses the table: ISO 7816 for 0x…7x, GlobalPlatform
 * (then EMV, ETSI, ISO 7816) for 8x, Cx and Ex, GSM 11.11 for A0, pseudo-APDUs of PC/SC part 3 for FF; none
 * for others. */
const char *apdu_instruction_name(uint8_t cla, uint8_t ins);

#endif
