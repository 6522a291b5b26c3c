/* SPDX-License-Identifier: MIT */
#include "driver/ccid_pin_data.h"

#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"

#define VERIFY_LENGTH 19 /* of the structures without abData */
#define MODIFY_LENGTH 24
#define APDU_LENGTH_MIN 4

#define VALIDATION_KEY 0x02
#define VALIDATION_LAST 0x07
#define MESSAGES_DEFAULT 0xFF

static void take_pair(struct bytes *in, uint8_t ret_pair[2])
{
    ret_pair[0] = bytes_u8(in);
    ret_pair[1] = bytes_u8(in);
}

static void swap_pair(uint8_t *a, uint8_t *b)
{
    uint8_t held = *a;

    *a = *b;
    *b = held;
}

/* The fields in the order of part 10; *ret_length is ulDataLength as it is there, read as big-endian. */
static void take_fields(struct bytes *in, struct ccid_pin_request *request, uint8_t digits[2],
                        uint32_t *ret_length)
{
    request->seconds = bytes_u8(in);
    bytes_u8(in); /* bTimerOut2: CCID has no place for it */
    request->format = bytes_u8(in);
    request->block = bytes_u8(in);
    request->length_format = bytes_u8(in);
    if (request->modify) {
        request->offset_old = bytes_u8(in);
        request->offset_new = bytes_u8(in);
    }
    take_pair(in, digits);
    if (request->modify)
        request->confirm = bytes_u8(in);
    request->validation = bytes_u8(in);
    request->messages = bytes_u8(in);
    take_pair(in, request->language);
    for (unsigned i = 0; i < (request->modify ? 3U : 1U); i++)
        request->index[i] = bytes_u8(in);
    bytes_take(in, 3); /* bTeoPrologue is the driver's affair */
    *ret_length = bytes_u32be(in);
}

int ccid_pin_read(bool modify, const uint8_t *in, size_t length, struct ccid_pin_request *ret_request)
{
    struct ccid_pin_request request = {.modify = modify};
    size_t least = (modify ? MODIFY_LENGTH : VERIFY_LENGTH) + APDU_LENGTH_MIN;
    const char *name = modify ? "PIN_MODIFY_STRUCTURE" : "PIN_VERIFY_STRUCTURE";
    struct bytes cursor = bytes_of(in, length);
    uint8_t digits[2];
    uint32_t announced;

    if (length < least)
        return detail_set(RC_INVALID_VALUE, "%s has %zu bytes; with the shortest APDU it has %zu", name,
                          length, least);
    take_fields(&cursor, &request, digits, &announced);
    request.apdu = cursor.at;
    request.apdu_length = cursor.left;
    if (announced == cursor.left) {
        swap_pair(&digits[0], &digits[1]);
        swap_pair(&request.language[0], &request.language[1]);
    } else if (__builtin_bswap32(announced) != cursor.left) {
        return detail_set(RC_INVALID_VALUE, "%s: ulDataLength does not say %zu, the bytes behind it", name,
                          cursor.left);
    }
    request.max_digits = digits[0];
    request.min_digits = digits[1];
    if (modify && request.messages > 3 && request.messages != MESSAGES_DEFAULT)
        return detail_set(RC_INVALID_VALUE, "%s: bNumberMessage is %u; it can be 0 to 3 or 255", name,
                          (unsigned)request.messages);
    *ret_request = request;
    return RC_OK;
}

/* Without a condition that the reader knows, an entry would never end; CCID_PIN_VALIDATION is about readers
 * that crash then. */
static uint8_t validation_for(const struct ccid_quirk *quirk, const struct ccid_pin_request *request)
{
    if (quirk->flags & CCID_PIN_KEY_ONLY || !request->validation || request->validation > VALIDATION_LAST)
        return VALIDATION_KEY;
    return request->validation;
}

static uint8_t messages_for(const struct ccid_quirk *quirk, const struct ccid_pin_request *request)
{
    if (quirk->flags & CCID_PIN_NO_MESSAGES)
        return 0;
    if (quirk->flags & CCID_PIN_ONE_MESSAGE)
        return 1;
    if (request->modify && quirk->flags & CCID_PIN_ALL_MESSAGES)
        return 3;
    if (request->modify && quirk->flags & CCID_PIN_FF_MESSAGES && !request->messages)
        return MESSAGES_DEFAULT;
    return request->messages;
}

/* Minimum and maximum, in the order of the wire: wPINMaxExtraDigit is little-endian, its high byte the
 * minimum (6.1.11.1). */
static void digits_for(const struct ccid_quirk *quirk, const struct ccid_pin_request *request,
                       uint8_t ret_digits[2])
{
    uint8_t max = request->max_digits, min = request->min_digits;

    if (quirk->pin_max) {
        max = max > quirk->pin_max || !max ? quirk->pin_max : max;
        min = min < quirk->pin_min ? quirk->pin_min : min;
        min = min > quirk->pin_max ? quirk->pin_max : min;
        max = max < min ? min : max;
    }
    ret_digits[0] = max;
    ret_digits[1] = min;
    if (quirk->flags & CCID_PIN_SWAP_DIGITS)
        swap_pair(&ret_digits[0], &ret_digits[1]);
}

/* 6.1.11.2: the second index is there with a message at all, the third with three. */
static size_t index_count(const struct ccid_quirk *quirk, const struct ccid_pin_request *request,
                          uint8_t messages)
{
    if (!request->modify)
        return 1;
    if (quirk->flags & CCID_PIN_ALL_INDEXES || messages >= 3)
        return 3;
    return messages ? 2 : 1;
}

size_t ccid_pin_write(const struct ccid_quirk *quirk, const struct ccid_pin_request *request,
                      const uint8_t prologue[static 3], uint8_t *out)
{
    uint8_t messages = messages_for(quirk, request);
    size_t at = 0, indexes = index_count(quirk, request, messages);

    out[at++] = request->modify;
    out[at++] = request->seconds;
    out[at++] = request->format;
    out[at++] = request->block;
    out[at++] = request->length_format;
    if (request->modify) {
        out[at++] = request->offset_old;
        out[at++] = request->offset_new;
    }
    digits_for(quirk, request, out + at);
    at += 2;
    if (request->modify)
        out[at++] = request->confirm;
    out[at++] = validation_for(quirk, request);
    out[at++] = messages;
    memcpy(out + at, request->language, sizeof request->language);
    at += sizeof request->language;
    memcpy(out + at, request->index, indexes);
    at += indexes;
    memcpy(out + at, prologue, 3);
    at += 3;
    memcpy(out + at, request->apdu, request->apdu_length);
    return at + request->apdu_length;
}
