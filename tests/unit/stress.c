/* SPDX-License-Identifier: MIT */
/* Many threads, few contexts and readers, every public function at random, cards and readers that come and
 * go. Handles are common property: any thread closes what another uses. What must hold throughout: no two
 * calls at once on a device, nobody else's command within a transaction, only codes that the contract knows,
 * and an end. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "api/setup.h"
#include "base/rc.h"
#include "manager/local.h"
#include "tests/conform/test_reader.h"
#include "tests/unit/api_kit.h"

#define WORKERS 6
#define OPERATIONS 10000
#define READERS 3
#define CONTEXTS 4
#define CARDS 8
#define PATIENCE_SECONDS 240

static struct service *service;
static struct reader *devices[READERS];
static const char *const names[] = {"Test 00 00", "Test 01 00", "Test 02 00", "Nobody 00 00"};
static atomic_long contexts[CONTEXTS], cards[CARDS];
static atomic_bool over;
static atomic_uint transactions, exchanges, changes;

struct worker {
    pthread_t thread;
    uint32_t random;
};

static unsigned draw(struct worker *worker, unsigned below)
{
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 17;
    worker->random ^= worker->random << 5;
    return worker->random % below;
}

/* Is the code one that may come while everything comes and goes? */
static LONG check(LONG code)
{
    static const LONG known[] = {
        SCARD_S_SUCCESS,
        SCARD_E_CANCELLED,
        SCARD_E_INVALID_HANDLE,
        SCARD_E_TIMEOUT,
        SCARD_W_RESET_CARD,
        SCARD_W_REMOVED_CARD,
        SCARD_E_SHARING_VIOLATION,
        SCARD_E_NO_SMARTCARD,
        SCARD_E_NOT_TRANSACTED,
        SCARD_E_READER_UNAVAILABLE,
        SCARD_E_UNKNOWN_READER,
        SCARD_E_PROTO_MISMATCH,
        SCARD_E_NO_READERS_AVAILABLE,
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (code == known[i])
            return code;
    fprintf(stderr, "unexpected: %s\n", pcsc_stringify_error(code));
    abort();
}

static LONG transmit(SCARDHANDLE card)
{
    static const BYTE command[] = {0, 1, 2, 3};
    BYTE response[16];
    DWORD length = sizeof response;
    LONG code = check(SCardTransmit(card, SCARD_PCI_RAW, command, sizeof command, NULL, response, &length));

    if (code == SCARD_S_SUCCESS)
        atomic_fetch_add(&exchanges, 1);
    return code;
}

static void renew_context(struct worker *worker)
{
    SCARDCONTEXT fresh = establish();

    check(SCardReleaseContext(atomic_exchange(&contexts[draw(worker, CONTEXTS)], fresh)));
}

static void renew_card(struct worker *worker, SCARDCONTEXT context)
{
    static const DWORD shares[] = {SCARD_SHARE_SHARED, SCARD_SHARE_SHARED, SCARD_SHARE_DIRECT,
                                   SCARD_SHARE_EXCLUSIVE};
    SCARDHANDLE fresh = 0;
    DWORD protocol;

    if (check(SCardConnect(context, names[draw(worker, 4)], shares[draw(worker, 4)], SCARD_PROTOCOL_ANY,
                           &fresh, &protocol)))
        return;
    fresh = atomic_exchange(&cards[draw(worker, CARDS)], fresh);
    check(SCardDisconnect(fresh, draw(worker, 4)));
}

/* Between a begin and an end, on whatever handle it is, every exchange on the device is one of its holders'.
 */
static void common_transaction(struct worker *worker, SCARDHANDLE card)
{
    if (check(SCardBeginTransaction(card)))
        return;
    transmit(card);
    if (check(SCardEndTransaction(card, draw(worker, 8) ? SCARD_LEAVE_CARD : SCARD_RESET_CARD)) ==
        SCARD_E_CANCELLED)
        check(SCardEndTransaction(card, SCARD_LEAVE_CARD));
}

/* A handle of this thread alone: if all its exchanges succeed there was no other on the device. */
static void private_transaction(struct worker *worker)
{
    unsigned reader = draw(worker, 2), before, after;
    SCARDCONTEXT context = establish();
    SCARDHANDLE card;
    bool undisturbed;

    if (check(SCardConnect(context, names[reader], SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, NULL)) ==
            SCARD_S_SUCCESS &&
        check(SCardBeginTransaction(card)) == SCARD_S_SUCCESS) {
        before = test_reader_count(devices[reader], OP_TRANSMIT);
        undisturbed = !transmit(card) && !transmit(card);
        after = test_reader_count(devices[reader], OP_TRANSMIT);
        /* A card pulled after the second exchange ends the transaction too; the third tells that it was not.
         */
        undisturbed = undisturbed && !transmit(card);
        if (undisturbed && after - before != 2) {
            fprintf(stderr, "%u exchanges within a transaction of 2\n", after - before);
            abort();
        }
        atomic_fetch_add(&transactions, undisturbed);
        if (draw(worker, 2))
            check(SCardEndTransaction(card, SCARD_LEAVE_CARD));
    }
    check(SCardReleaseContext(context)); /* perhaps with the transaction open */
}

static void watch(struct worker *worker, SCARDCONTEXT context)
{
    SCARD_READERSTATE states[3] = {
        {.szReader = names[draw(worker, READERS)]},
        {.szReader = "\\\\?PnP?\\Notification"},
        {.szReader = names[draw(worker, READERS)],
         .dwCurrentState = draw(worker, 2) ? SCARD_STATE_IGNORE : 0},
    };

    for (unsigned i = 0; i < 3; i++) {
        if (check(SCardGetStatusChange(context, draw(worker, 4), states, 3)) == SCARD_S_SUCCESS)
            atomic_fetch_add(&changes, 1);
        for (unsigned j = 0; j < 2; j++)
            states[j].dwCurrentState = states[j].dwEventState;
    }
}

static void ask(struct worker *worker, SCARDCONTEXT context, SCARDHANDLE card)
{
    char *text = NULL;
    BYTE answer[4];
    DWORD length = SCARD_AUTOALLOCATE, room = sizeof answer;

    switch (draw(worker, 5)) {
    case 0:
        if (!check(SCardListReaders(context, NULL, (LPSTR)&text, &length)) && draw(worker, 2))
            check(SCardFreeMemory(context, text));
        break;
    case 1:
        check(SCardStatus(card, (LPSTR)&text, &length, NULL, NULL, NULL, NULL));
        break;
    case 2:
        check(SCardControl(card, TEST_CONTROL_ECHO, "abc", 3, answer, sizeof answer, &room));
        break;
    case 3:
        check(SCardGetAttrib(card, SCARD_ATTR_VENDOR_NAME, (LPBYTE)&text, &length));
        break;
    default:
        check(SCardIsValidContext(context));
        break;
    }
}

static void operate(struct worker *worker)
{
    SCARDCONTEXT context = atomic_load(&contexts[draw(worker, CONTEXTS)]);
    SCARDHANDLE card = atomic_load(&cards[draw(worker, CARDS)]);

    switch (draw(worker, 16)) {
    case 0:
        renew_context(worker);
        break;
    case 1:
    case 2:
    case 3:
        renew_card(worker, context);
        break;
    case 4:
    case 5:
        common_transaction(worker, card);
        break;
    case 6:
    case 7:
        private_transaction(worker);
        break;
    case 8:
        watch(worker, context);
        break;
    case 9:
        check(draw(worker, 2) ? SCardCancel(context) : scard_abort(context));
        break;
    case 10:
        check(SCardReconnect(card, draw(worker, 4) ? SCARD_SHARE_SHARED : SCARD_SHARE_EXCLUSIVE,
                             SCARD_PROTOCOL_ANY, draw(worker, 3), NULL));
        break;
    case 11:
        check(SCardDisconnect(card, draw(worker, 4)));
        break;
    case 12:
    case 13:
        transmit(card);
        break;
    default:
        ask(worker, context, card);
        break;
    }
}

static void *work(void *argument)
{
    struct worker *worker = argument;

    for (unsigned i = 0; i < OPERATIONS; i++)
        operate(worker);
    return NULL;
}

static struct reader *attach(void)
{
    struct reader *device = test_reader_new(0);

    test_reader_insert(device);
    if (local_add(service, &device, 1))
        abort();
    return device;
}

static void detach(struct reader *device)
{
    local_remove(service, device);
    if (test_reader_was_abused(device) || !test_reader_is_closed(device))
        abort();
    test_reader_free(device);
}

/* Cards of the first two readers come and go, and the third reader as a whole. */
static void *disturb(void *argument)
{
    struct worker *worker = argument;

    while (!atomic_load(&over)) {
        struct reader *device = devices[draw(worker, 2)];

        test_reader_remove(device);
        usleep(draw(worker, 1000));
        test_reader_insert(device);
        usleep(draw(worker, 4000));
        if (draw(worker, 4) == 0) {
            detach(devices[2]);
            devices[2] = attach();
        }
    }
    return NULL;
}

static void nothing_breaks(void **state)
{
    struct worker workers[WORKERS], disturber = {.random = 99};

    (void)state;
    alarm(PATIENCE_SECONDS);
    assert_int_equal(setup_get_service(&service), RC_OK);
    local_set_idle_power_ms(service, 1);
    for (unsigned i = 0; i < READERS; i++)
        devices[i] = attach();
    for (unsigned i = 0; i < CONTEXTS; i++)
        atomic_store(&contexts[i], establish());
    assert_int_equal(pthread_create(&disturber.thread, NULL, disturb, &disturber), 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].random = 2463534242u + i;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
    atomic_store(&over, true);
    pthread_join(disturber.thread, NULL);
    for (unsigned i = 0; i < CONTEXTS; i++)
        assert_code(SCardReleaseContext(atomic_load(&contexts[i])), SCARD_S_SUCCESS);
    for (unsigned i = 0; i < READERS; i++)
        detach(devices[i]);
    setup_put_service(service);
    /* It has really been at work. */
    print_message("%u undisturbed transactions, %u exchanges, %u changes\n", transactions, exchanges,
                  changes);
    assert_true(transactions > 20);
    assert_true(exchanges > 200);
    assert_true(changes > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_breaks)};

    setenv("SCARD_READERS", "", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
