/* SPDX-License-Identifier: MIT */
/*
 * The files that say how a machine is set up, below a root: "/" of the running system, or a folder that
 * stands for it. Links of such a folder are followed inside it. Nothing is opened but folders and regular
 * files, and of a file no more than SYSTEM_TEXT_MAX bytes are read: all of it may be somebody's ill will.
 *
 * Paths are absolute and printf-like.
 */
#ifndef CLI_DOCTOR_SYSTEM_H
#define CLI_DOCTOR_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#define SYSTEM_TEXT_MAX (256u << 10)
#define SYSTEM_PATH_MAX 512

struct system {
    bool prepared; /* a folder stands for it */
    bool plain;    /* users and groups are looked up in its files alone, where a name service might keep one
                      waiting */
    int folder;    /* that folder; -1 on the running system */
    char *root;    /* its name, "" on the running system; owned */
};

/* root NULL: the running system. 0, or errno. */
int system_init(struct system *system, const char *root);
void system_fini(struct system *system);

/* A descriptor, or -1 with errno. With O_PATH whatever it is, else folders and regular files. */
int system_open(const struct system *system, int flags, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A file's bytes with a NUL behind them, in a new block; *ret_length (may be NULL) without that NUL. NULL
 * with errno. */
char *system_bytes(const struct system *system, size_t *ret_length, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, of the end of the file. */
char *system_tail(const struct system *system, const char *path);

/* The same as text: valid UTF-8 without control characters but line ends and tabs. */
char *system_text(const struct system *system, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first line of a text file, cut to room; false with "" when it cannot be read. */
bool system_line(const struct system *system, char *line, size_t room, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

bool system_exists(const struct system *system, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* 0, or errno. */
int system_stat(const struct system *system, struct stat *ret_stat, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Where a link leads, as it is written, cut to room; false: it is none. */
bool system_link(const struct system *system, char *target, size_t room, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The POSIX ACL of a file as the kernel gives it; the length, 0 when it has none. */
size_t system_acl(const struct system *system, const char *path, uint8_t *acl, size_t room);

/* Names in a folder in order, without "." and "..": a list ended by NULL, system_names_free. Never more than
 * SYSTEM_NAMES_MAX. NULL with errno. */
#define SYSTEM_NAMES_MAX 65536
char **system_names(const struct system *system, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void system_names_free(char **names);

/* Makes a text fit to be shown: what is no valid UTF-8, or a control character, becomes '?'. */
void system_clean(char *text);

#endif
