/* SPDX-License-Identifier: MIT */
#include "cli/pin_pad.h"

#include <stddef.h>
#include <string.h>

#include <reader.h>

#include "base/rc.h"

#define HEADER 4
#define SECONDS 30
#define ENGLISH 0x0409
#define CONDITION_KEY 0x02 /* bEntryValidationCondition: what every reader knows */
#define CONFIRM_AND_OLD 0x03
#define FEATURES_ROOM 256
#define ANSWER_ROOM 258

/* Words that the reader makes (PC/SC part 10, 2.5.2). */
#define SW_TIMEOUT 0x6400
#define SW_CANCELLED 0x6401
#define SW_DIFFERENT 0x6402
#define SW_LENGTH 0x6403

/* The control code of a feature; 0 if the reader has it not. */
static int find_feature(struct call *call, uint8_t feature, DWORD *ret_code)
{
    uint8_t list[FEATURES_ROOM];
    DWORD length = 0;
    struct bytes in;
    LONG code =
        SCardControl(call->desk->card, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, list, sizeof list, &length);

    *ret_code = 0;
    if (code == SCARD_E_UNSUPPORTED_FEATURE || code == SCARD_E_NOT_TRANSACTED)
        return STATUS_DONE;
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot ask %s for its features", call->desk->reader);
    in = bytes_of(list, length);
    while (in.left > 0) {
        uint8_t tag = bytes_u8(&in), size = bytes_u8(&in);
        struct bytes value = bytes_of(bytes_take(&in, size), size);

        if (!bytes_ok(&in))
            break;
        if (tag == feature && size == 4)
            *ret_code = bytes_u32be(&value);
    }
    return STATUS_DONE;
}

/* Where the digits go: bmFormatString, bmPINBlockString and bmPINLengthFormat (CCID 1.1, 6.1.11). */
struct layout {
    uint8_t format, block, length_format;
};

static struct layout layout_of(const struct pin_format *format)
{
    uint8_t size = format->filled ? (uint8_t)format->length : 0;

    switch (format->coding) {
    case PIN_ISO9564: /* digits from bit 8 on, their number in four bits from bit 4 on */
        return (struct layout){0x41, 0x40 | PIN_ISO9564_LENGTH, 0x04};
    case PIN_BCD:
        return (struct layout){0x81, size, 0};
    default:
        return (struct layout){0x82, size, 0};
    }
}

/* The block without digits, and its length. */
static size_t empty_block(const struct pin_format *format, uint8_t out[static 16])
{
    if (format->coding == PIN_ISO9564) {
        memset(out, 0xFF, PIN_ISO9564_LENGTH);
        out[0] = 0x20;
        return PIN_ISO9564_LENGTH;
    }
    memset(out, format->fill, 15);
    return format->filled ? format->length : 0;
}

static size_t make_apdu(const struct pin_pad *pad, uint8_t out[static 40])
{
    uint8_t block[16];
    size_t length = empty_block(&pad->format, block), at = HEADER + 1;

    memcpy(out, pad->header, HEADER);
    for (unsigned i = 0; i < (pad->modify ? 2U : 1U); i++, at += length)
        memcpy(out + at, block, length);
    out[HEADER] = (uint8_t)(at - HEADER - 1);
    return at;
}

static uint16_t digits_of(const struct pin_pad *pad)
{
    return (uint16_t)((unsigned)pad->least << 8 | pad->most);
}

static int append_verify(const struct pin_pad *pad, struct buffer *out)
{
    struct layout layout = layout_of(&pad->format);
    uint8_t apdu[40];
    size_t length = make_apdu(pad, apdu);
    const PIN_VERIFY_STRUCTURE head = {
        .bTimerOut = SECONDS,
        .bmFormatString = layout.format,
        .bmPINBlockString = layout.block,
        .bmPINLengthFormat = layout.length_format,
        .wPINMaxExtraDigit = digits_of(pad),
        .bEntryValidationCondition = CONDITION_KEY,
        .bNumberMessage = 1,
        .wLangId = ENGLISH,
        .ulDataLength = (uint32_t)length,
    };
    int rc = buffer_append(out, &head, offsetof(PIN_VERIFY_STRUCTURE, abData));

    return rc < 0 ? rc : buffer_append(out, apdu, length);
}

static int append_modify(const struct pin_pad *pad, struct buffer *out)
{
    struct layout layout = layout_of(&pad->format);
    uint8_t apdu[40];
    size_t length = make_apdu(pad, apdu);
    const PIN_MODIFY_STRUCTURE head = {
        .bTimerOut = SECONDS,
        .bmFormatString = layout.format,
        .bmPINBlockString = layout.block,
        .bmPINLengthFormat = layout.length_format,
        .bInsertionOffsetNew = (uint8_t)((length - HEADER - 1) / 2),
        .wPINMaxExtraDigit = digits_of(pad),
        .bConfirmPIN = CONFIRM_AND_OLD,
        .bEntryValidationCondition = CONDITION_KEY,
        .bNumberMessage = 3,
        .wLangId = ENGLISH,
        .bMsgIndex2 = 1,
        .bMsgIndex3 = 2,
        .ulDataLength = (uint32_t)length,
    };
    int rc = buffer_append(out, &head, offsetof(PIN_MODIFY_STRUCTURE, abData));

    return rc < 0 ? rc : buffer_append(out, apdu, length);
}

static void say_enter(struct call *call, const struct pin_pad *pad)
{
    struct record record;

    record_init(&record, "pinpad", RECORD_ROW);
    record_text(&record, SHOW_JSON, "reader", call->desk->reader);
    record_people(&record, "%s on the keys of %s.",
                  pad->modify ? "Type the old one, then the new one twice," : "Type the PIN",
                  call->desk->reader);
    output_remark(call->output, &record);
    record_fini(&record);
}

static int judge(struct call *call, uint16_t sw)
{
    switch (sw) {
    case SW_TIMEOUT:
        return call_fail(call, STATUS_TIMEOUT, "Nothing was sent to the card; try again.",
                         "no PIN was typed in time");
    case SW_CANCELLED:
        return call_fail(call, STATUS_INTERRUPTED, "Nothing was sent to the card.",
                         "the entry was cancelled on the reader");
    case SW_DIFFERENT:
        return call_fail(call, STATUS_ANSWER, "Nothing was changed; try again.",
                         "the new PINs were not the same");
    case SW_LENGTH:
        return call_fail(call, STATUS_ANSWER, "Say with --digits how many it may have.",
                         "the PIN was too short or too long for the reader");
    default:
        return STATUS_DONE;
    }
}

static int check(struct call *call, const struct pin_format *format)
{
    if (format->coding == PIN_HEX)
        return call_fail(call, STATUS_USAGE, "Use another --format.",
                         "a PIN pad has no keys for the format hex");
    if (format->filled && format->length > 15)
        return call_fail(call, STATUS_USAGE, "", "a PIN pad can fill up to 15 bytes, not %zu",
                         format->length);
    return STATUS_DONE;
}

int pin_pad_enter(struct call *call, const struct pin_pad *pad, uint16_t *ret_sw)
{
    uint8_t answer[ANSWER_ROOM];
    struct buffer in = {0};
    DWORD control, length = 0;
    int status = check(call, &pad->format);
    LONG code;

    if (status == STATUS_DONE && pad->modify && !pad->format.filled && pad->format.coding != PIN_ISO9564)
        status = call_fail(call, STATUS_USAGE, "Give --pad, as in --pad FF:8.",
                           "with a PIN pad both PINs need a fixed length");
    if (status == STATUS_DONE)
        status =
            find_feature(call, pad->modify ? FEATURE_MODIFY_PIN_DIRECT : FEATURE_VERIFY_PIN_DIRECT, &control);
    if (status != STATUS_DONE)
        return status;
    if (control == 0)
        return call_fail(call, STATUS_USAGE, "Leave --pinpad away and type it here.",
                         "%s has no PIN pad for that", call->desk->reader);
    if ((pad->modify ? append_modify(pad, &in) : append_verify(pad, &in)) < 0)
        return call_no_memory(call);
    say_enter(call, pad);
    call->desk->used_secret = true;
    code = SCardControl(call->desk->card, control, in.data, (DWORD)in.length, answer, sizeof answer, &length);
    buffer_fini(&in);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "the PIN pad of %s", call->desk->reader);
    if (length < 2)
        return call_fail(call, STATUS_TRANSPORT, "", "%s answered without a status word", call->desk->reader);
    *ret_sw = (uint16_t)((unsigned)answer[length - 2] << 8 | answer[length - 1]);
    return judge(call, *ret_sw);
}
