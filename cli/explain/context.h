/* SPDX-License-Identifier: MIT */
/*
 * Which application the bytes belong to: the same status word, instruction or tag means one thing on a bank
 * card and another on a SIM. A context is got from the SELECT that chose the application, and from classes
 * that leave no doubt. Everything in cli/explain is pure: tables and texts, no I/O.
 */
#ifndef CLI_EXPLAIN_CONTEXT_H
#define CLI_EXPLAIN_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum explain_context {
    EXPLAIN_ISO, /* nothing is known: ISO 7816-4 */
    EXPLAIN_GP,  /* GlobalPlatform: a security domain */
    EXPLAIN_EMV, /* payment */
    EXPLAIN_SIM, /* GSM 11.11, ETSI TS 102 221 */
    EXPLAIN_PIV,
    EXPLAIN_OPENPGP,
    EXPLAIN_FIDO,
    EXPLAIN_OATH,
    EXPLAIN_DESFIRE, /* native commands in class 90 */
    EXPLAIN_NDEF,    /* NFC Forum type 4 tag */
    EXPLAIN_EMRTD,   /* passport */
    EXPLAIN_HSM,     /* SmartCard-HSM */
    EXPLAIN_READER,  /* class FF: the reader answers (PC/SC part 3) */
    EXPLAIN_CONTEXTS
};

/* "PIV"; "" for EXPLAIN_ISO. */
const char *explain_context_name(enum explain_context context);

/* Of the application with this AID; EXPLAIN_ISO if it is not known. */
enum explain_context explain_context_of_aid(const uint8_t *aid, size_t length);

/* The context of one command: that of the application selected, unless the class says another (FF the reader,
 * 90 DESFire, A0 a SIM). */
enum explain_context explain_context_for(uint8_t cla, enum explain_context selected);

/* The application selected after this exchange: another only if it was a SELECT by name that went well, or of
 * the master file. Start with EXPLAIN_ISO, also after a reset. Any bytes may be given. */
enum explain_context explain_context_after(enum explain_context selected, const uint8_t *command,
                                           size_t length, uint16_t sw);

#endif
