/* SPDX-License-Identifier: MIT */
/* An item's file of the card cache: what is taken for one lies within the file, and is written as it was
 * read. */
#include <string.h>

#include "base/rc.h"
#include "store/cache_item.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct cache_item item;
    struct buffer bytes = {0};
    char file[CACHE_ITEM_FILE];

    if (!cache_item_parse(input, size, &item))
        return 0;
    FUZZ_CHECK(fuzz_inside(item.name, item.name_length, input, size));
    FUZZ_CHECK(fuzz_inside(item.value, item.value_length, input, size));
    cache_item_file(&item, file);
    FUZZ_CHECK(cache_item_is_file(file));
    FUZZ_CHECK(cache_item_format(&item, &bytes) == RC_OK);
    FUZZ_CHECK(bytes.length == size && memcmp(bytes.data, input, size) == 0);
    buffer_fini(&bytes);
    return 0;
}
