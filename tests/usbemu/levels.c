/* SPDX-License-Identifier: MIT */
/* Every shape of reader with every protocol through the public functions: what a program does with a card.
 * Behind them are the manager, the driver, libusb, the emulated bus and reader, T=0 or T=1, and a card. */
#include "bus_kit.h"

#include "driver/ccid_message.h"

#define T0 SCARD_PROTOCOL_T0
#define T1 SCARD_PROTOCOL_T1
#define BOTH (T0 | T1)

static const struct shape {
    const char *preset;
    DWORD protocols;
    bool passes_61; /* T=0 as the card says it: GET RESPONSE is the caller's */
    DWORD extended; /* protocols that carry extended APDUs */
    const char *level;
} shapes[] = {
    {"tpdu", BOTH, true, T1, "TPDU"},
    {"tpdu-volts", BOTH, true, T1, "TPDU"},
    {"tpdu-pps", BOTH, true, T1, "TPDU"},
    {"tpdu-auto", BOTH, true, T1, "TPDU"},
    {"short", BOTH, false, 0, "short APDU"},
    {"short-pps", BOTH, false, 0, "short APDU"},
    {"extended", BOTH, false, BOTH, "extended APDU"},
    {"extended-big", BOTH, false, BOTH, "extended APDU"},
    {"extended-64", BOTH, false, BOTH, "extended APDU"},
    {"character", BOTH, true, T1, "character"},
    {"iccd-a", T0, true, 0, "character"},
    {"iccd-b", BOTH, false, BOTH, "extended APDU"},
    {"iccd-b-tpdu", BOTH, true, T1, "TPDU"},
    {"nointerrupt", BOTH, true, T1, "TPDU"},
    {"activating", BOTH, false, BOTH, "extended APDU"},
    {"multislot", BOTH, true, T1, "TPDU"},
    {"busyslots", BOTH, false, BOTH, "extended APDU"},
    {"pinpad", BOTH, true, T1, "TPDU"},
    {"pinpad-short", BOTH, false, 0, "short APDU"},
    {"composite", BOTH, true, T1, "TPDU"},
    {"class-ff", BOTH, true, T1, "TPDU"},
    {"behind", BOTH, true, T1, "TPDU"},
    {"type-ff", BOTH, true, T1, "TPDU"},
    {"no-class", 0, false, 0, NULL}, /* unusable: nothing says what it can do */
    {"mechanical", BOTH, true, T1, "TPDU"},
    {"alcor", BOTH, true, T1, "TPDU"},
    {"acr122", BOTH, false, 0, "short APDU"},
    {"acr122-old", 0, false, 0, NULL}, /* unusable: firmware known as bad */
    {"omnikey", BOTH, false, BOTH, "extended APDU"},
    {"scm", BOTH, true, T1, "TPDU"},
    {"spr532", BOTH, true, T1, "TPDU"},
    {"scm-old", BOTH, true, T1, "TPDU"},
    {"gempc-twin", BOTH, true, T1, "TPDU"},
    {"cherry-xx33", BOTH, true, T1, "TPDU"},
    {"cherry-kc1000", BOTH, false, BOTH, "extended APDU"},
    {"kobil", BOTH, false, BOTH, "extended APDU"},
    {"o2micro", BOTH, true, T1, "character"},
    {"gnuk", T1, false, BOTH, "extended APDU"},
    {"yubikey", T1, false, BOTH, "extended APDU"},
    {"qemu", BOTH, true, T1, "TPDU"},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROOM 65600

static struct session {
    const struct shape *shape;
    SCARDCONTEXT context;
    char reader[64];
    SCARDHANDLE card;
    DWORD protocol;
    struct emu_reader *emulated;
    BYTE response[ROOM];
    DWORD length;
} the;

static const struct shape *shape_of(const char *preset)
{
    for (size_t i = 0; i < COUNT(shapes); i++)
        if (!strcmp(shapes[i].preset, preset))
            return &shapes[i];
    fail_msg("the preset '%s' is not in the table of this test", preset);
    return NULL;
}

static LONG transmit(const BYTE *command, size_t length)
{
    the.length = sizeof the.response;
    return SCardTransmit(the.card, the.protocol == T0 ? SCARD_PCI_T0 : SCARD_PCI_T1, command, length, NULL,
                         the.response, &the.length);
}
#define TRANSMIT(...) transmit((const BYTE[]){__VA_ARGS__}, sizeof((const BYTE[]){__VA_ARGS__}))

#define ANSWERED(...)                                                                                        \
    do {                                                                                                     \
        assert_int_equal(the.length, sizeof((const BYTE[]){__VA_ARGS__}));                                   \
        assert_memory_equal(the.response, ((const BYTE[]){__VA_ARGS__}), the.length);                        \
    } while (0)

static void assert_worked(LONG code, const char *what)
{
    if (code)
        fail_msg("%s, T=%d: %s: %s: %s", the.shape->preset, the.protocol == T1, what,
                 pcsc_stringify_error(code), scard_error_detail());
}

/* What a program does with a card of T=0. */
static bool transmit_all(const BYTE *command, size_t length)
{
    assert_worked(transmit(command, length), "transmit");
    if (the.length != 2 || the.response[0] != 0x61)
        return false;
    assert_worked(TRANSMIT(0, 0xC0, 0, 0, the.response[1]), "GET RESPONSE");
    return true;
}

static void short_apdus(void)
{
    static const BYTE case_3[] = {0, 0xD6, 0, 0, 3, 'a', 'b', 'c'};
    static const BYTE case_4[] = {0, 0xA4, 4, 0, 3, 'd', 'e', 'f', 0};
    bool by_caller = the.protocol == T0 && the.shape->passes_61;
    BYTE longest[261] = {0, 0xD6, 0, 0, 255};

    for (size_t i = 5; i < sizeof longest; i++)
        longest[i] = (BYTE)i;
    assert_worked(TRANSMIT(0, 0x44, 0, 0), "case 1");
    ANSWERED(0x90, 0x00);
    assert_worked(TRANSMIT(0, 0xB0, 0, 0, 4), "case 2");
    ANSWERED(0, 1, 2, 3, 0x90, 0x00);
    assert_worked(TRANSMIT(0, 0xB0, 0, 0, 0), "case 2, all");
    assert_int_equal(the.length, 258);
    assert_int_equal(the.response[255], 255);
    if (transmit_all(case_3, sizeof case_3) || !by_caller)
        ANSWERED('a', 'b', 'c', 0x90, 0x00);
    assert_true(transmit_all(case_4, sizeof case_4) == by_caller);
    ANSWERED('d', 'e', 'f', 0x90, 0x00);
    transmit_all(longest, sizeof longest);
    assert_int_equal(the.length, 257);
    assert_memory_equal(the.response, longest + 5, 255);
}

/* Refused with words, and before any of it is sent: what the manager asks other slots meanwhile is its own
 * business. */
static void extended_is_refused(const BYTE *command, size_t length)
{
    size_t sent = emu_reader_count(the.emulated, EMU_OUT, CCID_XFR_BLOCK);

    assert_code(transmit(command, length), SCARD_E_UNSUPPORTED_FEATURE);
    assert_has(scard_error_detail(), "short APDUs only");
    assert_has(scard_error_detail(), "at most 256");
    assert_int_equal(emu_reader_count(the.emulated, EMU_OUT, CCID_XFR_BLOCK), sent);
}

static void extended_apdus(void)
{
    static const size_t lengths[] = {257, 4000, 65535};
    static BYTE command[65544];
    bool carried = (the.shape->extended & the.protocol) != 0;

    for (size_t i = 0; i < COUNT(lengths); i++) {
        size_t data = lengths[i];

        memset(command, 0, sizeof command);
        command[1] = 0xD6;
        command[5] = (BYTE)(data >> 8);
        command[6] = (BYTE)data;
        for (size_t j = 0; j < data; j++)
            command[7 + j] = (BYTE)(j * 7 + (j >> 8));
        if (!carried) {
            extended_is_refused(command, data + 9);
            continue;
        }
        assert_worked(transmit(command, data + 9), "extended APDU");
        assert_int_equal(the.length, data + 2);
        assert_memory_equal(the.response, command + 7, data);
        assert_int_equal(the.response[data], 0x90);
    }
}

static void status(void)
{
    char name[128];
    BYTE atr[33];
    DWORD length = sizeof name, state, protocol, atr_length = sizeof atr;

    assert_worked(SCardStatus(the.card, name, &length, &state, &protocol, atr, &atr_length), "status");
    assert_string_equal(name, the.reader);
    assert_int_equal(protocol, the.protocol);
    assert_true((state & SCARD_PRESENT) && (state & SCARD_POWERED));
    assert_true(atr_length >= 2 && atr[0] == 0x3B);
}

static void resets(void)
{
    static const DWORD initializations[] = {SCARD_RESET_CARD, SCARD_UNPOWER_CARD, SCARD_LEAVE_CARD};

    for (size_t i = 0; i < COUNT(initializations); i++) {
        DWORD protocol = 0;

        assert_worked(
            SCardReconnect(the.card, SCARD_SHARE_EXCLUSIVE, the.protocol, initializations[i], &protocol),
            "reconnect");
        assert_int_equal(protocol, the.protocol);
        assert_worked(TRANSMIT(0, 0xB0, 0, 0, 1), "after reset");
        ANSWERED(0, 0x90, 0x00);
    }
}

/* Slot number of a name ends it in hexadecimal. */
static unsigned slot_of(const char *reader)
{
    return (unsigned)strtoul(reader + strlen(reader) - 2, NULL, 16);
}

static void use_card(DWORD protocol)
{
    LONG code = SCardConnect(the.context, the.reader, SCARD_SHARE_SHARED, protocol, &the.card, &the.protocol);

    the.protocol = protocol;
    assert_worked(code, "connect");
    status();
    short_apdus();
    extended_apdus();
    short_apdus();
    resets();
    assert_worked(SCardDisconnect(the.card, SCARD_UNPOWER_CARD), "disconnect");
    assert_false(emu_reader_slot(the.emulated, slot_of(the.reader)).active);
    /* A card that is still connected when its context is released. */
    assert_worked(
        SCardConnect(the.context, the.reader, SCARD_SHARE_EXCLUSIVE, protocol, &the.card, &the.protocol),
        "connect again");
    assert_worked(TRANSMIT(0, 0xB0, 0, 0, 1), "transmit again");
}

/* A card that speaks what the reader does not. */
static void use_other_card(DWORD protocol)
{
    DWORD active;

    assert_code(SCardConnect(the.context, the.reader, SCARD_SHARE_SHARED, protocol, &the.card, &active),
                SCARD_E_PROTO_MISMATCH);
    assert_has(scard_error_detail(), protocol == T1 ? "T=1" : "T=0");
}

static const char *card_of(DWORD protocol)
{
    return protocol == T0 ? "sim:echo?protocol=T0" : "sim:echo?protocol=T1&line.ifsc=254";
}

static void use_shape(const struct shape *shape, DWORD protocol, unsigned slot, const char *list,
                      const char *reader)
{
    print_message("%s T=%d %s\n", shape->preset, protocol == T1, reader);
    the.shape = shape;
    the.context = establish();
    the.emulated = bus_reader(shape->preset, "");
    bus_plug(the.emulated, "1-2", NULL);
    assert_int_equal(emu_reader_insert(the.emulated, slot, card_of(protocol)), 0);
    bus_await_list(the.context, list);
    strcpy(the.reader, reader);
    assert_string_equal(bus_fact(the.context, reader, "problem"), "");
    assert_has(bus_fact(the.context, reader, "facts"), shape->level);
    bus_await_card(the.context, reader, true);
    if (shape->protocols & protocol)
        use_card(protocol);
    else
        use_other_card(protocol);
    assert_worked(SCardReleaseContext(the.context), "release");
    assert_false(bus_is_used(reader));
    bus_finish(NULL);
}

static void every_preset(void **state)
{
    const char *preset;

    (void)state;
    for (size_t i = 0; (preset = emu_reader_preset_name(i)); i++) {
        const struct shape *shape = shape_of(preset);

        for (DWORD protocol = T0; protocol <= T1 && shape->protocols; protocol++) {
            const struct emu_reader_config *config = emu_reader_preset(preset);

            if (config->slots == 1 && config->interfaces == 1)
                use_shape(shape, protocol, 0, BUS_FIRST, BUS_FIRST);
        }
    }
    for (DWORD protocol = T0; protocol <= T1; protocol++) {
        static const char slots[] = "Emu Reader 00 00, Emu Reader 00 01, Emu Reader 00 02, Emu Reader 00 03";

        use_shape(shape_of("multislot"), protocol, 0, slots, "Emu Reader 00 00");
        use_shape(shape_of("multislot"), protocol, 3, slots, "Emu Reader 00 03");
        use_shape(shape_of("busyslots"), protocol, 2, slots, "Emu Reader 00 02");
        use_shape(shape_of("composite"), protocol, 0, "Emu Reader 00 00, Emu Reader 01 00",
                  "Emu Reader 00 00");
    }
}

/* Listed with the reason, and every call says it. */
static void unusable(void **state)
{
    static const struct {
        const char *preset, *reason;
    } rows[] = {{"no-class", "class descriptor"}, {"acr122-old", "firmware"}};
    SCARDCONTEXT context = establish();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct emu_reader *reader = bus_reader(rows[i].preset, "");
        SCARDHANDLE card;
        DWORD protocol;

        bus_plug(reader, "1-2", "sim:echo");
        bus_await_list(context, BUS_FIRST);
        assert_has(bus_fact(context, BUS_FIRST, "problem"), rows[i].reason);
        assert_code(SCardConnect(context, BUS_FIRST, SCARD_SHARE_SHARED, BOTH, &card, &protocol),
                    SCARD_E_READER_UNAVAILABLE);
        assert_has(scard_error_detail(), rows[i].reason);
        bus_unplug(reader);
        bus_await_list(context, "");
    }
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

#define TEST(name) cmocka_unit_test_teardown(name, bus_finish)

/* With a number: a bus as hard to live with as that seed makes it. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {TEST(every_preset), TEST(unusable)};

    if (argc > 1)
        emu_bus_seed(strtoull(argv[1], NULL, 0));
    return cmocka_run_group_tests(tests, bus_begin, bus_end);
}
