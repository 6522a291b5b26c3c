/* SPDX-License-Identifier: MIT */
/*
 * PIN_VERIFY_STRUCTURE and PIN_MODIFY_STRUCTURE (PC/SC part 10, 2.5.2 and 2.5.3) to the data of
 * PC_to_RDR_Secure (CCID 1.1, 6.1.11), with the quirks. Pure.
 */
#ifndef DRIVER_CCID_PIN_DATA_H
#define DRIVER_CCID_PIN_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "driver/ccid_quirks.h"

/* A structure, read; both kinds. Numbers of two bytes are as the wire has them. */
struct ccid_pin_request {
    bool modify;
    uint8_t seconds; /* bTimerOut; 0: as the reader likes */
    uint8_t format, block, length_format;
    uint8_t offset_old, offset_new, confirm; /* modify */
    uint8_t max_digits, min_digits;          /* wPINMaxExtraDigit */
    uint8_t validation, messages;
    uint8_t language[2];
    uint8_t index[3];    /* bMsgIndex; verify: the first */
    const uint8_t *apdu; /* borrowed: the command with room for the PIN */
    size_t apdu_length;  /* at least 4 */
};

/* Reads what a program sent. ulDataLength may be in the host's byte order or the other one; whichever fits
 * counts for all numbers. RC_INVALID_VALUE with a detail. */
int ccid_pin_read(bool modify, const uint8_t *in, size_t length, struct ccid_pin_request *ret_request);

/* Room that the data of Secure can take. */
#define CCID_PIN_HEADER_MAX 20
static inline size_t ccid_pin_room(const struct ccid_pin_request *request)
{
    return CCID_PIN_HEADER_MAX + request->apdu_length;
}

/* Writes the data of Secure, from bPINOperation on. prologue is NAD PCB LEN of the I-block that is to carry
 * the APDU, or zeros. out has ccid_pin_room bytes; the APDU comes last in it. Result: the length. */
size_t ccid_pin_write(const struct ccid_quirk *quirk, const struct ccid_pin_request *request,
                      const uint8_t prologue[static 3], uint8_t *out);

#endif
