/* SPDX-License-Identifier: MIT */
/* The trace of SCARD_TRACE: what happened is in it, a line each, and no secret is. */
#include "tests/unit/api_kit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static char path[] = "scard-trace-XXXXXX";
static char text[1 << 20];

/* All that was written so far; each call starts over. */
static const char *trace(void)
{
    int fd = open(path, O_RDWR);
    ssize_t length = read(fd, text, sizeof text - 1);

    assert_true(length >= 0);
    text[length] = '\0';
    assert_int_equal(ftruncate(fd, 0), 0);
    close(fd);
    return text;
}

static bool has(const char *words)
{
    return strstr(text, words) != NULL;
}

static LONG transmit(SCARDHANDLE card, const char *command, size_t length)
{
    BYTE response[258];
    DWORD response_length = sizeof response;

    return SCardTransmit(card, SCARD_PCI_T1, (const BYTE *)command, length, NULL, response, &response_length);
}

static void each_verb_is_a_line_with_its_result(void **state)
{
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_shared(context, ECHO);
    SCARD_READERSTATE reader = {.szReader = ECHO};
    char name[MAX_READERNAME];
    DWORD length = sizeof name, protocol;
    BYTE atr[MAX_ATR_SIZE];

    (void)state;
    assert_int_equal(transmit_echo(card), SCARD_S_SUCCESS);
    assert_int_equal(SCardBeginTransaction(card), SCARD_S_SUCCESS);
    assert_int_equal(SCardEndTransaction(card, SCARD_RESET_CARD), SCARD_S_SUCCESS);
    assert_int_equal(transmit_echo(card), SCARD_W_RESET_CARD);
    assert_int_equal(
        SCardReconnect(card, SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T1, SCARD_UNPOWER_CARD, &protocol),
        SCARD_S_SUCCESS);
    assert_int_equal(SCardStatus(card, name, &length, NULL, NULL, NULL, NULL), SCARD_S_SUCCESS);
    assert_int_equal(SCardGetAttrib(card, SCARD_ATTR_ATR_STRING, NULL, &length), SCARD_S_SUCCESS);
    length = sizeof atr;
    assert_int_equal(SCardGetAttrib(card, SCARD_ATTR_ATR_STRING, atr, &length), SCARD_S_SUCCESS);
    assert_int_equal(SCardGetStatusChange(context, 0, &reader, 1), SCARD_S_SUCCESS);
    assert_int_equal(
        SCardConnect(context, "no\nsuch reader", SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1, &card, &protocol),
        SCARD_E_UNKNOWN_READER);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);

    trace();
    assert_true(has(" SCardEstablishContext #"));
    assert_true(has(" SCardConnect #1 \"" ECHO "\" shared T=0|T=1 > #1.1 T=1  "));
    assert_true(has(" SCardTransmit #1.1 8010000002ABCD > ABCD9000  "));
    assert_true(has(" SCardBeginTransaction #1.1  "));
    assert_true(has(" SCardEndTransaction #1.1 reset  "));
    assert_true(has(" SCardTransmit #1.1 8010000002ABCD ! "));
    assert_true(has(" SCardReconnect #1.1 exclusive T=1 unpower > T=1  "));
    assert_true(has(" SCardStatus #1.1 > "));
    assert_true(has(" SCardGetAttrib #1.1 00090303 > 3B"));
    assert_true(has(" SCardGetStatusChange #1 \"" ECHO "\" 00000000 > "));
    assert_true(has(" SCardConnect #1 \"no?such reader\" shared T=1 ! unknown reader  "));
    assert_true(has(" SCardReleaseContext #1  "));
}

static void no_secret_is_in_it(void **state)
{
    static const struct {
        const char *command;
        size_t length;
    } commands[] = {
        {"\x00\x20\x00\x01\x04\x53\x45\x43\x52", 9},          /* VERIFY */
        {"\x10\x24\x00\x01\x04\x53\x45\x43\x52", 9},          /* CHANGE REFERENCE DATA, chained */
        {"\x00\x2C\x00\x01\x00\x00\x04\x53\x45\x43\x52", 11}, /* extended */
        {"\x00\x20\x00\x01\x08\x53\x45\x43\x52", 9},          /* Lc does not fit */
        {"\x80\xD8\x00\x81\x05\x53\x45\x43\x52\x54\x00", 11}, /* PUT KEY */
        {"\xFF\x82\x00\x00\x06\x53\x45\x43\x52\x45\x54", 11}, /* load keys */
    };
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_shared(context, "scard sim:iso 01 00");
    BYTE answer[16];
    DWORD length;

    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)transmit(card, commands[i].command, commands[i].length);
    (void)SCardControl(card, SCARD_CTL_CODE(3500), "SECR", 4, answer, sizeof answer, &length);
    (void)SCardSetAttrib(card, SCARD_ATTR_SUPRESS_T1_IFS_REQUEST, (const BYTE *)"SECR", 4);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);

    trace();
    assert_true(has(" 0020000104** > "));
    assert_true(has(" 4 bytes"));
    assert_false(has("53454352"));
    assert_false(has("SECR"));
}

#define ROUNDS 50

static void *work(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        SCARDCONTEXT context = establish();
        SCARDHANDLE card = connect_shared(context, ECHO);

        assert_int_equal(transmit_echo(card), SCARD_S_SUCCESS);
        assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
    }
    return NULL;
}

static void lines_of_threads_are_whole(void **state)
{
    pthread_t threads[4];
    size_t lines = 0;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (char *line = (char *)(uintptr_t)trace(); *line; lines++) {
        char *end = strchr(line, '\n');

        assert_non_null(end);
        assert_int_equal(line[2], ':');
        assert_memory_equal(end - 3, " ms", 3);
        line = end + 1;
    }
    assert_int_equal(lines, 4 * ROUNDS * 4);
}

/* Before the first context, in a folder of the test's own. */
static int open_trace(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 || close(fd) || setenv("SCARD_TRACE", path, 1) ||
           setenv("SCARD_READERS", "sim:echo sim:iso", 1) || setenv("SCARD_SERVICE", "local", 1);
}

static int remove_trace(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_verb_is_a_line_with_its_result),
        cmocka_unit_test(no_secret_is_in_it),
        cmocka_unit_test(lines_of_threads_are_whole),
    };

    return cmocka_run_group_tests(tests, open_trace, remove_trace);
}
