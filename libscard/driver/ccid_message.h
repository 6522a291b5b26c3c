/* SPDX-License-Identifier: MIT */
/*
 * Messages of the CCID bulk and interrupt pipes (CCID 1.1, 6), built and checked. Pure.
 *
 * Nothing that a reader sent is believed before it is checked: neither its length, nor that it answers the
 * command.
 */
#ifndef DRIVER_CCID_MESSAGE_H
#define DRIVER_CCID_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iso/atr.h"

#define CCID_HEADER 10

enum ccid_type {
    CCID_SET_PARAMETERS = 0x61, /* 6.1 */
    CCID_POWER_ON = 0x62,
    CCID_POWER_OFF = 0x63,
    CCID_GET_SLOT_STATUS = 0x65,
    CCID_SECURE = 0x69,
    CCID_T0_APDU = 0x6A,
    CCID_ESCAPE = 0x6B,
    CCID_GET_PARAMETERS = 0x6C,
    CCID_RESET_PARAMETERS = 0x6D,
    CCID_CLOCK = 0x6E,
    CCID_XFR_BLOCK = 0x6F,
    CCID_MECHANICAL = 0x71,
    CCID_ABORT = 0x72,
    CCID_SET_RATE = 0x73,

    CCID_DATA_BLOCK = 0x80, /* 6.2 */
    CCID_SLOT_STATUS = 0x81,
    CCID_PARAMETERS = 0x82,
    CCID_ESCAPE_ANSWER = 0x83,
    CCID_RATE = 0x84,
};

enum ccid_error { /* bError of a failed command (6.2.6) */
                  CCID_NOT_SUPPORTED = 0x00,
                  CCID_BAD_LENGTH = 0x01, /* 01…7F: offset of the field that is wrong */
                  CCID_BAD_SLOT = 0x05,
                  CCID_LAST_OFFSET = 0x7F,
                  CCID_SHORT_CIRCUIT = 0xA2, /* 81…C0 are vendors': those seen in the field */
                  CCID_ATR_TOO_LONG = 0xA3,
                  CCID_NO_DATA = 0xAB,
                  CCID_EMV_MODE = 0xB0,
                  CCID_NOT_EMV = 0xBB,
                  CCID_T1_ERROR = 0xBD,
                  CCID_APDU_LENGTH = 0xBE,
                  CCID_SLOT_BUSY = 0xE0,
                  CCID_PIN_CANCELLED = 0xEF,
                  CCID_PIN_TIMEOUT = 0xF0,
                  CCID_AUTOMATIC_BUSY = 0xF2,
                  CCID_DEACTIVATED = 0xF3,
                  CCID_PROCEDURE_BYTE = 0xF4,
                  CCID_BAD_CLASS = 0xF5,
                  CCID_BAD_PROTOCOL = 0xF6,
                  CCID_BAD_TCK = 0xF7,
                  CCID_BAD_TS = 0xF8,
                  CCID_HARDWARE = 0xFB,
                  CCID_OVERRUN = 0xFC,
                  CCID_PARITY = 0xFD,
                  CCID_MUTE = 0xFE,
                  CCID_ABORTED = 0xFF,
};

enum ccid_part { /* wLevelParameter and bChainParameter at extended level (6.1.4, 6.2.1) */
                 CCID_WHOLE = 0,
                 CCID_BEGINS = 1,
                 CCID_ENDS = 2,
                 CCID_CONTINUES = 3,
                 CCID_GO_ON = 0x10, /* empty: the other side's next part, please */
};

struct ccid_command {
    uint8_t type, slot, seq;
    uint8_t parameter;   /* byte 7: bPowerSelect, bBWI, bProtocolNum, bClockCommand, bFunction, bmChanges */
    uint16_t level;      /* bytes 8 and 9: wLevelParameter; T0APDU: the two classes */
    const uint8_t *data; /* borrowed */
    size_t length;
};

/* Writes the message; capacity at most the reader's max_message, as it takes none that is longer.
 * RC_INSUFFICIENT_BUFFER, with *ret_length the room needed. */
int ccid_build(const struct ccid_command *command, uint8_t *out, size_t capacity, size_t *ret_length);

/* Type of the message that answers this command; 0 for an unknown one. */
uint8_t ccid_answer_type(uint8_t command_type);

enum ccid_card { /* bStatus, bits 1-0 */
                 CCID_CARD_ACTIVE = 0,
                 CCID_CARD_INACTIVE = 1,
                 CCID_CARD_ABSENT = 2,
                 CCID_CARD_UNKNOWN = 3, /* reserved */
};

struct ccid_answer {
    enum ccid_card card;
    bool failed;
    uint8_t error;       /* enum ccid_error, if failed */
    uint8_t parameter;   /* byte 9: bChainParameter, bClockStatus, bProtocolNum */
    unsigned extension;  /* CCID_WAIT: times the waiting time, 1…255, from now on */
    const uint8_t *data; /* borrowed; none of a failed command */
    size_t length;
};

enum ccid_check {
    CCID_ANSWERED = 0, /* see ccid_rc */
    CCID_WAIT = 1,     /* time extension: start waiting anew; extensions do not add up (6.2.6) */
    CCID_FOREIGN = 2,  /* of another slot or sequence number, or empty: drop it, read on */
};

/* Is this bulk IN transfer the answer to command? enum ccid_check, or RC_IO with a detail: too short for a
 * header, another length than it says, or of another type. *ret_answer is set for CCID_ANSWERED; for
 * CCID_WAIT all but the data. */
int ccid_check(const struct ccid_command *command, const uint8_t *bytes, size_t received,
               struct ccid_answer *ret_answer);

/* Slot that a bulk IN transfer belongs to, under slots; RC_IO if it is too short to say or says another. */
int ccid_slot_of(const uint8_t *bytes, size_t received, unsigned slots);

enum ccid_outcome {
    CCID_KEPT = 1, /* SetParameters: the reader does not change a value; go on with those that it has */
    CCID_BUSY = 2, /* the slot is at work: try again later */
};

/* What an answer means for this command: RC_OK, enum ccid_outcome, or RC_* with a detail. The state of the
 * card in the answer to GetSlotStatus is good even if that failed: RC_OK but for a slot that does not exist.
 * Secure: RC_CANCELLED and RC_TIMEOUT when the PIN entry was. CCID_PARITY and CCID_MUTE in answer->error are
 * for T=1 to look at first. */
int ccid_rc(const struct ccid_command *command, const struct ccid_answer *answer);

/* "parity error on the line to the card"; never NULL. */
const char *ccid_error_text(uint8_t error);

#define CCID_PARAMETERS_MAX 7

/* Protocol data structure of SetParameters and Parameters (6.1.7). */
struct ccid_parameters {
    uint8_t protocol; /* bProtocolNum: 0 T=0, 1 T=1 */
    uint8_t fd;       /* FI/DI as in TA1 */
    bool inverse;
    uint8_t guard; /* N of TC1 */
    uint8_t clock_stop;
    uint8_t wi; /* T=0 */
    bool crc;   /* T=1, from here on */
    uint8_t bwi, cwi;
    uint8_t ifsc;
    uint8_t nad;
};

struct ccid_parameters ccid_parameters_of(const struct atr *atr, uint8_t protocol, uint8_t fd);

/* Result: the length, 5 for T=0 and 7 for T=1. */
size_t ccid_parameters_build(const struct ccid_parameters *parameters, uint8_t ret_data[CCID_PARAMETERS_MAX]);

/* Of the answer to GetParameters, protocol its byte 9. RC_UNSUPPORTED for another protocol than T=0 and T=1,
 * RC_IO if bytes are missing; both with a detail. */
int ccid_parameters_parse(uint8_t protocol, const uint8_t *data, size_t length,
                          struct ccid_parameters *ret_parameters);

/* NotifySlotChange (6.3.1): does this interrupt message speak of slot, and what does it say? Any message at
 * all is a reason to ask for the slot's status, which is what counts. */
bool ccid_notice_slot(const uint8_t *bytes, size_t length, unsigned slot, bool *ret_present,
                      bool *ret_changed);

/* HardwareError (6.3.2); code 01 is overcurrent. */
bool ccid_notice_hardware(const uint8_t *bytes, size_t length, uint8_t *ret_slot, uint8_t *ret_seq,
                          uint8_t *ret_code);

#endif
