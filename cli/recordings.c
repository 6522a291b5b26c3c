/* SPDX-License-Identifier: MIT */
#include "cli/recordings.h"

#include <stdlib.h>
#include <string.h>

#include <scard.h>

#include "base/hex.h"
#include "base/rc.h"
#include "iso/tlv.h"

/* Cells of the table of common commands: beyond that, exchanges are paired by their places. */
#define CELLS_MAX ((size_t)16 << 20)

static int take(struct recording_list *list, const struct scard_exchange *exchange)
{
    struct recorded_apdu *apdu, *apdus = list->apdus;

    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 64;

        apdus = reallocarray(apdus, room, sizeof *apdus);
        if (apdus == NULL)
            return RC_NO_MEMORY;
        list->apdus = apdus;
        list->room = room;
    }
    apdu = &apdus[list->count];
    *apdu = (struct recorded_apdu){
        .number = (unsigned)list->count + 1,
        .secret_offset = exchange->secret_offset,
        .secret_length = exchange->secret_length,
        .failed = exchange->result != SCARD_S_SUCCESS,
    };
    list->count++;
    if (buffer_append(&apdu->command, exchange->command, exchange->command_length) < 0 ||
        (exchange->response_length > 0 &&
         buffer_append(&apdu->response, exchange->response, exchange->response_length) < 0))
        return RC_NO_MEMORY;
    return RC_OK;
}

static void receive(void *user, const struct scard_exchange *exchange)
{
    struct recording_list *list = user;
    int rc = RC_OK;

    if (exchange->kind == SCARD_EXCHANGE_APDU)
        rc = take(list, exchange);
    else if (exchange->kind == SCARD_EXCHANGE_CONNECT && list->atr.length == 0 &&
             exchange->response_length > 0)
        rc = buffer_append(&list->atr, exchange->response, exchange->response_length);
    list->failed = list->failed || rc < 0;
}

int recordings_load(struct call *call, const char *file, struct recording_list *ret_list)
{
    struct recording_list list = {0};
    LONG code = scard_recording_read(file, receive, &list);
    int status = STATUS_DONE;

    if (code == SCARD_E_INVALID_VALUE || code == SCARD_E_FILE_NOT_FOUND)
        status = call_fail(call, STATUS_USAGE, "", "%s", scard_error_detail());
    else if (code != SCARD_S_SUCCESS)
        status = call_fail_scard(call, code, "cannot read %s", file);
    else if (list.failed)
        status = call_no_memory(call);
    if (status == STATUS_DONE)
        *ret_list = list;
    else
        recordings_fini(&list);
    return status;
}

void recordings_fini(struct recording_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        buffer_fini(&list->apdus[i].command);
        buffer_fini(&list->apdus[i].response);
    }
    free(list->apdus);
    buffer_fini(&list->atr);
    *list = (struct recording_list){0};
}

char *recordings_command_hex(const struct recorded_apdu *apdu)
{
    return hex_new_masked(apdu->command.data, apdu->command.length, apdu->secret_offset, apdu->secret_length);
}

int ignored_add(struct call *call, struct ignored *ignored, const char *text)
{
    static const char tag[] = "tag:";
    char *end;

    if (strncmp(text, tag, sizeof tag - 1) == 0) {
        unsigned long value = strtoul(text + sizeof tag - 1, &end, 16);

        if (*end == '\0' && end > text + sizeof tag - 1 && value <= 0xFFFFFF &&
            ignored->tag_count < sizeof ignored->tags / sizeof ignored->tags[0]) {
            ignored->tags[ignored->tag_count++] = (uint32_t)value;
            return STATUS_DONE;
        }
    } else if (text[0] >= '0' && text[0] <= '9') {
        size_t first = strtoul(text, &end, 10), last = first;

        if (*end == '-' && end[1] >= '0' && end[1] <= '9')
            last = strtoul(end + 1, &end, 10);
        if (*end == '\0' && last >= first &&
            ignored->range_count < sizeof ignored->ranges / sizeof ignored->ranges[0]) {
            ignored->ranges[ignored->range_count].first = first;
            ignored->ranges[ignored->range_count++].last = last;
            return STATUS_DONE;
        }
    }
    return call_fail(call, STATUS_USAGE, "Say bytes of the answers, 4 or 4-11, or a data object, tag:9F36.",
                     "\"%s\" cannot be ignored", text);
}

enum randomness { RANDOM_NOTHING, RANDOM_ANSWER, RANDOM_BOTH };

/* ISO 7816-4:2013, 11.5, and GlobalPlatform's INITIALIZE UPDATE: a challenge of either side and what was made
 * of it. */
static enum randomness random_of(const struct buffer *command)
{
    if (command->length < 4)
        return RANDOM_NOTHING;
    switch (command->data[1]) {
    case 0x84:
        return RANDOM_ANSWER;
    case 0x82:
    case 0x86:
    case 0x87:
    case 0x88:
        return RANDOM_BOTH;
    case 0x50:
        return command->data[0] & 0x80 ? RANDOM_BOTH : RANDOM_NOTHING;
    default:
        return RANDOM_NOTHING;
    }
}

/* Before the first secret and behind the last. */
static bool same_around_secrets(const struct recorded_apdu *first, const struct recorded_apdu *second)
{
    size_t before =
        first->secret_offset < second->secret_offset ? first->secret_offset : second->secret_offset;
    size_t ends[2] = {first->command.length - first->secret_offset - first->secret_length,
                      second->command.length - second->secret_offset - second->secret_length};
    size_t behind = ends[0] < ends[1] ? ends[0] : ends[1];

    if (first->secret_length == 0 || second->secret_length == 0) {
        const struct recorded_apdu *masked = first->secret_length > 0 ? first : second;

        before = masked->secret_offset;
        behind = ends[masked == second];
    }
    return first->command.length >= before + behind && second->command.length >= before + behind &&
           memcmp(first->command.data, second->command.data, before) == 0 &&
           memcmp(first->command.data + first->command.length - behind,
                  second->command.data + second->command.length - behind, behind) == 0;
}

bool recordings_same_command(const struct recorded_apdu *first, const struct recorded_apdu *second)
{
    const struct buffer *a = &first->command, *b = &second->command;

    if (first->secret_length > 0 || second->secret_length > 0)
        return same_around_secrets(first, second);
    if (a->length != b->length)
        return false;
    /* The header and Lc of both. */
    return memcmp(a->data, b->data, random_of(a) == RANDOM_BOTH && a->length > 5 ? 5 : a->length) == 0;
}

static bool is_ignored_tag(const struct ignored *ignored, uint32_t tag)
{
    for (size_t i = 0; i < ignored->tag_count; i++)
        if (ignored->tags[i] == tag)
            return true;
    return false;
}

/* Blots out the values of ignored objects, in constructed ones as well. What is no TLV stays. */
static void blot_tags(uint8_t *bytes, size_t length, const struct ignored *ignored, int depth)
{
    struct bytes in = bytes_of(bytes, length);
    struct tlv tlv;

    while (depth > 0 && tlv_next(&in, &tlv) == 1) {
        uint8_t *value = tlv.length > 0 ? bytes + (tlv.value - bytes) : bytes;

        if (is_ignored_tag(ignored, tlv.tag))
            memset(value, 0, tlv.length);
        else if (tlv.constructed)
            blot_tags(value, tlv.length, ignored, depth - 1);
    }
}

static void blot(struct buffer *response, const struct ignored *ignored)
{
    size_t data = response->length - 2;

    if (ignored->tag_count > 0)
        blot_tags(response->data, data, ignored, 8);
    for (size_t i = 0; i < ignored->range_count; i++)
        for (size_t at = ignored->ranges[i].first; at <= ignored->ranges[i].last && at < data; at++)
            response->data[at] = 0;
}

bool recordings_same_answer(const struct recorded_apdu *first, const struct recorded_apdu *second,
                            const struct ignored *ignored)
{
    const struct buffer *a = &first->response, *b = &second->response;
    struct buffer copies[2] = {{0}, {0}};
    bool same;

    if (first->failed != second->failed || a->length != b->length)
        return false;
    if (a->length < 2)
        return a->length == 0 || a->data[0] == b->data[0];
    if (memcmp(a->data + a->length - 2, b->data + b->length - 2, 2) != 0)
        return false;
    if (random_of(&first->command) != RANDOM_NOTHING)
        return true;
    if (ignored->range_count == 0 && ignored->tag_count == 0)
        return memcmp(a->data, b->data, a->length) == 0;
    same = buffer_append(&copies[0], a->data, a->length) == RC_OK &&
           buffer_append(&copies[1], b->data, b->length) == RC_OK;
    for (size_t i = 0; i < 2 && same; i++)
        blot(&copies[i], ignored);
    same = same && memcmp(copies[0].data, copies[1].data, a->length) == 0;
    buffer_fini(&copies[0]);
    buffer_fini(&copies[1]);
    return same;
}

/* What lies between the common start and the common end of both. */
struct middle {
    const struct recorded_apdu *first, *second;
    size_t start, first_count, second_count;
};

static void add_pair(struct recording_pair *pairs, size_t *count, size_t first, size_t second)
{
    pairs[*count] = (struct recording_pair){.first = first, .second = second};
    ++*count;
}

/* The longest common sequence of commands: lengths[i][j] is that of what begins at i and j. */
static uint32_t *common_lengths(const struct middle *middle, struct progress *progress)
{
    size_t width = middle->second_count + 1;
    uint32_t *lengths = calloc((middle->first_count + 1) * width, sizeof *lengths);

    for (size_t i = middle->first_count; lengths != NULL && i-- > 0;) {
        for (size_t j = middle->second_count; j-- > 0;) {
            uint32_t down = lengths[(i + 1) * width + j], right = lengths[i * width + j + 1];

            if (recordings_same_command(&middle->first[i], &middle->second[j]))
                lengths[i * width + j] = lengths[(i + 1) * width + j + 1] + 1;
            else
                lengths[i * width + j] = down > right ? down : right;
        }
        progress_step(progress, middle->first_count - i, middle->first_count);
    }
    return lengths;
}

static int align_middle(const struct middle *middle, struct progress *progress, struct recording_pair *pairs,
                        size_t *count)
{
    size_t width = middle->second_count + 1, i = 0, j = 0;
    bool small = (middle->first_count + 1) <= CELLS_MAX / width;
    uint32_t *lengths = small ? common_lengths(middle, progress) : NULL;

    if (small && lengths == NULL)
        return RC_NO_MEMORY;
    while (i < middle->first_count || j < middle->second_count) {
        bool both = i < middle->first_count && j < middle->second_count;
        bool same =
            both && (lengths == NULL || recordings_same_command(&middle->first[i], &middle->second[j]));

        if (same && (lengths == NULL || lengths[i * width + j] == lengths[(i + 1) * width + j + 1] + 1)) {
            add_pair(pairs, count, middle->start + ++i, middle->start + ++j);
        } else if (j == middle->second_count ||
                   (both && lengths != NULL && lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])) {
            add_pair(pairs, count, middle->start + ++i, 0);
        } else {
            add_pair(pairs, count, 0, middle->start + ++j);
        }
    }
    free(lengths);
    return RC_OK;
}

int recordings_align(const struct recording_list *first, const struct recording_list *second,
                     struct progress *progress, struct recording_pair **ret_pairs, size_t *ret_count)
{
    size_t most = first->count + second->count,
           least = first->count < second->count ? first->count : second->count;
    struct recording_pair *pairs = calloc(most + 1, sizeof *pairs);
    size_t start = 0, end = 0, count = 0;
    struct middle middle;
    int rc;

    if (pairs == NULL)
        return RC_NO_MEMORY;
    while (start < least && recordings_same_command(&first->apdus[start], &second->apdus[start]))
        start++;
    while (end < least - start && recordings_same_command(&first->apdus[first->count - 1 - end],
                                                          &second->apdus[second->count - 1 - end]))
        end++;
    for (size_t i = 1; i <= start; i++)
        add_pair(pairs, &count, i, i);
    middle = (struct middle){
        .first = first->apdus + start,
        .second = second->apdus + start,
        .start = start,
        .first_count = first->count - start - end,
        .second_count = second->count - start - end,
    };
    rc =
        middle.first_count + middle.second_count > 0 ? align_middle(&middle, progress, pairs, &count) : RC_OK;
    if (rc < 0) {
        free(pairs);
        return rc;
    }
    for (size_t i = end; i > 0; i--)
        add_pair(pairs, &count, first->count - i + 1, second->count - i + 1);
    *ret_pairs = pairs;
    *ret_count = count;
    return RC_OK;
}
