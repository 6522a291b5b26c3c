/* SPDX-License-Identifier: MIT */
/* APDUs as people write them: what parses is a well-formed APDU, a fault lies in the text and has words,
 * secrets lie in the bytes; masking gives a line that is no longer than the old one and "**". */
#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "cli/apdu_text.h"
#include "iso/apdu.h"
#include "tests/fuzz/fuzz.h"

static int source_read(void *user, enum apdu_source_kind kind, const char *name, struct buffer *data)
{
    (void)user;
    FUZZ_CHECK(name[0] != '\0' || kind == APDU_FILE);
    return buffer_append(data, "0123456789", strlen(name) % 10);
}

static void parse(const char *text, size_t length, bool raw, const struct apdu_source *source)
{
    struct apdu_text apdu;
    struct apdu_fault fault = {.column = SIZE_MAX};
    struct apdu command;
    char expect[64];
    int rc = apdu_text_parse(text, length, raw, source, &apdu, &fault);

    if (rc == RC_INVALID_VALUE) {
        FUZZ_CHECK(fault.column <= length && fault.words[0] != '\0');
        FUZZ_CHECK(memchr(fault.words, '\0', sizeof fault.words) != NULL);
        return;
    }
    FUZZ_CHECK(rc == RC_OK && apdu.bytes.length > 0);
    FUZZ_CHECK(raw || apdu.raw || apdu_parse(apdu.bytes.data, apdu.bytes.length, &command, NULL) == RC_OK);
    FUZZ_CHECK(apdu.secret_length <= apdu.bytes.length);
    FUZZ_CHECK(apdu.secret_length == 0 || apdu.secret_offset <= apdu.bytes.length - apdu.secret_length);
    for (size_t i = 0; i < apdu.expect_count; i++)
        FUZZ_CHECK(apdu_text_accepts(apdu.expect, apdu.expect_count, apdu.expect[i].value));
    FUZZ_CHECK(strlen(apdu_text_expect_format(apdu.expect, apdu.expect_count, expect, sizeof expect)) <
               sizeof expect);
    apdu_text_fini(&apdu);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static const struct apdu_source source = {.read = source_read};
    char *line = strndup((const char *)input, size), *masked;

    FUZZ_CHECK(line != NULL);
    parse((const char *)input, size, false, &source);
    parse((const char *)input, size, true, NULL);
    (void)apdu_text_looks_like(line);
    masked = apdu_text_masked(line);
    FUZZ_CHECK(masked != NULL && strlen(masked) <= strlen(line) + 2);
    free(masked);
    free(line);
    return 0;
}
