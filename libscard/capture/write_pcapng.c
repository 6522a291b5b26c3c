/* SPDX-License-Identifier: MIT */
/*
 * "pcapng": a capture (draft-ietf-opsawg-pcapng) of link type 252, LINKTYPE_WIRESHARK_UPPER_PDU: each packet
 * says itself that it is for the dissector iso7816, and which way it went. An interface block for each
 * reader, its name in it; commands go out, responses come in; notes and durations are comments. Little
 * endian; times in nanoseconds.
 */
#include "capture/formats.h"

#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "capture/print.h"
#include "iso/apdu.h"

#define LINKTYPE_UPPER_PDU 252

#define BLOCK_SECTION 0x0A0D0D0A
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET 6 /* enhanced */

#define OPTION_END 0
#define OPTION_COMMENT 1
#define OPTION_IF_NAME 2
#define OPTION_IF_DESCRIPTION 3
#define OPTION_USER_APPLICATION 4 /* of a section */
#define OPTION_IF_TSRESOL 9
#define OPTION_FLAGS 2 /* of a packet */

/* Tags of a packet's own header, big endian. */
#define TAG_END 0
#define TAG_DISSECTOR 12
#define TAG_DIRECTION 35

enum direction { TO_CARD = 0, FROM_CARD = 1 };

static int u16(struct buffer *out, unsigned value)
{
    const uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8)};

    return buffer_append(out, bytes, sizeof bytes);
}

static int u32(struct buffer *out, uint32_t value)
{
    int rc = u16(out, value & 0xFFFF);

    return rc ? rc : u16(out, value >> 16);
}

static int pad(struct buffer *out, size_t length)
{
    static const uint8_t zeros[3];
    size_t count = (4 - length % 4) % 4;

    return count ? buffer_append(out, zeros, count) : RC_OK;
}

/* Options have 16 bits of length. */
static int option(struct buffer *out, unsigned code, const void *value, size_t length)
{
    int rc;

    if (length > UINT16_MAX)
        length = UINT16_MAX;
    rc = u16(out, code);
    if (!rc)
        rc = u16(out, (unsigned)length);
    if (!rc && length)
        rc = buffer_append(out, value, length);
    return rc ? rc : pad(out, length);
}

static int block_begin(struct buffer *out, uint32_t type, size_t *ret_start)
{
    int rc = u32(out, type);

    *ret_start = out->length - 4;
    return rc ? rc : u32(out, 0);
}

/* The length stands at both ends. */
static int block_end(struct buffer *out, size_t start)
{
    uint32_t length = (uint32_t)(out->length - start + 4);
    int rc = u32(out, length);

    for (size_t i = 0; i < 4 && !rc; i++)
        out->data[start + 4 + i] = (uint8_t)(length >> 8 * i);
    return rc;
}

static int begin(struct capture_writer *writer, struct buffer *out)
{
    static const char tool[] = "scard " SCARD_VERSION;
    size_t start = 0;
    int rc = block_begin(out, BLOCK_SECTION, &start);

    (void)writer;
    if (!rc)
        rc = u32(out, 0x1A2B3C4D);
    if (!rc)
        rc = u32(out, 1); /* version 1.0 */
    if (!rc)
        rc = u32(out, UINT32_MAX);
    if (!rc)
        rc = u32(out, UINT32_MAX); /* section of unknown length */
    if (!rc)
        rc = option(out, OPTION_USER_APPLICATION, tool, sizeof tool - 1);
    if (!rc)
        rc = option(out, OPTION_END, NULL, 0);
    return rc ? rc : block_end(out, start);
}

static int interface_block(const struct captured *exchange, struct buffer *out)
{
    static const uint8_t nanoseconds = 9;
    size_t start = 0;
    int rc = block_begin(out, BLOCK_INTERFACE, &start);

    if (!rc)
        rc = u32(out, LINKTYPE_UPPER_PDU);
    if (!rc)
        rc = u32(out, 0); /* packets are whole */
    if (!rc)
        rc = option(out, OPTION_IF_NAME, exchange->reader, strlen(exchange->reader));
    if (!rc && exchange->device[0])
        rc = option(out, OPTION_IF_DESCRIPTION, exchange->device, strlen(exchange->device));
    if (!rc)
        rc = option(out, OPTION_IF_TSRESOL, &nanoseconds, 1);
    if (!rc)
        rc = option(out, OPTION_END, NULL, 0);
    return rc ? rc : block_end(out, start);
}

/* The number of the reader's block, which is written first if there is none. */
static int find_interface(struct capture_writer *writer, const struct captured *exchange, struct buffer *out,
                          uint32_t *ret_number)
{
    char **interfaces, *name;
    int rc;

    for (size_t i = 0; i < writer->interface_count; i++)
        if (!strcmp(writer->interfaces[i], exchange->reader)) {
            *ret_number = (uint32_t)i;
            return RC_OK;
        }
    interfaces = reallocarray(writer->interfaces, writer->interface_count + 1, sizeof *interfaces);
    if (!interfaces)
        return RC_NO_MEMORY;
    writer->interfaces = interfaces;
    name = strdup(exchange->reader);
    rc = name ? interface_block(exchange, out) : RC_NO_MEMORY;
    if (rc) {
        free(name);
        return rc;
    }
    *ret_number = (uint32_t)writer->interface_count;
    interfaces[writer->interface_count++] = name;
    return RC_OK;
}

static int tag(struct buffer *out, unsigned number, const void *value, size_t length)
{
    const uint8_t head[] = {(uint8_t)(number >> 8), (uint8_t)number, (uint8_t)((length + 3) / 4 * 4 >> 8),
                            (uint8_t)((length + 3) / 4 * 4)};
    int rc = buffer_append(out, head, sizeof head);

    if (!rc && length)
        rc = buffer_append(out, value, length);
    return rc ? rc : pad(out, length);
}

static int packet_data(const char *dissector, enum direction direction, const uint8_t *bytes, size_t length,
                       struct buffer *out)
{
    const uint8_t way[] = {0, 0, 0, (uint8_t)direction};
    int rc = tag(out, TAG_DISSECTOR, dissector, strlen(dissector));

    if (!rc)
        rc = tag(out, TAG_DIRECTION, way, sizeof way);
    if (!rc)
        rc = tag(out, TAG_END, NULL, 0);
    return rc || !length ? rc : buffer_append(out, bytes, length);
}

struct packet {
    const char *dissector;
    enum direction direction;
    int64_t time_ns;
    const uint8_t *bytes;
    size_t length;
    struct buffer comment;
};

static int packet_block(const struct packet *packet, uint32_t interface, struct buffer *out)
{
    const uint8_t flags[] = {packet->direction == TO_CARD ? 2 : 1, 0, 0, 0};
    uint64_t time = (uint64_t)packet->time_ns;
    struct buffer data = {0};
    size_t start = 0;
    int rc = packet_data(packet->dissector, packet->direction, packet->bytes, packet->length, &data);

    if (!rc)
        rc = block_begin(out, BLOCK_PACKET, &start);
    if (!rc)
        rc = u32(out, interface);
    if (!rc)
        rc = u32(out, (uint32_t)(time >> 32));
    if (!rc)
        rc = u32(out, (uint32_t)time);
    for (int i = 0; i < 2 && !rc; i++) /* captured and original length */
        rc = u32(out, (uint32_t)data.length);
    if (!rc)
        rc = buffer_append(out, data.data, data.length);
    if (!rc)
        rc = pad(out, data.length);
    if (!rc && packet->comment.length)
        rc = option(out, OPTION_COMMENT, packet->comment.data, packet->comment.length);
    if (!rc)
        rc = option(out, OPTION_FLAGS, flags, sizeof flags);
    if (!rc)
        rc = option(out, OPTION_END, NULL, 0);
    buffer_fini(&data);
    return rc ? rc : block_end(out, start);
}

/* What the dissector does not tell: it stops at the class byte of many commands. */
static int command_comment(const struct captured *exchange, struct buffer *comment)
{
    const char *name = exchange->command_length >= 4
                           ? apdu_instruction_name(exchange->command[0], exchange->command[1])
                           : NULL;
    int rc = name ? print(comment, "%s", name) : RC_OK;

    if (!rc && exchange->flags & CAPTURED_AUTOMATIC)
        rc = print(comment, "%sadded by scard", comment->length ? ", " : "");
    if (!rc && exchange->secret_length && exchange->flags & CAPTURED_MASKED)
        rc = print(comment, "%sits secret is not in here: bytes %zu to %zu", comment->length ? ", " : "",
                   exchange->secret_offset + 1, exchange->secret_offset + exchange->secret_length);
    if (!rc && exchange->rc)
        rc = print(comment, "%sno response: %s", comment->length ? ", " : "", rc_name(exchange->rc));
    return rc;
}

static int add_apdu(const struct captured *exchange, uint32_t interface, struct buffer *out)
{
    struct packet command = {
        "iso7816", TO_CARD, exchange->time_ns, exchange->command, exchange->command_length, {0}};
    struct packet response = {"iso7816",
                              FROM_CARD,
                              exchange->time_ns + exchange->duration_ns,
                              exchange->response,
                              exchange->response_length,
                              {0}};
    int rc = command_comment(exchange, &command.comment);

    if (!rc)
        rc = packet_block(&command, interface, out);
    if (!rc && !exchange->rc)
        rc = print_ms(&response.comment, exchange->duration_ns);
    if (!rc && !exchange->rc)
        rc = print(&response.comment, " ms");
    if (!rc && !exchange->rc)
        rc = packet_block(&response, interface, out);
    buffer_fini(&command.comment);
    buffer_fini(&response.comment);
    return rc;
}

static int add(struct capture_writer *writer, const struct captured *exchange, struct buffer *out)
{
    struct packet atr = {"iso7816.atr",
                         FROM_CARD,
                         exchange->time_ns + exchange->duration_ns,
                         exchange->response,
                         exchange->response_length,
                         {0}};
    uint32_t interface = 0;
    int rc;

    if (exchange->kind != CAPTURED_APDU && (exchange->kind != CAPTURED_CONNECT || !exchange->response_length))
        return RC_OK;
    rc = find_interface(writer, exchange, out, &interface);
    if (rc)
        return rc;
    if (exchange->kind == CAPTURED_APDU)
        return add_apdu(exchange, interface, out);
    if (captured_protocol(exchange))
        rc = print(&atr.comment, "%s", captured_protocol(exchange));
    if (!rc)
        rc = packet_block(&atr, interface, out);
    buffer_fini(&atr.comment);
    return rc;
}

const struct capture_format format_pcapng = {
    .name = "pcapng", .endings = ".pcapng .ntar ", .begin = begin, .add = add};
