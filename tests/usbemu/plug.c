/* SPDX-License-Identifier: MIT */
/* Readers on the emulated bus through the public functions: they come, go, and cannot be used. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus_kit.h"

#define SECOND "Emu Reader 01 00"

/* A TPDU reader with a card in. */
static struct emu_reader *plug_reader(const char *path)
{
    struct emu_reader *reader = bus_reader("tpdu", "");

    bus_plug(reader, path, "sim:iso");
    return reader;
}

static LONG select_file(SCARDHANDLE card)
{
    static const BYTE command[] = {0x00, 0xA4, 0x00, 0x00, 0x02, 0x3F, 0x00};
    BYTE response[258];
    DWORD length = sizeof response;

    return SCardTransmit(card, SCARD_PCI_T1, command, sizeof command, NULL, response, &length);
}

static void assert_works(SCARDCONTEXT context, const char *reader)
{
    SCARD_READERSTATE state = {.szReader = reader, .dwCurrentState = SCARD_STATE_EMPTY};
    SCARDHANDLE card;

    assert_code(SCardGetStatusChange(context, PATIENCE_MS, &state, 1), SCARD_S_SUCCESS);
    card = connect_shared(context, reader);
    assert_code(select_file(card), SCARD_S_SUCCESS);
    assert_code(SCardDisconnect(card, SCARD_RESET_CARD), SCARD_S_SUCCESS);
}

/* As Windows' functions tell it. */
static void identity_is_told(SCARDCONTEXT context)
{
    char text[64];
    DWORD length = sizeof text, type = 0;

    assert_code(SCardGetReaderDeviceInstanceId(context, BUS_FIRST, text, &length), SCARD_S_SUCCESS);
    assert_string_equal(text, "usb:1-2:1.0");
    assert_code(SCardGetDeviceTypeId(context, BUS_FIRST, &type), SCARD_S_SUCCESS);
    assert_int_equal(type, SCARD_READER_TYPE_USB);
    length = sizeof text;
    assert_code(SCardListReadersWithDeviceInstanceId(context, "usb:1-2:1.0", text, &length), SCARD_S_SUCCESS);
    assert_string_equal(text, BUS_FIRST);
    length = sizeof text;
    assert_code(SCardListReadersWithDeviceInstanceId(context, "usb:1-2:1.1", text, &length),
                SCARD_E_NO_READERS_AVAILABLE);
}

static void reader_is_there_at_the_start(void **state)
{
    SCARDCONTEXT context;

    (void)state;
    plug_reader("1-2");
    context = establish();
    assert_string_equal(bus_list(context), BUS_FIRST);
    assert_string_equal(bus_fact(context, BUS_FIRST, "device"), "usb:1-2:1.0");
    identity_is_told(context);
    assert_string_equal(bus_fact(context, BUS_FIRST, "problem"), "");
    assert_has(bus_fact(context, BUS_FIRST, "facts"), "\nlevel=TPDU\n");
    assert_has(bus_fact(context, BUS_FIRST, "facts"), "path=usb:1-2:1.0\n");
    assert_works(context, BUS_FIRST);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void *plug_soon(void *argument)
{
    emu_plug(emu_reader_device(argument), NULL);
    return NULL;
}

static void arrival_wakes_who_waits(void **state)
{
    struct emu_reader *reader = bus_reader("extended", "");
    SCARDCONTEXT context = establish();
    SCARD_READERSTATE watch = {.szReader = BUS_PNP, .dwCurrentState = bus_list_events(context)};
    pthread_t thread;

    (void)state;
    assert_string_equal(bus_list(context), "");
    assert_int_equal(pthread_create(&thread, NULL, plug_soon, reader), 0);
    assert_code(SCardGetStatusChange(context, PATIENCE_MS, &watch, 1), SCARD_S_SUCCESS);
    assert_true(watch.dwEventState & SCARD_STATE_CHANGED);
    pthread_join(thread, NULL);
    assert_string_equal(bus_list(context), BUS_FIRST);
    watch.dwCurrentState = watch.dwEventState;
    bus_unplug(reader);
    assert_code(SCardGetStatusChange(context, PATIENCE_MS, &watch, 1), SCARD_S_SUCCESS);
    assert_string_equal(bus_list(context), "");
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

struct transmit {
    SCARDHANDLE card;
    LONG code;
};

static void *transmit(void *argument)
{
    struct transmit *call = argument;

    call->code = select_file(call->card);
    return NULL;
}

/* Until that many messages of a type went out to the reader. */
static void await_count(struct emu_reader *reader, uint8_t type, size_t count)
{
    for (unsigned ms = 0; emu_reader_count(reader, EMU_OUT, type) < count; ms++) {
        assert_true(ms < PATIENCE_MS);
        usleep(1000);
    }
}

static void removal_ends_a_transmit(void **state)
{
    SCARDCONTEXT context = establish();
    struct emu_reader *reader = plug_reader("1-3");
    struct transmit call;
    size_t before;
    pthread_t thread;
    DWORD length = 0;

    (void)state;
    bus_await_list(context, BUS_FIRST);
    assert_works(context, BUS_FIRST);
    call.card = connect_shared(context, BUS_FIRST);
    before = emu_reader_count(reader, EMU_OUT, 0x6F);
    assert_int_equal(emu_reader_fault_text(reader, "in 6F silent"), 0);
    assert_int_equal(pthread_create(&thread, NULL, transmit, &call), 0);
    await_count(reader, 0x6F, before + 1);
    bus_unplug(reader);
    pthread_join(thread, NULL);
    assert_code(call.code, SCARD_E_READER_UNAVAILABLE);
    bus_await_list(context, "");
    assert_code(SCardStatus(call.card, NULL, &length, NULL, NULL, NULL, NULL), SCARD_E_READER_UNAVAILABLE);
    assert_code(SCardConnect(context, BUS_FIRST, SCARD_SHARE_SHARED, 3, &call.card, &length),
                SCARD_E_UNKNOWN_READER);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void plugged_in_again_it_has_its_name(void **state)
{
    SCARDCONTEXT context = establish();
    struct emu_reader *reader = plug_reader("1-2");
    unsigned address = emu_bus_address(emu_reader_device(reader));

    (void)state;
    bus_await_list(context, BUS_FIRST);
    for (unsigned i = 0; i < 20; i++) {
        DWORD events = bus_list_events(context);

        assert_works(context, BUS_FIRST);
        bus_unplug(reader);
        if (i & 1)
            bus_await_list(context, "");
        bus_plug(reader, i & 2 ? "1-4" : "1-2", NULL);
        /* One that has gone and one that has come. */
        for (DWORD now = events; now < events + 0x20000; now = bus_list_events(context)) {
            SCARD_READERSTATE watch = {.szReader = BUS_PNP, .dwCurrentState = now};

            assert_code(SCardGetStatusChange(context, PATIENCE_MS, &watch, 1), SCARD_S_SUCCESS);
        }
        assert_string_equal(bus_list(context), BUS_FIRST);
    }
    assert_works(context, BUS_FIRST);
    assert_int_not_equal(emu_bus_address(emu_reader_device(reader)), address);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void two_of_a_model_have_numbers(void **state)
{
    SCARDCONTEXT context = establish();
    struct emu_reader *one = plug_reader("1-2");

    (void)state;
    bus_await_list(context, BUS_FIRST);
    plug_reader("1-3");
    bus_await_list(context, BUS_FIRST ", " SECOND);
    assert_string_equal(bus_fact(context, SECOND, "device"), "usb:1-3:1.0");
    bus_unplug(one);
    bus_await_list(context, SECOND);
    assert_works(context, SECOND);
    bus_plug(one, "1-5", NULL);
    bus_await_list(context, SECOND ", " BUS_FIRST);
    assert_string_equal(bus_fact(context, BUS_FIRST, "device"), "usb:1-5:1.0");
    assert_works(context, BUS_FIRST);
    assert_works(context, SECOND);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

/* A name that a program was told once is to be the same reader's the next time. */
static void numbers_follow_the_bus_whoever_is_ready_first(void **state)
{
    SCARDCONTEXT context;

    (void)state;
    bus_plug(bus_reader("tpdu", "wake_ms=100"), "1-2", NULL);
    plug_reader("1-3");
    plug_reader("1-4");
    context = establish();
    bus_await_list(context, BUS_FIRST ", " SECOND ", "
                                      "Emu Reader 02 00");
    assert_string_equal(bus_fact(context, BUS_FIRST, "device"), "usb:1-2:1.0");
    assert_string_equal(bus_fact(context, SECOND, "device"), "usb:1-3:1.0");
    assert_string_equal(bus_fact(context, "Emu Reader 02 00", "device"), "usb:1-4:1.0");
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void composite_device_is_two_readers(void **state)
{
    struct emu_reader *reader = bus_reader("tpdu", "interfaces=2 keyboard=1");
    SCARDCONTEXT context = establish();
    char first[32], second[32];

    (void)state;
    assert_int_equal(emu_reader_insert(reader, 1, "sim:iso"), 0);
    bus_plug(reader, "1-2", NULL);
    bus_await_list(context, BUS_FIRST ", " SECOND);
    snprintf(first, sizeof first, "%s", bus_fact(context, BUS_FIRST, "device"));
    snprintf(second, sizeof second, "%s", bus_fact(context, SECOND, "device"));
    assert_string_not_equal(first, second);
    assert_has(first, "usb:1-2:1.");
    assert_works(context, SECOND);
    bus_unplug(reader);
    bus_await_list(context, "");
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void assert_unusable(SCARDCONTEXT context, const char *reader, const char *word)
{
    SCARD_READERSTATE watch = {.szReader = reader};
    SCARDHANDLE card;
    DWORD protocol;

    assert_code(SCardGetStatusChange(context, 0, &watch, 1), SCARD_S_SUCCESS);
    assert_true(watch.dwEventState & SCARD_STATE_UNAVAILABLE);
    assert_code(SCardConnect(context, reader, SCARD_SHARE_SHARED, 3, &card, &protocol),
                SCARD_E_READER_UNAVAILABLE);
    assert_has(scard_error_detail(), word);
    assert_has(bus_fact(context, reader, "problem"), word);
    assert_has(bus_fact(context, reader, "facts"), "\nlevel=TPDU\n");
}

/* It becomes usable under the same name. */
static void await_usable(SCARDCONTEXT context, const char *reader)
{
    while (bus_fact(context, reader, "problem")[0]) {
        SCARD_READERSTATE watch = {.szReader = BUS_PNP, .dwCurrentState = bus_list_events(context)};

        if (!bus_fact(context, reader, "problem")[0])
            break;
        if (SCardGetStatusChange(context, PATIENCE_MS, &watch, 1))
            fail_msg("'%s' stays", bus_fact(context, reader, "problem"));
    }
    assert_works(context, reader);
}

static struct emu_reader *plug_as(const struct emu_place *place)
{
    struct emu_reader *reader = bus_reader("tpdu", "");

    assert_int_equal(emu_reader_insert(reader, 0, "sim:iso"), 0);
    assert_int_equal(emu_plug_as(emu_reader_device(reader), place), 0);
    return reader;
}

static void denied_reader_is_usable_once_it_is_permitted(void **state)
{
    SCARDCONTEXT context = establish();
    struct emu_reader *reader = plug_as(&(struct emu_place){.path = "1-2", .denied = true});

    (void)state;
    bus_await_list(context, BUS_FIRST);
    assert_unusable(context, BUS_FIRST, "permission");
    emu_bus_permit(emu_reader_device(reader), true);
    await_usable(context, BUS_FIRST);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void held_reader_is_usable_once_it_is_given_up(void **state)
{
    SCARDCONTEXT context = establish();
    struct emu_reader *reader = plug_as(&(struct emu_place){.path = "1-2", .held = 1});

    (void)state;
    bus_await_list(context, BUS_FIRST);
    assert_unusable(context, BUS_FIRST, "program");
    emu_bus_hold(emu_reader_device(reader), 0, false);
    await_usable(context, BUS_FIRST);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void bound_reader_is_usable_once_it_is_unbound(void **state)
{
    SCARDCONTEXT context = establish();
    struct emu_reader *reader =
        plug_as(&(struct emu_place){.path = "1-2", .bound = 1, .driver = "pn533_usb"});

    (void)state;
    bus_await_list(context, BUS_FIRST);
    assert_unusable(context, BUS_FIRST, "driver");
    emu_bus_bind(emu_reader_device(reader), 0, NULL);
    await_usable(context, BUS_FIRST);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void unusable_reader_goes_when_it_is_unplugged(void **state)
{
    SCARDCONTEXT context = establish();
    struct emu_reader *reader = plug_as(&(struct emu_place){.path = "1-2", .denied = true});

    (void)state;
    bus_await_list(context, BUS_FIRST);
    bus_unplug(reader);
    bus_await_list(context, "");
    bus_plug(reader, "1-2", NULL);
    bus_await_list(context, BUS_FIRST);
    await_usable(context, BUS_FIRST);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void bad_firmware_is_told(void **state)
{
    SCARDCONTEXT context = establish();

    (void)state;
    bus_plug(bus_reader("tpdu", "vid=0x04E6 pid=0x5111 bcd_device=1"), "1-2", NULL);
    bus_await_list(context, BUS_FIRST);
    assert_unusable(context, BUS_FIRST, "firmware");
    assert_unusable(context, BUS_FIRST, "usb:1-2:1.0?firmware=any");
    assert_has(bus_fact(context, BUS_FIRST, "facts"), "\nfirmware-needed=");
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

/* One that is being opened holds up nobody, and may be pulled out. */
static void slow_reader_is_alone_with_it(void **state)
{
    struct emu_reader *slow = bus_reader("tpdu", "product=Slow");
    SCARDCONTEXT context = establish();

    (void)state;
    assert_int_equal(emu_reader_fault_text(slow, "in count=1000 silent"), 0);
    bus_plug(slow, "1-2", NULL);
    await_count(slow, 0, 1);
    plug_reader("1-3");
    bus_await_list(context, BUS_FIRST);
    assert_works(context, BUS_FIRST);
    bus_unplug(slow);
    emu_reader_no_faults(slow);
    bus_plug(slow, "1-2", NULL);
    bus_await_list(context, BUS_FIRST ", Emu Slow 01 00");
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static atomic_bool storm_over;

/* A program that does not care what it meets. */
static void *use(void *argument)
{
    const char *reader = argument;
    SCARDCONTEXT context = establish();

    while (!storm_over) {
        SCARD_READERSTATE watch = {.szReader = BUS_PNP, .dwCurrentState = bus_list_events(context)};
        SCARDHANDLE card;
        DWORD protocol;

        if (SCardConnect(context, reader, SCARD_SHARE_SHARED, 3, &card, &protocol)) {
            SCardGetStatusChange(context, 50, &watch, 1);
            continue;
        }
        while (!select_file(card) && !storm_over)
            ;
        SCardDisconnect(card, SCARD_LEAVE_CARD);
    }
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
    return NULL;
}

/* Pulled out and plugged in at any moment, with transmits under way. */
static void storm(void **state)
{
    static char names[2][32] = {BUS_FIRST, SECOND};
    struct emu_reader *both[2];
    pthread_t threads[2];
    SCARDCONTEXT context = establish();

    (void)state;
    both[0] = plug_reader("1-2");
    bus_await_list(context, BUS_FIRST);
    both[1] = plug_reader("1-3");
    bus_await_list(context, BUS_FIRST ", " SECOND);
    storm_over = false;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use, names[i]), 0);
    for (unsigned i = 0; i < 300; i++) {
        struct emu_reader *reader = both[i * 7 / 3 % 2];
        size_t sent = emu_reader_count(reader, EMU_OUT, 0);

        bus_unplug(reader);
        bus_plug(reader, NULL, NULL);
        /* Some are pulled out again before they are open, most in the middle of their work. */
        if (i % 4)
            await_count(reader, 0, sent + i % 40);
    }
    storm_over = true;
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 2; i++)
        bus_unplug(both[i]);
    bus_await_list(context, "");
    bus_plug(both[0], "1-2", NULL);
    bus_await_list(context, BUS_FIRST);
    assert_works(context, BUS_FIRST);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

/* An open node of the emulated bus is a pipe. */
static unsigned count_pipes(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < 256; fd++) {
        char path[32], what[16];

        /* By name: other threads may be closing what fstat would touch. */
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        count += readlink(path, what, sizeof what) > 5 && !memcmp(what, "pipe:", 5);
    }
    return count;
}

/* The child has the device open no longer, and the parent's reader works on. */
static void child_gives_the_reader_up(void **state)
{
    unsigned before = count_pipes();
    SCARDCONTEXT context;
    SCARDHANDLE card;
    pid_t child;
    int status;

    (void)state;
    plug_reader("1-2");
    context = establish();
    bus_await_list(context, BUS_FIRST);
    card = connect_shared(context, BUS_FIRST);
    assert_true(count_pipes() > before);
    child = fork();
    if (!child)
        _exit(count_pipes() > before);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_code(select_file(card), SCARD_S_SUCCESS);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

/* Everything at once under a context that is released: nothing is left open. */
static void release_lets_go_of_everything(void **state)
{
    struct emu_reader *works = plug_reader("1-2"), *silent = bus_reader("tpdu", "");
    SCARDCONTEXT context = establish();

    (void)state;
    bus_await_list(context, BUS_FIRST);
    plug_as(&(struct emu_place){.path = "1-3", .denied = true});
    bus_await_list(context, BUS_FIRST ", " SECOND);
    assert_int_equal(emu_reader_fault_text(silent, "in count=1000 silent"), 0);
    bus_plug(silent, "1-4", NULL);
    await_count(silent, 0, 1);
    connect_shared(context, BUS_FIRST);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
    assert_true(emu_bus_await_files(emu_reader_device(works), 0, PATIENCE_MS));
    assert_true(emu_bus_await_files(emu_reader_device(silent), 0, PATIENCE_MS));
}

static void only_the_chosen_model_is_taken(void **state)
{
    struct emu_reader *reader = plug_reader("1-2"),
                      *other = bus_reader("tpdu", "vid=0x1209 pid=0xABCD product=Other");
    SCARDCONTEXT context = establish();

    (void)state;
    bus_await_list(context, BUS_FIRST);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
    /* The service has stopped when it has let go of this; the next one reads the environment anew. */
    assert_true(emu_bus_await_files(emu_reader_device(reader), 0, PATIENCE_MS));
    bus_plug(other, "1-3", NULL);
    setenv("SCARD_READERS", "usb:1209:abcd sim:echo", 1);
    context = establish();
    assert_string_equal(bus_list(context), ECHO ", Emu Other 01 00");
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
    assert_true(emu_bus_await_files(emu_reader_device(other), 0, PATIENCE_MS));
    setenv("SCARD_READERS", "usb:", 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, bus_finish)

/* With a number: a bus as hard to live with as that seed makes it. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(reader_is_there_at_the_start),
        TEST(child_gives_the_reader_up),
        TEST(arrival_wakes_who_waits),
        TEST(removal_ends_a_transmit),
        TEST(plugged_in_again_it_has_its_name),
        TEST(two_of_a_model_have_numbers),
        TEST(numbers_follow_the_bus_whoever_is_ready_first),
        TEST(composite_device_is_two_readers),
        TEST(denied_reader_is_usable_once_it_is_permitted),
        TEST(held_reader_is_usable_once_it_is_given_up),
        TEST(bound_reader_is_usable_once_it_is_unbound),
        TEST(unusable_reader_goes_when_it_is_unplugged),
        TEST(bad_firmware_is_told),
        TEST(slow_reader_is_alone_with_it),
        TEST(storm),
        TEST(release_lets_go_of_everything),
        TEST(only_the_chosen_model_is_taken),
    };

    if (argc > 1)
        emu_bus_seed(strtoull(argv[1], NULL, 0));
    setenv("SCARD_READERS", "usb:", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
