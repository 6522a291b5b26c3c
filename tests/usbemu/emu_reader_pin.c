/* SPDX-License-Identifier: MIT */
/* PIN entry on the reader's keys: Secure (CCID 1.1, 6.1.11). */
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "iso/t1_block.h"
#include "tests/usbemu/emu_reader_state.h"

#define DEFAULT_SECONDS 30
#define DIGITS_MAX 16
#define BY_MAX 1 /* bEntryValidationCondition */
#define BY_KEY 2
#define BY_TIME 4
#define CONFIRM 1 /* bConfirmPIN */
#define ASK_OLD 2

/* The data of the command, taken apart. */
struct entry {
    bool modify;
    uint8_t format, block, length_format;
    uint8_t old_at, new_at, min, max, confirm, condition, seconds;
    const uint8_t *prologue;
    const uint8_t *apdu;
    size_t apdu_length;
};

struct digits {
    uint8_t digit[DIGITS_MAX];
    size_t count;
};

enum typed {
    TYPED_MORE, /* keys are wanted */
    TYPED_DONE,
    TYPED_CANCEL,
    TYPED_TIMEOUT,
};

/* 0, or bError. */
static uint8_t read_entry(const struct emu_slot *slot, const struct buffer *secure, struct entry *entry)
{
    const struct emu_reader_config *config = &slot->function->reader->config;
    struct bytes in = bytes_of(secure->data, secure->length);
    uint8_t operation = bytes_u8(&in), messages, supported = config->pin_support;
    size_t indexes = 1;

    *entry = (struct entry){.modify = operation == 1};
    if (operation > 1 || !(supported >> operation & 1))
        return supported && bytes_ok(&in) ? CCID_HEADER : CCID_NOT_SUPPORTED;
    entry->seconds = bytes_u8(&in);
    entry->format = bytes_u8(&in);
    entry->block = bytes_u8(&in);
    entry->length_format = bytes_u8(&in);
    if (entry->modify) {
        entry->old_at = bytes_u8(&in);
        entry->new_at = bytes_u8(&in);
    }
    entry->max = bytes_u8(&in);
    entry->min = bytes_u8(&in);
    if (entry->modify)
        entry->confirm = bytes_u8(&in);
    entry->condition = bytes_u8(&in);
    messages = bytes_u8(&in);
    (void)bytes_take(&in, 2); /* wLangId */
    if (entry->modify)
        indexes = config->pin_all_indexes || messages >= 3 ? 3 : messages ? 2 : 1;
    (void)bytes_take(&in, indexes);
    entry->prologue = bytes_take(&in, 3);
    entry->apdu_length = in.left;
    entry->apdu = bytes_take(&in, in.left);
    if (!bytes_ok(&in) || entry->apdu_length < 4)
        return CCID_BAD_LENGTH;
    if (!entry->condition || entry->condition > 7)
        return entry->modify ? 20 : 17;
    if (entry->min > entry->max || entry->max > DIGITS_MAX)
        return entry->modify ? 17 : 15;
    return (entry->format & 3) == 3 ? 12 : 0;
}

/* One PIN out of the keys from *at on. */
static enum typed read_digits(const struct entry *entry, const struct buffer *keys, size_t *at,
                              struct digits *digits)
{
    digits->count = 0;
    while (*at < keys->length) {
        uint8_t key = keys->data[(*at)++];
        bool enough = digits->count >= entry->min;

        if (key == 'C')
            return TYPED_CANCEL;
        if (key == 'T')
            return enough && entry->condition & BY_TIME ? TYPED_DONE : TYPED_TIMEOUT;
        if (key == 'E' && enough && entry->condition & BY_KEY)
            return TYPED_DONE;
        if (key == 'B' && digits->count)
            digits->count--;
        if (key >= '0' && key <= '9' && digits->count < entry->max)
            digits->digit[digits->count++] = key - '0';
        if (digits->count == entry->max && entry->condition & BY_MAX)
            return TYPED_DONE;
    }
    return TYPED_MORE;
}

/* Bits of data, grown with zeros. */
static void put_bits(struct buffer *data, size_t at, unsigned width, unsigned value)
{
    static const uint8_t zero;

    while (data->length * 8 < at + width)
        if (buffer_append(data, &zero, 1))
            return;
    for (unsigned i = 0; i < width; i++) {
        uint8_t *byte = &data->data[(at + i) / 8];
        uint8_t mask = (uint8_t)(0x80U >> (at + i) % 8);

        *byte = (uint8_t)(value >> (width - 1 - i) & 1 ? *byte | mask : *byte & ~mask);
    }
}

/* Writes a PIN into the data field, offset bytes behind where it is without. */
static void put_pin(const struct entry *entry, const struct digits *digits, size_t offset,
                    struct buffer *data)
{
    unsigned width = (entry->format & 3) == 1 ? 4 : 8;
    size_t at = (entry->format >> 3 & 0x0F) * (entry->format & 0x80 ? 8U : 1U) + offset * 8;
    size_t block = (entry->block & 0x0F) * 8U, used = digits->count * width;
    size_t length_at = (entry->length_format & 0x0F) * (entry->length_format & 0x10 ? 8U : 1U) + offset * 8;

    if (entry->block >> 4)
        put_bits(data, length_at, entry->block >> 4, (unsigned)digits->count);
    if (entry->format & 0x04 && block > used)
        at += block - used;
    for (size_t i = 0; i < digits->count; i++)
        put_bits(data, at + i * width, width,
                 (entry->format & 3) == 2 ? (unsigned)'0' + digits->digit[i] : digits->digit[i]);
}

static enum typed read_all(const struct entry *entry, const struct buffer *keys, struct buffer *data)
{
    struct digits old = {0}, new = {0}, again;
    enum typed typed = TYPED_DONE;
    size_t at = 0;

    if (entry->modify && entry->confirm & ASK_OLD)
        typed = read_digits(entry, keys, &at, &old);
    if (typed == TYPED_DONE)
        typed = read_digits(entry, keys, &at, &new);
    if (typed == TYPED_DONE && entry->modify && entry->confirm & CONFIRM) {
        typed = read_digits(entry, keys, &at, &again);
        if (typed == TYPED_DONE &&
            (again.count != new.count || memcmp(again.digit, new.digit, new.count) != 0))
            typed = TYPED_CANCEL;
    }
    if (typed != TYPED_DONE)
        return typed;
    if (entry->modify && entry->confirm & ASK_OLD)
        put_pin(entry, &old, entry->old_at, data);
    put_pin(entry, &new, entry->modify ? entry->new_at : 0, data);
    return TYPED_DONE;
}

/* The command as it goes to the card; a block of T=1 around it. */
static void send_apdu(struct emu_slot *slot, const struct entry *entry, const struct buffer *data)
{
    bool block = slot->function->reader->config.level == EMU_TPDU && slot->protocol == 1;
    uint8_t head[4], lc = (uint8_t)data->length, bytes[T1_BLOCK_MAX + 5];
    struct buffer apdu = {0}, out = {0};
    bool good;

    memcpy(head, entry->apdu, 4);
    good = !buffer_append(&apdu, head, 4) && !buffer_append(&apdu, &lc, 1) &&
           !buffer_append(&apdu, data->data, data->length) && apdu.length <= T1_INF_MAX;
    if (good && block) {
        struct t1_block i = {
            .kind = T1_I, .number = entry->prologue[1] >> 6 & 1, .inf = apdu.data, .length = apdu.length};
        size_t length;

        if (entry->prologue[1] & 0xBF)
            emu_blame("Secure: bTeoPrologue is of no single I-block: PCB %02X", (unsigned)entry->prologue[1]);
        length = t1_block_write(&i, entry->prologue[0], slot->parameters[1] & 1, bytes);
        good = exchange_card(slot, bytes, length, &out);
    } else if (good) {
        good = exchange_card(slot, apdu.data, apdu.length, &out);
    } else {
        slot_fail(slot, CCID_BAD_LENGTH);
    }
    if (good)
        slot_answer(slot, CCID_DATA_BLOCK, 0, out.data, out.length);
    buffer_fini(&apdu);
    buffer_fini(&out);
    slot_send(slot, slot->line ? emu_line_delay(slot->line) : 0);
}

static void fail(struct emu_slot *slot, uint8_t error)
{
    pin_stop(slot);
    slot_fail(slot, error);
    slot_send(slot, 0);
}

/* Goes on with the keys that there are. */
void pin_keys(struct emu_slot *slot)
{
    struct emu_pin *pin = &slot->pin;
    struct buffer data = {0};
    struct entry entry;
    enum typed typed;

    if (!pin->waiting || read_entry(slot, &pin->secure, &entry))
        return;
    if (entry.apdu_length > 5)
        (void)buffer_append(&data, entry.apdu + 5, entry.apdu_length - 5);
    typed = read_all(&entry, &pin->keys, &data);
    if (typed == TYPED_CANCEL) {
        fail(slot, CCID_PIN_CANCELLED);
    } else if (typed == TYPED_TIMEOUT) {
        fail(slot, CCID_PIN_TIMEOUT);
    } else if (typed == TYPED_DONE) {
        pin_stop(slot);
        send_apdu(slot, &entry, &data);
    }
    if (typed != TYPED_MORE)
        pin->keys.length = 0;
    buffer_fini(&data);
}

static void time_is_up(void *user)
{
    struct emu_pin *pin = user;

    (void)buffer_append(&pin->keys, "T", 1);
    pin_keys(pin->slot);
}

void pin_secure(struct emu_slot *slot, const uint8_t *data, size_t length)
{
    struct emu_pin *pin = &slot->pin;
    struct entry entry;
    uint8_t error;

    pin->secure.length = 0;
    error =
        buffer_append(&pin->secure, data, length) ? CCID_HARDWARE : read_entry(slot, &pin->secure, &entry);
    if (!error && !slot->active)
        error = CCID_MUTE;
    if (error) {
        fail(slot, error);
        return;
    }
    pin->waiting = true;
    emu_later((entry.seconds ? entry.seconds : DEFAULT_SECONDS) * 1000U, time_is_up, pin);
    pin_keys(slot);
}

void pin_stop(struct emu_slot *slot)
{
    if (slot->pin.waiting) /* what was typed so far is of no use to the next command */
        slot->pin.keys.length = 0;
    slot->pin.waiting = false;
    emu_cancel(&slot->pin);
}

int emu_reader_keys(struct emu_reader *reader, unsigned index, const char *keys)
{
    struct emu_slot *slot;
    int rc;

    if (strspn(keys, "0123456789ECBT") != strlen(keys))
        return detail_set(RC_INVALID_VALUE, "keys are digits, E, C, B and T");
    emu_lock();
    slot = reader_slot(reader, index);
    rc = buffer_append(&slot->pin.keys, keys, strlen(keys));
    if (!rc)
        pin_keys(slot);
    emu_unlock();
    return rc;
}
