/* SPDX-License-Identifier: MIT */
#include "tests/usbemu/ccid_kit.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid.h"
#include "usb/pipe_trace.h"

bool kit_escape_allowed = true;

static void configure(struct emu_reader_config *config, char *options)
{
    char *rest = NULL;

    for (char *word = strtok_r(options, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(word, '=');

        assert_non_null(value);
        *value++ = 0;
        if (emu_reader_config_set(config, word, value))
            fail_msg("%s=%s: %s", word, value, detail_get());
    }
}

static void make_reader(struct kit *kit, const char *preset, const char *options,
                        struct ccid_descriptor *ret_descriptor, struct ccid_identity *ret_identity)
{
    const struct emu_reader_config *of_preset = emu_reader_preset(preset);
    struct emu_reader_config config;
    struct emu_device *device;
    char *words = strdup(options ? options : "");
    struct bytes in;

    *kit = (struct kit){0};
    assert_non_null(of_preset);
    assert_non_null(words);
    config = *of_preset;
    configure(&config, words);
    (void)emu_blamed();
    assert_int_equal(emu_reader_new(&config, &kit->emulated), RC_OK);
    free(words);
    device = emu_reader_device(kit->emulated);
    in = bytes_of(device->descriptors, device->descriptors_length);
    assert_int_equal(ccid_descriptor_next(&in, ret_descriptor), 1);
    *ret_identity = (struct ccid_identity){.vendor = config.vid,
                                           .product = config.pid,
                                           .bcd_device = config.bcd_device,
                                           .bus = 1,
                                           .address = 2,
                                           .path = "usb:1-1:1.0",
                                           .model = "Emulated",
                                           .escape_allowed = kit_escape_allowed};
}

static struct pipe *open_pipe(struct kit *kit, const struct ccid_descriptor *descriptor, const char *uri)
{
    struct pipe_layout layout = ccid_layout(descriptor);
    struct pipe *pipe;

    if (uri && emu_reader_insert(kit->emulated, 0, uri))
        fail_msg("%s: %s", uri, detail_get());
    assert_int_equal(pipe_open_emu(emu_reader_device(kit->emulated), &layout, &pipe), RC_OK);
    return pipe;
}

static void open_driver(struct kit *kit, struct pipe *pipe, const struct ccid_descriptor *descriptor,
                        const struct ccid_identity *identity)
{
    int rc = ccid_open(pipe, descriptor, identity, &kit->readers, &kit->count);

    if (rc)
        fail_msg("%s: %s", rc_name(rc), detail_get());
    kit->reader = kit->readers[0];
}

void kit_open(struct kit *kit, const char *preset, const char *options, const char *uri)
{
    struct ccid_descriptor descriptor;
    struct ccid_identity identity;

    make_reader(kit, preset, options, &descriptor, &identity);
    open_driver(kit, open_pipe(kit, &descriptor, uri), &descriptor, &identity);
}

void kit_open_recorded(struct kit *kit, const char *preset, const char *uri, const char *record)
{
    struct ccid_descriptor descriptor;
    struct ccid_identity identity;
    struct pipe *pipe;

    make_reader(kit, preset, NULL, &descriptor, &identity);
    assert_int_equal(pipe_record(open_pipe(kit, &descriptor, uri), record, &pipe), RC_OK);
    open_driver(kit, pipe, &descriptor, &identity);
}

void kit_open_replay(struct kit *kit, const char *preset, const char *record, struct pipe **ret_pipe)
{
    struct ccid_descriptor descriptor;
    struct ccid_identity identity;

    make_reader(kit, preset, NULL, &descriptor, &identity);
    if (pipe_replay(record, ret_pipe))
        fail_msg("%s", detail_get());
    open_driver(kit, *ret_pipe, &descriptor, &identity);
}

void kit_close(struct kit *kit)
{
    for (size_t i = 0; i < kit->count; i++)
        kit->readers[i]->ops->close(kit->readers[i]);
    free(kit->readers);
    emu_reader_free(kit->emulated);
    assert_int_equal(emu_blamed(), 0);
}

int kit_power(struct kit *kit, enum power_action action)
{
    return kit->reader->ops->power(kit->reader, action, kit->atr, &kit->atr_length);
}

int kit_set_protocol(struct kit *kit, enum protocol protocol)
{
    kit->protocol = protocol;
    return kit->reader->ops->set_protocol(kit->reader, protocol);
}

void kit_start(struct kit *kit, enum protocol protocol)
{
    int rc;

    assert_true(kit_present(kit));
    rc = kit_power(kit, POWER_COLD);
    if (!rc)
        rc = kit_set_protocol(kit, protocol);
    if (rc)
        fail_msg("%s: %s", rc_name(rc), detail_get());
}

int kit_transmit(struct kit *kit, const uint8_t *command, size_t length)
{
    kit->length = 0;
    return kit->reader->ops->transmit(kit->reader, kit->protocol, command, length, kit->response,
                                      sizeof kit->response, &kit->length);
}

bool kit_present(struct kit *kit)
{
    bool present = false;

    assert_int_equal(kit->reader->ops->presence(kit->reader, &present), RC_OK);
    return present;
}

void kit_wait_event(struct kit *kit)
{
    struct pollfd event = {.fd = kit->reader->event_fd, .events = POLLIN};

    assert_int_equal(poll(&event, 1, 5000), 1);
}
