/* SPDX-License-Identifier: MIT */
#include "sim/iso_record.h"

#include "base/rc.h"

/* Bits 3-1 of P2 (11.3.2). */
enum reference {
    REF_FIRST,
    REF_LAST,
    REF_NEXT,
    REF_PREVIOUS,
    REF_NUMBER,
    REF_FROM_NUMBER,
    REF_DOWN_TO_NUMBER,
};

/* Bits 8-4 of P2: short identifier, 0 for the current EF. Makes the EF the current one. */
static int target(struct iso_channel *channel, const struct apdu *apdu, bool change)
{
    unsigned sfi = apdu->p2 >> 3;
    struct iso_file *ef = channel->ef;

    if (sfi == 31)
        return SW_WRONG_P1P2;
    if (sfi) {
        ef = iso_file_by_sfi(channel->df, sfi);
        if (!ef)
            return SW_FILE_NOT_FOUND;
    }
    if (!ef)
        return SW_NO_CURRENT_EF;
    if (!ef->records)
        return SW_INCOMPATIBLE_FILE;
    if (!iso_allowed(channel, change ? ef->update : ef->read))
        return SW_SECURITY_STATUS;
    if (sfi || channel->ef != ef) {
        channel->ef = ef;
        channel->record = 0;
    }
    return SW_OK;
}

static bool identifier_fits(const struct iso_file *ef, size_t number, uint8_t identifier)
{
    const struct buffer *record = &ef->records[number - 1];

    return identifier == 0 || (ef->simple_tlv && record->length && record->data[0] == identifier);
}

/* First, last, next or previous record with the identifier (0: any); 0 if there is none. Without a current
 * record, next is first and previous is last. */
static size_t find(const struct iso_channel *channel, enum reference reference, uint8_t identifier)
{
    const struct iso_file *ef = channel->ef;
    size_t current = channel->record, number;
    bool up = reference == REF_FIRST || reference == REF_NEXT;

    if (up)
        number = reference == REF_NEXT ? current + 1 : 1;
    else
        number = reference == REF_PREVIOUS && current ? current - 1 : ef->record_count;
    while (iso_file_has_record(ef, number)) {
        if (identifier_fits(ef, number, identifier))
            return number;
        number += up ? 1 : (size_t)-1;
    }
    return 0;
}

/* The one record that P1 and P2 name. An identifier moves the record pointer, a number does not. */
static int locate(struct iso_channel *channel, const struct apdu *apdu, size_t *ret_number)
{
    enum reference reference = apdu->p2 & 7;
    size_t number = apdu->p1 ? apdu->p1 : channel->record;

    if (reference <= REF_PREVIOUS)
        number = find(channel, reference, apdu->p1);
    if (!iso_file_has_record(channel->ef, number))
        return SW_RECORD_NOT_FOUND;
    if (reference <= REF_PREVIOUS)
        channel->record = number;
    *ret_number = number;
    return SW_OK;
}

static int read_one(struct iso_channel *channel, const struct apdu *apdu, struct buffer *response)
{
    const struct buffer *record;
    size_t number;
    int rc, sw = locate(channel, apdu, &number);

    if (sw != SW_OK)
        return sw;
    record = &channel->ef->records[number - 1];
    rc = buffer_append(response, record->data, record->length < apdu->le ? record->length : apdu->le);
    if (rc)
        return rc;
    return record->length < apdu->le && !iso_le_is_max(apdu) ? SW_END_OF_FILE : SW_OK;
}

/* All records from P1 to the last, or from the last down to P1. What Le cuts off is left to GET RESPONSE. */
static int read_all(struct iso_channel *channel, const struct apdu *apdu, struct buffer *response)
{
    const struct iso_file *ef = channel->ef;
    size_t from = apdu->p1 ? apdu->p1 : channel->record;
    bool down = (apdu->p2 & 7) == REF_DOWN_TO_NUMBER;
    int rc = RC_OK;

    if (!iso_file_has_record(ef, from))
        return SW_RECORD_NOT_FOUND;
    for (size_t i = 0; i <= ef->record_count - from && !rc; i++) {
        const struct buffer *record = &ef->records[(down ? ef->record_count - i : from + i) - 1];

        rc = buffer_append(response, record->data, record->length);
    }
    return rc ? rc : SW_OK;
}

int iso_read_record(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
                    struct buffer *response)
{
    int sw;

    (void)card;
    if (apdu->lc || !apdu->le)
        return SW_WRONG_LENGTH;
    if ((apdu->p2 & 7) == 7)
        return SW_WRONG_P1P2;
    sw = target(channel, apdu, false);
    if (sw != SW_OK)
        return sw;
    return (apdu->p2 & 7) > REF_NUMBER ? read_all(channel, apdu, response)
                                       : read_one(channel, apdu, response);
}

static bool length_fits(const struct iso_file *ef, size_t length)
{
    return ef->kind == ISO_LINEAR_VARIABLE ? length <= ef->record_size : length == ef->record_size;
}

static int append(struct iso_channel *channel, const struct apdu *apdu)
{
    int rc = iso_file_append_record(channel->ef, apdu->data, apdu->lc);

    if (rc == RC_INSUFFICIENT_BUFFER)
        return SW_NO_SPACE;
    if (rc)
        return rc;
    channel->record = channel->ef->kind == ISO_CYCLIC ? 1 : channel->ef->record_count;
    return SW_OK;
}

static int replace(struct buffer *record, const struct apdu *apdu)
{
    struct buffer fresh = {0};
    int rc;

    if (apdu->ins == 0xD2 && record->length != apdu->lc)
        return SW_WRONG_LENGTH;
    rc = buffer_append(&fresh, apdu->data, apdu->lc);
    if (rc)
        return rc;
    if (apdu->ins == 0xD2)
        for (size_t i = 0; i < fresh.length; i++)
            fresh.data[i] |= record->data[i];
    buffer_fini(record);
    *record = fresh;
    return SW_OK;
}

int iso_write_record(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
                     struct buffer *response)
{
    enum reference reference = apdu->p2 & 7;
    size_t number;
    int sw;

    (void)card;
    (void)response;
    if (reference > REF_NUMBER || (reference < REF_NUMBER && apdu->p1))
        return SW_WRONG_P1P2;
    sw = target(channel, apdu, true);
    if (sw != SW_OK)
        return sw;
    if (!apdu->lc || !length_fits(channel->ef, apdu->lc))
        return SW_WRONG_LENGTH;
    /* "Previous" of a cyclic EF is the oldest record, which becomes number 1 (11.3.5). */
    if (channel->ef->kind == ISO_CYCLIC && reference == REF_PREVIOUS && apdu->ins == 0xDC)
        return append(channel, apdu);
    sw = locate(channel, apdu, &number);
    return sw == SW_OK ? replace(&channel->ef->records[number - 1], apdu) : sw;
}

int iso_append_record(struct iso_card *card, struct iso_channel *channel, const struct apdu *apdu,
                      struct buffer *response)
{
    int sw;

    (void)card;
    (void)response;
    if (apdu->p1 || apdu->p2 & 7)
        return SW_WRONG_P1P2;
    sw = target(channel, apdu, true);
    if (sw != SW_OK)
        return sw;
    if (!apdu->lc || !length_fits(channel->ef, apdu->lc))
        return SW_WRONG_LENGTH;
    return append(channel, apdu);
}
