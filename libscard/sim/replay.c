/* SPDX-License-Identifier: MIT */
#include "sim/replay.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "capture/recording.h"
#include "iso/apdu.h"
#include "sim/card_atr.h"

enum match { MATCH_STRICT, MATCH_LENIENT, MATCH_FUZZ };

struct replay {
    struct sim_card card;
    char *file;
    struct recording recording;
    const struct recorded **items; /* those of the reader */
    size_t count, next;
    bool fresh; /* no command since the last reset */
    uint8_t atr[ATR_MAX];
    size_t atr_length;
    enum match match;
    uint64_t rate, random;
    bool timing, has_else;
    uint8_t otherwise[2];
};

static struct replay *replay_of(struct sim_card *card)
{
    return (struct replay *)card;
}

static bool is_apdu(const struct replay *replay, size_t index)
{
    return replay->items[index]->exchange.kind == CAPTURED_APDU;
}

static size_t skip_marks(const struct replay *replay, size_t index)
{
    while (index < replay->count && !is_apdu(replay, index))
        index++;
    return index;
}

/* In the middle of a connection the program has ended otherwise than the recorded one: what comes is its
 * start. */
static int replay_reset(struct sim_card *card, const uint8_t **ret_atr, size_t *ret_atr_length)
{
    struct replay *replay = replay_of(card);

    if (!replay->fresh && replay->next < replay->count && is_apdu(replay, replay->next))
        replay->next = 0;
    replay->fresh = true;
    *ret_atr = replay->atr;
    *ret_atr_length = replay->atr_length;
    return RC_OK;
}

static bool matches(const struct replay *replay, size_t index, const uint8_t *command, size_t length)
{
    return index < replay->count && recorded_is(&replay->items[index]->exchange, command, length);
}

/* The index of the answer, or count. *ret_expected: where it was looked for. */
static size_t find_strict(const struct replay *replay, const uint8_t *command, size_t length,
                          size_t *ret_expected)
{
    size_t first = skip_marks(replay, 0), at = skip_marks(replay, replay->next);

    if (at == replay->count)
        at = first;
    *ret_expected = at;
    if (matches(replay, at, command, length))
        return at;
    /* Another program may begin where the recorded one had ended its connection. */
    if (replay->fresh && matches(replay, first, command, length))
        return first;
    return replay->count;
}

static size_t find_lenient(const struct replay *replay, const uint8_t *command, size_t length)
{
    for (size_t i = 0; i < replay->count; i++) {
        size_t at = (replay->next + i) % replay->count;

        if (is_apdu(replay, at) && matches(replay, at, command, length))
            return at;
    }
    return replay->count;
}

static int not_recorded(const struct replay *replay, const uint8_t *command, size_t length, size_t expected,
                        struct buffer *response)
{
    size_t offset = 0, secret = 0;
    char *sent, *recorded = NULL;

    if (replay->has_else)
        return buffer_append(response, replay->otherwise, sizeof replay->otherwise);
    if (!apdu_secret_range(command, length, &offset, &secret))
        secret = 0;
    sent = hex_new_masked(command, length, offset, secret);
    if (replay->match == MATCH_STRICT && expected < replay->count)
        recorded = captured_command_hex(&replay->items[expected]->exchange);
    if (recorded)
        detail_set(RC_NOT_TRANSACTED,
                   "%.200s, line %u: recorded was %.80s, the program sent %.80s; write ?match=lenient behind "
                   "the file's name to take answers in any order, or record anew",
                   replay->file, replay->items[expected]->line, recorded, sent ? sent : "another command");
    else
        detail_set(RC_NOT_TRANSACTED,
                   "%.200s: no answer to %.120s was recorded; write ?else=6A82 behind the file's name to "
                   "answer with that, or record anew",
                   replay->file, sent ? sent : "that command");
    free(sent);
    free(recorded);
    return RC_NOT_TRANSACTED;
}

/* xorshift64: which damage does not matter, that it comes again does. */
static uint64_t next_random(struct replay *replay)
{
    replay->random ^= replay->random << 13;
    replay->random ^= replay->random >> 7;
    replay->random ^= replay->random << 17;
    return replay->random;
}

static void damage(struct replay *replay, uint8_t *bytes, size_t *length)
{
    static const uint8_t words[][2] = {{0x6A, 0x82}, {0x69, 0x82}, {0x6F, 0x00}, {0x67, 0x00},
                                       {0x61, 0x00}, {0x6C, 0x01}, {0x63, 0xC0}, {0x62, 0x83}};
    uint64_t random = next_random(replay);

    if (*length < 2 || random % 100 >= replay->rate)
        return;
    random = next_random(replay);
    switch (random % 3) {
    case 0:
        bytes[(random >> 8) % *length] ^= (uint8_t)(1U << (random >> 4) % 8);
        break;
    case 1: /* data is cut, the status word stays */
        if (*length > 2) {
            size_t data = (random >> 8) % (*length - 2);

            memmove(bytes + data, bytes + *length - 2, 2);
            *length = data + 2;
        }
        break;
    default:
        memcpy(bytes + *length - 2, words[(random >> 8) % (sizeof words / sizeof words[0])], 2);
        break;
    }
}

static int take_time(struct replay *replay, const struct captured *exchange)
{
    if (!replay->timing || !replay->card.line || exchange->duration_ns <= 0)
        return RC_OK;
    return replay->card.line->wait(replay->card.line,
                                   deadline_in_ms((uint64_t)exchange->duration_ns / 1000000));
}

static int replay_apdu(struct sim_card *card, const uint8_t *command, size_t length, struct buffer *response)
{
    struct replay *replay = replay_of(card);
    size_t expected = replay->count;
    size_t found = replay->match == MATCH_STRICT ? find_strict(replay, command, length, &expected)
                                                 : find_lenient(replay, command, length);
    const struct captured *exchange;
    size_t before = response->length, count;
    int rc;

    replay->fresh = false;
    if (found == replay->count)
        return not_recorded(replay, command, length, expected, response);
    exchange = &replay->items[found]->exchange;
    replay->next = found + 1;
    rc = take_time(replay, exchange);
    if (!rc && exchange->rc)
        rc = detail_set(exchange->rc, "%s, line %u: that is how it ended when it was recorded", replay->file,
                        replay->items[found]->line);
    if (!rc && exchange->response_length)
        rc = buffer_append(response, exchange->response, exchange->response_length);
    if (!rc && replay->match == MATCH_FUZZ) {
        count = response->length - before;
        damage(replay, response->data + before, &count);
        response->length = before + count;
    }
    return rc;
}

static void replay_free(struct sim_card *card)
{
    struct replay *replay = replay_of(card);

    recording_fini(&replay->recording);
    free(replay->items);
    free(replay->file);
    free(replay);
}

/* The exchanges of one reader: that of the option, or the first. */
static int choose_reader(struct replay *replay, const char *wanted)
{
    const char *reader = NULL;

    replay->items = calloc(replay->recording.count + 1, sizeof *replay->items);
    if (!replay->items)
        return RC_NO_MEMORY;
    for (size_t i = 0; i < replay->recording.count; i++) {
        const struct recorded *item = &replay->recording.items[i];

        if (!reader && (!wanted || strcasestr(item->exchange.reader, wanted)))
            reader = item->exchange.reader;
        if (!reader || strcmp(reader, item->exchange.reader) != 0)
            continue;
        replay->items[replay->count++] = item;
    }
    if (!reader && wanted)
        return detail_set(RC_READER_UNAVAILABLE, "%s: no reader with '%s' in its name was recorded",
                          replay->file, wanted);
    /* A card whose ATR alone was read is one, too. */
    return replay->count ? RC_OK : detail_set(RC_READER_UNAVAILABLE, "%s: no card is in it", replay->file);
}

static void choose_atr(struct replay *replay)
{
    static const uint8_t history[] = {'r', 'e', 'p', 'l', 'a', 'y'};
    unsigned protocols = 0;

    for (size_t i = 0; i < replay->count; i++) {
        const struct captured *exchange = &replay->items[i]->exchange;

        if (!protocols)
            protocols = exchange->protocol & (PROTOCOL_T0 | PROTOCOL_T1);
        if (exchange->kind != CAPTURED_CONNECT || !exchange->response_length ||
            exchange->response_length > ATR_MAX)
            continue;
        memcpy(replay->atr, exchange->response, exchange->response_length);
        replay->atr_length = exchange->response_length;
        break;
    }
    protocols = protocols ? protocols : PROTOCOL_T1;
    if (!replay->atr_length)
        replay->atr_length = card_atr_build(protocols, history, sizeof history, replay->atr);
    replay->card.protocols = protocols;
}

static int read_options(struct replay *replay, const struct uri *uri)
{
    static const char *const matches[] = {"strict", "lenient", "fuzz"};
    const char *match = uri_get(uri, "match"), *otherwise = uri_get(uri, "else");
    uint64_t seed = 1;
    size_t count, at;
    int rc;

    for (size_t i = 0; match && i < sizeof matches / sizeof matches[0]; i++)
        if (!strcmp(match, matches[i])) {
            replay->match = (enum match)i;
            match = NULL;
        }
    if (match)
        return detail_set(RC_INVALID_VALUE, "%s: match=%s is not known; say strict, lenient or fuzz",
                          uri->text, match);
    if (otherwise) {
        if (strlen(otherwise) != 4 || hex_parse(otherwise, 4, replay->otherwise, &count, &at))
            return detail_set(RC_INVALID_VALUE, "%s: else=%s is no status word of four digits, such as 6A82",
                              uri->text, otherwise);
        replay->has_else = true;
    }
    replay->rate = 10;
    rc = uri_get_number(uri, "rate", 0, 100, &replay->rate);
    if (!rc)
        rc = uri_get_number(uri, "seed", 1, UINT64_MAX, &seed);
    replay->random = seed * 0x9E3779B97F4A7C15U;
    return rc ? rc : uri_get_bool(uri, "timing", &replay->timing);
}

static int load(struct replay *replay, const struct uri *uri)
{
    char fault[DETAIL_ROOM];
    int rc;

    replay->file = strdup(uri->path);
    if (!replay->file)
        return RC_NO_MEMORY;
    rc = read_options(replay, uri);
    if (rc)
        return rc;
    rc = recording_load(replay->file, &replay->recording);
    if (rc && rc != RC_NO_MEMORY) {
        strcpy(fault, detail_get());
        return detail_set(RC_READER_UNAVAILABLE, "%s", fault);
    }
    if (!rc)
        rc = choose_reader(replay, uri_get(uri, "reader"));
    if (!rc)
        choose_atr(replay);
    return rc;
}

int replay_new(const struct uri *uri, struct sim_card **ret_card)
{
    static const struct sim_card_ops ops = {.reset = replay_reset, .apdu = replay_apdu, .free = replay_free};
    struct replay *replay = calloc(1, sizeof *replay);
    int rc;

    if (!replay)
        return RC_NO_MEMORY;
    replay->card.ops = &ops;
    replay->card.is_line = true;
    replay->fresh = true;
    rc = load(replay, uri);
    if (rc) {
        replay_free(&replay->card);
        return rc;
    }
    *ret_card = &replay->card;
    return RC_OK;
}
