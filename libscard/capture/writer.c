/* SPDX-License-Identifier: MIT */
#include "capture/writer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/rc.h"
#include "capture/formats.h"

static const struct capture_format *const formats[] = {
    &format_json, &format_text, &format_pcapng, &format_gp, &format_apdu4j, &format_cardpeek, &format_script};

const struct capture_format *capture_format_named(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcasecmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}

static bool has_ending(const char *endings, const char *ending)
{
    size_t length = strlen(ending);

    for (const char *at = endings; (at = strcasestr(at, ending)); at++)
        if (at[length] == ' ' && (at == endings || at[-1] == ' '))
            return true;
    return false;
}

const struct capture_format *capture_format_of_file(const char *file)
{
    const char *ending = strrchr(file, '.');

    if (!ending || strchr(ending, '/') || strchr(ending, ' '))
        return NULL;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (has_ending(formats[i]->endings, ending))
            return formats[i];
    return NULL;
}

void capture_writer_init(struct capture_writer *writer, const struct capture_format *format)
{
    *writer = (struct capture_writer){.format = format};
}

void capture_writer_restart(struct capture_writer *writer)
{
    for (size_t i = 0; i < writer->interface_count; i++)
        free(writer->interfaces[i]);
    free(writer->interfaces);
    free(writer->reader);
    writer->interfaces = NULL;
    writer->interface_count = 0;
    writer->reader = NULL;
    writer->begun = false;
}

void capture_writer_fini(struct capture_writer *writer)
{
    capture_writer_restart(writer);
}

static int begin(struct capture_writer *writer, struct buffer *out)
{
    int rc = RC_OK;

    if (!writer->begun && writer->format->begin)
        rc = writer->format->begin(writer, out);
    writer->begun = !rc;
    return rc;
}

int capture_write(struct capture_writer *writer, const struct captured *exchange, struct buffer *out)
{
    int rc = begin(writer, out);

    if (rc)
        return rc;
    if (exchange->kind == CAPTURED_APDU)
        writer->number++;
    return writer->format->add(writer, exchange, out);
}

int capture_writer_end(struct capture_writer *writer, struct buffer *out)
{
    int rc = begin(writer, out);

    return rc || !writer->format->end ? rc : writer->format->end(writer, out);
}

int capture_writer_turns(struct capture_writer *writer, const struct captured *exchange)
{
    char *reader;

    if (writer->reader && !strcmp(writer->reader, exchange->reader) && writer->card == exchange->card &&
        writer->context == exchange->context && writer->process == exchange->process)
        return 0;
    reader = strdup(exchange->reader);
    if (!reader)
        return RC_NO_MEMORY;
    free(writer->reader);
    writer->reader = reader;
    writer->card = exchange->card;
    writer->context = exchange->context;
    writer->process = exchange->process;
    return 1;
}
