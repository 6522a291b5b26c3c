/* SPDX-License-Identifier: MIT */
/*
 * libcacard, a CAC card that nobody here wrote, through the whole library: it comes in by the vpcd protocol,
 * is selected, gives its certificate by GET RESPONSE, and leaves in the middle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <scard.h>

#include "base/hex.h"

#define WAIT_MS 60000 /* for what must happen; never waited out when all is well */

static const uint8_t card_atr[] = {0x3B, 0x7A, 0x18, 0x00, 0x00, 0x73, 0x66, 0x74,
                                   0x65, 0x20, 0x63, 0x64, 0x31, 0x34, 0x34};

static struct {
    SCARDCONTEXT context;
    char reader[128];
    const char *port;
    char device[64];
    SCARD_READERSTATE seen; /* what the last wait told */
    pid_t bridge;           /* 0 = the card is out */
} world;

static void wait_for(DWORD state)
{
    while (!(world.seen.dwEventState & state)) {
        world.seen.dwCurrentState = world.seen.dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
        assert_int_equal(SCardGetStatusChange(world.context, WAIT_MS, &world.seen, 1), SCARD_S_SUCCESS);
    }
}

static void insert(void)
{
    world.bridge = fork();
    assert_true(world.bridge >= 0);
    if (world.bridge == 0) {
        execl(CACARD_BRIDGE, "cacard_bridge", world.port, NSSDB, (char *)NULL);
        _exit(127);
    }
    wait_for(SCARD_STATE_PRESENT);
}

/* The card program dies as by a crash; whether the library has noticed is the test's matter. */
static void kill_card(void)
{
    kill(world.bridge, SIGKILL);
    waitpid(world.bridge, NULL, 0);
    world.bridge = 0;
}

static int open_reader(void **state)
{
    DWORD length = sizeof world.reader;

    (void)state;
    if (setenv("SCARD_READERS", "vpcd:0", 1) ||
        SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &world.context) ||
        SCardListReaders(world.context, NULL, world.reader, &length))
        return -1;
    length = sizeof world.device;
    if (scard_reader_fact(world.context, world.reader, "device", world.device, &length))
        return -1;
    world.port = strchr(world.device, ':') + 1;
    world.seen.szReader = world.reader;
    return 0;
}

static int close_reader(void **state)
{
    (void)state;
    return SCardReleaseContext(world.context) == SCARD_S_SUCCESS ? 0 : -1;
}

/* Every test begins with the card in its fresh state, and ends with it out. */
static int card_in(void **state)
{
    (void)state;
    insert();
    return 0;
}

static int card_out(void **state)
{
    (void)state;
    if (world.bridge)
        kill_card();
    wait_for(SCARD_STATE_EMPTY);
    return 0;
}

static SCARDHANDLE connect_card(void)
{
    SCARDHANDLE card;
    DWORD protocol;

    assert_int_equal(SCardConnect(world.context, world.reader, SCARD_SHARE_SHARED,
                                  SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card, &protocol),
                     SCARD_S_SUCCESS);
    assert_int_equal(protocol, SCARD_PROTOCOL_T0); /* no TD1 in its ATR */
    return card;
}

static LONG transmit(SCARDHANDLE card, const uint8_t *command, size_t length, uint8_t *response,
                     DWORD *ret_length)
{
    return SCardTransmit(card, SCARD_PCI_T0, command, length, NULL, response, ret_length);
}

/* Sends the hex text and wants exactly the hex answer. */
static void exchange(SCARDHANDLE card, const char *command, const char *answer)
{
    uint8_t bytes[300], response[300], wanted[300];
    DWORD length = sizeof response;
    size_t count, wanted_length, at;

    assert_int_equal(hex_parse(command, strlen(command), bytes, &count, &at), 0);
    assert_int_equal(hex_parse(answer, strlen(answer), wanted, &wanted_length, &at), 0);
    assert_int_equal(transmit(card, bytes, count, response, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, wanted_length);
    assert_memory_equal(response, wanted, wanted_length);
}

/* CAC READ BUFFER of the value buffer: 61xx, then GET RESPONSE. Returns the bytes got. */
static size_t read_buffer(SCARDHANDLE card, size_t offset, uint8_t count, uint8_t *out)
{
    uint8_t read[] = {0x80, 0x52, (uint8_t)(offset >> 8), (uint8_t)offset, 0x02, 0x02, count};
    uint8_t get_response[] = {0x00, 0xC0, 0x00, 0x00, 0x00};
    uint8_t response[258];
    DWORD length = sizeof response;

    assert_int_equal(transmit(card, read, sizeof read, response, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, 2);
    assert_int_equal(response[0], 0x61);
    get_response[4] = response[1];
    length = sizeof response;
    assert_int_equal(transmit(card, get_response, sizeof get_response, response, &length), SCARD_S_SUCCESS);
    assert_int_equal(length, get_response[4] + 2U);
    assert_int_equal(response[length - 2], 0x90);
    memcpy(out, response, length - 2);
    return length - 2;
}

static void card_is_listed_with_its_atr(void **state)
{
    SCARDHANDLE card = connect_card();
    char name[128];
    uint8_t atr[MAX_ATR_SIZE];
    DWORD name_length = sizeof name, atr_length = sizeof atr, card_state, protocol;

    (void)state;
    assert_int_equal(world.seen.cbAtr, sizeof card_atr);
    assert_memory_equal(world.seen.rgbAtr, card_atr, sizeof card_atr);
    assert_int_equal(SCardStatus(card, name, &name_length, &card_state, &protocol, atr, &atr_length),
                     SCARD_S_SUCCESS);
    assert_string_equal(name, world.reader);
    assert_int_equal(card_state & 0xFFFF, SCARD_PRESENT | SCARD_POWERED | SCARD_NEGOTIABLE);
    assert_int_equal(protocol, SCARD_PROTOCOL_T0);
    assert_int_equal(atr_length, sizeof card_atr);
    assert_memory_equal(atr, card_atr, sizeof card_atr);
    assert_int_equal(SCardDisconnect(card, SCARD_RESET_CARD), SCARD_S_SUCCESS);
}

static void applets_are_selected(void **state)
{
    SCARDHANDLE card = connect_card();

    (void)state;
    exchange(card, "00A4040007A000000079010000", "6F0B8407A0000000790100A5009000"); /* with Le */
    exchange(card, "00A4040007A0000000790300", "610D");
    exchange(card, "00C000000D", "6F0B8407A0000000790300A5009000");
    exchange(card, "00A4040007A0000000799900", "6A82");
    assert_int_equal(SCardDisconnect(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
}

/* The certificate that certutil wrote out of the database is the one that comes through the reader. */
static void certificate_is_read(void **state)
{
    SCARDHANDLE card = connect_card();
    static uint8_t der[4096], value[4096];
    FILE *file = fopen(CERTIFICATE, "rb");
    size_t der_length, length, got = 2;

    (void)state;
    assert_non_null(file);
    der_length = fread(der, 1, sizeof der, file);
    fclose(file);
    assert_in_range(der_length, 500, 3000);

    assert_int_equal(SCardBeginTransaction(card), SCARD_S_SUCCESS);
    exchange(card, "00A4040007A0000000790100", "610D");
    assert_int_equal(read_buffer(card, 0, 2, value), 2);
    length = 2 + (size_t)(value[0] | value[1] << 8);
    assert_in_range(length, der_length, sizeof value);
    while (got < length) {
        size_t rest = length - got;

        got += read_buffer(card, got, (uint8_t)(rest < 0x80 ? rest : 0x80), value + got);
    }
    assert_int_equal(SCardEndTransaction(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
    assert_non_null(memmem(value, length, der, der_length));
    assert_int_equal(SCardDisconnect(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
}

static void reset_makes_the_card_fresh(void **state)
{
    SCARDHANDLE card = connect_card();
    DWORD protocol;

    (void)state;
    exchange(card, "00A4040007A0000000790100", "610D");
    assert_int_equal(
        SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0, SCARD_UNPOWER_CARD, &protocol),
        SCARD_S_SUCCESS);
    exchange(card, "00A4040007A000000079010000", "6F0B8407A0000000790100A5009000");
    assert_int_equal(SCardDisconnect(card, SCARD_UNPOWER_CARD), SCARD_S_SUCCESS);
}

struct waiter {
    SCARD_READERSTATE reader;
    LONG rv;
};

static void *wait_thread(void *argument)
{
    struct waiter *waiter = argument;

    waiter->rv = SCardGetStatusChange(world.context, WAIT_MS, &waiter->reader, 1);
    return NULL;
}

static void removal_wakes_a_wait_and_marks_the_handle(void **state)
{
    SCARDHANDLE card = connect_card();
    struct waiter waiter = {.rv = -1, .reader = {.szReader = world.reader}};
    uint8_t select[] = {0x00, 0xA4, 0x00, 0x00}, response[258];
    DWORD length = sizeof response, protocol;
    pthread_t thread;

    (void)state;
    assert_int_equal(SCardGetStatusChange(world.context, 0, &waiter.reader, 1), SCARD_S_SUCCESS);
    assert_true(waiter.reader.dwEventState & SCARD_STATE_PRESENT);
    waiter.reader.dwCurrentState = waiter.reader.dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
    assert_int_equal(pthread_create(&thread, NULL, wait_thread, &waiter), 0);
    kill_card();
    pthread_join(thread, NULL);
    assert_int_equal(waiter.rv, SCARD_S_SUCCESS);
    assert_true(waiter.reader.dwEventState & SCARD_STATE_EMPTY);

    assert_int_equal(transmit(card, select, sizeof select, response, &length), SCARD_W_REMOVED_CARD);
    wait_for(SCARD_STATE_EMPTY);
    insert();
    length = sizeof response;
    assert_int_equal(transmit(card, select, sizeof select, response, &length), SCARD_W_REMOVED_CARD);
    assert_int_equal(SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0, SCARD_LEAVE_CARD, &protocol),
                     SCARD_S_SUCCESS);
    exchange(card, "00A4040007A0000000790300", "610D");
    assert_int_equal(SCardDisconnect(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
}

struct sender {
    SCARDHANDLE card;
    LONG rv;
};

static void *transmit_thread(void *argument)
{
    struct sender *sender = argument;
    uint8_t select[] = {0x00, 0xA4, 0x00, 0x00}, response[258];
    DWORD length = sizeof response;

    sender->rv = transmit(sender->card, select, sizeof select, response, &length);
    return NULL;
}

/* The card program is stopped, so the command cannot be answered whether it is sent before or after the
 * death. */
static void card_that_dies_over_a_command_ends_it(void **state)
{
    struct sender sender = {.card = connect_card(), .rv = -1};
    pthread_t thread;

    (void)state;
    exchange(sender.card, "00A4040007A0000000790300", "610D");
    kill(world.bridge, SIGSTOP);
    assert_int_equal(pthread_create(&thread, NULL, transmit_thread, &sender), 0);
    kill_card();
    pthread_join(thread, NULL);
    assert_true(sender.rv == SCARD_W_REMOVED_CARD || sender.rv == SCARD_E_NO_SMARTCARD);
    assert_int_equal(SCardDisconnect(sender.card, SCARD_RESET_CARD), SCARD_S_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(card_is_listed_with_its_atr, card_in, card_out),
        cmocka_unit_test_setup_teardown(applets_are_selected, card_in, card_out),
        cmocka_unit_test_setup_teardown(certificate_is_read, card_in, card_out),
        cmocka_unit_test_setup_teardown(reset_makes_the_card_fresh, card_in, card_out),
        cmocka_unit_test_setup_teardown(removal_wakes_a_wait_and_marks_the_handle, card_in, card_out),
        cmocka_unit_test_setup_teardown(card_that_dies_over_a_command_ends_it, card_in, card_out),
    };

    return cmocka_run_group_tests(tests, open_reader, close_reader);
}
