/* SPDX-License-Identifier: MIT */
/*
 * sim:iso - a file-system card after ISO 7816-4:2013.
 *
 *     3F00  MF
 *       2F00  EF.DIR        linear variable, SFI 30: application templates
 *       2F01  EF.ATR/INFO   transparent, SFI 1
 *       2FE2  serial number transparent: decimal digits, nibbles swapped
 *       DF01  AID F0 73636172 64 01 ("scard" 01)
 *         E101  SFI 1  transparent: a greeting. Read always, update with PIN
 *         E102  SFI 2  transparent, 40,000 bytes, byte i = i xor (i >> 8), read only
 *         E103  SFI 3  transparent: read and update with PIN
 *         E104  SFI 4  linear fixed, 32 bytes each: telephone list. Update with PIN
 *         E105  SFI 5  cyclic, 8 records of 16 bytes: log. Everything always
 *         E106  SFI 6  linear variable, SIMPLE-TLV records with identifiers 01 02 01. Everything always
 *         E107  SFI 7  transparent, 65,536 bytes: for writing. Everything always
 *       DF02  AID F0 73636172 64 02: E101 with another greeting
 *       DF03  AID A0000002471001: 011E EF.COM, 0101 EF.DG1 with sample data (no access control)
 *
 * Commands: SELECT A4, READ BINARY B0 B1, UPDATE BINARY D6 D7, WRITE BINARY D0, ERASE BINARY 0E,
 * READ RECORD B2, UPDATE RECORD DC, WRITE RECORD D2, APPEND RECORD E2, VERIFY 20, CHANGE REFERENCE DATA 24,
 * RESET RETRY COUNTER 2C, GET CHALLENGE 84, GET DATA CA (4F, 43, 47, 5F52), GET RESPONSE C0,
 * MANAGE CHANNEL 70; command chaining where the command carries bulk data; 20 channels.
 *
 * Write functions are a logical OR. One PIN, reference 00, 01 or 81, status kept per channel. Retry
 * counters and file contents outlive resets.
 *
 * Options:
 *     pin=TEXT     the PIN, 4 … 12 characters (1234)
 *     puk=TEXT     the resetting code, 4 … 12 characters (12345678); 10 tries
 *     tries=N      retry counter of the PIN, 1 … 15 (3)
 *     serial=TEXT  content of 2FE2, if it is up to 20 decimal digits (the mount's option)
 */
#ifndef SIM_ISO_H
#define SIM_ISO_H

#include "sim/card.h"

int iso_new(const struct uri *uri, struct sim_card **ret_card);

#endif
