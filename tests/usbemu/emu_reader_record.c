/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tests/usbemu/emu_reader_state.h"

void reader_record(struct emu_reader *reader, enum emu_where where, uint8_t endpoint, const uint8_t *bytes,
                   size_t length, int failure)
{
    size_t at = reader->recorded++ % EMU_RECORDS;
    struct buffer *record = &reader->records[at];

    record->length = 0;
    if (length && buffer_append(record, bytes, length))
        record->length = 0;
    reader->record_facts[at].endpoint = endpoint;
    reader->record_facts[at].failure = failure;
    if (where != EMU_CONTROL && length)
        reader->counts[where][bytes[0]]++;
    else if (where == EMU_CONTROL && !(endpoint & 0x80)) /* bRequest of the set-up packet */
        reader->counts[where][bytes[1]]++;
}

size_t emu_reader_recorded(struct emu_reader *reader)
{
    size_t count;

    emu_lock();
    count = reader->recorded;
    emu_unlock();
    return count;
}

bool emu_reader_record(struct emu_reader *reader, size_t index, struct emu_record *ret_record)
{
    bool kept;

    emu_lock();
    kept = index < reader->recorded && reader->recorded - index <= EMU_RECORDS;
    if (kept) {
        size_t at = index % EMU_RECORDS;

        ret_record->endpoint = reader->record_facts[at].endpoint;
        ret_record->failure = reader->record_facts[at].failure;
        ret_record->bytes = reader->records[at].data;
        ret_record->length = reader->records[at].length;
    }
    emu_unlock();
    return kept;
}

size_t emu_reader_count(struct emu_reader *reader, enum emu_where where, uint8_t type)
{
    size_t count = 0;

    emu_lock();
    for (unsigned i = 0; i < 256; i++)
        if (!type || type == i)
            count += reader->counts[where][i];
    emu_unlock();
    return count;
}
