/* SPDX-License-Identifier: MIT */
/* Descriptors of the device (USB 2.0, 9.6; CCID 1.1, 5.1). */
#include <string.h>

#include "base/rc.h"
#include "driver/ccid_descriptor.h"
#include "tests/usbemu/emu_reader_state.h"

#define CONFIGURATION_AT 18

static const uint32_t level_bits[] = {0, 0x10000, 0x20000, 0x40000};

/* Sticky: a failure is seen at the end. */
struct writer {
    struct buffer *out;
    int rc;
};

static void put(struct writer *writer, const uint8_t *bytes, size_t length)
{
    int rc = buffer_append(writer->out, bytes, length);

    if (rc)
        writer->rc = rc;
}

static void put_device(struct writer *writer, const struct emu_reader_config *config)
{
    const uint8_t device[18] = {18,
                                1,
                                0x00,
                                0x02,
                                0,
                                0,
                                0,
                                64,
                                (uint8_t)config->vid,
                                (uint8_t)(config->vid >> 8),
                                (uint8_t)config->pid,
                                (uint8_t)(config->pid >> 8),
                                (uint8_t)config->bcd_device,
                                (uint8_t)(config->bcd_device >> 8),
                                config->manufacturer ? 1 : 0,
                                config->product ? 2 : 0,
                                config->serial ? 3 : 0,
                                1};

    put(writer, device, sizeof device);
}

static void put_endpoint(struct writer *writer, uint8_t address, uint8_t type, uint16_t packet)
{
    const uint8_t endpoint[7] = {
        7, 5, address, type, (uint8_t)packet, (uint8_t)(packet >> 8), type == 3 ? 24 : 0};

    if (address)
        put(writer, endpoint, sizeof endpoint);
}

static void put_keyboard(struct writer *writer, uint8_t interface, uint8_t endpoint)
{
    const uint8_t bytes[] = {9, 4, interface, 0, 1, 3, 1, 1, 0, 9, 0x21, 0x11, 1, 0, 1, 0x22, 63, 0};

    put(writer, bytes, sizeof bytes);
    put_endpoint(writer, endpoint, 3, 8);
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void put_class(struct writer *writer, const struct emu_reader_config *config)
{
    unsigned level = config->announced_level < 0 ? config->level : (unsigned)config->announced_level;
    uint8_t bytes[CCID_CLASS_LENGTH] = {CCID_CLASS_LENGTH, config->place == EMU_TYPE_FF ? 0xFF : 0x21, 0x10,
                                        0x01};

    bytes[4] = (uint8_t)(config->slots - 1);
    bytes[5] = config->voltages;
    put_u32(bytes + 6, config->protocols);
    put_u32(bytes + 10, config->clock_khz);
    put_u32(bytes + 14, config->max_clock_khz);
    bytes[18] = (uint8_t)config->clock_count;
    put_u32(bytes + 19, config->rate);
    put_u32(bytes + 23, config->max_rate);
    bytes[27] = (uint8_t)config->rate_count;
    put_u32(bytes + 28, config->max_ifsd);
    put_u32(bytes + 36, config->mechanical);
    put_u32(bytes + 40, config->features | level_bits[level & 3]);
    put_u32(bytes + 44, config->max_message);
    bytes[48] = config->class_get_response;
    bytes[49] = config->class_envelope;
    bytes[50] = (uint8_t)config->lcd;
    bytes[51] = (uint8_t)(config->lcd >> 8);
    bytes[52] = config->pin_support;
    bytes[53] = (uint8_t)config->busy_slots;
    put(writer, bytes, sizeof bytes);
}

static void put_function(struct writer *writer, const struct emu_reader_config *config,
                         const struct emu_function *function)
{
    bool bulk = config->transport == EMU_BULK;
    const uint8_t interface[9] = {9,
                                  4,
                                  function->interface,
                                  0,
                                  (uint8_t)((bulk ? 2 : 0) + !!function->interrupt),
                                  config->class_code,
                                  0,
                                  (uint8_t)config->transport,
                                  config->interface_name ? 4 : 0};

    put(writer, interface, sizeof interface);
    if (config->place == EMU_IN_INTERFACE || config->place == EMU_TYPE_FF)
        put_class(writer, config);
    put_endpoint(writer, function->interrupt, 3, config->interrupt_packet);
    put_endpoint(writer, function->out, 2, config->packet);
    put_endpoint(writer, function->in, 2, config->packet);
    if (config->place == EMU_BEHIND_ENDPOINTS)
        put_class(writer, config);
}

static void number(struct emu_reader *reader)
{
    uint8_t interface = reader->config.keyboard ? 1 : 0, endpoint = (uint8_t)(1 + interface);

    for (unsigned i = 0; i < reader->config.interfaces; i++) {
        struct emu_function *function = &reader->functions[i];

        function->interface = interface++;
        if (reader->config.transport == EMU_BULK) {
            function->out = endpoint;
            function->in = (uint8_t)(0x80 | endpoint++);
        }
        if (reader->config.interrupt)
            function->interrupt = (uint8_t)(0x80 | endpoint++);
    }
}

int reader_describe(struct emu_reader *reader)
{
    const struct emu_reader_config *config = &reader->config;
    struct writer writer = {.out = &reader->descriptors};
    uint8_t interfaces = (uint8_t)(config->interfaces + config->keyboard);
    const uint8_t configuration[9] = {9, 2, 0, 0, interfaces, 1, 0, 0xA0, 50};
    size_t total;

    number(reader);
    put_device(&writer, config);
    put(&writer, configuration, sizeof configuration);
    if (config->keyboard)
        put_keyboard(&writer, 0, 0x81);
    for (unsigned i = 0; i < config->interfaces; i++)
        put_function(&writer, config, &reader->functions[i]);
    if (writer.rc)
        return writer.rc;
    total = reader->descriptors.length - CONFIGURATION_AT;
    reader->descriptors.data[CONFIGURATION_AT + 2] = (uint8_t)total;
    reader->descriptors.data[CONFIGURATION_AT + 3] = (uint8_t)(total >> 8);
    reader->device.descriptors = reader->descriptors.data;
    reader->device.descriptors_length = reader->descriptors.length;
    return RC_OK;
}
