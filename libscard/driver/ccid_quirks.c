/* SPDX-License-Identifier: MIT */
#include "driver/ccid_quirks.h"

#define OLD_FIRMWARE(vendor_, product_, below_)                                                              \
    {                                                                                                        \
        .vendor = vendor_, .product = product_, .below = below_, .flags = CCID_FIRMWARE_BAD,                 \
        .note = "firmware too old to be used"                                                                \
    }
#define NO_PIN(vendor_, product_, note_)                                                                     \
    {                                                                                                        \
        .vendor = vendor_, .product = product_, .flags = CCID_NO_PIN, .note = note_                          \
    }
#define OMNIKEY(vendor_, product_)                                                                           \
    {                                                                                                        \
        .vendor = vendor_, .product = product_, .flags = CCID_NO_PIN | CCID_SHORT_IS_EXTENDED,               \
        .note = "has no PIN pad, although it says so; takes extended APDUs"                                  \
    }
#define SLOW_START(vendor_, product_, times)                                                                 \
    {                                                                                                        \
        .vendor = vendor_, .product = product_, .open_times = times, .note = "slow to answer after opening"  \
    }
#define SCM(product_)                                                                                        \
    {                                                                                                        \
        .vendor = 0x04E6, .product = product_, .flags = CCID_MESSAGE_271,                                    \
        .note = "takes messages of 271 bytes, although it says 263"                                          \
    }
#define SCM_OLD(product_, below_)                                                                            \
    {                                                                                                        \
        .vendor = 0x04E6, .product = product_, .below = below_, .ifsd = 48,                                  \
        .note = "loses answers of n * 64 bytes: short T=1 blocks"                                            \
    }
#define ALCOR(product_)                                                                                      \
    {                                                                                                        \
        .vendor = 0x058F, .product = product_, .max_rate = 200000, .flags = CCID_SKIP_PARAMETERS,            \
        .note = "fails at some of the data rates that it announces"                                          \
    }
#define O2MICRO(product_)                                                                                    \
    {                                                                                                        \
        .vendor = 0x0B97, .product = product_, .flags = CCID_NO_PPS | CCID_PIECES | CCID_NO_FULL_PACKETS,    \
        .note = "first protocol and default speed only"                                                      \
    }
#define GEMPC_TWIN(product_)                                                                                 \
    {                                                                                                        \
        .vendor = 0x08E6, .product = product_, .flags = CCID_EMPTY_PACKETS | CCID_NO_NAD,                    \
        .note = "sends stray empty packets"                                                                  \
    }
#define EMV_FIRST(vendor_, product_)                                                                         \
    {                                                                                                        \
        .vendor = vendor_, .product = product_, .flags = CCID_ISO_MODE,                                      \
        .note = "checks cards for EMV unless told not to"                                                    \
    }

static const struct ccid_quirk quirks[] = {
    ALCOR(0x9540),
    ALCOR(0x9560),
    SLOW_START(0x072F, 0x2200, 10),
    OMNIKEY(0x076B, 0x3A21),
    OMNIKEY(0x076B, 0x3031),
    OMNIKEY(0x076B, 0x6632),
    OMNIKEY(0x046A, 0x00A7),
    OMNIKEY(0x0BF8, 0x1024),
    SCM(0xE001),
    SCM(0x5111),
    SCM(0x5115),
    SCM(0x5116),
    SCM(0xE003),
    SCM(0x5117),
    SCM(0x5120),
    SCM_OLD(0xE001, 0x0516),
    SCM_OLD(0x5111, 0x0620),
    SCM_OLD(0x5115, 0x0514),
    SCM_OLD(0xE003, 0x0504),
    SCM_OLD(0x5117, 0x0522),
    GEMPC_TWIN(0x3437),
    GEMPC_TWIN(0x3438),
    EMV_FIRST(0x08E6, 0x4433),
    EMV_FIRST(0x046A, 0x0005),
    O2MICRO(0x7762),
    O2MICRO(0x7772),
    {.vendor = 0x413C,
     .product = 0x2100,
     .flags = CCID_PIN_NO_MESSAGES | CCID_PIN_PAUSE | CCID_PIN_SWAP_DIGITS,
     .note = "PIN entry: no messages, a pause first, PIN lengths in the other byte order"},
    {.vendor = 0x413C,
     .product = 0x2101,
     .flags = CCID_PIN_NO_MESSAGES | CCID_PIN_PAUSE,
     .note = "PIN entry: no messages, a pause first"},
    {.vendor = 0x413C,
     .product = 0x2101,
     .from = 0x0200,
     .below = 0x0201,
     .flags = CCID_EMPTY_PACKETS,
     .note = "sends stray empty packets"},
    {.vendor = 0x046A,
     .product = 0x0010,
     .flags = CCID_PIN_VALIDATION | CCID_PIN_ALL_MESSAGES | CCID_PIN_ALL_INDEXES,
     .note = "PIN entry: a validation condition, three messages to modify"},
    {.vendor = 0x046A,
     .product = 0x003E,
     .flags = CCID_PIN_VALIDATION | CCID_PIN_NO_MESSAGES | CCID_PIN_ALL_INDEXES,
     .note = "PIN entry: a validation condition, three message indexes of no message"},
    {.vendor = 0x046A,
     .product = 0x0080,
     .flags = CCID_PIN_VALIDATION,
     .note = "PIN entry: a validation condition"},
    {.vendor = 0x046A,
     .product = 0x00A1,
     .flags = CCID_PIN_VALIDATION | CCID_PIN_FF_MESSAGES,
     .note = "PIN entry: a validation condition, default messages to modify"},
    {.vendor = 0x046A,
     .product = 0x00A1,
     .from = 0x0100,
     .below = 0x0101,
     .flags = CCID_SHORT_IS_EXTENDED,
     .note = "takes extended APDUs, although it says short ones"},
    {.vendor = 0x04E6,
     .product = 0xE003,
     .flags = CCID_ABORT_AT_OPEN | CCID_CLEAR_INTERRUPT | CCID_PIN_NO_PADDING | CCID_PIN_NO_MESSAGES |
              CCID_PIN_ALL_INDEXES,
     .note = "has to be woken up; PIN entry: no padding, three message indexes of no message"},
    {.vendor = 0x08E6,
     .product = 0x3478,
     .flags = CCID_PIN_ONE_MESSAGE | CCID_PIN_KEY_ONLY,
     .pin_min = 4,
     .pin_max = 8,
     .note = "PIN entry: one message, ended by a key, 4 to 8 digits"},
    {.vendor = 0x0982,
     .product = 0x0008,
     .flags = CCID_PIN_ONE_MESSAGE | CCID_PIN_KEY_ONLY,
     .pin_min = 4,
     .pin_max = 8,
     .note = "PIN entry: one message, ended by a key, 4 to 8 digits"},
    {.vendor = 0x0529,
     .product = 0x0620,
     .from = 0x0012,
     .below = 0x0014,
     .flags = CCID_NO_IFSD,
     .note = "answers the announcement of IFSD wrongly"},
    {.vendor = 0x08E6,
     .product = 0x34D2,
     .extra_ms = 5 * 60 * 1000,
     .note = "waits for a touch without asking for more time"},
    {.vendor = 0x0D46,
     .product = 0x3010,
     .flags = CCID_EXTENDED_IS_SHORT,
     .note = "takes short APDUs only, although it says extended ones"},
    {.vendor = 0x0D46,
     .product = 0x301D,
     .flags = CCID_OFF_BEFORE_ON,
     .note = "must be powered off before it is powered on"},
    SLOW_START(0x04E6, 0x5293, 4),
    SLOW_START(0x04E6, 0x5790, 4),
    SLOW_START(0x04E6, 0x5791, 4),
    SLOW_START(0x04E6, 0x5724, 4),
    SLOW_START(0x09D8, 0x0427, 10),
    SLOW_START(0x09D8, 0x0428, 10),
    SLOW_START(0x0B81, 0x0200, 20),
    {.vendor = 0x09BE, .product = 0x0002, .ifsd = 254, .note = "descriptor in the other byte order"},
    NO_PIN(0x03F0, 0x1024, "a PIN typed on it also reaches programs as keystrokes, or PIN entry fails"),
    NO_PIN(0x03F0, 0x0036, "a PIN typed on it also reaches programs as keystrokes, or PIN entry fails"),
    NO_PIN(0x0BF8, 0x1017, "a PIN typed on it also reaches programs as keystrokes, or PIN entry fails"),
    NO_PIN(0x04F2, 0x1469, "a PIN typed on it also reaches programs as keystrokes, or PIN entry fails"),
    NO_PIN(0x25DD, 0x3111, "a PIN typed on it also reaches programs as keystrokes, or PIN entry fails"),
    NO_PIN(0x0783, 0x0006, "a PIN typed on it also reaches programs as keystrokes, or PIN entry fails"),
    {.vendor = 0x2F7C,
     .product = 0x6007,
     .flags = CCID_SHORT_IS_EXTENDED,
     .note = "takes extended APDUs, although it says short ones"},
    {.vendor = 0x076B,
     .product = 0x5427,
     .flags = CCID_ESCAPE_ALLOWED,
     .note = "is configured by escape commands"},

    OLD_FIRMWARE(0x04E6, 0xE001, 0x0516),
    OLD_FIRMWARE(0x04E6, 0x5111, 0x0620),
    OLD_FIRMWARE(0x04E6, 0xE003, 0x0510),
    OLD_FIRMWARE(0x04E6, 0x5291, 0x0112),
    OLD_FIRMWARE(0x0D46, 0x3001, 0x0037),
    OLD_FIRMWARE(0x0D46, 0x3002, 0x0037),
    OLD_FIRMWARE(0x09C3, 0x0008, 0x0203),
    OLD_FIRMWARE(0x0DC3, 0x1004, 0x0502),
    OLD_FIRMWARE(0x0DC3, 0x1102, 0x0607),
    OLD_FIRMWARE(0x0DC3, 0x0900, 0x0200),
    OLD_FIRMWARE(0x058F, 0x9520, 0x0102),
    OLD_FIRMWARE(0x072F, 0x2200, 0x0206),
    OLD_FIRMWARE(0x08C3, 0x0401, 0x5000),
    OLD_FIRMWARE(0x08C3, 0x0402, 0x5000),
    OLD_FIRMWARE(0x0B0C, 0x0050, 0x0101),
    OLD_FIRMWARE(0x03F0, 0x0036, 0x0124),
    OLD_FIRMWARE(0x062D, 0x0001, 0x0102),
};

const struct ccid_quirk *ccid_quirks_next(const struct ccid_quirk *after, uint16_t vendor, uint16_t product,
                                          uint16_t bcd_device)
{
    for (const struct ccid_quirk *row = after ? after + 1 : quirks;
         row < quirks + sizeof quirks / sizeof *quirks; row++)
        if (row->vendor == vendor && row->product == product && bcd_device >= row->from &&
            (!row->below || bcd_device < row->below))
            return row;
    return NULL;
}

struct ccid_quirk ccid_quirks_find(uint16_t vendor, uint16_t product, uint16_t bcd_device)
{
    struct ccid_quirk all = {.vendor = vendor, .product = product};
    const struct ccid_quirk *row = NULL;

    while ((row = ccid_quirks_next(row, vendor, product, bcd_device))) {
        all.flags |= row->flags;
        if (row->flags & CCID_FIRMWARE_BAD)
            all.below = row->below;
        if (row->max_rate)
            all.max_rate = row->max_rate;
        if (row->ifsd)
            all.ifsd = row->ifsd;
        if (row->open_times)
            all.open_times = row->open_times;
        if (row->extra_ms)
            all.extra_ms = row->extra_ms;
        if (row->pin_max) {
            all.pin_min = row->pin_min;
            all.pin_max = row->pin_max;
        }
    }
    return all;
}

void ccid_quirks_apply(const struct ccid_quirk *quirk, struct ccid_descriptor *descriptor)
{
    if (quirk->flags & CCID_SHORT_IS_EXTENDED && descriptor->level == CCID_SHORT_APDU)
        descriptor->level = CCID_EXTENDED_APDU;
    if (quirk->flags & CCID_EXTENDED_IS_SHORT && descriptor->level == CCID_EXTENDED_APDU)
        descriptor->level = CCID_SHORT_APDU;
    if (quirk->flags & CCID_MESSAGE_271 && descriptor->max_message == 263)
        descriptor->max_message = 271;
    if (quirk->max_rate && descriptor->max_rate > quirk->max_rate)
        descriptor->max_rate = quirk->max_rate > descriptor->rate ? quirk->max_rate : descriptor->rate;
    if (quirk->ifsd && descriptor->protocols & 2)
        descriptor->max_ifsd = quirk->ifsd;
    if (quirk->flags & CCID_NO_PIN)
        descriptor->pin_verify = descriptor->pin_modify = false;
}
