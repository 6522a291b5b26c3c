/* SPDX-License-Identifier: MIT */
/* Every public function when memory runs out: the n-th allocation fails, for n = 1, 2, 3 … until a whole
 * scenario passes. Each call says SCARD_E_NO_MEMORY or succeeds, nothing leaks, and the library works on. */
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/api_kit.h"
#include "tests/unit/failing_alloc.h"

#define NOTHING_FAILED 3 /* exit status */

static bool passed(LONG code)
{
    if (code != SCARD_S_SUCCESS)
        assert_code(code, SCARD_E_NO_MEMORY);
    return code == SCARD_S_SUCCESS;
}

static void use_card(SCARDCONTEXT context, SCARDHANDLE card)
{
    char *name = NULL;
    BYTE *atr = NULL, *attribute = NULL, answer[64];
    DWORD name_length = SCARD_AUTOALLOCATE, atr_length = SCARD_AUTOALLOCATE, length = SCARD_AUTOALLOCATE;

    if (passed(SCardStatus(card, (LPSTR)&name, &name_length, NULL, NULL, (LPBYTE)&atr, &atr_length)))
        passed(SCardFreeMemory(context, name)); /* the ATR is left to the release */
    else
        assert_true(!name && !atr);
    if (passed(SCardGetAttrib(card, SCARD_ATTR_VENDOR_NAME, (LPBYTE)&attribute, &length)))
        passed(SCardFreeMemory(context, attribute));
    else
        assert_null(attribute);
    passed(SCardBeginTransaction(card));
    passed(transmit_echo(card));
    length = 0;
    passed(SCardControl(card, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, answer, sizeof answer, &length));
    passed(SCardSetAttrib(card, SCARD_ATTR_SUPRESS_T1_IFS_REQUEST, (LPCBYTE) "\1", 1));
    passed(SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, SCARD_RESET_CARD, NULL));
    passed(SCardEndTransaction(card, SCARD_LEAVE_CARD));
}

static void use_context(SCARDCONTEXT context)
{
    SCARD_READERSTATE states[20];
    SCARDHANDLE card = 77;
    char *text = NULL;
    DWORD length = SCARD_AUTOALLOCATE, protocol;

    passed(SCardIsValidContext(context));
    passed(SCardListReaders(context, NULL, (LPSTR)&text, &length));
    length = SCARD_AUTOALLOCATE;
    if (passed(SCardListReaderGroups(context, (LPSTR)&text, &length)))
        passed(SCardFreeMemory(context, text));
    length = SCARD_AUTOALLOCATE;
    passed(scard_reader_fact(context, ECHO, "device", (LPSTR)&text, &length));
    for (unsigned i = 0; i < 20; i++)
        states[i] = (SCARD_READERSTATE){.szReader = ECHO};
    passed(SCardGetStatusChange(context, 0, states, 20));
    passed(SCardCancel(context));
    passed(scard_abort(context));
    if (!passed(SCardConnect(context, ECHO, SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, &protocol))) {
        assert_int_equal(card, 0);
        return;
    }
    use_card(context, card);
    passed(SCardDisconnect(card, SCARD_RESET_CARD));
}

static void scenario(void)
{
    SCARDCONTEXT context = 77;

    if (passed(SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context))) {
        use_context(context);
        passed(SCardReleaseContext(context));
    } else {
        assert_int_equal(context, 0);
    }
}

/* The n-th allocation fails while run runs. False when there were fewer. */
static bool run_with_failure(void (*run)(void), unsigned n)
{
    failing_alloc_arm(n);
    run();
    failing_alloc_arm(0);
    return failing_alloc_hit();
}

/* The service runs already; only the functions allocate. */
static void with_a_service_that_runs(void **state)
{
    SCARDCONTEXT keeper = establish();
    unsigned n = 0;

    (void)state;
    while (run_with_failure(scenario, ++n))
        scenario();
    assert_true(n > 15);
    assert_code(SCardReleaseContext(keeper), SCARD_S_SUCCESS);
}

static void start_service(void)
{
    SCARDCONTEXT context = 77;

    if (passed(SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context)))
        passed(SCardReleaseContext(context));
    else
        assert_int_equal(context, 0);
}

/* Each start is a process of its own, which leak detection looks at when it ends. */
static int start_in_child(unsigned n)
{
    char number[16];
    int status;
    pid_t child;

    snprintf(number, sizeof number, "%u", n);
    child = fork();
    assert_true(child >= 0);
    if (!child) {
        execl("/proc/self/exe", "start", number, (char *)NULL);
        _exit(99);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void starts(unsigned at_least)
{
    unsigned n = 0;
    int result;

    do
        result = start_in_child(++n);
    while (!result);
    assert_int_equal(result, NOTHING_FAILED);
    assert_true(n > at_least);
}

static void while_the_service_starts(void **state)
{
    char path[] = P_tmpdir "/scard-alloc-XXXXXX";
    int fd;

    (void)state;
    setenv("SCARD_READERS", "sim:echo sim:iso?serial=1 vpcd:0", 1);
    starts(20);
    unsetenv("SCARD_READERS");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "readers = ( \"sim:echo\", \"sim:odd\" );\n") > 0);
    close(fd);
    setenv("SCARD_CONFIG", path, 1);
    starts(20);
    unlink(path);
    setenv("SCARD_READERS", "sim:echo", 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_a_service_that_runs),
        cmocka_unit_test(while_the_service_starts),
    };

    setenv("SCARD_SERVICE", "local", 1); /* whatever server the machine has */
    /* With a number: only the start of the service, with that allocation failing. */
    if (argc > 1) {
        bool hit = run_with_failure(start_service, (unsigned)atoi(argv[1]));

        start_service();
        return hit ? 0 : NOTHING_FAILED;
    }
    setenv("SCARD_READERS", "sim:echo", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
