/* SPDX-License-Identifier: MIT */
/*
 * The database of card types, reader names and reader groups, in files that people read and write too.
 *
 * Two scopes, each a folder: of the system (SYSCONFDIR/scard) and of the user ($XDG_CONFIG_HOME/scard or
 * ~/.config/scard). In each, one file for one entry:
 *
 *     cards.d/NAME.conf     name = "Example ID"; atr = "3B 65 00 00 20 63 CB 68 00"; mask = "FF …";
 *                           interfaces = ( "{GUID}", … ); primary = "{GUID}";
 *                           csp = "…"; ksp = "…"; module = "…";
 *     readers.d/NAME.conf   name = "Front desk"; device = "usb:1-2.3:1.0";     (or the reader's own name)
 *                           name = "Model (serial) 00 00"; hidden = true;      (its own name is not shown)
 *     groups.d/NAME.conf    name = "Counters"; readers = ( "Front desk", … );
 *
 * The file's own name says nothing; name is the entry's identity, bytes of UTF-8 compared exactly. The
 * syntax is libconfig's. A file that cannot be used is a problem with its path and line, and hides nothing
 * else; it is never written to. Of two files in one folder with one name, the first in the order of file
 * names counts, and the other is a problem. The user's entry comes before the system's of the same name.
 *
 * Only regular files (or links to them) of at most 256 KiB that end with .conf and are not hidden are read. A
 * setting that is not known makes its file a problem. libconfig's parser forgets a few bytes for each file in
 * which a text stands where none may.
 *
 * Writing: one writer at a time per scope (a lock that dies with its process), to a new file that takes the
 * old one's place when it is whole and on disk. Readers need no lock, and see the old or the new. A change
 * keeps the comment at the head of the entry's file and its mode; other comments in it are lost, and a link
 * is replaced by a file.
 *
 * Nothing here is shared between threads: a loaded database is constant; who caches it has the lock.
 */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/guid.h"
#include "store/name.h"

#define DATABASE_ATR_MAX 36 /* SCARD_ATRMASK */

/* In the order in which they are looked at. */
enum database_scope { DATABASE_USER, DATABASE_SYSTEM };

/* Names for what a card type's provider is (SCARD_PROVIDER_*). The primary one is a GUID. */
enum database_provider { PROVIDER_PRIMARY, PROVIDER_CSP, PROVIDER_KSP, PROVIDER_MODULE, PROVIDER_COUNT };

struct database_card {
    enum database_scope scope;
    char *path;
    char *name;
    uint8_t atr[DATABASE_ATR_MAX], mask[DATABASE_ATR_MAX]; /* mask: all FF if the file has none */
    size_t atr_length;                                     /* 0: matches no card */
    struct guid *interfaces;
    size_t interface_count;
    char *providers[PROVIDER_COUNT]; /* NULL: none */
};

/* Another name for a reader (device), or that its own name is not shown (hidden). */
struct database_reader {
    enum database_scope scope;
    char *path;
    char *name;
    char *device; /* the reader's own name or its device ("usb:1-2.3:1.0"); NULL if hidden */
    bool hidden;
};

struct database_group {
    enum database_scope scope;
    char *path;
    char *name;
    char **readers; /* names of readers, own or other ones */
    size_t reader_count;
};

/* What could not be used. */
struct database_problem {
    char *path;
    unsigned line; /* 0: the file as a whole */
    char *text;    /* a sentence that says what, and what to do */
};

struct database {
    struct database_card *cards;
    size_t card_count;
    struct database_reader *readers;
    size_t reader_count;
    struct database_group *groups; /* of one name in both scopes: two entries; members are the union */
    size_t group_count;
    struct database_problem *problems;
    size_t problem_count;
};

/* Where the folders are; NULL: there is none (no home directory). */
struct database_place {
    char *system, *user;
};

/* From the environment: XDG_CONFIG_HOME, HOME (not in programs with raised rights). RC_NO_MEMORY. */
int database_place_find(struct database_place *ret_place);
void database_place_fini(struct database_place *place);

/* All entries of both scopes, in the order: user, system; in each by name. Missing folders are empty ones;
 * what cannot be read is a problem. RC_NO_MEMORY alone. */
int database_load(const struct database_place *place, struct database *ret_database);
void database_fini(struct database *database);

/* A value that differs when a folder or file of the database may have changed since: for who caches. A file
 * that is edited in place without another size, in the same tick of the file system's clock, does not show.
 */
struct database_stamp {
    struct timespec changed[6];
    uint64_t inode[6];
    uint64_t files; /* a sum over size and time of the files, which are edited in place too */
};
void database_stamp(const struct database_place *place, struct database_stamp *ret_stamp);

/* Finding: by name, the user's first; NULL if none. */
const struct database_card *database_card_find(const struct database *database, const char *name);
const struct database_reader *database_reader_find(const struct database *database, const char *name);

/* Does the ATR belong to the card type: as long, and equal to the stored bytes where it is ANDed with the
 * mask. */
bool database_card_matches(const struct database_card *card, const uint8_t *atr, size_t atr_length);

/* Writing. Each does one change in one scope, seeing what is there now, or fails and changes nothing:
 *
 *   RC_NO_ACCESS       the folder or file may not be written, or its file system is read-only
 *   RC_NO_SERVICE      no such place: no home directory
 *   RC_INVALID_VALUE   add: the name is there in this scope (add a reader: RC_DUPLICATE); the entry would be
 *                      too long for a file; the primary provider is no GUID
 *   RC_NOT_FOUND       change, remove: it is not there in this scope
 *   RC_IO              disk full and the like; the old file is as it was
 *   RC_NO_MEMORY
 *
 * each with a detail. All names and other texts are 1 … 4096 bytes of UTF-8 without control characters
 * (store/name.h; RC_INVALID_PARAMETER). They wait for another writer. The path of an entry that is added is
 * not looked at. A damaged file that may hold the name is told in the detail. */
int database_card_add(const struct database_place *place, const struct database_card *card);
int database_card_remove(const struct database_place *place, enum database_scope scope, const char *name);
/* value NULL: none any more. */
int database_card_set_provider(const struct database_place *place, enum database_scope scope,
                               const char *name, enum database_provider provider, const char *value);

int database_reader_add(const struct database_place *place, const struct database_reader *reader);
/* Also takes it out of the groups of this scope, before: it stays, without some of them, if that fails. */
int database_reader_remove(const struct database_place *place, enum database_scope scope, const char *name);

/* Makes the group if needed; a member already: fine. */
int database_group_add(const struct database_place *place, enum database_scope scope, const char *group,
                       const char *reader);
/* The last one out takes the group away. RC_NOT_FOUND: no such group or member. */
int database_group_remove(const struct database_place *place, enum database_scope scope, const char *group,
                          const char *reader);
int database_group_forget(const struct database_place *place, enum database_scope scope, const char *group);

#endif
