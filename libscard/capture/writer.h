/* SPDX-License-Identifier: MIT */
/*
 * Exchanges as text or bytes of a file, in the formats that scard.h names. Pure: what is to be written is
 * appended to a buffer. Secrets that are not masked are written as they are.
 */
#ifndef CAPTURE_WRITER_H
#define CAPTURE_WRITER_H

#include "capture/captured.h"

struct capture_writer;

struct capture_format {
    const char *name;    /* "jsonl" */
    const char *endings; /* of file names, each with a blank behind it */

    /* What stands before the first exchange, and anew when another process has written to the file. Or NULL.
     */
    int (*begin)(struct capture_writer *writer, struct buffer *out);
    int (*add)(struct capture_writer *writer, const struct captured *exchange, struct buffer *out);
    /* Or NULL. */
    int (*end)(struct capture_writer *writer, struct buffer *out);
};

struct capture_writer {
    const struct capture_format *format;
    bool begun;
    unsigned number; /* of APDUs so far */
    char *reader;    /* the one of the exchange before; NULL = none */
    uint32_t card;   /* and its card, context, process */
    uint32_t context, process;
    char **interfaces; /* pcapng: names of readers that have a block */
    size_t interface_count;
};

/* By name, or by a file's name; NULL if there is none. */
const struct capture_format *capture_format_named(const char *name);
const struct capture_format *capture_format_of_file(const char *file);

void capture_writer_init(struct capture_writer *writer, const struct capture_format *format);
void capture_writer_fini(struct capture_writer *writer);

/* Appends an exchange; nothing for one that the format does not keep. RC_NO_MEMORY. */
int capture_write(struct capture_writer *writer, const struct captured *exchange, struct buffer *out);

/* Another process has written behind us: what follows must be understood without what we wrote. */
void capture_writer_restart(struct capture_writer *writer);

/* What stands behind the last exchange. */
int capture_writer_end(struct capture_writer *writer, struct buffer *out);

/* For the formats: has the connection become another than that of the exchange before? Keeps it.
 * RC_NO_MEMORY; 1 yes. */
int capture_writer_turns(struct capture_writer *writer, const struct captured *exchange);

#endif
