/* SPDX-License-Identifier: MIT */
/* Typical and real shapes of readers. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "tests/usbemu/emu_reader.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const uint32_t clocks[] = {4000, 4800};
static const uint32_t rates[] = {10752, 21505, 43010, 62500, 86021, 125000, 172043, 250000, 344086};

/* A contact reader of today; the rows below say what is different. */
#define READER(name_)                                                                                        \
    .preset = name_, .vid = 0x1209, .pid = 0xCC1D, .bcd_device = 0x0100, .manufacturer = "scard",            \
    .product = "Emulated Reader", .serial = "0001", .class_code = 0x0B, .interfaces = 1, .interrupt = true,  \
    .packet = 64, .interrupt_packet = 8, .announced_level = -1, .slots = 1, .busy_slots = 1, .voltages = 7,  \
    .protocols = 3, .max_ifsd = 254, .clock_khz = 4000, .max_clock_khz = 4800, .rate = 10752,                \
    .max_rate = 344086, .max_message = 271, .class_get_response = 0xFF, .class_envelope = 0xFF
#define LISTS .clocks = clocks, .clock_count = COUNT(clocks), .rates = rates, .rate_count = COUNT(rates)
#define REAL(name_, vid_, pid_, bcd_, product_)                                                              \
    READER(name_), .vid = vid_, .pid = pid_, .bcd_device = bcd_, .product = product_

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const struct emu_reader_config presets[] = {
    {READER("tpdu"), LISTS, .level = EMU_TPDU, .features = 0x38},
    {READER("tpdu-volts"), .level = EMU_TPDU, .features = 0x30},
    {READER("tpdu-pps"), LISTS, .level = EMU_TPDU, .features = 0xB8}, /* the reader does PPS as it is told */
    {READER("tpdu-auto"), .level = EMU_TPDU, .features = 0x47A},      /* by its own choice, and IFSD too */
    {READER("short"), .level = EMU_SHORT_APDU, .features = 0x7A},
    {READER("short-pps"), LISTS, .level = EMU_SHORT_APDU, .features = 0xB8},
    {READER("extended"), .level = EMU_EXTENDED_APDU, .features = 0x7A},
    {READER("extended-big"), .level = EMU_EXTENDED_APDU, .features = 0x7A, .max_message = 65554,
     .packet = 512},
    {READER("extended-64"), .level = EMU_EXTENDED_APDU, .features = 0x7A, .max_message = 64,
     .interrupt = false},
    {READER("character"), .level = EMU_CHARACTER, .features = 0x38},
    {READER("iccd-a"), .level = EMU_CHARACTER, .features = 0x840, .transport = EMU_ICCD_A, .interrupt = false,
     .protocols = 1},
    {READER("iccd-b"), .level = EMU_EXTENDED_APDU, .features = 0x840, .transport = EMU_ICCD_B,
     .interrupt = false},
    {READER("iccd-b-tpdu"), .level = EMU_TPDU, .features = 0x840, .transport = EMU_ICCD_B,
     .interrupt = false},
    {READER("nointerrupt"), .level = EMU_TPDU, .features = 0x38, .interrupt = false},
    {READER("activating"), .level = EMU_EXTENDED_APDU, .features = 0x7E},
    {READER("multislot"), .level = EMU_TPDU, .features = 0xB8, .slots = 4, .busy_slots = 1},
    {READER("busyslots"), .level = EMU_EXTENDED_APDU, .features = 0x7A, .slots = 4, .busy_slots = 4},
    {READER("pinpad"), .level = EMU_TPDU, .features = 0xB8, .pin_support = 3, .lcd = 0x0210},
    {READER("pinpad-short"), .level = EMU_SHORT_APDU, .features = 0x7A, .pin_support = 3, .lcd = 0x0210},
    {READER("composite"), .level = EMU_TPDU, .features = 0x38, .interfaces = 2, .keyboard = true,
     .interface_name = "CCID Interface"},
    {READER("class-ff"), .level = EMU_TPDU, .features = 0x38, .class_code = 0xFF},
    {READER("behind"), .level = EMU_TPDU, .features = 0x38, .place = EMU_BEHIND_ENDPOINTS},
    {READER("type-ff"), .level = EMU_TPDU, .features = 0x38, .place = EMU_TYPE_FF},
    {READER("no-class"), .level = EMU_TPDU, .features = 0x38, .place = EMU_NOWHERE},
    {READER("mechanical"), .level = EMU_TPDU, .features = 0x138, .mechanical = 0xF},

    /* Rows of the quirk table. */
    {REAL("alcor", 0x058F, 0x9540, 0x0120, "EMV Smartcard Reader"), LISTS, .level = EMU_TPDU,
     .features = 0xB8, .real_max_rate = 200000},
    {REAL("acr122", 0x072F, 0x2200, 0x0214, "ACR122U PICC Interface"), .level = EMU_SHORT_APDU,
     .features = 0x7A, .wake_ms = 700},
    {REAL("acr122-old", 0x072F, 0x2200, 0x0102, "ACR122U PICC Interface"), .level = EMU_SHORT_APDU,
     .features = 0x7A},
    {REAL("omnikey", 0x076B, 0x3031, 0x0600, "Smart Card Reader"), .level = EMU_EXTENDED_APDU,
     .announced_level = EMU_SHORT_APDU, .features = 0x7A, .pin_support = 3},
    {REAL("scm", 0x04E6, 0x5116, 0x0206, "SCR3310 v2.0"), .level = EMU_TPDU, .features = 0xB8,
     .max_message = 263, .real_message = 271},
    {REAL("spr532", 0x04E6, 0xE003, 0x0601, "SPR532"), .level = EMU_TPDU, .features = 0xB8,
     .max_message = 263, .real_message = 271, .pin_support = 3, .pin_all_indexes = true},
    {REAL("scm-old", 0x04E6, 0x5115, 0x0300, "SCR335"), .level = EMU_TPDU, .features = 0xB8,
     .max_message = 263, .real_message = 271, .loses_full = 2},
    {REAL("gempc-twin", 0x08E6, 0x3437, 0x0200, "USB SmartCard Reader"), .level = EMU_TPDU, .features = 0xB8},
    {REAL("cherry-xx33", 0x046A, 0x0005, 0x0100, "SmartBoard XX33"), .level = EMU_TPDU, .features = 0xB8,
     .emv_first = true},
    {REAL("cherry-kc1000", 0x046A, 0x00A1, 0x0100, "KC 1000 SC"), .level = EMU_EXTENDED_APDU,
     .announced_level = EMU_SHORT_APDU, .features = 0x7A, .pin_support = 3},
    {REAL("kobil", 0x0D46, 0x301D, 0x0100, "IDToken"), .level = EMU_EXTENDED_APDU, .features = 0x7A,
     .off_first = true},
    {REAL("o2micro", 0x0B97, 0x7762, 0x0110, "O2Micro CCID SC Reader"), .level = EMU_CHARACTER,
     .features = 0x38, .place = EMU_BEHIND_ENDPOINTS, .pieces = 48, .loses_full = 1},
    {REAL("gnuk", 0x234B, 0x0000, 0x0200, "Gnuk Token"), .level = EMU_EXTENDED_APDU, .features = 0x7A,
     .interrupt = false, .protocols = 2, .rates = rates, .rate_count = 1, .rates_stall = true},
    {REAL("yubikey", 0x1050, 0x0407, 0x0543, "YubiKey OTP+FIDO+CCID"), .level = EMU_EXTENDED_APDU,
     .features = 0x7A, .max_message = 3072, .max_ifsd = 3062, .protocols = 2, .keyboard = true},
    {REAL("qemu", 0x08E6, 0x4433, 0x0000, "QEMU USB CCID"), .level = EMU_TPDU, .features = 0xFE,
     .protocols = 3, .max_message = 65554, .max_ifsd = 254, .abort_stalls = true, .rates_stall = true,
     .rates = rates, .rate_count = 1, .no_escape = true},
};
#pragma GCC diagnostic pop

const struct emu_reader_config *emu_reader_preset(const char *name)
{
    for (size_t i = 0; i < COUNT(presets); i++)
        if (strcmp(presets[i].preset, name) == 0)
            return &presets[i];
    return NULL;
}

const char *emu_reader_preset_name(size_t index)
{
    return index < COUNT(presets) ? presets[index].preset : NULL;
}

#define NUMBER(field)                                                                                        \
    {                                                                                                        \
#field, offsetof(struct emu_reader_config, field), sizeof((struct emu_reader_config *)0)->field      \
    }

static const struct {
    const char *key;
    size_t at, size;
} numbers[] = {
    NUMBER(vid),
    NUMBER(pid),
    NUMBER(bcd_device),
    NUMBER(class_code),
    NUMBER(place),
    NUMBER(transport),
    NUMBER(interfaces),
    NUMBER(keyboard),
    NUMBER(interrupt),
    NUMBER(packet),
    NUMBER(level),
    NUMBER(announced_level),
    NUMBER(features),
    NUMBER(slots),
    NUMBER(busy_slots),
    NUMBER(voltages),
    NUMBER(protocols),
    NUMBER(mechanical),
    NUMBER(max_ifsd),
    NUMBER(clock_khz),
    NUMBER(max_clock_khz),
    NUMBER(rate),
    NUMBER(max_rate),
    NUMBER(max_message),
    NUMBER(real_message),
    NUMBER(lcd),
    NUMBER(pin_support),
    NUMBER(no_empty),
    NUMBER(abort_stalls),
    NUMBER(rates_stall),
    NUMBER(strict_atr),
    NUMBER(emv_first),
    NUMBER(off_first),
    NUMBER(no_escape),
    NUMBER(extension_ms),
    NUMBER(wake_ms),
    NUMBER(pin_all_indexes),
    NUMBER(pieces),
    NUMBER(loses_full),
    NUMBER(real_max_rate),
    NUMBER(interrupt_packet),
};

static const struct {
    const char *key;
    size_t at;
} texts[] = {
    {"manufacturer", offsetof(struct emu_reader_config, manufacturer)},
    {"product", offsetof(struct emu_reader_config, product)},
    {"serial", offsetof(struct emu_reader_config, serial)},
    {"interface_name", offsetof(struct emu_reader_config, interface_name)},
};

static int set_number(struct emu_reader_config *config, size_t at, size_t size, const char *text)
{
    uint8_t *field = (uint8_t *)config + at;
    char *end;
    long long value = strtoll(text, &end, 0);
    uint32_t wide = (uint32_t)value;
    uint16_t half = (uint16_t)value;

    if (!*text || *end || value < -1 || value > (long long)UINT32_MAX >> (32 - 8 * size))
        return detail_set(RC_INVALID_VALUE, "\"%s\" is no number for this", text);
    if (size == sizeof wide)
        memcpy(field, &wide, sizeof wide);
    else if (size == sizeof half)
        memcpy(field, &half, sizeof half);
    else
        *field = (uint8_t)value;
    return RC_OK;
}

int emu_reader_config_set(struct emu_reader_config *config, const char *key, const char *value)
{
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (strcmp(key, numbers[i].key) == 0)
            return set_number(config, numbers[i].at, numbers[i].size, value);
    for (size_t i = 0; i < COUNT(texts); i++)
        if (strcmp(key, texts[i].key) == 0) {
            const char *text = *value ? value : NULL;

            memcpy((uint8_t *)config + texts[i].at, &text, sizeof text);
            return RC_OK;
        }
    return detail_set(RC_INVALID_VALUE, "an emulated reader has no \"%s\"", key);
}
