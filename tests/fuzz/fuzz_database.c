/* SPDX-License-Identifier: MIT */
/*
 * A file of the database, of the kind that the first byte chooses: it becomes one entry or one problem; a
 * problem names a line of the file; and an entry that is written comes back as it was, behind the same head.
 */
#include <string.h>

#include "base/rc.h"
#include "store/database_text.h"
#include "tests/fuzz/fuzz.h"

/* libconfig's parser forgets a text that stands where none may: a few bytes for each such file. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig";
}

static size_t entries(const struct database *database)
{
    return database->card_count + database->reader_count + database->group_count;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_cards(const struct database_card *a, const struct database_card *b)
{
    FUZZ_CHECK(same_text(a->name, b->name));
    FUZZ_CHECK(a->atr_length == b->atr_length && a->atr_length <= DATABASE_ATR_MAX);
    FUZZ_CHECK(memcmp(a->atr, b->atr, a->atr_length) == 0 && memcmp(a->mask, b->mask, a->atr_length) == 0);
    FUZZ_CHECK(a->interface_count == b->interface_count);
    for (size_t i = 0; i < a->interface_count; i++)
        FUZZ_CHECK(memcmp(&a->interfaces[i], &b->interfaces[i], sizeof(struct guid)) == 0);
    for (size_t i = 0; i < PROVIDER_COUNT; i++)
        FUZZ_CHECK(same_text(a->providers[i], b->providers[i]));
}

static void check_groups(const struct database_group *a, const struct database_group *b)
{
    FUZZ_CHECK(same_text(a->name, b->name));
    FUZZ_CHECK(a->reader_count == b->reader_count);
    for (size_t i = 0; i < a->reader_count; i++)
        FUZZ_CHECK(same_text(a->readers[i], b->readers[i]));
}

static int format(const struct database *database, enum database_kind kind, const char *head, char **ret_text,
                  size_t *ret_length)
{
    if (kind == DATABASE_CARDS)
        return database_text_card(database->cards, head, ret_text, ret_length);
    if (kind == DATABASE_READERS)
        return database_text_reader(database->readers, head, ret_text, ret_length);
    return database_text_group(database->groups, head, ret_text, ret_length);
}

static void check_entry(const struct database *database, enum database_kind kind, const char *text,
                        size_t length)
{
    size_t head_length = database_text_head(text, length), written_length;
    struct database again = {0};
    char *head = strndup(text, head_length), *written;

    FUZZ_CHECK(head != NULL && head_length <= length);
    FUZZ_CHECK(format(database, kind, head, &written, &written_length) == RC_OK);
    FUZZ_CHECK(database_text_head(written, written_length) == head_length);
    FUZZ_CHECK(memcmp(written, head, head_length) == 0);
    FUZZ_CHECK(database_file_take("/again", DATABASE_USER, kind, written, written_length, &again) == RC_OK);
    FUZZ_CHECK(again.problem_count == 0 && entries(&again) == 1);
    if (kind == DATABASE_CARDS)
        check_cards(database->cards, again.cards);
    else if (kind == DATABASE_GROUPS)
        check_groups(database->groups, again.groups);
    else
        FUZZ_CHECK(same_text(database->readers->name, again.readers->name) &&
                   same_text(database->readers->device, again.readers->device) &&
                   database->readers->hidden == again.readers->hidden);
    database_fini(&again);
    free(written);
    free(head);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct database database = {0};
    enum database_kind kind = size > 0 ? input[0] % DATABASE_KINDS : DATABASE_CARDS;
    size_t length = size > 0 ? size - 1 : 0;
    char *text = malloc(length + 1);

    FUZZ_CHECK(text != NULL);
    memcpy(text, input + (size > 0), length);
    text[length] = '\0';
    FUZZ_CHECK(database_file_take("/file", DATABASE_USER, kind, text, length, &database) == RC_OK);
    FUZZ_CHECK(entries(&database) + database.problem_count == 1);
    if (database.problem_count == 1) {
        unsigned lines = 1;

        for (size_t i = 0; i < length; i++)
            lines += text[i] == '\n';
        FUZZ_CHECK(database.problems->line <= lines);
        FUZZ_CHECK(database.problems->text[0] != '\0');
    } else {
        check_entry(&database, kind, text, length);
    }
    database_fini(&database);
    free(text);
    return 0;
}
