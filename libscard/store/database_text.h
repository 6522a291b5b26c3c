/* SPDX-License-Identifier: MIT */
/* Entries as text, for the files of the database. */
#ifndef STORE_DATABASE_TEXT_H
#define STORE_DATABASE_TEXT_H

#include "store/database_file.h"

/* How long the comments at the head of a file are, up to the end of the last one's line; 0: none. */
size_t database_text_head(const char *text, size_t length);

/* A new string (free it): the head as it is, or the comment that files of this kind get if head is NULL; then
 * the entry. RC_NO_MEMORY. */
int database_text_card(const struct database_card *card, const char *head, char **ret_text,
                       size_t *ret_length);
int database_text_reader(const struct database_reader *reader, const char *head, char **ret_text,
                         size_t *ret_length);
int database_text_group(const struct database_group *group, const char *head, char **ret_text,
                        size_t *ret_length);

#endif
