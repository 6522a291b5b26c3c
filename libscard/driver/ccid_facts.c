/* SPDX-License-Identifier: MIT */
#include "driver/ccid_facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "driver/ccid_predict.h"
#include "driver/ccid_quirks.h"
#include "iso/apdu.h"

#define VALUE_ROOM 256 /* a string descriptor has at most 126 characters (USB 2.0, 9.6.7) */
#define SHORT_LE 256
#define LE_MAX 65536

struct teller {
    ccid_facts_fn *tell;
    void *user;
};

struct name {
    uint32_t bit;
    const char *text;
};

__attribute__((format(printf, 3, 4))) static void say(const struct teller *teller, const char *key,
                                                      const char *format, ...)
{
    char value[VALUE_ROOM];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    teller->tell(teller->user, key, value);
}

/* A device may call itself anything. */
static void say_text(const struct teller *teller, const char *key, const char *text)
{
    char value[VALUE_ROOM];
    size_t at = 0;

    if (!text || !*text)
        return;
    for (; text[at] && at < sizeof value - 1; at++)
        value[at] = text[at];
    while (text[at] && at && ((unsigned char)text[at] & 0xC0) == 0x80) /* no half of a character (UTF-8) */
        at--;
    value[at] = 0;
    for (char *c = value; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = '?';
    teller->tell(teller->user, key, value);
}

static void say_bool(const struct teller *teller, const char *key, bool value)
{
    say(teller, key, "%s", value ? "yes" : "no");
}

static void say_number(const struct teller *teller, const char *key, size_t value)
{
    say(teller, key, "%zu", value);
}

/* Nothing if no bit is set. */
static void say_bits(const struct teller *teller, const char *key, uint32_t bits, const struct name *names,
                     size_t count, const char *between)
{
    char value[VALUE_ROOM] = "";
    size_t at = 0;

    for (size_t i = 0; i < count && at < sizeof value; i++)
        if (bits & names[i].bit)
            at += (size_t)snprintf(value + at, sizeof value - at, "%s%s", at ? between : "", names[i].text);
    if (at)
        teller->tell(teller->user, key, value);
}

static void tell_bcd(const struct teller *teller, const char *key, uint16_t bcd)
{
    say(teller, key, "%x.%02x", (unsigned)bcd >> 8, (unsigned)bcd & 0xFF);
}

static void tell_device(const struct teller *teller, const struct ccid_descriptor *descriptor,
                        const struct ccid_identity *identity, const struct ccid_quirk *quirk)
{
    say_text(teller, "path", identity->path);
    say(teller, "usb-id", "%04x:%04x", (unsigned)identity->vendor, (unsigned)identity->product);
    say_text(teller, "vendor-name", identity->vendor_name);
    say_text(teller, "model", identity->model);
    say_text(teller, "serial", identity->serial);
    tell_bcd(teller, "firmware", identity->bcd_device);
    if (quirk->flags & CCID_FIRMWARE_BAD)
        tell_bcd(teller, "firmware-needed", quirk->below);
    say_number(teller, "bus", identity->bus);
    say_number(teller, "address", identity->address);
    say_number(teller, "interface", descriptor->interface);
    say(teller, "interface-class", "%02x", (unsigned)descriptor->class_code);
    if (descriptor->defect)
        say_text(teller, "defect", ccid_defect_text(descriptor->defect));
}

static const char *transport_text(uint8_t transport)
{
    static const char *const texts[] = {
        [CCID_BULK] = "bulk",
        [CCID_ICCD_A] = "ICCD version A",
        [CCID_ICCD_B] = "ICCD version B",
    };

    return transport < sizeof texts / sizeof *texts ? texts[transport] : "unknown";
}

static const char *level_text(enum ccid_level level)
{
    static const char *const texts[] = {
        [CCID_CHARACTER] = "character",
        [CCID_TPDU] = "TPDU",
        [CCID_SHORT_APDU] = "short APDU",
        [CCID_EXTENDED_APDU] = "extended APDU",
    };

    return texts[level];
}

static void tell_limits(const struct teller *teller, const struct ccid_descriptor *descriptor)
{
    static const struct {
        enum protocol protocol;
        const char *command, *le, *extended;
    } rows[] = {
        {PROTOCOL_T0, "max-apdu-t0", "max-le-t0", "extended-t0"},
        {PROTOCOL_T1, "max-apdu-t1", "max-le-t1", "extended-t1"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ccid_limits limits = ccid_limits(descriptor, rows[i].protocol);

        if (!(descriptor->protocols & rows[i].protocol))
            continue;
        say_number(teller, rows[i].command,
                   limits.command < APDU_COMMAND_MAX ? limits.command : APDU_COMMAND_MAX);
        say_number(teller, rows[i].le, limits.le < LE_MAX ? limits.le : LE_MAX);
        say_bool(teller, rows[i].extended, limits.le > SHORT_LE);
    }
}

static void tell_card_side(const struct teller *teller, const struct ccid_descriptor *descriptor)
{
    static const struct name synchronous[] = {{1, "two-wire"}, {2, "three-wire"}, {4, "I2C"}};
    static const struct name voltages[] = {{1, "5 V"}, {2, "3 V"}, {4, "1.8 V"}};

    say_number(teller, "slots", descriptor->slots);
    say_number(teller, "busy-slots", descriptor->busy_slots);
    say_bits(teller, "synchronous", descriptor->synchronous, synchronous, 3, " ");
    say_bits(teller, "voltages", descriptor->voltages, voltages, 3, ", ");
    say_number(teller, "clock-khz", descriptor->clock_khz);
    say_number(teller, "max-clock-khz", descriptor->max_clock_khz);
    say_number(teller, "clocks", descriptor->clock_count);
    say_number(teller, "data-rate", descriptor->rate);
    say_number(teller, "max-data-rate", descriptor->max_rate);
    say_number(teller, "data-rates", descriptor->rate_count);
    if (descriptor->protocols & PROTOCOL_T1)
        say_number(teller, "max-ifsd", descriptor->max_ifsd);
    say_number(teller, "max-message", descriptor->max_message);
}

static const char *pps_text(const struct ccid_descriptor *descriptor, const struct ccid_quirk *quirk)
{
    switch (quirk->flags & CCID_NO_PPS ? PPS_NOBODY : ccid_pps_who(descriptor)) {
    case PPS_HOST:
        return "host";
    case PPS_PARAMETERS:
        return "reader, from the parameters";
    case PPS_READER:
        return "reader, by itself";
    case PPS_NOBODY:
        break;
    }
    return "nobody";
}

static void tell_class(const struct teller *teller, const char *key, uint8_t class_byte)
{
    if (class_byte == 0xFF)
        say(teller, key, "as in the APDU");
    else
        say(teller, key, "%02x", (unsigned)class_byte);
}

static void tell_user_side(const struct teller *teller, const struct ccid_descriptor *descriptor)
{
    static const struct name mechanical[] = {{1, "accept"}, {2, "eject"}, {4, "capture"}, {8, "lock"}};
    bool interrupt = descriptor->interrupt.address;

    say_bool(teller, "interrupt", interrupt);
    say(teller, "presence", "%s", interrupt ? "interrupt" : "polling");
    say_bool(teller, "pin-verify", descriptor->pin_verify);
    say_bool(teller, "pin-modify", descriptor->pin_modify);
    if (descriptor->lcd_columns && descriptor->lcd_lines)
        say(teller, "lcd", "%u %s of %u characters", (unsigned)descriptor->lcd_lines,
            descriptor->lcd_lines == 1 ? "line" : "lines", (unsigned)descriptor->lcd_columns);
    else
        say_bool(teller, "lcd", false);
    say_bits(teller, "mechanical", descriptor->mechanical, mechanical, 4, " ");
    if (descriptor->level >= CCID_SHORT_APDU) {
        tell_class(teller, "class-get-response", descriptor->class_get_response);
        tell_class(teller, "class-envelope", descriptor->class_envelope);
    }
}

static void tell_features(const struct teller *teller, uint32_t features)
{
    static const struct name names[] = {
        {CCID_AUTO_PARAMETERS, "sets parameters from the ATR"},
        {CCID_AUTO_ACTIVATION, "activates a card on insertion"},
        {CCID_AUTO_VOLTAGE, "chooses the voltage"},
        {CCID_AUTO_CLOCK, "changes the clock by itself"},
        {CCID_AUTO_RATE, "changes the data rate by itself"},
        {CCID_AUTO_NEGOTIATION, "negotiates with the card by itself"},
        {CCID_AUTO_PPS, "runs PPS from the parameters"},
        {CCID_CLOCK_STOP, "can stop the clock"},
        {CCID_NAD, "takes a NAD other than 00"},
        {CCID_AUTO_IFSD, "announces IFSD by itself"},
        {CCID_ICCD, "is a USB-ICC device"},
        {CCID_LEVEL_TPDU, "exchanges TPDUs"},
        {CCID_LEVEL_SHORT, "exchanges short APDUs"},
        {CCID_LEVEL_EXTENDED, "exchanges short and extended APDUs"},
        {CCID_WAKE_UP, "wakes the host when a card comes or goes"},
    };
    uint32_t rest = features;

    say(teller, "features", "%08lx", (unsigned long)features);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (features & names[i].bit)
            say_text(teller, "feature", names[i].text);
        rest &= ~names[i].bit;
    }
    if (rest)
        say(teller, "feature", "unknown bits %08lx", (unsigned long)rest);
}

static void tell_quirks(const struct teller *teller, const struct ccid_identity *identity)
{
    const struct ccid_quirk *row = NULL;

    while ((row = ccid_quirks_next(row, identity->vendor, identity->product, identity->bcd_device)))
        say_text(teller, "quirk", row->note);
}

void ccid_facts(const struct ccid_descriptor *descriptor, const struct ccid_identity *identity,
                ccid_facts_fn *tell, void *user)
{
    const struct teller teller = {tell, user};
    struct ccid_quirk quirk = ccid_quirks_find(identity->vendor, identity->product, identity->bcd_device);
    struct ccid_descriptor corrected = *descriptor;
    static const struct name protocols[] = {{PROTOCOL_T0, "T=0"}, {PROTOCOL_T1, "T=1"}};
    char hex[2 * CCID_CLASS_LENGTH + 1];

    tell_device(&teller, descriptor, identity, &quirk);
    if (descriptor->defect == CCID_NO_CLASS_DESCRIPTOR) {
        tell_quirks(&teller, identity);
        return;
    }
    ccid_quirks_apply(&quirk, &corrected);
    say_text(&teller, "transport", transport_text(corrected.transport));
    say_text(&teller, "level", level_text(corrected.level));
    say_bits(&teller, "protocols", corrected.protocols, protocols, 2, " ");
    tell_limits(&teller, &corrected);
    tell_card_side(&teller, &corrected);
    say_text(&teller, "pps", pps_text(&corrected, &quirk));
    tell_user_side(&teller, &corrected);
    tell_features(&teller, corrected.features);
    tell_quirks(&teller, identity);
    say_text(&teller, "class-descriptor", hex_format(descriptor->raw, CCID_CLASS_LENGTH, hex));
}
