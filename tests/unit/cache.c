/* SPDX-License-Identifier: MIT */
/* The card cache: freshness, bounds, whose folder it is, and what others did to its files. */
#include "tests/unit/store_kit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/cache.h"
#include "store/cache_item.h"

static const struct guid card = {1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};
static char place[256];

static uid_t pretended;

uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);

uid_t __wrap_geteuid(void)
{
    return pretended ? pretended : __real_geteuid();
}

static int begin(void **state)
{
    pretended = 0;
    store_clear(state);
    snprintf(place, sizeof place, "%s/cache", store_root());
    return mkdir(place, 0700);
}

static int put(const char *name, uint32_t freshness, const char *value)
{
    return cache_write(place, &card, name, freshness, (const uint8_t *)value, strlen(value));
}

static int get(const char *name, uint32_t freshness, const char *expected)
{
    uint8_t *value = NULL;
    size_t length = 0;
    int rc = cache_read(place, &card, name, freshness, &value, &length);

    if (!rc) {
        assert_non_null(value);
        assert_int_equal(length, strlen(expected));
        assert_memory_equal(value, expected, length);
    } else {
        assert_null(value);
    }
    free(value);
    return rc;
}

/* The path of an item's file, in a buffer of store_path. */
static const char *path_of(const char *name)
{
    struct cache_item item = {.card = card, .name = (const uint8_t *)name, .name_length = strlen(name)};
    char file[CACHE_ITEM_FILE], below[64];

    cache_item_file(&item, file);
    snprintf(below, sizeof below, "cache/%s", file);
    return store_path(below);
}

static bool is_there(const char *name)
{
    return !access(path_of(name), F_OK);
}

static void items_are_read_as_they_were_written(void **state)
{
    struct guid other = card;
    uint8_t *value, *longest = malloc(CACHE_ITEM_MAX + 1);
    char name[CACHE_NAME_MAX + 2];
    struct stat status;
    size_t length;

    (void)state;
    assert_non_null(longest);
    assert_rc(get("a", 0, ""), RC_NOT_FOUND);
    assert_rc(put("a", 7, "first"), RC_OK);
    assert_rc(put("b", UINT32_MAX, "other"), RC_OK);
    assert_rc(get("a", 7, "first"), RC_OK);
    assert_rc(get("b", UINT32_MAX, "other"), RC_OK);
    assert_rc(put("a", 7, "second"), RC_OK);
    assert_rc(get("a", 7, "second"), RC_OK);
    other.data4[7]++;
    assert_rc(cache_read(place, &other, "a", 7, &value, &length), RC_NOT_FOUND);
    assert_rc(cache_write(place, &other, "", 0, NULL, 0), RC_OK);
    assert_rc(cache_read(place, &other, "", 0, &value, &length), RC_OK);
    assert_non_null(value);
    assert_int_equal(length, 0);
    free(value);
    assert_int_equal(stat(path_of("a"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);

    memset(longest, 0, CACHE_ITEM_MAX + 1);
    memset(name, 'n', sizeof name);
    name[CACHE_NAME_MAX + 1] = '\0';
    assert_rc(put(name, 0, ""), RC_TOO_BIG);
    assert_rc(get(name, 0, ""), RC_NOT_FOUND);
    name[CACHE_NAME_MAX] = '\0';
    assert_rc(cache_write(place, &card, name, 0, longest, CACHE_ITEM_MAX + 1), RC_TOO_BIG);
    assert_rc(cache_write(place, &card, name, 0, longest, CACHE_ITEM_MAX), RC_OK);
    assert_rc(cache_read(place, &card, name, 0, &value, &length), RC_OK);
    assert_int_equal(length, CACHE_ITEM_MAX);
    assert_memory_equal(value, longest, length);
    free(value);
    free(longest);
}

static void freshness(void **state)
{
    (void)state;
    assert_rc(put("a", 5, "value"), RC_OK);
    /* A newer one than asked for stays. */
    assert_rc(get("a", 4, ""), RC_STALE);
    assert_rc(get("a", 0, ""), RC_STALE);
    assert_rc(get("a", 5, "value"), RC_OK);
    /* An older one is of no use to anybody. */
    assert_rc(get("a", 6, ""), RC_STALE);
    assert_rc(get("a", 5, ""), RC_NOT_FOUND);
    assert_false(is_there("a"));
    assert_rc(put("a", 6, "next"), RC_OK);
    assert_rc(put("a", 1, "set back"), RC_OK);
    assert_rc(get("a", 1, "set back"), RC_OK);
}

static uint64_t total(void)
{
    DIR *folder = opendir(place);
    const struct dirent *entry;
    uint64_t sum = 0;
    struct stat status;

    assert_non_null(folder);
    while ((entry = readdir(folder)))
        if (entry->d_name[0] != '.' && !fstatat(dirfd(folder), entry->d_name, &status, 0)) {
            assert_true(S_ISREG(status.st_mode));
            sum += ((uint64_t)status.st_size + CACHE_PAGE - 1) / CACHE_PAGE * CACHE_PAGE;
        }
    closedir(folder);
    return sum;
}

static void put_large(unsigned number)
{
    static uint8_t value[CACHE_ITEM_MAX];
    char name[32];

    snprintf(name, sizeof name, "large %u", number);
    value[0] = (uint8_t)number;
    assert_rc(cache_write(place, &card, name, number, value, sizeof value), RC_OK);
}

static int get_large(unsigned number)
{
    char name[32];
    uint8_t *value = NULL;
    size_t length = 0;
    int rc;

    snprintf(name, sizeof name, "large %u", number);
    rc = cache_read(place, &card, name, number, &value, &length);
    if (!rc)
        assert_int_equal(value[0], (uint8_t)number);
    free(value);
    return rc;
}

static void the_least_recently_used_make_room(void **state)
{
    unsigned fit = 0;
    uint64_t before;

    (void)state;
    do {
        before = total();
        put_large(fit++);
    } while (total() > before);
    fit--;
    /* One more than fits was written: the first one went. */
    assert_in_range(fit, CACHE_TOTAL_MAX / CACHE_ITEM_MAX * 9 / 10, CACHE_TOTAL_MAX / CACHE_ITEM_MAX);
    assert_true(total() <= CACHE_TOTAL_MAX);
    assert_rc(get_large(0), RC_NOT_FOUND);
    assert_rc(get_large(1), RC_OK);
    /* That was used now, and the next in line is the one behind it. */
    put_large(1000);
    assert_rc(get_large(2), RC_NOT_FOUND);
    assert_rc(get_large(1), RC_OK);
    /* To replace one, none has to go. */
    put_large(3);
    put_large(fit - 1);
    for (unsigned i = 3; i < fit; i++)
        assert_rc(get_large(i), RC_OK);
    assert_rc(get_large(1000), RC_OK);
}

static void a_damaged_item_is_none_and_goes(void **state)
{
    char *whole;
    struct stat status;
    size_t size;

    (void)state;
    assert_rc(put("a", 5, "value"), RC_OK);
    assert_int_equal(stat(path_of("a"), &status), 0);
    size = (size_t)status.st_size;
    for (size_t i = 0; i <= 2 * size; i++) {
        FILE *file;

        assert_rc(put("a", 5, "value"), RC_OK);
        file = fopen(path_of("a"), "r+");
        assert_non_null(file);
        if (i < size) {
            int byte;

            fseek(file, (long)i, SEEK_SET);
            byte = fgetc(file);
            fseek(file, (long)i, SEEK_SET);
            fputc(byte ^ 0x20, file);
        } else if (i < 2 * size) {
            assert_int_equal(ftruncate(fileno(file), (off_t)(i - size)), 0);
        } else {
            fseek(file, 0, SEEK_END);
            fputc(0, file);
        }
        fclose(file);
        assert_rc(get("a", 5, "value"), RC_NOT_FOUND);
        assert_false(is_there("a"));
    }
    /* Not read without end. */
    assert_int_equal(truncate(path_of("a"), 0), -1);
    whole = strdup(path_of("a"));
    close(open(whole, O_WRONLY | O_CREAT, 0600));
    assert_int_equal(truncate(whole, (off_t)1 << 40), 0);
    assert_rc(get("a", 5, ""), RC_NOT_FOUND);
    assert_false(is_there("a"));
    free(whole);
}

static void other_things_than_items_go(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path_of("a"), 0600), 0);
    assert_rc(get("a", 0, ""), RC_NOT_FOUND);
    assert_false(is_there("a"));
    assert_int_equal(mkdir(path_of("a"), 0700), 0);
    assert_rc(get("a", 0, ""), RC_NOT_FOUND);
    assert_false(is_there("a"));
    store_put("target", "kept");
    assert_int_equal(symlink("../target", path_of("a")), 0);
    assert_rc(get("a", 0, ""), RC_NOT_FOUND);
    assert_int_equal(symlink("../target", path_of("b")), 0);
    assert_rc(put("b", 0, "value"), RC_OK);
    assert_rc(get("b", 0, "value"), RC_OK);
    free(store_get("target"));
    assert_int_equal(access(store_path("target"), F_OK), 0);
    /* An item of another name in the place of this one. */
    assert_int_equal(rename(path_of("b"), path_of("c")), 0);
    assert_rc(get("c", 0, ""), RC_NOT_FOUND);
    assert_rc(put("c", 0, "own"), RC_OK);
    assert_rc(get("c", 0, "own"), RC_OK);
    /* What a writer left that was killed. */
    store_put("cache/new", "half");
    assert_rc(put("d", 0, "whole"), RC_OK);
    assert_int_not_equal(access(store_path("cache/new"), F_OK), 0);
}

static void folders_of_others_are_refused(void **state)
{
    char *link = strdup(store_path("link"));

    (void)state;
    assert_rc(put("a", 0, "value"), RC_OK);
    for (mode_t open_to = 01; open_to <= 040; open_to <<= 1) {
        assert_int_equal(chmod(place, 0700 | open_to), 0);
        assert_rc(get("a", 0, ""), RC_NO_SERVICE);
        assert_rc(put("a", 0, ""), RC_NO_SERVICE);
        assert_words(detail_get(), "0700");
    }
    assert_int_equal(chmod(place, 0700), 0);
    pretended = 54321;
    assert_rc(get("a", 0, ""), RC_NO_SERVICE);
    assert_rc(put("a", 0, ""), RC_NO_SERVICE);
    assert_words(detail_get(), "another user's");
    pretended = 0;
    assert_rc(get("a", 0, "value"), RC_OK);
    assert_int_equal(symlink("cache", link), 0);
    assert_rc(cache_write(link, &card, "a", 0, NULL, 0), RC_NO_SERVICE);
    assert_rc(cache_write(store_path("none"), &card, "a", 0, NULL, 0), RC_NO_SERVICE);
    assert_words(detail_get(), "none");
    free(link);
}

/* What a process of another user finds; 0 if all is well. */
static int shared_memory_place(void)
{
    char expected[64], *path;
    struct stat status;

    snprintf(expected, sizeof expected, "/dev/shm/scard-%lu/cache", (unsigned long)__real_geteuid());
    if (cache_place(&path) || strcmp(path, expected) != 0)
        return 1;
    if (stat(path, &status) || (status.st_mode & 07777) != 0700 || status.st_uid != __real_geteuid())
        return 2;
    if (cache_write(path, &card, "a", 1, (const uint8_t *)"b", 1))
        return 3;
    free(path);
    if (cache_place(&path))
        return 4;
    free(path);
    return 0;
}

static void remove_shared(unsigned long user)
{
    char command[96];

    snprintf(command, sizeof command, "rm -rf /dev/shm/scard-%lu", user);
    assert_int_equal(system(command), 0);
}

static void places(void **state)
{
    char *path, *expected = strdup(store_path("run/scard/cache"));
    int status;
    pid_t child;

    (void)state;
    assert_int_equal(mkdir(store_path("run"), 0700), 0);
    setenv("XDG_RUNTIME_DIR", store_path("run"), 1);
    for (int i = 0; i < 2; i++) {
        assert_rc(cache_place(&path), RC_OK);
        assert_string_equal(path, expected);
        assert_rc(cache_write(path, &card, "a", 0, NULL, 0), RC_OK);
        free(path);
    }
    /* As another user, whom none of the folders belongs to. */
    pretended = 54322;
    assert_rc(cache_place(&path), RC_NO_SERVICE);
    assert_words(detail_get(), "/dev/shm/scard-54322/cache");
    pretended = 0;
    remove_shared(54322);
    free(expected);
    unsetenv("XDG_RUNTIME_DIR");
    if (__real_geteuid() != 0)
        return;
    child = fork();
    assert_true(child >= 0);
    if (!child)
        _exit(setresuid(54321, 54321, 54321) ? 9 : shared_memory_place());
    assert_int_equal(waitpid(child, &status, 0), child);
    remove_shared(54321);
    assert_int_equal(status, 0);
}

static int killed_at(enum store_fault fault, unsigned n)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (!child) {
        store_fault_arm(fault, n, 0);
        _exit(put("a", 1, "a value that is as long as the old") ? 2 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    return WIFSIGNALED(status);
}

static void a_killed_or_failing_writer_leaves_a_whole_item(void **state)
{
    static const char old[] = "the old value, of the same length.",
                      new[] = "a value that is as long as the old";
    int was_killed;

    (void)state;
    for (enum store_fault fault = STORE_KILLS; fault <= STORE_KILLS_AFTER; fault++)
        for (unsigned n = 1; n == 1 || was_killed; n++) {
            uint8_t *value;
            size_t length;

            assert_rc(put("a", 1, old), RC_OK);
            was_killed = killed_at(fault, n);
            assert_rc(cache_read(place, &card, "a", 1, &value, &length), RC_OK);
            assert_int_equal(length, strlen(old));
            assert_true(!memcmp(value, new, length) || (was_killed && !memcmp(value, old, length)));
            free(value);
            alarm(30);
            assert_rc(put("b", 1, "next"), RC_OK);
            alarm(0);
        }
    for (unsigned n = 1, hit = 1; hit; n++) {
        int rc;

        assert_rc(put("a", 1, old), RC_OK);
        store_fault_arm(STORE_FAILS, n, ENOSPC);
        rc = put("a", 1, new);
        hit = (unsigned)store_fault_hit();
        store_fault_arm(STORE_NO_FAULT, 0, 0);
        if (rc)
            assert_rc(rc, RC_IO);
        assert_rc(get("a", 1, rc ? old : new), RC_OK);
        assert_int_not_equal(access(store_path("cache/new"), F_OK), 0);
    }
}

/* Values of one item: as many bytes as the first one says, all alike. */
static int write_and_read(unsigned seed)
{
    static uint8_t bytes[CACHE_ITEM_MAX];

    for (unsigned i = 0; i < 60; i++) {
        unsigned number = seed * 7 + i;
        uint8_t *value;
        size_t length;
        char name[32];
        int rc;

        memset(bytes, (int)(number % 255), sizeof bytes);
        if (cache_write(place, &card, "shared", 0, bytes, number % 255 * 200))
            return 1;
        rc = cache_read(place, &card, "shared", 0, &value, &length);
        if (rc)
            return 2;
        for (size_t at = 0; at < length; at++)
            if (value[at] != length / 200)
                return 3;
        free(value);
        snprintf(name, sizeof name, "%u", number);
        if (cache_write(place, &card, name, 0, bytes, sizeof bytes))
            return 4;
        if (total() > CACHE_TOTAL_MAX + sizeof bytes + CACHE_PAGE)
            return 5;
    }
    return 0;
}

static void many_processes(void **state)
{
    pid_t children[3];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (!children[i])
            _exit(write_and_read(i));
    }
    for (unsigned i = 0; i < 3; i++) {
        int status;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_true(total() <= CACHE_TOTAL_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(items_are_read_as_they_were_written, begin),
        cmocka_unit_test_setup(freshness, begin),
        cmocka_unit_test_setup(the_least_recently_used_make_room, begin),
        cmocka_unit_test_setup(a_damaged_item_is_none_and_goes, begin),
        cmocka_unit_test_setup(other_things_than_items_go, begin),
        cmocka_unit_test_setup(folders_of_others_are_refused, begin),
        cmocka_unit_test_setup(places, begin),
        cmocka_unit_test_setup(a_killed_or_failing_writer_leaves_a_whole_item, begin),
        cmocka_unit_test_setup(many_processes, begin),
    };

    return cmocka_run_group_tests(tests, store_begin, store_end);
}
