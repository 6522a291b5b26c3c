/* SPDX-License-Identifier: MIT */
/*
 * Script lines: every step has text without NUL, newline or blanks at its ends, and its first line is not
 * behind its last; an APDU with secret bytes is masked in the history. The first byte of the input chooses
 * scriptor's rules.
 */
#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "cli/apdu_text.h"
#include "cli/dispatch.h"
#include "cli/history.h"
#include "cli/script_line.h"
#include "cli/typed.h"
#include "iso/apdu.h"
#include "tests/fuzz/fuzz.h"

static void check_words(const char *line)
{
    char **words;
    int count;

    if (dispatch_split(line, &words, &count) == RC_OK) {
        FUZZ_CHECK(count >= 0 && words[count] == NULL);
        free(words);
    }
}

static bool has_secret_data(const struct buffer *bytes)
{
    struct apdu apdu;
    size_t offset, length;

    return apdu_parse(bytes->data, bytes->length, &apdu, NULL) == RC_OK && apdu.lc > 0 &&
           apdu_secret_range(bytes->data, bytes->length, &offset, &length);
}

/* A line that is an APDU with secret data never goes into the history as it is. */
static void check_history(const char *line)
{
    char *kept = history_storable(line);
    struct apdu_fault fault;
    struct apdu_text apdu;

    if (kept != NULL) {
        FUZZ_CHECK(strchr(kept, '\n') == NULL);
        if (apdu_text_parse(line, typed_apdu_length(line), false, NULL, &apdu, &fault) == RC_OK) {
            FUZZ_CHECK(!has_secret_data(&apdu.bytes) || strstr(kept, "**") != NULL);
            apdu_text_fini(&apdu);
        }
    }
    free(kept);
}

static void check_step(const struct script_lines *lines, enum script_step step)
{
    static const struct command *const none[] = {NULL};
    const char *text = (const char *)lines->text.data;

    if (step != SCRIPT_LINE)
        return;
    FUZZ_CHECK(lines->text.length > 0 && strlen(text) == lines->text.length);
    FUZZ_CHECK(lines->first >= 1 && lines->first <= lines->line);
    FUZZ_CHECK(strchr(" \t\r", text[0]) == NULL && strchr(" \t\r", text[lines->text.length - 1]) == NULL);
    FUZZ_CHECK(typed_apdu_length(text) <= lines->text.length);
    (void)typed_is_apdu(none, text);
    check_words(text);
    check_history(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct script_lines lines = {.scriptor = size > 0 && input[0] & 1};
    struct bytes in = bytes_of(input, size);
    enum script_step step;

    bytes_u8(&in);
    while (in.left > 0) {
        const uint8_t *newline = memchr(in.at, '\n', in.left);
        size_t length = newline != NULL ? (size_t)(newline - in.at) : in.left;
        const char *line = (const char *)bytes_take(&in, length);

        if (script_lines_take(&lines, line, length, &step) == RC_OK)
            check_step(&lines, step);
        if (newline != NULL)
            bytes_u8(&in);
    }
    FUZZ_CHECK(script_lines_end(&lines, &step) == RC_OK);
    check_step(&lines, step);
    script_lines_fini(&lines);
    return 0;
}
