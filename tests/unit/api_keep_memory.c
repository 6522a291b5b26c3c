/* SPDX-License-Identifier: MIT */
/* SCARD_KEEP_MEMORY=1: blocks outlive their context, for programs that read or free() them themselves. */
#include "tests/unit/api_kit.h"

static void blocks_outlive_the_context(void **state)
{
    SCARDCONTEXT context = establish(), other = establish();
    char *block = NULL;
    DWORD length = SCARD_AUTOALLOCATE;

    (void)state;
    assert_code(SCardListReaders(context, NULL, (LPSTR)&block, &length), SCARD_S_SUCCESS);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
    assert_string_equal(block, ECHO);
    assert_code(SCardFreeMemory(other, block), SCARD_E_INVALID_PARAMETER);
    free(block);
    assert_code(SCardReleaseContext(other), SCARD_S_SUCCESS);
}

/* free() behind the library's back: the address may come again, under this or another context. */
static void addresses_may_come_again(void **state)
{
    SCARDCONTEXT contexts[2] = {establish(), establish()};

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        char *block = NULL;
        DWORD length = SCARD_AUTOALLOCATE;

        assert_code(SCardListReaders(contexts[i % 2], NULL, (LPSTR)&block, &length), SCARD_S_SUCCESS);
        if (i % 4)
            free(block);
        else
            assert_code(SCardFreeMemory(contexts[i % 2], block), SCARD_S_SUCCESS);
    }
    assert_code(SCardReleaseContext(contexts[0]), SCARD_S_SUCCESS);
    assert_code(SCardReleaseContext(contexts[1]), SCARD_S_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_outlive_the_context),
        cmocka_unit_test(addresses_may_come_again),
    };

    setenv("SCARD_READERS", "sim:echo", 1);
    setenv("SCARD_KEEP_MEMORY", "1", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
