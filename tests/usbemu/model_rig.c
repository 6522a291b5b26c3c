/* SPDX-License-Identifier: MIT */
#include "tests/usbemu/model_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/rc.h"
#include "driver/ccid.h"
#include "driver/ccid_message.h"

void rig_open_config(struct rig *rig, const struct emu_reader_config *config, const char *uri)
{
    struct ccid_descriptor descriptor;
    struct pipe_layout layout;
    struct emu_device *device;
    struct bytes in;

    *rig = (struct rig){0};
    (void)emu_blamed();
    assert_int_equal(emu_reader_new(config, &rig->reader), RC_OK);
    device = emu_reader_device(rig->reader);
    in = bytes_of(device->descriptors, device->descriptors_length);
    assert_int_equal(ccid_descriptor_next(&in, &descriptor), 1);
    layout = (struct pipe_layout){.interface = descriptor.interface,
                                  .out = descriptor.out.address,
                                  .in = descriptor.in.address,
                                  .interrupt = descriptor.interrupt.address,
                                  .in_packet = descriptor.in.packet,
                                  .interrupt_packet = descriptor.interrupt.packet,
                                  .in_room = 65600};
    if (uri)
        assert_int_equal(emu_reader_insert(rig->reader, 0, uri), RC_OK);
    assert_int_equal(pipe_open_emu(device, &layout, &rig->pipe), RC_OK);
}

void rig_open(struct rig *rig, const char *preset, const char *uri)
{
    const struct emu_reader_config *config = emu_reader_preset(preset);

    assert_non_null(config);
    rig_open_config(rig, config, uri);
}

void rig_close(struct rig *rig)
{
    if (rig->pipe)
        rig->pipe->ops->close(rig->pipe);
    emu_reader_free(rig->reader);
    assert_int_equal(emu_blamed(), 0);
}

void rig_send(struct rig *rig, uint8_t type, uint8_t slot, uint32_t parameters, const uint8_t *data,
              size_t length)
{
    uint8_t *message = malloc(CCID_HEADER + length);
    struct ccid_command command = {.type = type,
                                   .slot = slot,
                                   .seq = ++rig->seq,
                                   .parameter = (uint8_t)parameters,
                                   .level = (uint16_t)(parameters >> 8),
                                   .data = data,
                                   .length = length};
    size_t count;

    assert_non_null(message);
    assert_int_equal(ccid_build(&command, message, CCID_HEADER + length, &count), RC_OK);
    assert_int_equal(rig->pipe->ops->bulk_out(rig->pipe, message, count, deadline_in_ms(5000)), RC_OK);
    free(message);
}

int rig_receive(struct rig *rig, unsigned timeout_ms)
{
    return rig->pipe->ops->bulk_in(rig->pipe, &rig->answer, &rig->length, deadline_in_ms(timeout_ms));
}

static void run(struct rig *rig, uint8_t type, uint32_t parameters, const char *data)
{
    uint8_t bytes[1024];
    size_t count = 0, at;

    assert_true(strlen(data) / 2 <= sizeof bytes);
    assert_int_equal(hex_parse(data, strlen(data), bytes, &count, &at), RC_OK);
    rig_send(rig, type, 0, parameters, bytes, count);
    do
        assert_int_equal(rig_receive(rig, 5000), RC_OK);
    while (rig->length >= CCID_HEADER && (rig->answer[7] & 0xC0) == 0x80);
    assert_true(rig->length >= CCID_HEADER);
    assert_int_equal(rig->answer[6], rig->seq);
    assert_int_equal(rig->answer[5], 0);
    assert_int_equal(rig->answer[1] | rig->answer[2] << 8 | rig->answer[3] << 16, rig->length - CCID_HEADER);
}

void rig_command(struct rig *rig, uint8_t type, uint32_t parameters, const char *data, uint8_t want)
{
    run(rig, type, parameters, data);
    assert_int_equal(rig->answer[7] & 0xC0, 0);
    assert_int_equal(rig->answer[0], want);
}

void rig_refused(struct rig *rig, uint8_t type, uint32_t parameters, const char *data, uint8_t error)
{
    run(rig, type, parameters, data);
    assert_int_equal(rig->answer[7] & 0xC0, 0x40);
    assert_int_equal(rig->answer[8], error);
    assert_int_equal(rig->length, CCID_HEADER);
}

void rig_answered(const struct rig *rig, const char *data)
{
    char *text = hex_new(rig->answer + CCID_HEADER, rig->length - CCID_HEADER);

    assert_non_null(text);
    assert_string_equal(text, data);
    free(text);
}

void rig_exchange(struct rig *rig, uint32_t parameters, const char *data, const char *answer)
{
    rig_command(rig, CCID_XFR_BLOCK, parameters, data, CCID_DATA_BLOCK);
    rig_answered(rig, answer);
}
