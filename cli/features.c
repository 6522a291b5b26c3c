/* SPDX-License-Identifier: MIT */
#include "cli/features.h"

#include <stddef.h>

#include <reader.h>

static const struct {
    uint8_t tag;
    const char *name;
} features[] = {
    {FEATURE_VERIFY_PIN_START, "VERIFY_PIN_START"},
    {FEATURE_VERIFY_PIN_FINISH, "VERIFY_PIN_FINISH"},
    {FEATURE_MODIFY_PIN_START, "MODIFY_PIN_START"},
    {FEATURE_MODIFY_PIN_FINISH, "MODIFY_PIN_FINISH"},
    {FEATURE_GET_KEY_PRESSED, "GET_KEY_PRESSED"},
    {FEATURE_VERIFY_PIN_DIRECT, "VERIFY_PIN_DIRECT"},
    {FEATURE_MODIFY_PIN_DIRECT, "MODIFY_PIN_DIRECT"},
    {FEATURE_MCT_READER_DIRECT, "MCT_READER_DIRECT"},
    {FEATURE_MCT_UNIVERSAL, "MCT_UNIVERSAL"},
    {FEATURE_IFD_PIN_PROPERTIES, "IFD_PIN_PROPERTIES"},
    {FEATURE_ABORT, "ABORT"},
    {FEATURE_SET_SPE_MESSAGE, "SET_SPE_MESSAGE"},
    {FEATURE_VERIFY_PIN_DIRECT_APP_ID, "VERIFY_PIN_DIRECT_APP_ID"},
    {FEATURE_MODIFY_PIN_DIRECT_APP_ID, "MODIFY_PIN_DIRECT_APP_ID"},
    {FEATURE_WRITE_DISPLAY, "WRITE_DISPLAY"},
    {FEATURE_GET_KEY, "GET_KEY"},
    {FEATURE_IFD_DISPLAY_PROPERTIES, "IFD_DISPLAY_PROPERTIES"},
    {FEATURE_GET_TLV_PROPERTIES, "GET_TLV_PROPERTIES"},
    {FEATURE_CCID_ESC_COMMAND, "CCID_ESC_COMMAND"},
    {FEATURE_EXECUTE_PACE, "EXECUTE_PACE"},
};

const char *features_name(uint8_t tag)
{
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++)
        if (features[i].tag == tag)
            return features[i].name;
    return "unknown";
}
