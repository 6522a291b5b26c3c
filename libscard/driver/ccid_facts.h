/* SPDX-License-Identifier: MIT */
/*
 * What is known of a reader from its descriptors and the quirk table, in words, without opening it. Pure.
 *
 * Keys are stable; programs read them. In this order; a key that does not apply is left out. Numbers are
 * decimal, without a unit; yes or no is said as such.
 *
 *     path              "usb:1-2.3:1.0"
 *     usb-id            "04e6:5116", lower case
 *     vendor-name, model, serial   as the device says (control characters as ?)
 *     firmware          bcdDevice: "5.16"
 *     firmware-needed   oldest usable one, if this one is too old
 *     bus, address, interface      numbers
 *     interface-class   "0b", or "ff" of a vendor
 *     defect            why it cannot be used; nothing follows but quirk lines when the class descriptor is
 *                       missing
 *     transport         "bulk", "ICCD version A", "ICCD version B", "unknown"
 *     level             "character", "TPDU", "short APDU", "extended APDU"
 *     protocols         "T=0", "T=1", "T=0 T=1"
 *     max-apdu-t0, max-apdu-t1     longest command APDU in bytes, of a protocol that it speaks
 *     max-le-t0, max-le-t1         largest Le
 *     extended-t0, extended-t1     extended APDUs: yes, no
 *     slots, busy-slots            how many there are, how many can work at the same time
 *     synchronous       "two-wire", "three-wire", "I2C", several with blanks between
 *     voltages          "5 V", "3 V", "1.8 V", several with ", " between
 *     clock-khz, max-clock-khz     default and maximum clock of the card
 *     clocks            how many clock frequencies can be asked for; 0: only those two
 *     data-rate, max-data-rate     bit/s
 *     data-rates        how many can be asked for; 0: all up to the maximum
 *     max-ifsd          T=1: longest information field from the card
 *     max-message       longest message of the reader, its header of 10 bytes included
 *     pps               who negotiates protocol and speed with the card: "host", "reader, by itself",
 *                       "reader, from the parameters", "nobody"
 *     interrupt         is there an interrupt endpoint: yes, no
 *     presence          how a card is noticed: "interrupt", "polling"
 *     pin-verify, pin-modify       on the reader's keypad: yes, no
 *     lcd               "2 lines of 16 characters", "no"
 *     mechanical        "accept", "eject", "capture", "lock", several with blanks between
 *     class-get-response, class-envelope   at APDU levels: CLA in hexadecimal, or "as in the APDU"
 *     features          dwFeatures in hexadecimal
 *     feature           one line for each bit of it in words; may come many times
 *     quirk             one line for each row of the quirk table, in words; may come many times
 *     class-descriptor  the 54 bytes as they came, in hexadecimal
 */
#ifndef DRIVER_CCID_FACTS_H
#define DRIVER_CCID_FACTS_H

#include "driver/ccid.h"

/* value has no line break and is valid during the call. */
typedef void ccid_facts_fn(void *user, const char *key, const char *value);

/* descriptor as ccid_descriptor_next gives it: the quirks of the identity's USB ids are applied to a copy. */
void ccid_facts(const struct ccid_descriptor *descriptor, const struct ccid_identity *identity,
                ccid_facts_fn *tell, void *user);

#endif
