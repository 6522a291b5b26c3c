/* SPDX-License-Identifier: MIT */
#include "tests/unit/database_kit.h"

#include <fcntl.h>
#include <ftw.h>
#include <iconv.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/database.h"

static char root[] = P_tmpdir "/scard-database-XXXXXX";
static pid_t server_process;
static int server_stop;

int __real_database_place_find(struct database_place *ret_place);
int __wrap_database_place_find(struct database_place *ret_place);

int __wrap_database_place_find(struct database_place *ret_place)
{
    int rc = __real_database_place_find(ret_place);

    if (rc)
        return rc;
    free(ret_place->system);
    if (asprintf(&ret_place->system, "%s/system/scard", root) < 0)
        abort();
    if (getenv("KIT_NO_HOME")) {
        free(ret_place->user);
        ret_place->user = NULL;
    }
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    return where->level ? remove(path) : 0;
}

int kit_clear(void **state)
{
    (void)state;
    return nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* A process that serves the readers until the test ends. */
static int start_server(void)
{
    char path[sizeof root + 16];
    struct scard_server_options options = {.size = sizeof options, .listener = -1, .path = path};
    struct scard_server *server;
    int stop[2], ready[2];
    char byte;

    snprintf(path, sizeof path, "unix:%s.socket", root);
    setenv("SCARD_SERVICE", path, 1);
    if (pipe(stop) || pipe(ready) || (server_process = fork()) < 0)
        return -1;
    if (!server_process) {
        options.path = path + strlen("unix:");
        close(stop[1]);
        if (scard_server_start(&options, &server) || write(ready[1], "", 1) != 1)
            _exit(1);
        while (read(stop[0], &byte, 1) > 0)
            ;
        scard_server_stop(server);
        _exit(0);
    }
    close(stop[0]);
    close(ready[1]);
    server_stop = stop[1];
    return read(ready[0], &byte, 1) == 1 ? close(ready[0]) : -1;
}

static int stop_server(void)
{
    int status;

    if (!server_process)
        return 0;
    close(server_stop);
    return waitpid(server_process, &status, 0) != server_process || status;
}

int kit_begin(void **state)
{
    char path[sizeof root + 16];

    (void)state;
    if (!mkdtemp(root))
        return -1;
    snprintf(path, sizeof path, "%s/user", root);
    setenv("XDG_CONFIG_HOME", path, 1);
    setenv("HOME", root, 1);
    if (getenv("KIT_SERVED"))
        return start_server();
    setenv("SCARD_SERVICE", "local", 1);
    return 0;
}

int kit_end(void **state)
{
    return kit_clear(state) || rmdir(root) || stop_server();
}

void kit_write(const char *path, const char *text)
{
    char whole[512];
    FILE *file;

    snprintf(whole, sizeof whole, "%s/%s", root, path);
    for (char *slash = strchr(whole + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(whole, 0700);
        *slash = '/';
    }
    file = fopen(whole, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

char *kit_read(const char *path)
{
    char whole[512], text[2048];
    size_t length;
    FILE *file;

    snprintf(whole, sizeof whole, "%s/%s", root, path);
    file = fopen(whole, "r");
    if (!file)
        return NULL;
    length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    return strndup(text, length);
}

SCARDCONTEXT kit_context(DWORD scope)
{
    SCARDCONTEXT context = 0;

    assert_code(SCardEstablishContext(scope, NULL, NULL, &context), SCARD_S_SUCCESS);
    return context;
}

void kit_idiom(kit_get_fn *get, size_t size, SCARDCONTEXT home)
{
    DWORD need = 12345, length = 0;
    char *exact, *block = NULL;

    assert_code(get(NULL, &need), SCARD_S_SUCCESS);
    assert_in_range(need, 1, 2048);
    assert_code(get(NULL, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, need);
    assert_code(get(NULL, NULL), SCARD_E_INVALID_PARAMETER);

    /* Heap blocks of the exact size, so that a byte too many is seen. */
    exact = malloc(need * size);
    assert_non_null(exact);
    assert_code(get(exact, NULL), SCARD_E_INVALID_PARAMETER);
    for (length = 0; length < need;) {
        DWORD short_by = length;

        assert_code(get(exact + (need - length) * size, &length), SCARD_E_INSUFFICIENT_BUFFER);
        assert_int_equal(length, need);
        length = short_by + 1;
    }
    assert_code(get(exact, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, need);

    for (unsigned i = 0; i < 2; i++) {
        length = i ? 0xFFFFFFFF : SCARD_AUTOALLOCATE;
        assert_code(get(NULL, &length), SCARD_E_INVALID_PARAMETER);
        length = i ? 0xFFFFFFFF : SCARD_AUTOALLOCATE;
        assert_code(get(&block, &length), SCARD_S_SUCCESS);
        assert_int_equal(length, need);
        assert_memory_equal(block, exact, need * size);
        assert_code(SCardFreeMemory(home, block), SCARD_S_SUCCESS);
        assert_code(SCardFreeMemory(home, block), home ? SCARD_E_INVALID_PARAMETER : SCARD_E_INVALID_HANDLE);
    }
    free(exact);
}

WCHAR *kit_widen(const char *text, size_t count, size_t *ret_count)
{
    iconv_t to = iconv_open("UTF-16LE", "UTF-8");
    size_t left = count, room = 2 * count;
    WCHAR *wide = malloc(room + !room);
    char *from = (char *)(uintptr_t)text, *at = (char *)wide;

    assert_true(to != (iconv_t)-1 && wide);
    assert_int_equal(iconv(to, &from, &left, &at, &room), 0);
    iconv_close(to);
    *ret_count = (size_t)((WCHAR *)(void *)at - wide);
    return wide;
}

void kit_same_text(kit_get_fn *narrow, kit_get_fn *wide)
{
    DWORD length = SCARD_AUTOALLOCATE, units = 0;
    char text[2048];
    WCHAR *expected, *got;
    size_t count;

    length = sizeof text;
    assert_code(narrow(text, &length), SCARD_S_SUCCESS);
    expected = kit_widen(text, length, &count);
    assert_code(wide(NULL, &units), SCARD_S_SUCCESS);
    assert_int_equal(units, count);
    got = malloc(count * sizeof *got);
    assert_non_null(got);
    assert_code(wide(got, &units), SCARD_S_SUCCESS);
    assert_memory_equal(got, expected, count * sizeof *got);
    free(got);
    free(expected);
}

void kit_list_is(kit_get_fn *get, const char *list, size_t size)
{
    char text[2048] = "";
    DWORD length = sizeof text;

    assert_code(get(text, &length), SCARD_S_SUCCESS);
    if (length == size && !memcmp(text, list, size))
        return;
    for (size_t i = 0; i + 1 < length; i++)
        if (!text[i])
            text[i] = '|';
    fail_msg("the list is %s", text);
}
