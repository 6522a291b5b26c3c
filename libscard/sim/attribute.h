/* SPDX-License-Identifier: MIT */
/* Attributes and properties that a simulated reader tells (PC/SC part 3, 4.1; part 10, 2.6.14). */
#ifndef SIM_ATTRIBUTE_H
#define SIM_ATTRIBUTE_H

#include "driver/reader.h"

/* What they are made from. Borrowed. */
struct reader_facts {
    const struct reader *reader;
    bool present;
    const uint8_t *atr; /* length 0: not powered */
    size_t atr_length;
    unsigned protocols;     /* mask offered by the ATR, 0 without one */
    enum protocol protocol; /* in use */
    int64_t card_ns;        /* READER_CARD_TIME */
};

/* Value of an attribute as of reader_ops.get_attribute: RC_UNSUPPORTED; RC_INSUFFICIENT_BUFFER with
 * *ret_length set. */
int attribute_get(const struct reader_facts *facts, uint32_t tag, uint8_t *out, size_t capacity,
                  size_t *ret_length);

/* Writes the answer to CM_IOCTL_GET_FEATURE_REQUEST: one feature, GET_TLV_PROPERTIES. */
#define FEATURE_LIST_LENGTH 6
void attribute_features(uint8_t out[FEATURE_LIST_LENGTH]);

/* Writes the answer to GET_TLV_PROPERTIES: dwMaxAPDUDataSize. */
#define PROPERTIES_LENGTH 6
void attribute_properties(const struct reader_facts *facts, uint8_t out[PROPERTIES_LENGTH]);

/* Control codes, SCARD_CTL_CODE(3400) and the Windows form of it; and what the feature list points to. */
#define CONTROL_GET_FEATURES 0x42000D48
#define CONTROL_GET_FEATURES_WINDOWS 0x00313520
#define CONTROL_GET_PROPERTIES 0x42330012

#endif
