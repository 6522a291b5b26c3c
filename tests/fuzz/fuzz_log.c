/* SPDX-License-Identifier: MIT */
/* Pasted text: every item has bytes and a line of the text, lines go up, each explains itself; what a command
 * hides is not in its hex. */
#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "cli/explain/bytes.h"
#include "cli/explain/log.h"
#include "iso/apdu.h"
#include "tests/fuzz/fuzz.h"

struct seen {
    unsigned line, items;
    size_t size;
};

static void check_secret(const struct log_item *item, const struct explanation *explanation)
{
    char *hex = explanation_hex(explanation, item->bytes, item->length);
    size_t offset, length;

    FUZZ_CHECK(hex && strlen(hex) <= 2 * item->length + 2 + 2 * explanation->count);
    if (!item->cut && apdu_secret_range(item->bytes, item->length, &offset, &length) && length) {
        FUZZ_CHECK(strstr(hex, "**"));
        FUZZ_CHECK(strlen(hex) <= 2 * (item->length - length) + 2 + 2);
    }
    free(hex);
}

static void explain(const struct log_item *item)
{
    struct explanation explanation = {0};

    if (item->kind == KIND_COMMAND)
        explain_command(item->bytes, item->length, item->cut, EXPLAIN_ISO, 0, 0, &explanation);
    else if (item->kind == KIND_RESPONSE)
        explain_response(item->bytes, item->length, NULL, 0, EXPLAIN_EMV, 0, 0, &explanation);
    else if (item->kind == KIND_ATR)
        explain_atr(item->bytes, item->length, 0, 0, &explanation);
    else if (item->kind == KIND_CCID)
        explain_ccid(item->bytes, item->length, EXPLAIN_ISO, 0, 0, &explanation);
    else
        explain_data(item->bytes, item->length, EXPLAIN_PIV, 0, 0, &explanation);
    for (size_t i = 0; i < explanation.count; i++)
        FUZZ_CHECK(explanation.parts[i].offset <= item->length &&
                   explanation.parts[i].length <= item->length - explanation.parts[i].offset);
    if (item->kind == KIND_COMMAND)
        check_secret(item, &explanation);
    explanation_fini(&explanation);
}

static int take(void *user, const struct log_item *item)
{
    struct seen *seen = user;

    FUZZ_CHECK(item->line >= seen->line && item->line > 0);
    FUZZ_CHECK(item->length || item->cut || item->kind == KIND_RESET);
    FUZZ_CHECK(item->length <= seen->size);
    seen->line = item->line;
    seen->items++;
    explain(item);
    return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct seen seen = {.size = size};
    unsigned skipped;

    FUZZ_CHECK(log_read((const char *)input, size, take, &seen, &skipped) == RC_OK);
    FUZZ_CHECK(seen.items + skipped <= 2 * size);
    return 0;
}
