/* SPDX-License-Identifier: MIT */
/*
 * Captures (draft-ietf-opsawg-pcapng) of link type 252, as write_pcapng.c makes them: commands, responses and
 * ATRs for the dissector iso7816. Other interfaces, packets and blocks are passed over. Both byte orders.
 * What a fault calls a line is the number of the packet.
 */
#include "capture/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "iso/apdu.h"

#define LINKTYPE_UPPER_PDU 252

#define BLOCK_SECTION 0x0A0D0D0A
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET 6 /* enhanced */

#define OPTION_COMMENT 1
#define OPTION_IF_NAME 2
#define OPTION_IF_DESCRIPTION 3
#define OPTION_IF_TSRESOL 9

#define TAG_END 0
#define TAG_DISSECTOR 12
#define TAG_DIRECTION 35

struct interface {
    bool cards; /* of that link type */
    const char *reader, *device;
    uint32_t protocol;
    uint64_t tick_ns; /* 0: no time can be told */
};

struct capture {
    struct reading *reading;
    bool big; /* the section's byte order */
    struct interface *interfaces;
    size_t count;
    bool any, other; /* interfaces of cards, and of something else, were there */

    /* Of the command that waits. */
    size_t interface;
    int failure;
    unsigned flags;
};

static uint16_t u16(const struct capture *capture, struct bytes *bytes)
{
    uint16_t value = bytes_u16be(bytes);

    return capture->big ? value : __builtin_bswap16(value);
}

static uint32_t u32(const struct capture *capture, struct bytes *bytes)
{
    uint32_t value = bytes_u32be(bytes);

    return capture->big ? value : __builtin_bswap32(value);
}

/* What comes in multiples of four. */
static struct bytes padded(struct bytes *bytes, size_t length)
{
    const uint8_t *at = bytes_take(bytes, length);
    size_t rest = (4 - length % 4) % 4;

    bytes_take(bytes, rest < bytes->left ? rest : bytes->left);
    return bytes_of(at ? at : (const uint8_t *)"", at ? length : 0);
}

/* The value of the first option with that code; no bytes if there is none. */
static struct bytes option_of(const struct capture *capture, struct bytes options, unsigned wanted)
{
    while (bytes_ok(&options) && options.left >= 4) {
        unsigned code = u16(capture, &options);
        struct bytes value = padded(&options, u16(capture, &options));

        if (code == 0)
            break;
        if (code == wanted && bytes_ok(&options))
            return value;
    }
    return bytes_of("", 0);
}

static int text_of(struct capture *capture, struct bytes value, const char **ret_text)
{
    char *text = strndup((const char *)value.at, value.left);
    int rc = text ? reading_text(capture->reading, text, ret_text) : RC_NO_MEMORY;

    free(text);
    return rc;
}

/* if_tsresol: a power of ten, or of two with the highest bit set; microseconds without it. */
static uint64_t tick_of(struct bytes resolution)
{
    unsigned power = resolution.left ? resolution.at[0] : 6;
    uint64_t tick = 1;

    if (power > 9)
        return 0;
    while (power++ < 9)
        tick *= 10;
    return tick;
}

static int take_interface(struct capture *capture, struct bytes body)
{
    struct interface interface = {0}, *grown;
    unsigned link = u16(capture, &body);
    int rc;

    bytes_take(&body, 6); /* reserved, snap length */
    if (!bytes_ok(&body))
        return reading_fault(capture->reading, "the block of an interface is cut off");
    interface.cards = link == LINKTYPE_UPPER_PDU;
    interface.tick_ns = tick_of(option_of(capture, body, OPTION_IF_TSRESOL));
    capture->any |= interface.cards;
    capture->other |= !interface.cards;
    rc = text_of(capture, option_of(capture, body, OPTION_IF_NAME), &interface.reader);
    if (!rc)
        rc = text_of(capture, option_of(capture, body, OPTION_IF_DESCRIPTION), &interface.device);
    if (rc)
        return rc;
    grown = reallocarray(capture->interfaces, capture->count + 1, sizeof *grown);
    if (!grown)
        return RC_NO_MEMORY;
    capture->interfaces = grown;
    grown[capture->count++] = interface;
    return RC_OK;
}

/* A command without a packet for its response had none. */
static int end_command(struct capture *capture)
{
    int failure = capture->failure;

    if (!capture->reading->command_line)
        return RC_OK;
    capture->failure = 0;
    return reading_add_apdu(capture->reading, failure ? failure : RC_NOT_TRANSACTED, capture->flags);
}

static bool has(struct bytes text, const char *words)
{
    return text.left && memmem(text.at, text.left, words, strlen(words));
}

/* Where the stars are: as the comment says; else where the secret of such a command is. */
static void find_stars(struct reading *reading, const char *comment)
{
    const char *at = strstr(comment, "its secret is not in here");
    size_t first, last;

    if (!at)
        return;
    if (sscanf(at, "its secret is not in here: bytes %7zu to %7zu", &first, &last) == 2 && first > 0 &&
        first <= last && last <= reading->command.length) {
        reading->secret_offset = first - 1;
        reading->secret_length = last - first + 1;
    } else if (!apdu_secret_range(reading->command.data, reading->command.length, &reading->secret_offset,
                                  &reading->secret_length)) {
        reading->secret_offset = reading->secret_length = 0;
    }
}

static int begin_command(struct capture *capture, size_t interface, struct bytes data, struct bytes comment)
{
    struct reading *reading = capture->reading;
    char words[256], name[64];
    const char *at;

    reading->command.length = 0;
    if (!data.left)
        return reading_fault(reading, "the command is empty");
    if (buffer_append(&reading->command, data.at, data.left))
        return RC_NO_MEMORY;
    snprintf(words, sizeof words, "%.*s", (int)(comment.left < 255 ? comment.left : 255),
             (const char *)comment.at);
    find_stars(reading, words);
    at = strstr(words, "no response: ");
    capture->failure = at && sscanf(at, "no response: %63[^,]", name) == 1 ? reading_failure(name) : 0;
    capture->flags = has(comment, "added by scard") ? CAPTURED_AUTOMATIC : 0;
    capture->interface = interface;
    reading->command_line = reading->line;
    return RC_OK;
}

static int end_with_response(struct capture *capture, size_t interface, struct bytes data, int64_t time_ns)
{
    struct reading *reading = capture->reading;
    int rc;

    if (!reading->command_line || interface != capture->interface)
        return reading_fault(reading, "a response to which there is no command");
    reading->response.length = 0;
    rc = buffer_append(&reading->response, data.at, data.left);
    if (time_ns > reading->time_ns)
        reading->duration_ns = time_ns - reading->time_ns;
    capture->failure = 0;
    return rc ? rc : reading_add_apdu(reading, RC_OK, capture->flags);
}

/* A connection: the protocol stands in the comment, for nothing else tells it. */
static int take_atr(struct capture *capture, size_t interface, struct bytes data, struct bytes comment)
{
    struct reading *reading = capture->reading;

    reading->atr.length = 0;
    reading->protocol = reading_protocol((const char *)comment.at, comment.left);
    capture->interfaces[interface].protocol = reading->protocol;
    if (buffer_append(&reading->atr, data.at, data.left))
        return RC_NO_MEMORY;
    return reading_add_connection(reading);
}

enum way { WAY_NONE, WAY_COMMAND, WAY_RESPONSE, WAY_ATR };

/* The packet's own header, taken off data. */
static enum way way_of(struct bytes *data)
{
    bool is_card = false, is_atr = false, from_card = false;

    for (;;) {
        unsigned tag = bytes_u16be(data);
        struct bytes value = padded(data, bytes_u16be(data));
        size_t length = strnlen((const char *)value.at, value.left);

        if (!bytes_ok(data))
            return WAY_NONE;
        if (tag == TAG_END)
            break;
        if (tag == TAG_DISSECTOR) {
            is_card = length == 7 && !memcmp(value.at, "iso7816", 7);
            is_atr = length == 11 && !memcmp(value.at, "iso7816.atr", 11);
        } else if (tag == TAG_DIRECTION && value.left == 4) {
            from_card = value.at[3] != 0;
        }
    }
    if (is_atr)
        return WAY_ATR;
    return !is_card ? WAY_NONE : from_card ? WAY_RESPONSE : WAY_COMMAND;
}

/* A command or an ATR begins something: what was before it is over. */
static int begin(struct capture *capture, size_t interface, int64_t time_ns)
{
    const struct interface *from = &capture->interfaces[interface];
    struct reading *reading = capture->reading;
    int rc = end_command(capture);

    reading->reader = from->reader;
    reading->device = from->device;
    reading->protocol = from->protocol;
    reading->time_ns = time_ns;
    return rc;
}

static int take_data(struct capture *capture, size_t interface, struct bytes data, struct bytes comment,
                     int64_t time_ns)
{
    enum way way = way_of(&data);
    int rc;

    if (way == WAY_NONE)
        return RC_OK;
    if (way == WAY_RESPONSE)
        return end_with_response(capture, interface, data, time_ns);
    rc = begin(capture, interface, time_ns);
    if (rc)
        return rc;
    return way == WAY_ATR ? take_atr(capture, interface, data, comment)
                          : begin_command(capture, interface, data, comment);
}

static int take_packet(struct capture *capture, struct bytes body)
{
    size_t interface = u32(capture, &body), length;
    uint64_t time = (uint64_t)u32(capture, &body) << 32;
    struct bytes data, comment;
    int64_t time_ns;

    capture->reading->line++;
    time |= u32(capture, &body);
    length = u32(capture, &body);
    bytes_take(&body, 4); /* what it was on the wire */
    data = padded(&body, length);
    if (!bytes_ok(&body) || interface >= capture->count)
        return reading_fault(capture->reading,
                             "the packet is cut off, or of an interface that is not told of");
    if (!capture->interfaces[interface].cards)
        return RC_OK;
    comment = option_of(capture, body, OPTION_COMMENT);
    if (__builtin_mul_overflow(time, capture->interfaces[interface].tick_ns, &time_ns))
        time_ns = 0;
    return take_data(capture, interface, data, comment, time_ns);
}

/* The byte order is told by a number that differs in each; interfaces are those of the section. */
static int begin_section(struct capture *capture, struct bytes body)
{
    uint32_t magic = bytes_u32be(&body);
    int rc = end_command(capture);

    capture->count = 0;
    if (!rc && magic != 0x1A2B3C4D && magic != 0x4D3C2B1A)
        rc = reading_fault(capture->reading, "a section of no byte order");
    capture->big = magic == 0x1A2B3C4D;
    return rc;
}

static int take_block(struct capture *capture, struct bytes *file)
{
    struct bytes peek = *file, body;
    uint32_t type = bytes_u32be(&peek), length;
    const uint8_t *at;
    int rc = RC_OK;

    if (type == BLOCK_SECTION) {
        bytes_take(&peek, 4);
        rc = begin_section(capture, peek);
    }
    if (rc)
        return rc;
    type = u32(capture, file);
    length = u32(capture, file);
    at = length >= 12 && length % 4 == 0 ? bytes_take(file, length - 12) : NULL;
    if (!at || u32(capture, file) != length || !bytes_ok(file))
        return reading_fault(capture->reading, "the block behind this packet is damaged or cut off");
    body = bytes_of(at, length - 12);
    if (type == BLOCK_INTERFACE)
        return take_interface(capture, body);
    return type == BLOCK_PACKET ? take_packet(capture, body) : RC_OK;
}

bool reading_is_pcapng(const void *data, size_t length)
{
    return length >= 4 && !memcmp(data, "\x0A\x0D\x0D\x0A", 4);
}

int reading_pcapng(struct reading *reading, const void *data, size_t length)
{
    struct capture capture = {.reading = reading};
    struct bytes file = bytes_of(data, length);
    int rc = RC_OK;

    while (!rc && file.left)
        rc = take_block(&capture, &file);
    if (!rc)
        rc = end_command(&capture);
    if (!rc && capture.other && !capture.any)
        rc = detail_set(RC_INVALID_VALUE, "%s: a capture without smart cards: no interface of link type %d",
                        reading->name, LINKTYPE_UPPER_PDU);
    reading->recording.format = "pcapng";
    free(capture.interfaces);
    return rc;
}
