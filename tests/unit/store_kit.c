/* SPDX-License-Identifier: MIT */
#include "tests/unit/store_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

struct database_place store_place;
static char root[] = P_tmpdir "/scard-store-XXXXXX";

static enum store_fault fault;
static unsigned left;
static int fault_error, hit, no_renameat2;
static atomic_int unsynced_file, unsynced_folder, unsynced_early;
static const char *refused;

/* false: the call is made. KILLS_AFTER is up to the caller. */
static int fails(int *ret_kill_after)
{
    *ret_kill_after = 0;
    if (fault == STORE_NO_FAULT || --left > 0)
        return 0;
    hit = 1;
    if (fault == STORE_KILLS)
        raise(SIGKILL);
    if (fault == STORE_KILLS_AFTER) {
        *ret_kill_after = 1;
        return 0;
    }
    fault = STORE_NO_FAULT;
    errno = fault_error;
    return 1;
}

#define FAULTY(call)                                                                                         \
    do {                                                                                                     \
        int kill_after, faulty_result;                                                                       \
        if (fails(&kill_after))                                                                              \
            return -1;                                                                                       \
        faulty_result = (int)(call);                                                                         \
        if (kill_after)                                                                                      \
            raise(SIGKILL);                                                                                  \
        return faulty_result;                                                                                \
    } while (0)

int __real_openat(int folder, const char *path, int flags, mode_t mode);
int __wrap_openat(int folder, const char *path, int flags, mode_t mode);
int __real_mkdirat(int folder, const char *path, mode_t mode);
int __wrap_mkdirat(int folder, const char *path, mode_t mode);
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
ssize_t __real_write(int fd, const void *data, size_t count);
ssize_t __wrap_write(int fd, const void *data, size_t count);
int __wrap_fsync(int fd);
int __real_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new);
int __real_renameat2(int from, const char *old, int to, const char *new, unsigned flags);
int __wrap_renameat2(int from, const char *old, int to, const char *new, unsigned flags);
int __real_unlinkat(int folder, const char *path, int flags);
int __wrap_unlinkat(int folder, const char *path, int flags);

int __wrap_openat(int folder, const char *path, int flags, mode_t mode)
{
    size_t length = strlen(path), end = refused ? strlen(refused) : 0;

    if (refused && length >= end && !strcmp(path + length - end, refused)) {
        errno = EACCES;
        return -1;
    }
    if (!(flags & O_CREAT))
        return __real_openat(folder, path, flags, 0);
    FAULTY(__real_openat(folder, path, flags, mode));
}

int __wrap_mkdirat(int folder, const char *path, mode_t mode)
{
    FAULTY(__real_mkdirat(folder, path, mode));
}

int __wrap_flock(int fd, int operation)
{
    if (operation == LOCK_UN)
        return __real_flock(fd, operation);
    FAULTY(__real_flock(fd, operation));
}

int __wrap_fchmod(int fd, mode_t mode)
{
    FAULTY(__real_fchmod(fd, mode));
}

/* No more than a few bytes at a time, so that a process can end in the middle of a file. */
ssize_t __wrap_write(int fd, const void *data, size_t count)
{
    unsynced_file = 1;
    FAULTY(__real_write(fd, data, fault != STORE_NO_FAULT && count > 40 ? 40 : count));
}

/* Disks are slow, and what is on them is not seen by a test: it is only noted. */
int __wrap_fsync(int fd)
{
    struct stat status;

    assert_int_equal(fstat(fd, &status), 0);
    if (S_ISDIR(status.st_mode))
        unsynced_folder = 0;
    else
        unsynced_file = 0;
    FAULTY(0);
}

static void note_rename(void)
{
    if (unsynced_file)
        unsynced_early = 1;
    unsynced_folder = 1;
}

int __wrap_renameat(int from, const char *old, int to, const char *new)
{
    note_rename();
    FAULTY(__real_renameat(from, old, to, new));
}

int __wrap_renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
    if (no_renameat2) {
        errno = EINVAL;
        return -1;
    }
    note_rename();
    FAULTY(__real_renameat2(from, old, to, new, flags));
}

int __wrap_unlinkat(int folder, const char *path, int flags)
{
    if (path[0] != '.')
        unsynced_folder = 1;
    FAULTY(__real_unlinkat(folder, path, flags));
}

void store_fault_arm(enum store_fault what, unsigned n, int error)
{
    fault = what;
    left = n;
    fault_error = error;
    hit = 0;
}

int store_fault_hit(void)
{
    return hit;
}

int store_unsynced(void)
{
    int unsynced = unsynced_file || unsynced_folder || unsynced_early;

    unsynced_file = unsynced_folder = unsynced_early = 0;
    return unsynced;
}

void store_refuse(const char *end)
{
    refused = end;
}

void store_no_renameat2(int on)
{
    no_renameat2 = on;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    return where->level ? remove(path) : 0;
}

int store_clear(void **state)
{
    (void)state;
    store_fault_arm(STORE_NO_FAULT, 0, 0);
    store_refuse(NULL);
    store_no_renameat2(0);
    detail_clear();
    return nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int store_begin(void **state)
{
    (void)state;
    if (!mkdtemp(root))
        return -1;
    store_place =
        (struct database_place){.system = strdup(store_path("system")), .user = strdup(store_path("user"))};
    return store_place.system && store_place.user ? 0 : -1;
}

int store_end(void **state)
{
    database_place_fini(&store_place);
    return store_clear(state) || rmdir(root);
}

const char *store_root(void)
{
    return root;
}

const char *store_path(const char *below)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", root, below);
    return path;
}

void store_write(const char *below, const void *data, size_t length)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", root, below);
    for (char *slash = strchr(path + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

void store_put(const char *below, const char *text)
{
    store_write(below, text, strlen(text));
}

char *store_get(const char *below)
{
    char text[2048];
    size_t length;
    FILE *file = fopen(store_path(below), "r");

    if (!file)
        return NULL;
    length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    return strndup(text, length);
}

static void print_bytes(FILE *file, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%02X", bytes[i]);
    if (count)
        fputs(" ", file);
}

char *store_state(void)
{
    static const char *const scopes[] = {"user", "system"};
    struct database database;
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);

    assert_non_null(file);
    assert_rc(database_load(&store_place, &database), RC_OK);
    for (size_t i = 0; i < database.card_count; i++) {
        const struct database_card *card = &database.cards[i];

        fprintf(file, "card %s %s ", scopes[card->scope], card->name);
        print_bytes(file, card->atr, card->atr_length);
        print_bytes(file, card->mask, card->atr_length);
        for (size_t j = 0; j < card->interface_count; j++) {
            char guid[GUID_TEXT_MAX];

            guid_format(&card->interfaces[j], guid);
            fprintf(file, "%s ", guid);
        }
        for (size_t j = 0; j < PROVIDER_COUNT; j++)
            fprintf(file, "[%s]", card->providers[j] ? card->providers[j] : "");
        fputs("\n", file);
    }
    for (size_t i = 0; i < database.reader_count; i++)
        fprintf(file, "reader %s %s = %s\n", scopes[database.readers[i].scope], database.readers[i].name,
                database.readers[i].hidden ? "hidden" : database.readers[i].device);
    for (size_t i = 0; i < database.group_count; i++) {
        fprintf(file, "group %s %s =", scopes[database.groups[i].scope], database.groups[i].name);
        for (size_t j = 0; j < database.groups[i].reader_count; j++)
            fprintf(file, " [%s]", database.groups[i].readers[j]);
        fputs("\n", file);
    }
    for (size_t i = 0; i < database.problem_count; i++)
        fprintf(file, "problem %s:%u: %s\n", database.problems[i].path, database.problems[i].line,
                database.problems[i].text);
    database_fini(&database);
    assert_int_equal(fclose(file), 0);
    return text;
}

void store_add_card(enum database_scope scope, const char *name)
{
    struct database_card card = {
        .scope = scope, .name = (char *)(uintptr_t)name, .atr = {0x3B, 0x00}, .atr_length = 2};

    memset(card.mask, 0xFF, sizeof card.mask);
    assert_rc(database_card_add(&store_place, &card), RC_OK);
}
