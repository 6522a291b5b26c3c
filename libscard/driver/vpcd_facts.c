/* SPDX-License-Identifier: MIT */
#include "driver/vpcd_facts.h"

#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "base/give.h"
#include "driver/vpcd_frame.h"

int vpcd_facts_attribute(const struct vpcd_facts *facts, uint32_t tag, uint8_t *out, size_t capacity,
                         size_t *ret_length)
{
    const struct reader *reader = facts->reader;
    uint32_t number;
    uint8_t byte;

    switch (tag) {
    case 0x00010100: /* VENDOR_NAME */
        return give(reader->vendor, strlen(reader->vendor) + 1, out, capacity, ret_length);
    case 0x00010101: /* VENDOR_IFD_TYPE */
        return give(reader->model, strlen(reader->model) + 1, out, capacity, ret_length);
    case 0x00020110: /* CHANNEL_ID: 0xFy = vendor-defined kind of channel, then its number */
        number = 0x00F0U << 16 | facts->port;
        return give(&number, sizeof number, out, capacity, ret_length);
    case 0x0007A007: /* MAXINPUT */
        number = VPCD_FRAME_MAX;
        return give(&number, sizeof number, out, capacity, ret_length);
    case 0x00090300: /* ICC_PRESENCE: 2 = in, not swallowed */
        byte = facts->present ? 2 : 0;
        return give(&byte, sizeof byte, out, capacity, ret_length);
    case 0x00090301: /* ICC_INTERFACE_STATUS: contacts active */
        byte = facts->present && facts->atr_length;
        return give(&byte, sizeof byte, out, capacity, ret_length);
    case 0x00090303: /* ATR_STRING */
        return give(facts->atr, facts->atr_length, out, capacity, ret_length);
    case READER_CARD_TIME:
        return give(&facts->card_ns, sizeof facts->card_ns, out, capacity, ret_length);
    default:
        return detail_set(RC_UNSUPPORTED, "%s: a virtual reader has no attribute 0x%08X", reader->device,
                          tag);
    }
}

int vpcd_facts_control(const char *device, uint32_t code, uint8_t *out, size_t capacity, size_t *ret_length)
{
    /* FEATURE_GET_TLV_PROPERTIES, length, control code, big-endian. */
    static const uint8_t features[] = {0x12, 4, 0x42, 0x33, 0x00, 0x12};
    /* dwMaxAPDUDataSize, length, 65536, little-endian. */
    static const uint8_t properties[] = {0x0A, 4, 0x00, 0x00, 0x01, 0x00};

    switch (code) {
    case 0x42000D48: /* CM_IOCTL_GET_FEATURE_REQUEST */
    case 0x00313520: /* the same, as Windows counts */
        return give(features, sizeof features, out, capacity, ret_length);
    case 0x42330012:
        return give(properties, sizeof properties, out, capacity, ret_length);
    default:
        return detail_set(RC_UNSUPPORTED, "%s: a virtual reader has no control code 0x%08X", device, code);
    }
}
