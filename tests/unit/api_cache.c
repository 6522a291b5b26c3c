/* SPDX-License-Identifier: MIT */
/* The card cache through the public functions; what it does with files is in cache.c. */
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/database_kit.h"

/* The functions take names that they could write to, and do not. */
#define NAME(text) ((void *)(uintptr_t)(text))

static SCARDCONTEXT context;
static char *runtime;
static UUID card = {0x11223344, 0x5566, 0x7788, {1, 2, 3, 4, 5, 6, 7, 8}};
static BYTE value[] = "value of an item";

/* A folder in memory of this test alone, for each test a new one. */
static int begin(void **state)
{
    (void)state;
    if (asprintf(&runtime, "/dev/shm/scard-test-XXXXXX") < 0 || !mkdtemp(runtime))
        return -1;
    setenv("XDG_RUNTIME_DIR", runtime, 1);
    context = kit_context(SCARD_SCOPE_USER);
    return 0;
}

static int end(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", runtime);
    free(runtime);
    return SCardReleaseContext(context) != SCARD_S_SUCCESS || system(command);
}

static LONG get(void *buffer, DWORD *length)
{
    return SCardReadCache(context, &card, 7, NAME("Name"), buffer, length);
}

static LONG get_wide(void *buffer, DWORD *length)
{
    return SCardReadCacheW(context, &card, 7, NAME(u"Name"), buffer, length);
}

static void put(const char *name, DWORD freshness)
{
    assert_code(SCardWriteCache(context, &card, freshness, NAME(name), value, sizeof value), SCARD_S_SUCCESS);
}

static void expect(const char *name, DWORD freshness, LONG code)
{
    BYTE data[64];
    DWORD length = sizeof data;

    assert_code(SCardReadCacheA(context, &card, freshness, NAME(name), data, &length), code);
    assert_int_equal(length, code == SCARD_S_SUCCESS ? sizeof value : 0);
    if (code == SCARD_S_SUCCESS)
        assert_memory_equal(data, value, sizeof value);
}

static void items_come_back(void **state)
{
    UUID other = card;
    DWORD length = 0;

    (void)state;
    expect("Name", 7, SCARD_W_CACHE_ITEM_NOT_FOUND);
    put("Name", 7);
    expect("Name", 7, SCARD_S_SUCCESS);
    kit_idiom(get, 1, context);
    kit_idiom(get_wide, 1, context);
    expect("name", 7, SCARD_W_CACHE_ITEM_NOT_FOUND);
    other.Data4[7]++;
    assert_code(SCardReadCache(context, &other, 7, NAME("Name"), NULL, &length),
                SCARD_W_CACHE_ITEM_NOT_FOUND);
    /* Replaced, by something empty. */
    assert_code(SCardWriteCacheA(context, &card, 7, NAME("Name"), NULL, 0), SCARD_S_SUCCESS);
    length = 77;
    assert_code(get(NULL, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, 0);
}

static void names_are_text(void **state)
{
    DWORD length = 0;

    (void)state;
    assert_code(SCardWriteCacheW(context, &card, 1, NAME(u"Schlüssel \U0001F511/.."), value, sizeof value),
                SCARD_S_SUCCESS);
    expect("Schlüssel \U0001F511/..", 1, SCARD_S_SUCCESS);
    put("", 2);
    assert_code(SCardReadCacheW(context, &card, 2, NAME(u""), NULL, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, sizeof value);
}

/* An item that is too old is of no use to anybody who asks later; a newer one may be to others. */
static void freshness_decides(void **state)
{
    (void)state;
    put("Name", 5);
    expect("Name", 4, SCARD_W_CACHE_ITEM_STALE);
    expect("Name", 5, SCARD_S_SUCCESS);
    expect("Name", 6, SCARD_W_CACHE_ITEM_STALE);
    expect("Name", 5, SCARD_W_CACHE_ITEM_NOT_FOUND);
    put("Name", 5);
    put("Name", 9);
    expect("Name", 9, SCARD_S_SUCCESS);
    put("Name", UINT32_MAX);
    expect("Name", UINT32_MAX, SCARD_S_SUCCESS);
}

static void what_is_too_big(void **state)
{
    BYTE *big = calloc(1, 65537);
    char *name = malloc(2000);
    DWORD length = 0;

    (void)state;
    memset(name, 'x', 1999);
    name[1999] = '\0';
    assert_code(SCardWriteCache(context, &card, 1, NAME("Big"), big, 65536), SCARD_S_SUCCESS);
    assert_code(SCardWriteCache(context, &card, 2, NAME("Big"), big, 65537), SCARD_W_CACHE_ITEM_TOO_BIG);
    assert_detail("65537");
    /* What was there stays. */
    assert_code(SCardReadCache(context, &card, 1, NAME("Big"), NULL, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, 65536);
    assert_code(SCardWriteCache(context, &card, 1, name, big, 1), SCARD_W_CACHE_ITEM_TOO_BIG);
    length = 5;
    assert_code(SCardReadCache(context, &card, 1, name, big, &length), SCARD_W_CACHE_ITEM_NOT_FOUND);
    free(name);
    free(big);
}

static void what_is_refused(void **state)
{
    SCARDCONTEXT gone = kit_context(SCARD_SCOPE_USER);
    DWORD length = 5;

    (void)state;
    SCardReleaseContext(gone);
    put("Name", 7);
    assert_code(SCardReadCache(gone, &card, 7, NAME("Name"), NULL, &length), SCARD_E_INVALID_HANDLE);
    assert_code(SCardReadCacheW(0, &card, 7, NAME(u"Name"), NULL, &length), SCARD_E_INVALID_HANDLE);
    assert_code(SCardWriteCache(gone, &card, 7, NAME("Name"), value, 1), SCARD_E_INVALID_HANDLE);
    assert_code(SCardReadCache(context, NULL, 7, NAME("Name"), NULL, &length), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardReadCache(context, &card, 7, NULL, NULL, &length), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardReadCache(context, &card, 7, NAME("Name"), NULL, NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardWriteCache(context, NULL, 7, NAME("Name"), value, 1), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardWriteCache(context, &card, 7, NULL, value, 1), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardWriteCache(context, &card, 7, NAME("Name"), NULL, 1), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardWriteCacheW(context, &card, 7, NAME(u"\xD800"), value, 1), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardWriteCache(context, &card, (DWORD)UINT32_MAX + 1, NAME("Name"), value, 1),
                SCARD_E_INVALID_PARAMETER);
    assert_code(SCardReadCache(context, &card, (DWORD)UINT32_MAX + 1, NAME("Name"), NULL, &length),
                SCARD_E_INVALID_PARAMETER);
    assert_int_equal(length, 5);
    expect("Name", 7, SCARD_S_SUCCESS);
}

static int run_child(LONG (*run)(void))
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (!child) {
        alarm(60);
        _exit(SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context) != SCARD_S_SUCCESS ? 1
              : run() != SCARD_S_SUCCESS                                                       ? 2
                                                                                               : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static LONG replace(void)
{
    BYTE data[64];
    DWORD length = sizeof data;
    LONG code = get(data, &length);

    if (code != SCARD_S_SUCCESS || length != sizeof value || memcmp(data, value, length) != 0)
        return SCARD_F_UNKNOWN_ERROR;
    return SCardWriteCache(context, &card, 8, NAME("Name"), value, sizeof value);
}

/* What one writes another reads, also after its end; nobody else may. */
static void processes_share_it(void **state)
{
    char path[128];
    struct stat status;

    (void)state;
    put("Name", 7);
    assert_int_equal(run_child(replace), 0);
    expect("Name", 8, SCARD_S_SUCCESS);
    snprintf(path, sizeof path, "%s/scard/cache", runtime);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(items_come_back, begin, end),
        cmocka_unit_test_setup_teardown(names_are_text, begin, end),
        cmocka_unit_test_setup_teardown(freshness_decides, begin, end),
        cmocka_unit_test_setup_teardown(what_is_too_big, begin, end),
        cmocka_unit_test_setup_teardown(what_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(processes_share_it, begin, end),
    };

    setenv("SCARD_READERS", "sim:echo", 1);
    return cmocka_run_group_tests(tests, kit_begin, kit_end);
}
