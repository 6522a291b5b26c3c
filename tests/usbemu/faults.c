/* SPDX-License-Identifier: MIT */
/*
 * Whatever goes wrong at whichever message: a program's session over a reader on the emulated bus, once
 * without a fault to count the messages, then once for each of them and each fault. Every call ends in a code
 * of its documentation, what is told as data is the card's, and the next command works - after what the code
 * asks for.
 */
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "bus_kit.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MAX_CODES 10
#define SECONDS 60 /* after which a row hangs */

/* The driver waits seconds for an answer that does not come; with a divisor set, a part of it, and never more
 * than of three seconds. */
static atomic_uint divisor;

struct deadline __real_deadline_in_ms(uint64_t timeout_ms);
struct deadline __wrap_deadline_in_ms(uint64_t timeout_ms);

struct deadline __wrap_deadline_in_ms(uint64_t timeout_ms)
{
    unsigned by = divisor;

    if (by && timeout_ms >= 1000)
        timeout_ms = (timeout_ms < 3000 ? timeout_ms : 3000) / by;
    return __real_deadline_in_ms(timeout_ms);
}

enum harm {
    HARMS,    /* the call may fail */
    HARMLESS, /* nothing may be seen of it */
    REMOVES,  /* the card */
    UNPLUGS,
};

struct fault {
    const char *where, *action;
    enum harm harm;
    const char *also; /* another rule for the same session; NULL: none */
};

static const struct fault bulk_faults[] = {
    {"in", "stall", HARMS, NULL},
    {"in", "silent", HARMS, NULL},
    {"in", "short=5", HARMS, NULL},
    {"in", "short=9", HARMS, NULL},
    {"in", "empty", HARMS, NULL},
    {"in", "babble", HARMS, NULL},
    {"in", "proto", HARMS, NULL},
    {"in", "badseq", HARMS, NULL},
    {"in", "badslot", HARMS, NULL},
    {"in", "badtype", HARMS, NULL},
    {"in", "badlength", HARMS, NULL},
    {"in", "badlength=80", HARMS, NULL},
    {"in", "error=FE", HARMS, NULL},
    {"in", "error=FD", HARMS, NULL},
    {"in", "error=FB", HARMS, NULL},
    {"in", "error=F4", HARMS, NULL},
    {"in", "error=00", HARMS, NULL},
    {"in", "error=07", HARMS, NULL},
    {"in", "stray", HARMLESS, NULL},
    {"in", "stale", HARMLESS, NULL},
    {"in", "extend=3", HARMLESS, NULL},
    {"in", "delay=2", HARMLESS, NULL},
    {"in", "remove", REMOVES, NULL},
    {"in", "unplug", UNPLUGS, NULL},
    {"in", "unplug=1", UNPLUGS, NULL},
    {"out", "stall", HARMS, NULL},
    {"out", "silent", HARMS, NULL},
    {"out", "silent=2", HARMLESS, NULL},
    {"out", "empty", HARMS, NULL},
    {"out", "proto", HARMS, NULL},
    {"out", "remove", REMOVES, NULL},
    {"out", "unplug", UNPLUGS, NULL},
    /* An abort that fails, too (CCID 1.1, 5.3.1). */
    {"in", "silent", HARMS, "control 01 stall"},
    {"in", "silent", HARMS, "control 01 silent"},
    {"in", "silent", HARMS, "in 72 silent"},
    {"in", "badseq", HARMS, "in 72 badseq"},
    {"in", "silent", HARMS, "in 72 stall"},
    {"in", "silent", UNPLUGS, "out 72 unplug"},
};

/* ICCD: all of it is control transfers. */
static const struct fault control_faults[] = {
    {"control", "stall", HARMS, NULL},
    {"control", "silent", HARMS, NULL},
    {"control", "short=0", HARMS, NULL},
    {"control", "empty", HARMS, NULL},
    {"control", "proto", HARMS, NULL},
    {"control", "unplug", UNPLUGS, NULL},
    {"control", "unplug=1", UNPLUGS, NULL},
    /* Not for version A: a card may give less than was asked for. */
    {"control", "short=1", HARMS, NULL},
};

static const struct reader_row {
    const char *preset, *options;
    DWORD protocol;
    const char *card;
    const struct fault *faults;
    size_t fault_count;
} rows[] = {
#define BULK bulk_faults, COUNT(bulk_faults)
#define CONTROL control_faults, COUNT(control_faults)
    {"tpdu", "", SCARD_PROTOCOL_T1, "sim:echo?protocol=T1&line.ta1=95", BULK},
    {"tpdu", "", SCARD_PROTOCOL_T0, "sim:echo?protocol=T0&line.ta1=95", BULK},
    {"tpdu-auto", "", SCARD_PROTOCOL_T1, "sim:echo?protocol=T1", BULK},
    {"short", "", SCARD_PROTOCOL_T0, "sim:echo?protocol=T0", BULK},
    {"extended", "max_message=64", SCARD_PROTOCOL_T1, "sim:echo?protocol=T1", BULK},
    {"character", "", SCARD_PROTOCOL_T0, "sim:echo?protocol=T0", BULK},
    {"nointerrupt", "", SCARD_PROTOCOL_T1, "sim:echo?protocol=T1", BULK},
    {"iccd-a", "", SCARD_PROTOCOL_T0, "sim:echo?protocol=T0", control_faults, COUNT(control_faults) - 1},
    {"iccd-b", "", SCARD_PROTOCOL_T1, "sim:echo?protocol=T1", CONTROL},
};

static struct {
    const struct reader_row *row;
    const struct fault *fault; /* NULL: none */
    unsigned nth;
    SCARDCONTEXT context;
    struct emu_reader *emulated;
    SCARDHANDLE card; /* 0: not connected */
    bool patient;     /* the row is run again, with all of the time */
    unsigned failures;
    jmp_buf next_row;
} the;

#define FAIL(...)                                                                                            \
    do {                                                                                                     \
        char words[512];                                                                                     \
        snprintf(words, sizeof words, __VA_ARGS__);                                                          \
        fail_row(words);                                                                                     \
    } while (0)

/* A row that fails is told and, if it was given a part of the time only, tried again; then comes the next
 * one. */
static void fail_row(const char *words)
{
    const struct fault *fault = the.fault;

    print_error("%s T=%d, %s nth=%u %s%s%s: %s\n", the.row->preset, the.row->protocol == SCARD_PROTOCOL_T1,
                fault ? fault->where : "no fault", the.nth, fault ? fault->action : "",
                fault && fault->also ? ", " : "", fault && fault->also ? fault->also : "", words);
    the.failures += the.patient;
    longjmp(the.next_row, 1);
}

/* The code of a call must be a documented one, with words if it is a failure. */
static LONG ended(const char *call, LONG code, const LONG documented[MAX_CODES])
{
    for (size_t i = 0; code && documented[i] != code; i++)
        if (!documented[i])
            FAIL("%s: %s is no answer of it: %s", call, pcsc_stringify_error(code), scard_error_detail());
    if (code && !*scard_error_detail() && code != SCARD_W_REMOVED_CARD && code != SCARD_W_RESET_CARD &&
        code != SCARD_E_NO_SMARTCARD)
        FAIL("%s: %s without a word", call, pcsc_stringify_error(code));
    if (code && the.fault && the.fault->harm == HARMLESS)
        FAIL("%s: %s: %s", call, pcsc_stringify_error(code), scard_error_detail());
    return code;
}

static LONG do_connect(void)
{
    static const LONG documented[MAX_CODES] = {SCARD_W_UNPOWERED_CARD,     SCARD_W_UNRESPONSIVE_CARD,
                                               SCARD_E_READER_UNAVAILABLE, SCARD_E_UNKNOWN_READER,
                                               SCARD_E_NO_SMARTCARD,       0};
    DWORD protocol;

    return ended(
        "connect",
        SCardConnect(the.context, BUS_FIRST, SCARD_SHARE_SHARED, the.row->protocol, &the.card, &protocol),
        documented);
}

/* The echo card answers its data: so many bytes. With T=0 a command without Le, and what it brings. */
static LONG do_transmit(size_t count)
{
    static const LONG documented[MAX_CODES] = {
        SCARD_E_NOT_TRANSACTED, SCARD_E_READER_UNAVAILABLE, SCARD_F_COMM_ERROR,          SCARD_E_NO_SMARTCARD,
        SCARD_W_REMOVED_CARD,   SCARD_W_RESET_CARD,         SCARD_E_UNSUPPORTED_FEATURE, 0};
    const SCARD_IO_REQUEST *pci = the.row->protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1;
    BYTE command[300] = {0, 0xD6, 0, 0, (BYTE)count}, response[300];
    DWORD length = sizeof response;
    LONG code;

    for (size_t i = 0; i < count; i++)
        command[5 + i] = (BYTE)(i * 3);
    code = ended("transmit", SCardTransmit(the.card, pci, command, 5 + count + 1, NULL, response, &length),
                 documented);
    if (!code && length == 2 && response[0] == 0x61) {
        const BYTE get_response[] = {0, 0xC0, 0, 0, response[1]};

        length = sizeof response;
        code = ended("GET RESPONSE",
                     SCardTransmit(the.card, pci, get_response, sizeof get_response, NULL, response, &length),
                     documented);
    }
    if (!code && (length != count + 2 || memcmp(response, command + 5, count) || response[count] != 0x90))
        FAIL("a wrong answer of %lu bytes is told as the card's", (unsigned long)length);
    return code;
}

static LONG do_status(void)
{
    static const LONG documented[MAX_CODES] = {SCARD_E_READER_UNAVAILABLE, SCARD_E_NO_SMARTCARD,
                                               SCARD_W_REMOVED_CARD, SCARD_W_RESET_CARD, 0};
    DWORD length = 0;

    return ended("status", SCardStatus(the.card, NULL, &length, NULL, NULL, NULL, NULL), documented);
}

static LONG do_reconnect(void)
{
    static const LONG documented[MAX_CODES] = {SCARD_W_UNPOWERED_CARD,     SCARD_W_UNRESPONSIVE_CARD,
                                               SCARD_E_READER_UNAVAILABLE, SCARD_E_NO_SMARTCARD,
                                               SCARD_W_REMOVED_CARD,       0};
    DWORD protocol;

    return ended("reconnect",
                 SCardReconnect(the.card, SCARD_SHARE_SHARED, the.row->protocol, SCARD_RESET_CARD, &protocol),
                 documented);
}

static LONG do_disconnect(void)
{
    static const LONG documented[MAX_CODES] = {SCARD_E_READER_UNAVAILABLE, SCARD_E_NO_SMARTCARD,
                                               SCARD_W_REMOVED_CARD, 0};
    SCARDHANDLE card = the.card;

    the.card = 0;
    return ended("disconnect", SCardDisconnect(card, SCARD_UNPOWER_CARD), documented);
}

/* Until something fails. */
static LONG session(void)
{
    LONG code = do_connect();

    if (code)
        return code;
    code = do_transmit(3);
    if (!code)
        code = do_transmit(150);
    if (!code)
        code = do_status();
    if (!code)
        code = do_reconnect();
    if (!code)
        code = do_transmit(1);
    if (!code)
        code = do_disconnect();
    return code;
}

/* What a program does when a command has failed: again; or as the code says. */
static void go_on(void)
{
    LONG code = the.card ? do_transmit(5) : do_connect();

    if (code && the.card) {
        if (do_reconnect())
            FAIL("then reconnect: %s: %s", pcsc_stringify_error(do_reconnect()), scard_error_detail());
        code = do_transmit(5);
    }
    if (code)
        FAIL("then: %s: %s", pcsc_stringify_error(code), scard_error_detail());
}

static void start_anew(void)
{
    if (the.card)
        SCardDisconnect(the.card, SCARD_RESET_CARD);
    the.card = 0;
    bus_await_card(the.context, BUS_FIRST, true);
}

static void mend(LONG code)
{
    enum harm harm = the.fault->harm;

    if (harm == REMOVES) {
        bus_await_card(the.context, BUS_FIRST, false);
        assert_int_equal(emu_reader_insert(the.emulated, 0, the.row->card), 0);
        bus_await_card(the.context, BUS_FIRST, true);
    } else if (harm == UNPLUGS) {
        if (code && code != SCARD_E_READER_UNAVAILABLE && code != SCARD_E_UNKNOWN_READER)
            FAIL("unplugged: %s: %s", pcsc_stringify_error(code), scard_error_detail());
        bus_await_list(the.context, "");
        emu_reader_no_faults(the.emulated);
        assert_int_equal(emu_plug(emu_reader_device(the.emulated), "1-2"), 0);
        bus_await_list(the.context, BUS_FIRST);
        start_anew();
    }
}

static void fault_row(const struct fault *fault)
{
    char rule[64];
    LONG code;

    snprintf(rule, sizeof rule, "%s nth=%u %s", fault->where, the.nth, fault->action);
    assert_int_equal(emu_reader_fault_text(the.emulated, rule), 0);
    if (fault->also)
        assert_int_equal(emu_reader_fault_text(the.emulated, fault->also), 0);
    if (fault->harm != HARMLESS)
        divisor = the.patient ? 1 : fault->also ? 15 : 100;
    code = session();
    divisor = 0;
    mend(code);
    emu_reader_no_faults(the.emulated);
    go_on();
    if (the.card)
        do_disconnect();
    start_anew();
    if (emu_blamed())
        FAIL("the driver is to blame");
}

static void replug(void)
{
    divisor = 0;
    emu_reader_no_faults(the.emulated);
    bus_unplug(the.emulated);
    bus_await_list(the.context, "");
    bus_plug(the.emulated, "1-2", the.row->card);
    bus_await_list(the.context, BUS_FIRST);
    start_anew();
    emu_blamed();
}

/* False: it failed. */
static bool try(const struct fault *fault)
{
    alarm(SECONDS);
    the.fault = fault;
    if (!setjmp(the.next_row)) {
        fault_row(fault);
        return true;
    }
    replug();
    return false;
}

/* On a machine with more to do, a part of the time may be too short for the abort of a command: the driver
 * gives it up then, as it should. What is wrong with all of the time is wrong. */
static void run(const struct fault *fault, unsigned nth)
{
    the.nth = nth;
    the.patient = fault->harm == HARMLESS;
    if (!try(fault) && !the.patient) {
        the.patient = true;
        if (try(fault))
            print_message("with all of the time, that went well\n");
    }
    the.patient = true;
    alarm(0);
}

/* How many messages a session is, of that direction. */
static unsigned count_messages(enum emu_where where)
{
    size_t before = emu_reader_count(the.emulated, where, 0);

    the.fault = NULL;
    assert_code(session(), SCARD_S_SUCCESS);
    start_anew();
    return (unsigned)(emu_reader_count(the.emulated, where, 0) - before);
}

static enum emu_where where_of(const struct fault *fault)
{
    return fault->where[0] == 'i' ? EMU_IN : fault->where[0] == 'o' ? EMU_OUT : EMU_CONTROL;
}

static void matrix(void **state)
{
    unsigned messages[EMU_CONTROL + 1];

    the.failures = 0;
    the.patient = true;
    the.row = *state;
    the.context = establish();
    the.emulated = bus_reader(the.row->preset, the.row->options);
    bus_plug(the.emulated, "1-2", the.row->card);
    bus_await_list(the.context, BUS_FIRST);
    start_anew();
    for (enum emu_where where = EMU_OUT; where <= EMU_CONTROL; where++)
        messages[where] = count_messages(where);
    print_message("%s T=%d: %u messages out, %u in, %u control\n", the.row->preset,
                  the.row->protocol == SCARD_PROTOCOL_T1, messages[EMU_OUT], messages[EMU_IN],
                  messages[EMU_CONTROL]);
    for (size_t i = 0; i < the.row->fault_count; i++)
        for (unsigned nth = 1; nth <= messages[where_of(&the.row->faults[i])]; nth++)
            run(&the.row->faults[i], nth);
    assert_int_equal(the.failures, 0);
    assert_code(SCardReleaseContext(the.context), SCARD_S_SUCCESS);
}

static int run_row(size_t row)
{
    const struct CMUnitTest tests[] = {{.name = rows[row].preset,
                                        .test_func = matrix,
                                        .teardown_func = bus_finish,
                                        .initial_state = (void *)(uintptr_t)&rows[row]}};

    return cmocka_run_group_tests_name("faults", tests, bus_begin, bus_end);
}

/* Each in a process of its own, with a bus of its own, and all at once: most of the time they wait. */
static int run_rows(void)
{
    pid_t children[COUNT(rows)];
    int failed = 0;

    for (size_t i = 0; i < COUNT(rows); i++) {
        char number[8];

        snprintf(number, sizeof number, "%zu", i);
        children[i] = fork();
        if (!children[i]) {
            execl("/proc/self/exe", "faults", number, (char *)NULL);
            _exit(99);
        }
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status;

        if (children[i] < 0 || waitpid(children[i], &status, 0) < 0 || status) {
            print_error("row %zu (%s) failed\n", i, rows[i].preset);
            failed++;
        }
    }
    return failed;
}

/* With a number: the row of that number alone. */
int main(int argc, char **argv)
{
    return argc > 1 ? run_row(strtoul(argv[1], NULL, 0) % COUNT(rows)) : run_rows();
}
