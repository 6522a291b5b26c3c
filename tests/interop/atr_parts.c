/* SPDX-License-Identifier: MIT */
/* ATRs in hex, one to a line of standard input; what explain_atr says of each, a part to a line, and an empty
 * line. */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "cli/explain/bytes.h"

int main(void)
{
    char line[1024];

    while (fgets(line, sizeof line, stdin)) {
        struct explanation explanation = {0};
        uint8_t bytes[sizeof line / 2];
        size_t count, at;

        if (hex_parse(line, strcspn(line, "\r\n"), bytes, &count, &at))
            return 1;
        explain_atr(bytes, count, 0, 0, &explanation);
        for (size_t i = 0; i < explanation.count; i++) {
            const struct explain_part *part = &explanation.parts[i];

            printf("%u\t%s\t", part->depth, part->label);
            for (size_t j = 0; j < part->length; j++)
                printf("%02X", bytes[part->offset + j]);
            printf("\t%s\n", part->text);
        }
        printf("\n");
        explanation_fini(&explanation);
    }
    return 0;
}
