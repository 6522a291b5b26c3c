/* SPDX-License-Identifier: MIT */
/*
 * What a reader tells of its features (PC/SC part 10, 2.2 and 2.6): the list of control codes, and the
 * properties. Pure.
 */
#ifndef DRIVER_CCID_FEATURES_H
#define DRIVER_CCID_FEATURES_H

#include "driver/ccid_device.h"

/* Programs should read these from the list, but many write them down: they are the values that they know. */
enum ccid_control_code {
    CCID_CONTROL_FEATURES = 0x42000D48,
    CCID_CONTROL_FEATURES_WINDOWS = 0x00313520,
    CCID_CONTROL_ESCAPE = 0x42000001,
    CCID_CONTROL_ESCAPE_WINDOWS = 0x003136B0,
    CCID_CONTROL_VERIFY_PIN = 0x42330006,
    CCID_CONTROL_MODIFY_PIN = 0x42330007,
    CCID_CONTROL_PIN_PROPERTIES = 0x4233000A,
    CCID_CONTROL_PROPERTIES = 0x42330012,
};

#define CCID_FEATURES_MAX 30
#define CCID_PIN_PROPERTIES_LENGTH 4
#define CCID_PROPERTIES_MAX 48

/* Can a PIN be entered on this reader? Not at character level, where Secure has no meaning. */
bool ccid_features_can_verify(const struct ccid_device *device);
bool ccid_features_can_modify(const struct ccid_device *device);

/* Answer to CM_IOCTL_GET_FEATURE_REQUEST. Result: its length. */
size_t ccid_features_list(const struct ccid_device *device, uint8_t out[static CCID_FEATURES_MAX]);

/* Answer to IFD_PIN_PROPERTIES. */
void ccid_features_pin(const struct ccid_device *device, uint8_t out[static CCID_PIN_PROPERTIES_LENGTH]);

/* Answer to GET_TLV_PROPERTIES; dwMaxAPDUDataSize is that of the protocol in use, or else of the best that
 * reader and card have. Result: its length. */
size_t ccid_features_properties(const struct ccid_slot *slot, uint8_t out[static CCID_PROPERTIES_MAX]);

#endif
