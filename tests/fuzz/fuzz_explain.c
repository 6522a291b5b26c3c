/* SPDX-License-Identifier: MIT */
/* Bytes of any kind in any context: parts lie in the bytes and have words; those of an ATR, outermost, are
 * all of its bytes in order; asking what bytes are reads no others. */
#include <string.h>

#include "cli/explain/aid.h"
#include "cli/explain/bytes.h"
#include "cli/explain/guess.h"
#include "cli/explain/ins.h"
#include "cli/explain/sw.h"
#include "tests/fuzz/fuzz.h"

static void check(struct explanation *explanation, size_t size)
{
    FUZZ_CHECK(!explanation->failed);
    for (size_t i = 0; i < explanation->count; i++) {
        const struct explain_part *part = &explanation->parts[i];

        FUZZ_CHECK(part->label && part->text && part->depth < 64);
        FUZZ_CHECK(part->offset <= size && part->length <= size - part->offset);
    }
    explanation_fini(explanation);
}

static void check_atr(const uint8_t *bytes, size_t size)
{
    struct explanation explanation = {0};
    size_t at = 0;

    explain_atr(bytes, size, 0, 0, &explanation);
    for (size_t i = 0; i < explanation.count; i++) {
        if (explanation.parts[i].depth || !explanation.parts[i].length)
            continue;
        FUZZ_CHECK(explanation.parts[i].offset == at);
        at += explanation.parts[i].length;
    }
    FUZZ_CHECK(at == size);
    check(&explanation, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    enum explain_context context;
    struct explanation parts = {0};
    char words[SW_TEXT_MAX];

    if (!size)
        return 0;
    context = (enum explain_context)(*input++ % EXPLAIN_CONTEXTS);
    size--;
    check_atr(input, size);
    explain_tlv(input, size, 0, context, 0, 0, &parts);
    check(&parts, size);
    explain_command(input, size, false, context, 0, 0, &parts);
    check(&parts, size);
    explain_command(input, size, true, context, 0, 0, &parts);
    check(&parts, size);
    explain_response(input, size, input, size, context, 0, 0, &parts);
    check(&parts, size);
    explain_ccid(input, size, context, 0, 0, &parts);
    check(&parts, size);
    (void)explain_guess(input, size);
    (void)aid_name(input, size);
    (void)explain_context_of_objects(input, size);
    (void)explain_ins_of(input, size, context);
    (void)explain_context_after(context, input, size, 0x9000);
    FUZZ_CHECK(*explain_sw_of(input, size, (uint16_t)(size * 257), context, words, sizeof words));
    return 0;
}
