/* SPDX-License-Identifier: MIT */
/* Public functions: where readers come from, what is said when that fails, when the service starts and stops.
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/api_kit.h"

static char folder[] = P_tmpdir "/scard-api-setup-XXXXXX", path[128];

static LONG try_establish(void)
{
    SCARDCONTEXT context = 77;
    LONG code = SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context);

    if (code)
        assert_int_equal(context, 0);
    else
        assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
    return code;
}

static void faulty_list_names_the_fault(void **state)
{
    static const struct {
        const char *list, *word;
    } rows[] = {
        {"sim:echo nonsense", "nonsense"},
        {"sim:echo,sim:nobody", "nobody"},
        {"usbx:1", "usbx"},
        {"usbx:1", "known are usb, vpcd, sim and replay"},
        {"usb:nowhere", "usb:nowhere"},
        {"usb:?escape=perhaps", "escape"},
        {"usb:1-2?speed=9", "speed"},
        {"sim:echo?reply=many", "reply"},
        {"vpcd:99999999", "99999999"},
        {"sim:echo?insert=maybe", "insert"},
        {"sim:odd?atr=xyz sim:echo", "atr"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        setenv("SCARD_READERS", rows[i].list, 1);
        assert_code(try_establish(), SCARD_E_INVALID_VALUE);
        if (!strstr(scard_error_detail(), rows[i].word))
            fail_msg("'%s' does not tell of '%s'", scard_error_detail(), rows[i].word);
    }
    /* A call that succeeds has no detail. */
    assert_code(SCardIsValidContext(0), SCARD_E_INVALID_HANDLE);
    assert_string_equal(scard_error_detail(), "");
}

static void write_config(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static void faulty_file_names_the_line(void **state)
{
    static const struct {
        const char *text, *word;
    } rows[] = {
        {"readers = ( \"sim:echo\"", "line 1"},
        {"\n\nreaders = ( \"sim:echo\", 5 );\n", "line 3"},
        {"# nothing\nreader = ( \"sim:echo\" );\n", "line 2"},
        {"readers = \"sim:echo\";\n", "line 1"},
        {"\nreaders = ( \"sim:nobody\" );\n", "line 2: "},
        {"readers = ( \"sim:echo\",\n\"\" );\n", "line 2"},
        {"usb = 1;\n", "line 1"},
        {"usb = false;\nreaders = (\n\"usb:1\" );\n", "line 3: usb:1"},
        {"# more:\n\n \t@include \"/etc\"\n", "line 3"},
    };

    (void)state;
    unsetenv("SCARD_READERS");
    snprintf(path, sizeof path, "%s/named.conf", folder);
    setenv("SCARD_CONFIG", path, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_config(rows[i].text);
        assert_code(try_establish(), SCARD_E_NO_SERVICE);
        assert_string_not_equal(scard_error_detail(), "");
        if (!strstr(scard_error_detail(), rows[i].word))
            fail_msg("'%s' does not tell of '%s'", scard_error_detail(), rows[i].word);
    }
    unlink(path);
    assert_code(try_establish(), SCARD_E_NO_SERVICE);
    assert_non_null(strstr(scard_error_detail(), path));
    unsetenv("SCARD_CONFIG");
}

/* libconfig alone would end the program here. */
static void folder_is_no_file(void **state)
{
    (void)state;
    setenv("SCARD_CONFIG", folder, 1);
    assert_code(try_establish(), SCARD_E_NO_SERVICE);
    assert_non_null(strstr(scard_error_detail(), folder));
    unsetenv("SCARD_CONFIG");
}

static void other_services_are_not_known(void **state)
{
    (void)state;
    setenv("SCARD_SERVICE", "carrier-pigeon", 1);
    assert_code(try_establish(), SCARD_E_NO_SERVICE);
    assert_non_null(strstr(scard_error_detail(), "carrier-pigeon"));
    setenv("SCARD_SERVICE", "local", 1);
}

/* Too few of them for the service and its readers: an error that says so, and the next try is a fresh one. */
static void no_descriptors_is_said(void **state)
{
    static const char *const readers[] = {"sim:echo", "vpcd:0?slots=2"};
    struct rlimit limit;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        rlim_t room = 0;
        LONG code;

        setenv("SCARD_READERS", readers[i], 1);
        do {
            struct rlimit tight = {.rlim_cur = room++, .rlim_max = limit.rlim_max};

            assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
            code = try_establish();
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
            if (code) {
                assert_code(code, SCARD_E_NO_MEMORY);
                assert_non_null(strstr(scard_error_detail(), "ulimit"));
            }
        } while (code && room < limit.rlim_cur);
        assert_code(code, SCARD_S_SUCCESS);
        assert_string_equal(scard_error_detail(), "");
        usleep(1100000); /* until the service has stopped */
    }
}

/* The list of readers at once, then the service is allowed to stop. */
static void assert_readers(const char *expected, size_t length)
{
    SCARDCONTEXT context = establish();
    char names[256];
    DWORD got = sizeof names;
    LONG code = SCardListReaders(context, NULL, names, &got);

    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
    assert_code(code, length ? SCARD_S_SUCCESS : SCARD_E_NO_READERS_AVAILABLE);
    if (length) {
        assert_int_equal(got, length);
        assert_memory_equal(names, expected, length);
    }
}

/* A service without use is gone after a second; there is no event for it in the API but that its readers,
 * which are read anew, change. */
static void await_readers(const char *expected, size_t length)
{
    for (unsigned i = 0; i < 40; i++) {
        SCARDCONTEXT context;
        char names[256];
        DWORD got = sizeof names;

        usleep(1100000);
        context = establish();
        if (!SCardListReaders(context, NULL, names, &got) && got == length &&
            !memcmp(names, expected, length))
            i = 40;
        assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
    }
    assert_readers(expected, length);
}

static void service_lingers_stops_and_starts_anew(void **state)
{
    static const char one[] = "scard sim:echo 00 00\0", two[] = "scard sim:echo 00 00\0scard sim:iso 01 00\0";
    SCARDCONTEXT early;
    SCARDHANDLE card;

    (void)state;
    setenv("SCARD_READERS", " sim:echo,, ", 1);
    assert_readers(one, sizeof one);
    /* It lingers: a change of the environment is not seen by the next context. */
    setenv("SCARD_READERS", "sim:echo sim:iso", 1);
    assert_readers(one, sizeof one);
    /* Nor while a context is open, however long ago it was idle. */
    early = establish();
    card = connect_shared(early, ECHO);
    usleep(1200000);
    assert_readers(one, sizeof one);
    assert_code(transmit_echo(card), SCARD_S_SUCCESS);
    assert_code(SCardReleaseContext(early), SCARD_S_SUCCESS);
    await_readers(two, sizeof two);
    assert_code(transmit_echo(card), SCARD_E_INVALID_HANDLE);
}

/* A reader that cannot be opened is listed, whatever its type; the others work. */
static void unusable_reader_is_listed(void **state)
{
    static const char both[] = "scard sim 00 00\0scard sim:echo 01 00\0";
    SCARDCONTEXT context;
    SCARDHANDLE card;
    char problem[512];
    DWORD length = sizeof problem;

    (void)state;
    setenv("SCARD_READERS", "sim:echo?presence=/nonexistent/card sim:echo", 1);
    await_readers(both, sizeof both);
    context = establish();
    assert_code(SCardConnect(context, "scard sim 00 00", SCARD_SHARE_DIRECT, 0, &card, NULL),
                SCARD_E_READER_UNAVAILABLE);
    assert_code(scard_reader_fact(context, "scard sim 00 00", "problem", problem, &length), SCARD_S_SUCCESS);
    assert_non_null(strstr(problem, "/nonexistent"));
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

/* The service of the test before stays for a second. */
static void nobody_waits_for_the_writer_of_a_fifo(void **state)
{
    LONG code = SCARD_S_SUCCESS;

    (void)state;
    unsetenv("SCARD_READERS");
    setenv("XDG_CONFIG_HOME", folder, 1);
    snprintf(path, sizeof path, "%s/scard", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/scard/scard.conf", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    alarm(60);
    for (unsigned i = 0; i < 40 && !code; i++) {
        usleep(1100000);
        code = try_establish();
    }
    alarm(0);
    assert_code(code, SCARD_E_NO_SERVICE);
    assert_non_null(strstr(scard_error_detail(), path));
    unlink(path);
    snprintf(path, sizeof path, "%s/scard", folder);
    rmdir(path);
}

static void user_file_is_read(void **state)
{
    static const char both[] = "scard sim:iso 00 00\0scard sim:echo 01 00\0";

    (void)state;
    unsetenv("SCARD_READERS");
    setenv("XDG_CONFIG_HOME", folder, 1);
    snprintf(path, sizeof path, "%s/scard", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/scard/scard.conf", folder);
    write_config("usb = false;\nreaders = ( \"sim:iso\", \"sim:echo\" );\n");
    await_readers(both, sizeof both);
    unlink(path);
    /* Without any file there is a service without readers. */
    snprintf(path, sizeof path, "%s/scard", folder);
    rmdir(path);
}

static void *fail_elsewhere(void *argument)
{
    (void)argument;
    assert_string_equal(scard_error_detail(), "");
    assert_code(SCardIsValidContext(0), SCARD_E_INVALID_HANDLE);
    return NULL;
}

static void detail_belongs_to_the_thread(void **state)
{
    SCARDCONTEXT context = establish();
    SCARDHANDLE card;
    pthread_t thread;

    (void)state;
    connect_shared(context, "scard sim:echo 01 00");
    assert_code(SCardConnect(context, "scard sim:echo 01 00", SCARD_SHARE_EXCLUSIVE, 3, &card, NULL),
                SCARD_E_SHARING_VIOLATION);
    assert_non_null(strstr(scard_error_detail(), "scard sim:echo 01 00"));
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
    pthread_join(thread, NULL);
    assert_non_null(strstr(scard_error_detail(), "scard sim:echo 01 00"));
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
    assert_string_equal(scard_error_detail(), "");
}

static SCARDCONTEXT left_open;

/* Programs do this from destructors of their own; a hang here is seen by ctest. */
static void release_at_exit(void)
{
    if (SCardReleaseContext(left_open) != SCARD_S_SUCCESS)
        abort();
}

static void context_may_be_released_at_exit(void **state)
{
    (void)state;
    left_open = establish();
    connect_shared(left_open, "scard sim:echo 01 00");
    assert_int_equal(atexit(release_at_exit), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faulty_list_names_the_fault),
        cmocka_unit_test(faulty_file_names_the_line),
        cmocka_unit_test(folder_is_no_file),
        cmocka_unit_test(other_services_are_not_known),
        cmocka_unit_test(no_descriptors_is_said),
        cmocka_unit_test(service_lingers_stops_and_starts_anew),
        cmocka_unit_test(unusable_reader_is_listed),
        cmocka_unit_test(nobody_waits_for_the_writer_of_a_fifo),
        cmocka_unit_test(user_file_is_read),
        cmocka_unit_test(detail_belongs_to_the_thread),
        cmocka_unit_test(context_may_be_released_at_exit),
    };
    int failures;

    if (!mkdtemp(folder))
        return 1;
    unsetenv("SCARD_CONFIG");
    setenv("SCARD_SERVICE", "local", 1); /* whatever server the machine has */
    failures = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failures;
}
