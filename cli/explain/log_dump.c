/* SPDX-License-Identifier: MIT */
/* Dumps in logs: sixteen bytes to a line, and behind them the same in letters. */
#include <string.h>

#include "base/hex.h"
#include "base/rc.h"
#include "cli/explain/log_state.h"

static bool is_pair(struct log_text text, size_t at)
{
    size_t length = (size_t)(text.end - text.at);

    return at + 2 <= length && hex_digit(text.at[at]) >= 0 && hex_digit(text.at[at + 1]) >= 0 &&
           (at + 2 == length || text.at[at + 2] == ' ');
}

int log_take_dump(struct log_state *state, struct log_text text)
{
    size_t length, bytes = 0, most = state->dump < 16 ? state->dump : 16;
    uint8_t row[16];
    int rc;

    if (text.end > text.at && text.end[-1] == '\r')
        text.end--;
    while (text.at < text.end && (*text.at == ' ' || *text.at == '\t'))
        text.at++;
    length = (size_t)(text.end - text.at);
    for (; bytes < most && is_pair(text, 3 * bytes); bytes++)
        row[bytes] = (uint8_t)(hex_digit(text.at[3 * bytes]) << 4 | hex_digit(text.at[3 * bytes + 1]));
    /* One letter for each byte: of a dump whose length nobody said that tells letters from bytes. */
    if (state->dump == SIZE_MAX && length % 4 == 0 && length / 4 < bytes && length / 4 > 0)
        bytes = length / 4;
    if (!bytes)
        return log_flush(state);
    if (buffer_append(&state->bytes, row, bytes))
        return RC_NO_MEMORY;
    if (state->dump != SIZE_MAX)
        state->dump -= bytes;
    if (state->dump)
        return 1;
    rc = log_flush(state);
    return rc ? rc : 1;
}
