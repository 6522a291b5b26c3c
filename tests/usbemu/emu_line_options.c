/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "base/uri.h"
#include "tests/usbemu/emu_line_state.h"

#define PREFIX "line."

static int take_hex(const char *text, struct line_options *options)
{
    uint8_t bytes[256];
    size_t at;

    if (strlen(text) > 2 * ATR_MAX || hex_parse(text, strlen(text), bytes, &options->atr_length, &at))
        return RC_INVALID_VALUE;
    memcpy(options->atr, bytes, options->atr_length);
    return RC_OK;
}

static int take_volts(const char *text, struct line_options *options)
{
    options->voltages = 0;
    for (const char *at = text; *at; at += strcspn(at, ","), at += *at == ',') {
        if (strncmp(at, "5", 1) == 0)
            options->voltages |= 1;
        else if (strncmp(at, "3", 1) == 0)
            options->voltages |= 2;
        else if (strncmp(at, "1.8", 3) == 0)
            options->voltages |= 4;
        else
            return RC_INVALID_VALUE;
    }
    return options->voltages ? RC_OK : RC_INVALID_VALUE;
}

static int take_pps(const char *text, struct line_options *options)
{
    static const char *const names[] = {"obey", "refuse", "slow", "wrong"};

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0) {
            options->pps = (enum line_pps)i;
            return RC_OK;
        }
    return RC_INVALID_VALUE;
}

static int take_number(const char *key, const char *text, struct line_options *options)
{
    const struct {
        const char *key;
        unsigned *number;
        int base;
    } numbers[] = {
        {"ta1", &options->ta1, 16},       {"ifsc", &options->ifsc, 10}, {"delay", &options->delay_ms, 10},
        {"nulls", &options->nulls, 10},   {"wtx", &options->wtx, 10},   {"ifs", &options->ifs, 10},
        {"damage", &options->damage, 10}, {"mute", &options->mute, 10},
    };
    char *end;
    unsigned long value;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(key, numbers[i].key) != 0)
            continue;
        value = strtoul(text, &end, numbers[i].base);
        if (!*text || *end || value > (numbers[i].number == &options->delay_ms ? 1000000UL : 255UL))
            return RC_INVALID_VALUE;
        *numbers[i].number = (unsigned)value;
        return RC_OK;
    }
    return RC_INVALID_VALUE;
}

static int take(const char *key, const char *text, struct line_options *options)
{
    if (strcmp(key, "atr") == 0)
        return take_hex(text, options);
    if (strcmp(key, "volts") == 0)
        return take_volts(text, options);
    if (strcmp(key, "pps") == 0)
        return take_pps(text, options);
    if (strcmp(key, "crc") == 0 || strcmp(key, "single") == 0) {
        *(key[0] == 'c' ? &options->crc : &options->single) = strcmp(text, "yes") == 0;
        return RC_OK;
    }
    return take_number(key, text, options);
}

int line_options_take(struct uri *uri, struct line_options *ret_options)
{
    size_t kept = 0;
    int rc = RC_OK;

    *ret_options = (struct line_options){.voltages = 7};
    for (size_t i = 0; i < uri->option_count; i++) {
        struct uri_option option = uri->options[i];

        if (strncmp(option.key, PREFIX, strlen(PREFIX)) != 0) {
            uri->options[kept++] = option;
            continue;
        }
        if (!rc && take(option.key + strlen(PREFIX), option.value, ret_options))
            rc = detail_set(RC_INVALID_VALUE, "no such option of the line: %s=%s", option.key, option.value);
        free(option.key);
        free(option.value);
    }
    uri->option_count = kept;
    return rc;
}
