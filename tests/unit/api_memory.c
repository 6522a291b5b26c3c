/* SPDX-License-Identifier: MIT */
/* Public functions: the (buffer, &length) idiom, and who frees what. */
#include "tests/unit/api_kit.h"

static SCARDCONTEXT context;
static SCARDHANDLE card;

static LONG get_readers(void *buffer, DWORD *length)
{
    return SCardListReaders(context, NULL, buffer, length);
}

static LONG get_groups(void *buffer, DWORD *length)
{
    return SCardListReaderGroups(context, buffer, length);
}

static LONG get_name(void *buffer, DWORD *length)
{
    return SCardStatus(card, buffer, length, NULL, NULL, NULL, NULL);
}

static LONG get_atr(void *buffer, DWORD *length)
{
    return SCardStatus(card, NULL, NULL, NULL, NULL, buffer, length);
}

static LONG get_attribute(void *buffer, DWORD *length)
{
    return SCardGetAttrib(card, SCARD_ATTR_DEVICE_FRIENDLY_NAME, buffer, length);
}

static LONG get_fact(void *buffer, DWORD *length)
{
    return scard_reader_fact(context, ECHO, "device", buffer, length);
}

static LONG (*const getters[])(void *, DWORD *) = {get_readers, get_groups,    get_name,
                                                   get_atr,     get_attribute, get_fact};

static void length_idiom(LONG (*get)(void *, DWORD *))
{
    DWORD need = 12345, length;
    char *exact, *block = NULL;
    char roomy[512];

    assert_code(get(NULL, &need), SCARD_S_SUCCESS);
    assert_in_range(need, 2, 300);
    /* The incoming length does not matter for the question. */
    length = 0;
    assert_code(get(NULL, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, need);

    /* Heap blocks of the exact size, so that a byte too many is seen. */
    exact = malloc(need);
    assert_non_null(exact);
    length = need;
    assert_code(get(exact, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, need);
    length = need - 1;
    assert_code(get(exact + 1, &length), SCARD_E_INSUFFICIENT_BUFFER);
    assert_int_equal(length, need);
    length = 0;
    assert_code(get(exact + need, &length), SCARD_E_INSUFFICIENT_BUFFER);
    assert_int_equal(length, need);
    length = need;
    assert_code(get(exact, &length), SCARD_S_SUCCESS);
    length = sizeof roomy;
    assert_code(get(roomy, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, need);
    assert_memory_equal(roomy, exact, need);

    for (unsigned i = 0; i < 2; i++) {
        length = i ? 0xFFFFFFFF : SCARD_AUTOALLOCATE;
        assert_code(get(&block, &length), SCARD_S_SUCCESS);
        assert_int_equal(length, need);
        assert_memory_equal(block, exact, need);
        assert_code(SCardFreeMemory(context, block), SCARD_S_SUCCESS);
        length = i ? 0xFFFFFFFF : SCARD_AUTOALLOCATE;
        assert_code(get(NULL, &length), SCARD_E_INVALID_PARAMETER);
    }
    free(exact);
}

static void every_output_follows_the_idiom(void **state)
{
    (void)state;
    context = establish();
    card = connect_shared(context, ECHO);
    for (size_t i = 0; i < sizeof getters / sizeof *getters; i++)
        length_idiom(getters[i]);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void status_outputs_together(void **state)
{
    char name[64];
    BYTE atr[33];
    DWORD name_length = 3, atr_length = 1, status = 77, protocol = 77;

    (void)state;
    context = establish();
    card = connect_shared(context, ECHO);
    assert_code(SCardStatus(card, name, &name_length, &status, &protocol, atr, &atr_length),
                SCARD_E_INSUFFICIENT_BUFFER);
    assert_int_equal(name_length, sizeof ECHO);
    assert_in_range(atr_length, 2, 33);
    assert_int_equal(status & 0xFFFF, SCARD_PRESENT | SCARD_POWERED | SCARD_NEGOTIABLE);
    assert_int_equal(protocol, SCARD_PROTOCOL_T1);
    /* A second NUL where there is room, outside the length. */
    memset(name, 'x', sizeof name);
    name_length = sizeof ECHO + 1;
    assert_code(SCardStatus(card, name, &name_length, NULL, NULL, NULL, NULL), SCARD_S_SUCCESS);
    assert_int_equal(name_length, sizeof ECHO);
    assert_memory_equal(name, ECHO "\0\0x", sizeof ECHO + 2);
    /* A buffer without a length is one without room. */
    assert_code(SCardStatus(card, name, NULL, NULL, NULL, NULL, NULL), SCARD_E_INSUFFICIENT_BUFFER);
    assert_code(SCardStatus(card, NULL, NULL, NULL, NULL, atr, NULL), SCARD_E_INSUFFICIENT_BUFFER);
    /* On any other failure everything is 0. */
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
    name_length = atr_length = status = protocol = 77;
    assert_code(SCardStatus(card, name, &name_length, &status, &protocol, atr, &atr_length),
                SCARD_E_INVALID_HANDLE);
    assert_int_equal(name_length | atr_length | status | protocol, 0);
}

/* A call that fails has given nothing away. */
static void failed_status_allocates_nothing(void **state)
{
    char *name = NULL;
    BYTE *atr = NULL, room[1];
    char little[1];
    DWORD name_length = SCARD_AUTOALLOCATE, atr_length = 1;

    (void)state;
    context = establish();
    card = connect_shared(context, ECHO);
    assert_code(SCardStatus(card, (LPSTR)&name, &name_length, NULL, NULL, room, &atr_length),
                SCARD_E_INSUFFICIENT_BUFFER);
    assert_null(name);
    assert_int_equal(name_length, sizeof ECHO);
    name_length = 1;
    atr_length = SCARD_AUTOALLOCATE;
    assert_code(SCardStatus(card, little, &name_length, NULL, NULL, (LPBYTE)&atr, &atr_length),
                SCARD_E_INSUFFICIENT_BUFFER);
    assert_null(atr);
    assert_in_range(atr_length, 2, 33);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static char *allocate(SCARDCONTEXT owner)
{
    char *block = NULL;
    DWORD length = SCARD_AUTOALLOCATE;

    assert_code(SCardListReaders(owner, NULL, (LPSTR)&block, &length), SCARD_S_SUCCESS);
    assert_non_null(block);
    return block;
}

static void only_own_blocks_are_freed(void **state)
{
    SCARDCONTEXT one = establish(), two = establish();
    char *block = allocate(one), *kept = allocate(one), foreign[4], *heap = malloc(10);

    (void)state;
    assert_code(SCardFreeMemory(one, NULL), SCARD_S_SUCCESS);
    assert_code(SCardFreeMemory(one, foreign), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardFreeMemory(one, heap), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardFreeMemory(one, block + 1), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardFreeMemory(two, block), SCARD_E_INVALID_PARAMETER);
    assert_string_equal(block, ECHO);
    assert_code(SCardFreeMemory(one, block), SCARD_S_SUCCESS);
    assert_code(SCardFreeMemory(one, block), SCARD_E_INVALID_PARAMETER);
    /* Release frees what is left; its address is no block of anybody any more. */
    assert_code(SCardReleaseContext(one), SCARD_S_SUCCESS);
    assert_code(SCardFreeMemory(one, kept), SCARD_E_INVALID_HANDLE);
    assert_code(SCardFreeMemory(two, kept), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardReleaseContext(two), SCARD_S_SUCCESS);
    free(heap);
}

static void many_blocks_are_released(void **state)
{
    SCARDCONTEXT owner = establish();

    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        allocate(owner);
    assert_code(SCardReleaseContext(owner), SCARD_S_SUCCESS);
}

static void reader_lists(void **state)
{
    static const struct {
        const char *groups;
        LONG code;
    } rows[] = {
        {NULL, SCARD_S_SUCCESS},
        {"\0", SCARD_S_SUCCESS},
        {"SCard$AllReaders\0", SCARD_S_SUCCESS},
        {"SCard$DefaultReaders\0", SCARD_S_SUCCESS},
        {"Mine\0SCard$DefaultReaders\0", SCARD_S_SUCCESS},
        {"Mine\0", SCARD_E_NO_READERS_AVAILABLE},
        {"Mine\0Yours\0", SCARD_E_NO_READERS_AVAILABLE},
    };
    char names[64];

    (void)state;
    context = establish();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        DWORD length = sizeof names;

        assert_code(SCardListReaders(context, rows[i].groups, names, &length), rows[i].code);
        assert_int_equal(length, rows[i].code ? 1 : sizeof ECHO + 1);
        if (!rows[i].code)
            assert_memory_equal(names, ECHO "\0", sizeof ECHO + 1);
    }
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_output_follows_the_idiom),  cmocka_unit_test(status_outputs_together),
        cmocka_unit_test(failed_status_allocates_nothing), cmocka_unit_test(only_own_blocks_are_freed),
        cmocka_unit_test(many_blocks_are_released),        cmocka_unit_test(reader_lists),
    };

    setenv("SCARD_READERS", "sim:echo", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
