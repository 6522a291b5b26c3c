/* SPDX-License-Identifier: MIT */
/* A list of ATRs, whoever wrote it: names are lines of it. The first byte says how many bytes of ATR follow.
 */
#include <string.h>

#include "base/rc.h"
#include "cli/atr_list.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct atr_names names = {0};
    size_t atr;

    if (!size)
        return 0;
    atr = *input++ % 34U;
    size--;
    atr = atr < size ? atr : size;
    FUZZ_CHECK(atr_list_find((const char *)input + atr, size - atr, input, atr, &names) == RC_OK);
    for (size_t i = 0; i < names.count; i++)
        FUZZ_CHECK(names.names[i] && strlen(names.names[i]) < size);
    atr_names_fini(&names);
    return 0;
}
