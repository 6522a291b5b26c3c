/* SPDX-License-Identifier: MIT */
/* The database and the card cache when memory runs out at each allocation: a change is done or not, and
 * nothing is lost. */
#include "tests/unit/store_kit.h"

#include <sys/stat.h>

#include "store/cache.h"
#include "tests/unit/failing_alloc.h"

static const struct guid id = {1, 2, 3, {4}};
static char cache[256];

static int load(void)
{
    struct database database;
    int rc = database_load(&store_place, &database);

    if (!rc)
        database_fini(&database);
    return rc;
}

static int find_place(void)
{
    struct database_place place;
    int rc = database_place_find(&place);

    if (!rc)
        database_place_fini(&place);
    return rc;
}

static int add_card(void)
{
    struct guid interface = id;
    struct database_card card = {.name = TEXT("New"),
                                 .atr = {0x3B, 0},
                                 .atr_length = 2,
                                 .interfaces = &interface,
                                 .interface_count = 1,
                                 .providers = {[PROVIDER_CSP] = TEXT("C")}};

    return database_card_add(&store_place, &card);
}

static int change_card(void)
{
    return database_card_set_provider(&store_place, DATABASE_USER, "Old", PROVIDER_CSP, "Changed");
}

static int add_member(void)
{
    return database_group_add(&store_place, DATABASE_USER, "Group", "New");
}

static int remove_reader(void)
{
    return database_reader_remove(&store_place, DATABASE_USER, "Desk");
}

static int write_item(void)
{
    return cache_write(cache, &id, "name", 2, (const uint8_t *)"new", 3);
}

static int read_item(void)
{
    uint8_t *value;
    size_t length;
    int rc = cache_read(cache, &id, "name", 1, &value, &length);

    if (!rc)
        free(value);
    return rc;
}

static int find_cache(void)
{
    char *path;
    int rc = cache_place(&path);

    if (!rc)
        free(path);
    return rc;
}

static void begin(void)
{
    store_clear(NULL);
    store_put("user/cards.d/bad.conf", "name = ;");
    store_put("user/cards.d/old.conf", "# Head\nname = \"Old\"; atr = \"3B 00\"; csp = \"C\"; ksp = \"K\";"
                                       "interfaces = ( \"{01234567-89AB-CDEF-0123-456789ABCDEF}\" );");
    store_put("user/cards.d/same.conf", "name = \"Old\";");
    store_put("user/readers.d/desk.conf", "name = \"Desk\"; device = \"usb:1-1:1.0\";");
    store_put("user/groups.d/group.conf", "name = \"Group\"; readers = ( \"Desk\", \"Other\" );");
    assert_int_equal(mkdir(cache, 0700), 0);
    assert_int_equal(mkdir(store_path("run"), 0700), 0);
    assert_rc(cache_write(cache, &id, "name", 1, (const uint8_t *)"old", 3), RC_OK);
    assert_rc(cache_write(cache, &id, "other", 1, (const uint8_t *)"old", 3), RC_OK);
}

static void every_allocation_may_fail(void **state)
{
    static const struct {
        const char *name;
        int (*run)(void);
        unsigned least; /* so many allocations at least; a hardened asprintf is not counted */
    } runs[] = {{"load", load, 20},
                {"find the place", find_place, 1},
                {"add a card", add_card, 10},
                {"change a card", change_card, 10},
                {"add a member", add_member, 8},
                {"remove a reader", remove_reader, 8},
                {"write an item", write_item, 2},
                {"read an item", read_item, 2},
                {"find the cache", find_cache, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        unsigned n = 0;
        int rc;

        do {
            char *before, *after;

            begin();
            before = store_state();
            failing_alloc_arm(++n);
            rc = runs[i].run();
            failing_alloc_arm(0);
            after = store_state();
            if (rc)
                assert_rc(rc, RC_NO_MEMORY);
            /* Its group is left before a reader goes. */
            if (rc && runs[i].run != remove_reader)
                assert_string_equal(after, before);
            free(before);
            free(after);
        } while (failing_alloc_hit());
        assert_rc(rc, RC_OK);
        if (n <= runs[i].least)
            fail_msg("%s: no more than %u allocations", runs[i].name, n - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};

    if (store_begin(NULL))
        return 1;
    snprintf(cache, sizeof cache, "%s/cache", store_root());
    setenv("XDG_RUNTIME_DIR", store_path("run"), 1);
    setenv("HOME", store_root(), 1);
    return cmocka_run_group_tests(tests, NULL, store_end);
}
