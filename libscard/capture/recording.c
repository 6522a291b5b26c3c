/* SPDX-License-Identifier: MIT */
#include "capture/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "capture/reading.h"

#define TEXTS_COMPARED 32

static const struct recording_format *const formats[] = {
    &recording_json,  &recording_script, &recording_cardpeek, &recording_gp,
    &recording_pcscd, &recording_etsi,   &recording_apdu4j};

int reading_fault(const struct reading *reading, const char *format, ...)
{
    char words[DETAIL_ROOM];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    return detail_set(RC_INVALID_VALUE, "%s, line %u: %s", reading->name, reading->line, words);
}

/* The list with room for one more; it grows when the count is a power of two. NULL: no memory, the list
 * stands. */
static void *with_room(void *list, size_t count, size_t size)
{
    if (count & (count - 1))
        return list;
    return reallocarray(list, count ? 2 * count : 1, size);
}

int reading_text(struct reading *reading, const char *text, const char **ret_text)
{
    struct recording *recording = &reading->recording;
    char **texts;

    /* Among the last ones alone: a file that names another reader in each line is read, too. */
    for (size_t i = recording->text_count; i-- > 0 && recording->text_count - i <= TEXTS_COMPARED;)
        if (!strcmp(recording->texts[i], text)) {
            *ret_text = recording->texts[i];
            return RC_OK;
        }
    texts = with_room(recording->texts, recording->text_count, sizeof *texts);
    if (!texts)
        return RC_NO_MEMORY;
    recording->texts = texts;
    texts[recording->text_count] = strdup(text);
    if (!texts[recording->text_count])
        return RC_NO_MEMORY;
    *ret_text = texts[recording->text_count++];
    return RC_OK;
}

int reading_hex(struct reading *reading, const char *text, size_t length, const char *what,
                struct buffer *bytes)
{
    size_t count, at;

    bytes->length = 0;
    if (buffer_reserve(bytes, length / 2 + 1))
        return RC_NO_MEMORY;
    if (hex_parse(text, length, bytes->data, &count, &at))
        return reading_fault(reading, "%s is no hex at its character %zu", what, at + 1);
    bytes->length = count;
    return RC_OK;
}

int reading_command(struct reading *reading, const char *text, size_t length)
{
    static const uint8_t star = CAPTURED_STAR;
    const char *stars = memmem(text, length, "**", 2);
    size_t before = stars ? (size_t)(stars - text) : length;
    struct buffer behind = {0};
    int rc = reading_hex(reading, text, before, "the command", &reading->command);

    reading->secret_offset = reading->secret_length = 0;
    if (rc || !stars)
        return rc;
    reading->secret_offset = reading->command.length;
    reading->secret_length = 1;
    rc = buffer_append(&reading->command, &star, 1);
    if (!rc)
        rc = reading_hex(reading, stars + 2, length - before - 2, "what stands behind ** in the command",
                         &behind);
    if (!rc && behind.length)
        rc = buffer_append(&reading->command, behind.data, behind.length);
    buffer_fini(&behind);
    return rc;
}

uint32_t reading_protocol(const char *text, size_t length)
{
    static const struct {
        const char *name;
        uint32_t protocol;
    } names[] = {{"T=0", 1}, {"T0", 1}, {"T=1", 2}, {"T1", 2}, {"T=CL", 2}, {"raw", 4}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i].name) == length && !strncasecmp(names[i].name, text, length))
            return names[i].protocol;
    return 0;
}

/* A copy with one byte more, so that no bytes are a pointer, too. */
static int copy(const struct buffer *bytes, const uint8_t **ret_copy)
{
    uint8_t *block = malloc(bytes->length + 1);

    if (!block)
        return RC_NO_MEMORY;
    if (bytes->length)
        memcpy(block, bytes->data, bytes->length);
    *ret_copy = block;
    return RC_OK;
}

static void free_bytes(const uint8_t *bytes, size_t count)
{
    uint8_t *block = (uint8_t *)(uintptr_t)bytes;

    if (block)
        secret_wipe(block, count);
    free(block);
}

static int add(struct reading *reading, const struct captured *exchange, unsigned line)
{
    struct recording *recording = &reading->recording;
    struct recorded *items = with_room(recording->items, recording->count, sizeof *items);

    if (!items)
        return RC_NO_MEMORY;
    recording->items = items;
    items[recording->count++] = (struct recorded){.exchange = *exchange, .line = line};
    return RC_OK;
}

static struct captured gathered(const struct reading *reading, enum captured_kind kind)
{
    struct captured exchange = captured_none();

    exchange.kind = kind;
    exchange.reader = reading->reader;
    exchange.device = reading->device;
    exchange.protocol = reading->protocol;
    exchange.context = exchange.card = 1;
    exchange.time_ns = reading->time_ns;
    return exchange;
}

static int add_with_bytes(struct reading *reading, struct captured *exchange, const struct buffer *command,
                          const struct buffer *response, unsigned line)
{
    int rc = copy(command, &exchange->command);

    exchange->command_length = command->length;
    if (!rc)
        rc = copy(response, &exchange->response);
    exchange->response_length = response->length;
    if (!rc)
        rc = add(reading, exchange, line);
    if (rc) {
        free_bytes(exchange->command, exchange->command_length);
        free_bytes(exchange->response, 0);
    }
    return rc;
}

int reading_add_apdu(struct reading *reading, int failure, unsigned flags)
{
    struct captured exchange = gathered(reading, CAPTURED_APDU);
    unsigned line = reading->command_line ? reading->command_line : reading->line;
    int rc;

    exchange.call = "SCardTransmit";
    exchange.rc = failure;
    exchange.duration_ns = reading->duration_ns;
    exchange.secret_offset = reading->secret_offset;
    exchange.secret_length = reading->secret_length;
    exchange.flags = flags | (reading->secret_length ? CAPTURED_MASKED : 0);
    if (failure)
        reading->response.length = 0;
    rc = add_with_bytes(reading, &exchange, &reading->command, &reading->response, line);
    reading->command.length = reading->response.length = 0;
    reading->secret_offset = reading->secret_length = 0;
    reading->command_line = 0;
    reading->duration_ns = 0;
    return rc;
}

int reading_add_connection(struct reading *reading)
{
    static const struct buffer none;
    struct captured exchange = gathered(reading, CAPTURED_CONNECT);

    exchange.call = "SCardConnect";
    return add_with_bytes(reading, &exchange, &none, &reading->atr, reading->line);
}

int reading_add_reset(struct reading *reading)
{
    static const struct buffer none;
    struct captured exchange = gathered(reading, CAPTURED_RESET);

    exchange.call = "SCardReconnect";
    return add_with_bytes(reading, &exchange, &none, &none, reading->line);
}

int reading_failure(const char *name)
{
    for (int rc = -1; rc > -64; rc--)
        if (!strcmp(rc_name(rc), name))
            return rc;
    return RC_NOT_TRANSACTED;
}

void reading_trim(const char **text, size_t *length)
{
    while (*length && strchr(" \t\r\n", (*text)[0])) {
        (*text)++;
        (*length)--;
    }
    while (*length && strchr(" \t\r\n", (*text)[*length - 1]))
        (*length)--;
}

const char *reading_behind(const char *text, size_t length, const char *word)
{
    const char *found = memmem(text, length, word, strlen(word));

    return found ? found + strlen(word) : NULL;
}

size_t reading_hex_length(const char *text, size_t length)
{
    size_t at = 0, end = 0;

    while (at < length) {
        if (text[at] == ' ' || text[at] == '\t') {
            at++;
        } else if (at + 1 < length && hex_digit(text[at]) >= 0 && hex_digit(text[at + 1]) >= 0) {
            at += 2;
            end = at;
        } else {
            break;
        }
    }
    return end;
}

static int take_line(struct reading *reading, const struct recording_format **format, const char *line,
                     size_t length)
{
    reading->line++;
    reading_trim(&line, &length);
    if (!length)
        return RC_OK;
    if (memchr(line, '\0', length))
        return reading_fault(reading, "there is a NUL byte: this is no text");
    for (size_t i = 0; !*format && i < sizeof formats / sizeof formats[0]; i++)
        if (formats[i]->knows(line, length)) {
            *format = formats[i];
            reading->recording.format = formats[i]->name;
        }
    return *format ? (*format)->take(reading, line, length) : RC_OK;
}

static int take_lines(struct reading *reading, const char *text, size_t length)
{
    const struct recording_format *format = NULL;
    const char *end = text + length;
    int rc = RC_OK;

    if (reading_is_pcapng(text, length))
        return reading_pcapng(reading, text, length);
    while (text < end && !rc) {
        const char *newline = memchr(text, '\n', (size_t)(end - text)), *stop = newline ? newline : end;

        rc = take_line(reading, &format, text, (size_t)(stop - text));
        text = newline ? newline + 1 : end;
    }
    if (rc)
        return rc;
    if (!format)
        return detail_set(RC_INVALID_VALUE,
                          "%s: no recording of a kind that is known: JSON lines, scripts of scard, apdu4j, "
                          "cardpeek, gp, a log of pcscd, "
                          "ETSI's CMD lines or pcapng",
                          reading->name);
    if (reading->command_line) {
        reading->line = reading->command_line;
        return reading_fault(reading, "the command has no response: the file is cut off");
    }
    return RC_OK;
}

int recording_parse(const char *name, const char *text, size_t length, struct recording *ret_recording)
{
    struct reading reading = {.name = name, .reader = "", .device = ""};
    int rc = take_lines(&reading, text, length);

    buffer_fini(&reading.command);
    buffer_fini(&reading.response);
    buffer_fini(&reading.atr);
    if (rc) {
        recording_fini(&reading.recording);
        return rc;
    }
    *ret_recording = reading.recording;
    return RC_OK;
}

static int read_all(const char *path, int fd, struct buffer *text)
{
    struct pollfd input = {.fd = fd, .events = POLLIN};
    int rc;

    while ((rc = file_read(fd, RECORDING_MAX, text)) == RC_IO && errno == EAGAIN)
        poll(&input, 1, -1);
    if (rc == RC_IO)
        return detail_set(RC_NOT_FOUND, "cannot read %s: %s", path, strerror(errno));
    if (text->length > RECORDING_MAX)
        return detail_set(RC_INVALID_VALUE, "%s has more than %u bytes: this is no recording", path,
                          RECORDING_MAX);
    return rc;
}

int recording_load(const char *path, struct recording *ret_recording)
{
    /* A FIFO that nobody writes is an empty file: waiting for its opening, nothing else would be noticed. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct buffer text = {0};
    int rc;

    if (fd < 0)
        return detail_set(RC_NOT_FOUND, "cannot open %s: %s", path, strerror(errno));
    rc = read_all(path, fd, &text);
    close(fd);
    if (!rc)
        rc = recording_parse(path, text.length ? (const char *)text.data : "", text.length, ret_recording);
    buffer_fini(&text);
    return rc;
}

void recording_fini(struct recording *recording)
{
    for (size_t i = 0; i < recording->count; i++) {
        const struct captured *exchange = &recording->items[i].exchange;

        free_bytes(exchange->command, exchange->command_length);
        free_bytes(exchange->response, exchange->response_length);
    }
    for (size_t i = 0; i < recording->text_count; i++)
        free(recording->texts[i]);
    free(recording->items);
    free(recording->texts);
    *recording = (struct recording){0};
}

bool recorded_is(const struct captured *recorded, const uint8_t *command, size_t length)
{
    size_t before = recorded->secret_length ? recorded->secret_offset : recorded->command_length;
    size_t behind = recorded->secret_length ? recorded->command_length - before - recorded->secret_length : 0;

    if (length < before + behind || (!recorded->secret_length && length != before))
        return false;
    return (!before || !memcmp(command, recorded->command, before)) &&
           (!behind ||
            !memcmp(command + length - behind, recorded->command + before + recorded->secret_length, behind));
}
