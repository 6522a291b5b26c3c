/* SPDX-License-Identifier: MIT */
#include "tests/usbemu/emu_reader.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "tests/usbemu/emu_reader_state.h"

struct emu_slot *reader_slot(struct emu_reader *reader, unsigned slot)
{
    unsigned slots = reader->config.slots;

    assert(slot < slots * reader->config.interfaces);
    return &reader->functions[slot / slots].slots[slot % slots];
}

static struct emu_function *function_at(struct emu_reader *reader, uint8_t endpoint)
{
    for (unsigned i = 0; i < reader->config.interfaces; i++)
        if (reader->functions[i].out == endpoint)
            return &reader->functions[i];
    return NULL;
}

static void nak_over(void *user)
{
    struct buffer *key = user;
    struct emu_reader *reader =
        (struct emu_reader *)(void *)((char *)key - offsetof(struct emu_reader, descriptors));

    reader->nak_over = true;
    reader->asleep = false;
    if (reader->device.host)
        reader->device.host->ready(&reader->device);
}

/* Faults of the transfer itself. 1: go on, *length bytes of it. */
static int out_fault(struct emu_function *function, const uint8_t *bytes, size_t *length)
{
    struct emu_reader *reader = function->reader;
    struct emu_fault fault;

    if (reader->nak_over) { /* asked again */
        reader->nak_over = false;
        return 1;
    }
    if (!emu_fault_take(&reader->rules, EMU_OUT, *length ? bytes[0] : 0, 0, *length > 5 ? bytes[5] : 0,
                        &fault))
        return 1;
    switch (fault.action) {
    case EMU_STALL:
        return -EPIPE;
    case EMU_PROTO:
        return -EPROTO;
    case EMU_BABBLE:
        return -EOVERFLOW;
    case EMU_SILENT:
        if (fault.value)
            emu_later(fault.value, nak_over, &reader->descriptors);
        return -EAGAIN;
    case EMU_EMPTY: /* lost on the way: taken, and nothing happens */
        return 0;
    case EMU_UNPLUG:
        reader_unplug(reader, fault.value);
        return fault.value ? 1 : -EAGAIN;
    case EMU_REMOVE:
        if (*length > 5 && bytes[5] < reader->config.slots)
            emu_reader_remove(reader,
                              (unsigned)(function - reader->functions) * reader->config.slots + bytes[5]);
        return 1;
    default: /* the others happen to the answer */
        fault.where = EMU_IN;
        fault.type = 0;
        fault.nth = fault.count = 1;
        return emu_fault_add(&reader->rules, &fault) ? -EPROTO : 1;
    }
}

static int reader_out(struct emu_device *device, uint8_t endpoint, const uint8_t *bytes, size_t length)
{
    struct emu_reader *reader = reader_of(device);
    struct emu_function *function = function_at(reader, endpoint);
    int rc;

    if (!function) {
        emu_blame("transfer to endpoint %02X, which does not exist", (unsigned)endpoint);
        return -EPROTO;
    }
    if (reader->asleep)
        return -EAGAIN;
    rc = out_fault(function, bytes, &length);
    reader_record(reader, EMU_OUT, endpoint, bytes, length, rc < 0 ? rc : 0);
    if (rc <= 0)
        return rc;
    if (!(reader->config.loses_full & 1) || length % reader->config.packet)
        message_take(function, bytes, length);
    return 0;
}

static int reader_control(struct emu_device *device, const uint8_t setup[8], uint8_t *data, size_t length)
{
    return control_request(reader_of(device), setup, data, length);
}

static void reader_cleared(struct emu_device *device, uint8_t endpoint)
{
    (void)device;
    (void)endpoint;
}

static void forget_slot(struct emu_slot *slot)
{
    slot_drop(slot, false);
    emu_cancel(slot);
    slot->abort_asked = slot->abort_came = false;
    power_off(slot);
    slot->off_seen = slot->emv_off = slot->host_on = false;
    slot->pin.keys.length = 0;
    slot->changed = true;
}

/* As after power-up. */
static void reader_reset(struct emu_device *device)
{
    struct emu_reader *reader = reader_of(device);

    emu_cancel(reader);
    emu_cancel(&reader->descriptors);
    reader->nak_over = reader->asleep = false;
    for (unsigned i = 0; i < reader->config.interfaces; i++) {
        struct emu_function *function = &reader->functions[i];

        function->numbered = function->notified = false;
        function->iccd.length = 0;
        for (unsigned j = 0; j < reader->config.slots; j++) {
            forget_slot(&function->slots[j]);
            if (function->slots[j].line && reader->config.features & 0x4)
                power_activate(&function->slots[j], reader->config.voltages, NULL);
        }
        reader_notify(function);
    }
}

void emu_reader_resume(struct emu_reader *reader)
{
    emu_lock();
    reader_reset(&reader->device);
    emu_unlock();
}

static void reader_plugged(struct emu_device *device, bool plugged)
{
    struct emu_reader *reader = reader_of(device);

    for (unsigned i = 0; !plugged && i < reader->config.interfaces; i++)
        reader->functions[i].claimed = false;
    reader_reset(device);
}

static void reader_claimed(struct emu_device *device, uint8_t interface, bool claimed)
{
    struct emu_reader *reader = reader_of(device);

    for (unsigned i = 0; i < reader->config.interfaces; i++) {
        struct emu_function *function = &reader->functions[i];
        bool changed = !function->notified;

        if (function->interface != interface)
            continue;
        function->claimed = claimed;
        function->numbered = false;
        for (unsigned j = 0; j < reader->config.slots; j++)
            changed |= function->slots[j].changed;
        if (claimed && changed)
            reader_notify(function);
    }
    if (claimed && reader->config.wake_ms) {
        reader->asleep = true;
        emu_later(reader->config.wake_ms, nak_over, &reader->descriptors);
    }
}

static int copy_texts(struct emu_reader *reader)
{
    struct emu_reader_config *config = &reader->config;
    const char **texts[] = {&config->manufacturer, &config->product, &config->serial,
                            &config->interface_name};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (*texts[i] && !(reader->texts[i] = strdup(*texts[i])))
            return RC_NO_MEMORY;
        *texts[i] = reader->texts[i];
        reader->strings[i] = reader->texts[i];
    }
    reader->device.strings = reader->strings;
    reader->device.string_count = sizeof texts / sizeof *texts;
    return RC_OK;
}

static int make_functions(struct emu_reader *reader)
{
    unsigned count = reader->config.interfaces, slots = reader->config.slots;

    reader->functions = calloc(count, sizeof *reader->functions);
    if (!reader->functions)
        return RC_NO_MEMORY;
    for (unsigned i = 0; i < count; i++) {
        struct emu_function *function = &reader->functions[i];

        function->reader = reader;
        function->slots = calloc(slots, sizeof *function->slots);
        if (!function->slots)
            return RC_NO_MEMORY;
        for (unsigned j = 0; j < slots; j++) {
            function->slots[j].function = function;
            function->slots[j].index = j;
            function->slots[j].changed = true;
            function->slots[j].pin.slot = &function->slots[j];
            parameters_default(&function->slots[j]);
        }
    }
    return RC_OK;
}

int emu_reader_new(const struct emu_reader_config *config, struct emu_reader **ret_reader)
{
    static const struct emu_device_ops ops = {
        .control = reader_control,
        .out = reader_out,
        .cleared = reader_cleared,
        .reset = reader_reset,
        .plugged = reader_plugged,
        .claimed = reader_claimed,
    };
    struct emu_reader *reader;
    int rc;

    if (!config->slots || config->slots > 256 || !config->interfaces || config->interfaces > 4 ||
        !config->packet || config->max_message < CCID_HEADER + 5)
        return detail_set(RC_INVALID_VALUE, "such a reader cannot be emulated");
    reader = calloc(1, sizeof *reader);
    if (!reader)
        return RC_NO_MEMORY;
    reader->device.ops = &ops;
    reader->config = *config;
    reader->capacity = config->real_message ? config->real_message : config->max_message;
    list_init(&reader->rules);
    rc = copy_texts(reader);
    if (!rc)
        rc = make_functions(reader);
    if (!rc)
        rc = reader_describe(reader);
    if (rc) {
        emu_reader_free(reader);
        return rc;
    }
    *ret_reader = reader;
    return RC_OK;
}

static void free_slot(struct emu_slot *slot)
{
    emu_cancel(slot);
    emu_cancel(&slot->pin);
    emu_line_close(slot->line);
    buffer_fini(&slot->queue);
    buffer_fini(&slot->command);
    buffer_fini(&slot->response);
    buffer_fini(&slot->answer);
    buffer_fini(&slot->pin.secure);
    buffer_fini(&slot->pin.keys);
}

void emu_reader_free(struct emu_reader *reader)
{
    if (!reader)
        return;
    emu_lock();
    assert(!reader->device.host);
    emu_cancel(reader);
    emu_cancel(&reader->descriptors);
    for (unsigned i = 0; reader->functions && i < reader->config.interfaces; i++) {
        for (unsigned j = 0; reader->functions[i].slots && j < reader->config.slots; j++)
            free_slot(&reader->functions[i].slots[j]);
        free(reader->functions[i].slots);
        buffer_fini(&reader->functions[i].iccd);
    }
    free(reader->functions);
    emu_fault_clear(&reader->rules);
    emu_unlock();
    for (size_t i = 0; i < sizeof reader->texts / sizeof *reader->texts; i++)
        free(reader->texts[i]);
    for (size_t i = 0; i < EMU_RECORDS; i++)
        buffer_fini(&reader->records[i]);
    buffer_fini(&reader->descriptors);
    free(reader);
}

struct emu_device *emu_reader_device(struct emu_reader *reader)
{
    return &reader->device;
}

void emu_reader_on_unplug(struct emu_reader *reader, void (*fn)(void *user), void *user)
{
    emu_lock();
    reader->unplug = fn;
    reader->unplug_user = user;
    emu_unlock();
}

/* The card has gone: what is under way ends at once, without it. */
static void take_out(struct emu_slot *slot)
{
    if (!slot->line)
        return;
    emu_line_close(slot->line);
    slot->line = NULL;
    power_off(slot);
    slot->changed = true;
    if (slot->busy) {
        emu_cancel(slot);
        pin_stop(slot);
        slot->extensions = 0;
        slot->leaves = slot->has_fault = slot->busy = false;
        slot_fail(slot, CCID_MUTE);
        reader_in(slot->function, slot->answer.data, slot->answer.length, 0);
    }
}

static void put_in(struct emu_reader *reader, unsigned index, struct emu_line *line)
{
    struct emu_slot *slot;

    emu_lock();
    slot = reader_slot(reader, index);
    if (slot->line) {
        take_out(slot);
        reader_notify(slot->function);
    }
    slot->line = line;
    slot->changed = true;
    if (reader->config.features & 0x4)
        power_activate(slot, reader->config.voltages, NULL);
    reader_notify(slot->function);
    emu_unlock();
}

int emu_reader_insert(struct emu_reader *reader, unsigned slot, const char *uri)
{
    struct emu_line *line;
    int rc = emu_line_open(uri, &line);

    if (!rc)
        put_in(reader, slot, line);
    return rc;
}

int emu_reader_insert_script(struct emu_reader *reader, unsigned slot, const struct emu_script *script)
{
    struct emu_line *line = emu_line_script(script);

    if (!line)
        return RC_NO_MEMORY;
    put_in(reader, slot, line);
    return RC_OK;
}

void emu_reader_remove(struct emu_reader *reader, unsigned index)
{
    emu_lock();
    struct emu_slot *slot = reader_slot(reader, index);

    if (slot->line) {
        take_out(slot);
        reader_notify(slot->function);
    }
    emu_unlock();
}

void emu_reader_bounce(struct emu_reader *reader, unsigned index)
{
    emu_lock();
    struct emu_slot *slot = reader_slot(reader, index);
    struct emu_line *line = slot->line;

    if (line) {
        emu_line_off(line);
        slot->line = NULL; /* out, and in again before anybody was told */
        power_off(slot);
        slot->line = line;
        slot->changed = true;
        if (reader->config.features & 0x4)
            power_activate(slot, reader->config.voltages, NULL);
        reader_notify(slot->function);
    }
    emu_unlock();
}

int emu_reader_fault(struct emu_reader *reader, const struct emu_fault *fault)
{
    int rc;

    emu_lock();
    rc = emu_fault_add(&reader->rules, fault);
    emu_unlock();
    return rc;
}

int emu_reader_fault_text(struct emu_reader *reader, const char *text)
{
    struct emu_fault fault;
    int rc = emu_fault_parse(text, &fault);

    return rc ? rc : emu_reader_fault(reader, &fault);
}

void emu_reader_no_faults(struct emu_reader *reader)
{
    emu_lock();
    emu_fault_clear(&reader->rules);
    emu_unlock();
}

struct emu_slot_state emu_reader_slot(struct emu_reader *reader, unsigned index)
{
    struct emu_slot_state state;

    emu_lock();
    struct emu_slot *slot = reader_slot(reader, index);

    state = (struct emu_slot_state){
        .present = slot->line != NULL,
        .active = slot->active,
        .busy = slot->busy,
        .protocol = slot->protocol,
        .fd = slot->parameters[0],
    };
    emu_unlock();
    return state;
}
