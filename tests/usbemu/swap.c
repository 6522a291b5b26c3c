/* SPDX-License-Identifier: MIT */
/* Cards that come and go where the first look does not show it.
 *
 * One that was swapped too fast for the status of the slot is told to programs all the same: by the notice of
 * the reader's interrupt endpoint. */
#include "bus_kit.h"

/* The reader's event counter when its state is no longer as in known. */
static SCARD_READERSTATE await_change(SCARDCONTEXT context, SCARD_READERSTATE known)
{
    SCARD_READERSTATE now = {.szReader = known.szReader,
                             .dwCurrentState = known.dwEventState & ~(DWORD)SCARD_STATE_CHANGED};

    assert_int_equal(SCardGetStatusChange(context, PATIENCE_MS, &now, 1), SCARD_S_SUCCESS);
    assert_true(now.dwEventState & SCARD_STATE_CHANGED);
    return now;
}

static unsigned counter(SCARD_READERSTATE state)
{
    return (unsigned)(state.dwEventState >> 16);
}

static SCARD_READERSTATE with_card(SCARDCONTEXT context)
{
    SCARD_READERSTATE state = {.szReader = BUS_FIRST};

    bus_await_card(context, BUS_FIRST, true);
    assert_int_equal(SCardGetStatusChange(context, 0, &state, 1), SCARD_S_SUCCESS);
    return state;
}

/* Out and in: two events, whoever looks in between. */
static void swap(SCARDCONTEXT context, struct emu_reader *emulated, SCARD_READERSTATE *state)
{
    unsigned before = counter(*state);

    emu_reader_bounce(emulated, 0);
    do
        *state = await_change(context, *state);
    while (!(state->dwEventState & SCARD_STATE_PRESENT) || counter(*state) == before);
    assert_int_equal(counter(*state), before + 2);
}

/* A card in the first reader, connected. */
static SCARDHANDLE begin(SCARDCONTEXT context, struct emu_reader *emulated)
{
    bus_plug(emulated, "1-1", "sim:echo?protocol=T1");
    bus_await_list(context, BUS_FIRST);
    bus_await_card(context, BUS_FIRST, true);
    return connect_shared(context, BUS_FIRST);
}

static void unpowered(void **state)
{
    struct emu_reader *emulated = bus_reader("tpdu", "");
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = begin(context, emulated);
    SCARD_READERSTATE known;

    (void)state;
    assert_int_equal(SCardDisconnect(card, SCARD_UNPOWER_CARD), SCARD_S_SUCCESS);
    known = with_card(context);
    assert_false(emu_reader_slot(emulated, 0).active);
    swap(context, emulated, &known);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

/* The handle of the first card does not reach the second. */
static void activated_by_the_reader(void **state)
{
    struct emu_reader *emulated = bus_reader("activating", "");
    SCARDCONTEXT context = establish();
    SCARDHANDLE card = begin(context, emulated);
    SCARD_READERSTATE known;
    DWORD protocol;

    (void)state;
    known = with_card(context);
    for (unsigned i = 0; i < 3; i++)
        swap(context, emulated, &known);
    assert_int_equal(SCardBeginTransaction(card), SCARD_W_REMOVED_CARD);
    assert_int_equal(SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1, SCARD_LEAVE_CARD, &protocol),
                     SCARD_S_SUCCESS);
    assert_int_equal(SCardDisconnect(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

/* A reader that is opened with a card in tells so by its first notice: no event for programs. */
static void first_notice(void **state)
{
    struct emu_reader *emulated = bus_reader("activating", "");
    SCARDCONTEXT context = establish();

    (void)state;
    bus_plug(emulated, "1-1", "sim:echo?protocol=T1");
    bus_await_list(context, BUS_FIRST);
    assert_int_equal(counter(with_card(context)), 1);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void await_state(SCARDCONTEXT context, DWORD wanted)
{
    SCARD_READERSTATE state = {.szReader = BUS_FIRST};

    do
        state = await_change(context, state);
    while (!(state.dwEventState & wanted));
}

/* A look that fails is made up for. A reader that goes on failing is told as such - and left alone: by its
 * next notice it works again. */
static void looks_that_fail(void **state)
{
    struct emu_reader *emulated = bus_reader("tpdu", "");
    SCARDCONTEXT context = establish();
    size_t asked;

    (void)state;
    bus_plug(emulated, "1-1", NULL);
    bus_await_list(context, BUS_FIRST);
    bus_await_card(context, BUS_FIRST, false);
    assert_int_equal(emu_reader_fault_text(emulated, "in 81 count=4 badtype"), 0);
    assert_int_equal(emu_reader_insert(emulated, 0, "sim:echo?protocol=T1"), 0);
    await_state(context, SCARD_STATE_PRESENT);
    assert_int_equal(emu_reader_fault_text(emulated, "in 81 count=6 badtype"), 0);
    emu_reader_remove(emulated, 0);
    await_state(context, SCARD_STATE_UNAVAILABLE);
    asked = emu_reader_count(emulated, EMU_OUT, 0x65);
    assert_int_equal(emu_reader_insert(emulated, 0, "sim:echo?protocol=T1"), 0);
    await_state(context, SCARD_STATE_PRESENT);
    assert_true(emu_reader_count(emulated, EMU_OUT, 0x65) <= asked + 4);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

/* After the computer has slept the reader has forgotten everything, and the card has no power: programs are
 * told as if another card were in, because it may be one. */
static void reader_that_was_asleep(void **state)
{
    static const BYTE command[] = {0x00, 0xB0, 0x00, 0x00, 0x01};
    struct emu_reader *emulated = bus_reader("tpdu", "");
    SCARDCONTEXT context = establish();
    SCARD_READERSTATE known;
    SCARDHANDLE card;
    DWORD protocol, length;
    BYTE response[258];

    (void)state;
    bus_plug(emulated, "1-1", "sim:echo?protocol=T1");
    bus_await_list(context, BUS_FIRST);
    bus_await_card(context, BUS_FIRST, true);
    assert_int_equal(
        SCardConnect(context, BUS_FIRST, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1, &card, &protocol),
        SCARD_S_SUCCESS);
    known = with_card(context);
    emu_reader_resume(emulated);
    known = await_change(context, known);
    length = sizeof response;
    assert_int_equal(SCardTransmit(card, SCARD_PCI_T1, command, sizeof command, NULL, response, &length),
                     SCARD_W_REMOVED_CARD);
    bus_await_card(context, BUS_FIRST, true);
    assert_int_equal(SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1, SCARD_LEAVE_CARD, &protocol),
                     SCARD_S_SUCCESS);
    length = sizeof response;
    assert_int_equal(SCardTransmit(card, SCARD_PCI_T1, command, sizeof command, NULL, response, &length),
                     SCARD_S_SUCCESS);
    assert_int_equal(length, 3);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(unpowered, bus_finish),
        cmocka_unit_test_teardown(activated_by_the_reader, bus_finish),
        cmocka_unit_test_teardown(first_notice, bus_finish),
        cmocka_unit_test_teardown(looks_that_fail, bus_finish),
        cmocka_unit_test_teardown(reader_that_was_asleep, bus_finish),
    };

    return cmocka_run_group_tests(tests, bus_begin, bus_end);
}
