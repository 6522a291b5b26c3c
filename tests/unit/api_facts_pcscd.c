/* SPDX-License-Identifier: MIT */
/* Facts of a reader that pcscd does not tell: the functions say so, and what to do. A process speaks pcscd's
 * protocol 4.4 as pcscd does. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/wire.h"
#include "tests/unit/api_kit.h"

#define READER "Reader 00 00"

static char path[] = P_tmpdir "/scard-facts-XXXXXX";

static bool answer(int fd, const struct wire_header *header)
{
    struct wire_reader table[WIRE_LEGACY_READERS] = {
        {.name = READER, .state = WIRE_READER_PRESENT | WIRE_READER_POWERED, .atr = {0x3B}, .atr_length = 2}};
    union {
        uint8_t bytes[512];
        struct wire_version version;
        struct wire_establish establish;
        struct wire_connect connect;
        struct wire_attribute attribute;
    } body = {0};

    if (header->size > sizeof body ||
        (header->size && recv(fd, &body, header->size, MSG_WAITALL) != (ssize_t)header->size))
        return false;
    switch (header->command) {
    case WIRE_GET_LEGACY_TABLE:
        return send(fd, table, sizeof table, MSG_NOSIGNAL) > 0;
    case WIRE_VERSION:
        body.version.rv = body.version.minor == 4 ? 0 : 0x8010001E;
        body.version.minor = 4;
        break;
    case WIRE_ESTABLISH:
        body.establish.context = 7;
        break;
    case WIRE_CONNECT:
        body.connect.card = 8;
        body.connect.protocol = 2;
        break;
    case WIRE_GET_ATTRIBUTE:
        body.attribute.rv = 0x8010001F; /* of libccid, for what it does not know */
        break;
    }
    return send(fd, &body, header->size, MSG_NOSIGNAL) > 0;
}

static void be_pcscd(int listener)
{
    struct wire_header header;

    for (;;) {
        int fd = accept(listener, NULL, NULL);

        while (recv(fd, &header, sizeof header, MSG_WAITALL) == sizeof header && answer(fd, &header))
            ;
        close(fd);
    }
}

static pid_t start(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    pid_t pid;

    snprintf(address.sun_path, sizeof address.sun_path, "%s/pcscd", path);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 8))
        return -1;
    setenv("PCSCLITE_CSOCK_NAME", address.sun_path, 1);
    setenv("SCARD_SERVICE", "pcscd", 1);
    pid = fork();
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        be_pcscd(listener);
    }
    close(listener);
    return pid;
}

static void nothing_is_made_up(void **state)
{
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = connect_shared(context, READER);
    DWORD number = 7;

    (void)state;
    assert_code(SCardGetTransmitCount(card, &number), SCARD_E_UNSUPPORTED_FEATURE);
    assert_non_null(strstr(scard_error_detail(), "'scard serve'"));
    assert_code(SCardGetDeviceTypeId(context, READER, &number), SCARD_E_UNSUPPORTED_FEATURE);
    assert_non_null(strstr(scard_error_detail(), "'scard serve'"));
    assert_code(SCardGetReaderDeviceInstanceId(context, READER, NULL, &number), SCARD_E_UNSUPPORTED_FEATURE);
    assert_code(SCardListReadersWithDeviceInstanceId(context, "usb:1-1:1.0", NULL, &number),
                SCARD_E_UNSUPPORTED_FEATURE);
    assert_int_equal(number, 7);
    assert_code(SCardGetDeviceTypeId(context, "Nobody", &number), SCARD_E_UNKNOWN_READER);
    /* The picture is ours. */
    assert_code(SCardGetReaderIcon(context, READER, NULL, &number), SCARD_S_SUCCESS);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_made_up)};
    char socket_path[sizeof path + 8];
    pid_t pid;
    int failed;

    if (!mkdtemp(path) || (pid = start()) < 0)
        return 1;
    alarm(60);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    snprintf(socket_path, sizeof socket_path, "%s/pcscd", path);
    unlink(socket_path);
    rmdir(path);
    return failed;
}
