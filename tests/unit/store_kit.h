/* SPDX-License-Identifier: MIT */
/* The database in a folder of the test's own, and system calls that fail or end the process. */
#ifndef UNIT_STORE_KIT_H
#define UNIT_STORE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"
#include "store/database.h"

/* The scopes "user" and "system" below store_root(). Set-up and tear-down of a group; and of each test:
 * empty. */
extern struct database_place store_place;
int store_begin(void **state);
int store_end(void **state);
int store_clear(void **state);
const char *store_root(void);

/* A path below the root, in a buffer that the next but three calls use again. */
const char *store_path(const char *below);

/* Makes the folders, too. store_get: a new string; NULL: there is no such file. */
void store_write(const char *below, const void *data, size_t length);
void store_put(const char *below, const char *text);
char *store_get(const char *below);

/* All entries and problems as one text, a new string: "card user NAME ATR…". */
char *store_state(void);

/* For members that are not const, and are not written to. */
#define TEXT(literal) ((char *)(uintptr_t)(literal))

/* Adds an entry of the scope; must succeed. */
void store_add_card(enum database_scope scope, const char *name);

/* The calls that change files: what the n-th one from now on does instead. They are mkdirat, openat with
 * O_CREAT, flock, fchmod, write, fsync, renameat, renameat2 and unlinkat, as the test's own objects make
 * them. */
enum store_fault { STORE_NO_FAULT, STORE_FAILS, STORE_KILLS, STORE_KILLS_AFTER };
void store_fault_arm(enum store_fault fault, unsigned n, int error);

/* Was the armed call reached? */
int store_fault_hit(void);

/* Since it was asked last, was a file renamed that was not brought to disk, or is a file or a change of a
 * folder not there yet? */
int store_unsynced(void);

/* Opening a file whose path ends so fails with EACCES; NULL: none does. */
void store_refuse(const char *end);

/* renameat2 is not there, as on some file systems. */
void store_no_renameat2(int on);

#define assert_rc(call, expected)                                                                            \
    do {                                                                                                     \
        int rc_ = (call), want_ = (expected);                                                                \
        if (rc_ != want_)                                                                                    \
            fail_msg("%s: %s, and not %s: %s", #call, rc_name(rc_), rc_name(want_), detail_get());           \
    } while (0)
#define assert_words(text, words)                                                                            \
    do {                                                                                                     \
        const char *text_ = (text);                                                                          \
        if (!strstr(text_, words))                                                                           \
            fail_msg("'%s' is not in: %s", words, text_);                                                    \
    } while (0)

#endif
