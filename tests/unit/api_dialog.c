/* SPDX-License-Identifier: MIT */
/* The dialog that finds a card: silently, and on a terminal of the test's own, where this process is the one
 * who types and puts cards in. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#undef ECHO /* of termios.h: here it is a reader */

#include "tests/unit/database_kit.h"

#define ISO "scard sim:iso 01 00"
#define PATIENCE_MS 60000
#define NUMBER "Number of a reader"
#define WAITING "Waiting for a card"

/* What the process that has the dialog does. */
struct scenario {
    DWORD flags, share;
    const char *cards, *groups;
    const GUID *interface;
    DWORD reader_room, card_room; /* 0: enough */
    bool old, wide, checks, refuses;
    /* Another thread of the process does this to the context when a byte comes from door. */
    LONG (*disturb)(SCARDCONTEXT context);
    int door;
};

/* And what came of it. */
struct outcome {
    LONG code, extended;
    char reader[128], card[64], calls[256];
    DWORD reader_length, card_length, protocol;
    bool connected, modes_kept;
};

static char present[2][64]; /* files: a card is in the reader */
static char calls[256];
static WCHAR wide_cards[64];
static const GUID id = {1, 2, 3, {4}};

static void put_in(unsigned reader, bool in)
{
    if (in)
        close(open(present[reader], O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    else
        unlink(present[reader]);
}

static int begin(void **state)
{
    kit_clear(state);
    kit_write(KIT_USER "cards.d/echo.conf",
              "name = \"Echo\"; atr = \"3B 94 96 81 31 FE 45 65 63 68 6F 08\";\n"
              "interfaces = ( \"{00000001-0002-0003-0400-000000000000}\" );\n");
    put_in(0, false);
    put_in(1, false);
    return 0;
}

static SCARDHANDLE on_connect(SCARDCONTEXT context, LPSTR reader, LPSTR cards, PVOID user)
{
    SCARDHANDLE card;
    DWORD protocol;

    assert_ptr_equal(user, calls);
    sprintf(calls + strlen(calls), "connect(%.10s,%s) ", reader + strlen("scard "), cards);
    return SCardConnectA(context, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, &protocol) ? 0
                                                                                                    : card;
}

static SCARDHANDLE on_connect_wide(SCARDCONTEXT context, LPWSTR reader, LPWSTR cards, PVOID user)
{
    SCARDHANDLE card;
    DWORD protocol;

    assert_ptr_equal(user, calls);
    sprintf(calls + strlen(calls), "wide(%c%c) ", (char)reader[10], (char)cards[0]);
    return SCardConnectW(context, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, &protocol) ? 0
                                                                                                    : card;
}

static BOOL on_check(SCARDCONTEXT context, SCARDHANDLE card, PVOID user)
{
    (void)context;
    (void)user;
    assert_code(transmit_echo(card), SCARD_S_SUCCESS);
    strcat(calls, "check ");
    return 1;
}

static BOOL refuse(SCARDCONTEXT context, SCARDHANDLE card, PVOID user)
{
    (void)context;
    (void)card;
    (void)user;
    strcat(calls, "refuse ");
    return 0;
}

static void on_disconnect(SCARDCONTEXT context, SCARDHANDLE card, PVOID user)
{
    (void)context;
    (void)user;
    strcat(calls, "disconnect ");
    SCardDisconnect(card, SCARD_LEAVE_CARD);
}

static OPENCARD_SEARCH_CRITERIAA criteria_of(const struct scenario *scenario)
{
    OPENCARD_SEARCH_CRITERIAA criteria = {.dwStructSize = sizeof criteria,
                                          .lpstrCardNames = (LPSTR)(uintptr_t)scenario->cards,
                                          .lpstrGroupNames = (LPSTR)(uintptr_t)scenario->groups,
                                          .rgguidInterfaces = scenario->interface,
                                          .cguidInterfaces = scenario->interface != NULL};

    if (scenario->checks || scenario->refuses)
        criteria.lpfnCheck = scenario->refuses ? refuse : on_check;
    if (scenario->checks) {
        criteria.lpfnConnect = scenario->wide ? (LPOCNCONNPROCA)(void (*)(void))on_connect_wide : on_connect;
        criteria.lpfnDisconnect = on_disconnect;
    }
    criteria.pvUserData = calls;
    for (size_t i = 0; scenario->wide && scenario->cards && i < 63; i++) {
        wide_cards[i] = (WCHAR)scenario->cards[i];
        criteria.lpstrCardNames = (void *)wide_cards;
        if (i && !scenario->cards[i] && !scenario->cards[i - 1])
            break;
    }
    return criteria;
}

static LONG ask_old(const struct scenario *scenario, SCARDCONTEXT context, struct outcome *outcome,
                    SCARDHANDLE *ret_card)
{
    OPENCARDNAMEA dialog = {.dwStructSize = sizeof dialog,
                            .hSCardContext = context,
                            .dwFlags = scenario->flags,
                            .lpstrCardNames = (LPSTR)(uintptr_t)scenario->cards,
                            .lpstrRdr = outcome->reader,
                            .nMaxRdr = sizeof outcome->reader,
                            .lpstrCard = outcome->card,
                            .nMaxCard = sizeof outcome->card,
                            .dwShareMode = scenario->share,
                            .pvUserData = calls};
    LONG code;

    if (scenario->checks) {
        dialog.lpfnCheck = on_check;
        dialog.lpfnConnect = on_connect;
        dialog.lpfnDisconnect = on_disconnect;
    }
    code = GetOpenCardNameA(&dialog);
    outcome->reader_length = dialog.nMaxRdr;
    outcome->card_length = dialog.nMaxCard;
    outcome->protocol = dialog.dwActiveProtocol;
    *ret_card = dialog.hCardHandle;
    return code;
}

static void narrow(const WCHAR *wide, char *text)
{
    while ((*text++ = (char)*wide++))
        ;
}

static LONG ask(const struct scenario *scenario, SCARDCONTEXT context, struct outcome *outcome,
                SCARDHANDLE *ret_card)
{
    OPENCARD_SEARCH_CRITERIAA criteria = criteria_of(scenario);
    WCHAR reader[128] = u"", card[64] = u"";
    OPENCARDNAME_EXA dialog = {.dwStructSize = sizeof dialog,
                               .hSCardContext = context,
                               .dwFlags = scenario->flags,
                               .lpstrTitle = scenario->wide ? NULL : "A title\x1B[2J",
                               .pOpenCardSearchCriteria = &criteria,
                               .lpstrRdr = scenario->wide ? (void *)reader : outcome->reader,
                               .nMaxRdr = scenario->reader_room ? scenario->reader_room : 128,
                               .lpstrCard = scenario->wide ? (void *)card : outcome->card,
                               .nMaxCard = scenario->card_room ? scenario->card_room : 64,
                               .dwShareMode = scenario->share};
    LONG code = scenario->wide ? SCardUIDlgSelectCardW((void *)&dialog) : SCardUIDlgSelectCardA(&dialog);

    if (scenario->wide) {
        narrow(reader, outcome->reader);
        narrow(card, outcome->card);
    }
    outcome->reader_length = dialog.nMaxRdr;
    outcome->card_length = dialog.nMaxCard;
    outcome->protocol = dialog.dwActiveProtocol;
    *ret_card = dialog.hCardHandle;
    return code;
}

/* The readers have seen which cards are in. */
static void settle(SCARDCONTEXT context)
{
    static const char *const readers[] = {ECHO, ISO};

    for (unsigned i = 0; i < 2; i++) {
        bool in = access(present[i], F_OK) == 0;
        SCARD_READERSTATE state = {.szReader = readers[i]};

        do {
            state.dwCurrentState = state.dwEventState;
            assert_code(SCardGetStatusChange(context, PATIENCE_MS, &state, 1), SCARD_S_SUCCESS);
        } while (in != !!(state.dwEventState & SCARD_STATE_PRESENT));
    }
}

struct disturber {
    const struct scenario *scenario;
    SCARDCONTEXT context;
};

static void *disturb(void *argument)
{
    const struct disturber *disturber = argument;
    char byte;

    assert_int_equal(read(disturber->scenario->door, &byte, 1), 1);
    assert_code(disturber->scenario->disturb(disturber->context), SCARD_S_SUCCESS);
    return NULL;
}

static void run(const struct scenario *scenario, struct outcome *outcome)
{
    SCARDCONTEXT context = kit_context(SCARD_SCOPE_USER);
    struct disturber disturber = {scenario, context};
    pthread_t thread;
    SCARDHANDLE card = 0;

    settle(context);

    calls[0] = '\0';
    if (scenario->disturb)
        assert_int_equal(pthread_create(&thread, NULL, disturb, &disturber), 0);
    outcome->code = (scenario->old ? ask_old : ask)(scenario, context, outcome, &card);
    outcome->extended = SCardDlgExtendedError();
    outcome->connected = card && transmit_echo(card) == SCARD_S_SUCCESS;
    strcpy(outcome->calls, calls);
    if (scenario->disturb)
        pthread_join(thread, NULL);
    assert_code(SCardReleaseContext(context),
                scenario->disturb == SCardReleaseContext ? SCARD_E_INVALID_HANDLE : SCARD_S_SUCCESS);
}

/* A process with a terminal, and what it has said there. */
struct terminal {
    pid_t process;
    int fd, result;
    char said[2048];
    size_t length;
};

static void start(struct terminal *terminal, const struct scenario *scenario)
{
    struct outcome outcome = {0};
    struct termios before, after;
    int result[2];

    memset(terminal, 0, sizeof *terminal);
    assert_int_equal(pipe(result), 0);
    terminal->process = forkpty(&terminal->fd, NULL, NULL, NULL);
    assert_true(terminal->process >= 0);
    if (!terminal->process) {
        alarm(120);
        tcgetattr(0, &before);
        run(scenario, &outcome);
        tcgetattr(0, &after);
        outcome.modes_kept = before.c_lflag == after.c_lflag && before.c_iflag == after.c_iflag &&
                             before.c_oflag == after.c_oflag &&
                             !memcmp(before.c_cc, after.c_cc, sizeof before.c_cc);
        _exit(write(result[1], &outcome, sizeof outcome) != sizeof outcome);
    }
    close(result[1]);
    terminal->result = result[0];
}

/* Reads on until it has said so since the last time. */
static void await_words(struct terminal *terminal, const char *words)
{
    struct pollfd fd = {.fd = terminal->fd, .events = POLLIN};
    char *found;

    while (!(found = strstr(terminal->said, words))) {
        ssize_t got;

        if (poll(&fd, 1, PATIENCE_MS) != 1)
            fail_msg("it did not say '%s' but: %s", words, terminal->said);
        got = read(terminal->fd, terminal->said + terminal->length,
                   sizeof terminal->said - 1 - terminal->length);
        if (got <= 0)
            fail_msg("it did not say '%s' but: %s", words, terminal->said);
        terminal->length += (size_t)got;
        terminal->said[terminal->length] = '\0';
        if (strstr(terminal->said, "\x1B"))
            fail_msg("it steered the terminal: %s", terminal->said);
    }
    found += strlen(words);
    memmove(terminal->said, found, strlen(found) + 1);
    terminal->length = strlen(terminal->said);
}

static void type(struct terminal *terminal, const char *keys)
{
    assert_int_equal(write(terminal->fd, keys, strlen(keys)), strlen(keys));
}

static struct outcome finish(struct terminal *terminal)
{
    struct outcome outcome;
    int status;

    /* A process that died has said of what. */
    if (read(terminal->result, &outcome, sizeof outcome) != sizeof outcome)
        await_words(terminal, "why there is no outcome");
    close(terminal->result);
    close(terminal->fd);
    assert_int_equal(waitpid(terminal->process, &status, 0), terminal->process);
    assert_true(outcome.modes_kept);
    return outcome;
}

static void chose(const struct outcome *outcome, const char *reader, const char *card)
{
    assert_code(outcome->code, SCARD_S_SUCCESS);
    assert_string_equal(outcome->reader, reader);
    assert_string_equal(outcome->card, card);
    assert_int_equal(outcome->reader_length, strlen(reader) + 1);
    assert_int_equal(outcome->card_length, strlen(card) + 1);
}

static void silently(void **state)
{
    struct scenario scenario = {.flags = SC_DLG_NO_UI, .cards = "Other\0Echo\0"};
    struct outcome outcome = {0};

    (void)state;
    run(&scenario, &outcome);
    assert_code(outcome.code, SCARD_E_NO_SMARTCARD);
    put_in(1, true);
    run(&scenario, &outcome);
    assert_code(outcome.code, SCARD_E_NO_SMARTCARD);
    put_in(0, true);
    for (unsigned i = 0; i < 4; i++) {
        scenario.old = i == 3;
        scenario.wide = i == 1;
        scenario.share = i == 2 ? SCARD_SHARE_SHARED : 0;
        memset(&outcome, 0, sizeof outcome);
        run(&scenario, &outcome);
        chose(&outcome, ECHO, "Echo");
        assert_int_equal(outcome.connected, i == 2);
        assert_int_equal(outcome.protocol, i == 2 ? SCARD_PROTOCOL_T1 : 0);
    }
    /* Any card: the first. One fits: no question without the flag, too. */
    scenario = (struct scenario){.flags = SC_DLG_NO_UI};
    run(&scenario, &outcome);
    chose(&outcome, ECHO, "Echo");
    scenario = (struct scenario){.flags = SC_DLG_MINIMAL_UI, .interface = &id};
    run(&scenario, &outcome);
    chose(&outcome, ECHO, "Echo");
}

static void criteria_that_nothing_meets(void **state)
{
    static const GUID other = {9, 9, 9, {9}};
    struct scenario scenario = {.flags = SC_DLG_NO_UI, .cards = "Other\0Neither\0"};
    struct outcome outcome = {0};
    OPENCARDNAME_EXA dialog = {.dwStructSize = sizeof dialog - 1};

    (void)state;
    put_in(0, true);
    run(&scenario, &outcome);
    assert_code(outcome.code, SCARD_E_UNKNOWN_CARD);
    assert_int_equal(outcome.extended, SCERR_NOCARDNAME);
    scenario = (struct scenario){.flags = SC_DLG_NO_UI, .interface = &other};
    run(&scenario, &outcome);
    assert_code(outcome.code, SCARD_E_UNKNOWN_CARD);
    assert_int_equal(outcome.extended, SCERR_NOGUIDS);
    assert_code(SCardUIDlgSelectCardA(&dialog), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardUIDlgSelectCardW(NULL), SCARD_E_INVALID_PARAMETER);
    assert_code(GetOpenCardNameA(NULL), SCARD_E_INVALID_PARAMETER);
    assert_int_equal(SCardDlgExtendedError(), 0);
    dialog.dwStructSize++;
    assert_code(SCardUIDlgSelectCardA(&dialog), SCARD_E_INVALID_HANDLE);
}

static void names_that_do_not_fit(void **state)
{
    struct scenario scenario = {
        .flags = SC_DLG_NO_UI, .share = SCARD_SHARE_SHARED, .reader_room = strlen(ECHO), .card_room = 4};
    struct outcome outcome = {0};

    (void)state;
    put_in(0, true);
    for (unsigned i = 0; i < 2; i++) {
        scenario.wide = i;
        run(&scenario, &outcome);
        assert_code(outcome.code, SCARD_E_NO_MEMORY);
        assert_int_equal(outcome.reader_length, strlen(ECHO) + 1);
        assert_int_equal(outcome.card_length, strlen("Echo") + 1);
        assert_false(outcome.connected);
    }
    scenario.reader_room = strlen(ECHO) + 1;
    scenario.card_room = 5;
    run(&scenario, &outcome);
    chose(&outcome, ECHO, "Echo");
}

static void the_callers_functions_are_called(void **state)
{
    struct scenario scenario = {.flags = SC_DLG_NO_UI, .cards = "Echo\0", .checks = true};
    struct outcome outcome = {0};

    (void)state;
    put_in(0, true);
    run(&scenario, &outcome);
    chose(&outcome, ECHO, "Echo");
    assert_string_equal(outcome.calls, "connect(sim:echo 0,Echo) check disconnect ");
    scenario.wide = true;
    run(&scenario, &outcome);
    assert_string_equal(outcome.calls, "wide(eE) check disconnect ");
    /* The old form has one function for both, and gives what it returns. */
    scenario.wide = false;
    scenario.old = true;
    run(&scenario, &outcome);
    assert_string_equal(outcome.calls, "connect(sim:echo 0,Echo) check disconnect connect(sim:echo 0,Echo) ");
    assert_true(outcome.connected);
    scenario = (struct scenario){.flags = SC_DLG_NO_UI, .refuses = true};
    run(&scenario, &outcome);
    assert_code(outcome.code, SCARD_E_NO_SMARTCARD);
    assert_string_equal(outcome.calls, "refuse ");
}

static void other_names_and_groups(void **state)
{
    struct scenario scenario = {.flags = SC_DLG_MINIMAL_UI, .groups = "Desks\0"};
    SCARDCONTEXT context = kit_context(SCARD_SCOPE_USER);
    struct outcome outcome = {0};

    (void)state;
    assert_code(SCardIntroduceReader(context, "Desk", ISO), SCARD_S_SUCCESS);
    assert_code(SCardAddReaderToGroup(context, "Desk", "Desks"), SCARD_S_SUCCESS);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
    put_in(0, true);
    put_in(1, true);
    run(&scenario, &outcome);
    chose(&outcome, "Desk", "");
    /* A reader with two names is one reader: nothing is to be asked. */
    put_in(0, false);
    scenario.groups = NULL;
    run(&scenario, &outcome);
    chose(&outcome, ISO, "");
}

static void a_card_is_put_in(void **state)
{
    struct scenario scenario = {.cards = "Echo\0", .checks = true};
    struct terminal terminal;
    struct outcome outcome;

    (void)state;
    start(&terminal, &scenario);
    await_words(&terminal, "A title?[2J");
    await_words(&terminal, "Card wanted: Echo");
    await_words(&terminal, "   1  " ECHO ": no card");
    await_words(&terminal, WAITING);
    put_in(1, true);
    await_words(&terminal, ISO ": a card, which is not wanted");
    await_words(&terminal, WAITING);
    put_in(0, true);
    outcome = finish(&terminal);
    chose(&outcome, ECHO, "Echo");
    assert_string_equal(outcome.calls, "connect(sim:echo 0,Echo) check disconnect ");
}

static void somebody_chooses(void **state)
{
    static const struct {
        const char *keys, *reader, *card;
    } rows[] = {{"2\r", ISO, ""},
                {"\n", ECHO, "Echo"},
                {"12\x7F\x7F"
                 "2\n",
                 ISO, ""},
                {"\x1A"
                 "01\n",
                 ECHO, "Echo"}};

    (void)state;
    put_in(0, true);
    put_in(1, true);
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scenario scenario = {.share = SCARD_SHARE_SHARED, .wide = i == 1, .old = i == 2};
        struct terminal terminal;
        struct outcome outcome;

        start(&terminal, &scenario);
        await_words(&terminal, "Insert a card.");
        await_words(&terminal, NUMBER);
        type(&terminal, rows[i].keys);
        outcome = finish(&terminal);
        chose(&outcome, rows[i].reader, rows[i].card);
        assert_true(outcome.connected || i != 1);
    }
}

static void a_wrong_number(void **state)
{
    struct scenario scenario = {.flags = SC_DLG_FORCE_UI};
    struct terminal terminal;
    struct outcome outcome;

    (void)state;
    put_in(0, true);
    start(&terminal, &scenario);
    await_words(&terminal, NUMBER);
    type(&terminal, "2\n");
    await_words(&terminal, "No card that fits is there.");
    await_words(&terminal, NUMBER);
    type(&terminal, "77\n");
    await_words(&terminal, "No card that fits is there.");
    await_words(&terminal, NUMBER);
    /* Forced, a card that comes does not choose itself. */
    put_in(0, false);
    await_words(&terminal, WAITING);
    put_in(0, true);
    await_words(&terminal, NUMBER);
    type(&terminal, "1\n");
    outcome = finish(&terminal);
    chose(&outcome, ECHO, "Echo");
}

/* A card that does not pass is tried once, and again when it is asked for by number. */
static void a_card_is_refused(void **state)
{
    struct scenario scenario = {.refuses = true};
    struct terminal terminal;
    struct outcome outcome;

    (void)state;
    put_in(0, true);
    start(&terminal, &scenario);
    await_words(&terminal, ECHO ": Echo, which is not wanted");
    await_words(&terminal, WAITING);
    put_in(1, true);
    await_words(&terminal, ISO ": a card, which is not wanted");
    await_words(&terminal, WAITING);
    type(&terminal, "1\n");
    await_words(&terminal, "No card that fits is there.");
    type(&terminal, "q");
    outcome = finish(&terminal);
    assert_code(outcome.code, SCARD_W_CANCELLED_BY_USER);
    assert_string_equal(outcome.calls, "refuse refuse refuse refuse ");
}

static void somebody_gives_up(void **state)
{
    static const char *const keys[] = {"q", "Q", "\x03", "\x04"};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct scenario scenario = {.flags = SC_DLG_MINIMAL_UI};
        struct terminal terminal;
        struct outcome outcome;

        start(&terminal, &scenario);
        await_words(&terminal, WAITING);
        type(&terminal, keys[i]);
        outcome = finish(&terminal);
        assert_code(outcome.code, SCARD_W_CANCELLED_BY_USER);
        assert_false(outcome.connected);
    }
}

/* A session without a terminal. */
static void the_context_ends_the_question(void **state)
{
    LONG (*const ends[])(SCARDCONTEXT) = {SCardCancel, SCardReleaseContext, scard_abort};

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct scenario scenario = {.flags = SC_DLG_MINIMAL_UI, .disturb = ends[i]};
        struct terminal terminal;
        struct outcome outcome;
        int door[2];

        assert_int_equal(pipe(door), 0);
        scenario.door = door[0];
        start(&terminal, &scenario);
        await_words(&terminal, WAITING);
        assert_int_equal(write(door[1], "x", 1), 1);
        outcome = finish(&terminal);
        assert_code(outcome.code, SCARD_E_CANCELLED);
        close(door[0]);
        close(door[1]);
    }
}

static void nobody_can_be_asked(void **state)
{
    struct scenario scenario = {.flags = SC_DLG_MINIMAL_UI};
    pid_t child = fork();
    int status;

    (void)state;
    assert_true(child >= 0);
    if (!child) {
        struct outcome outcome = {0};

        alarm(60);
        setsid();
        run(&scenario, &outcome);
        _exit(outcome.code != SCARD_E_UNSUPPORTED_FEATURE);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(silently, begin),
        cmocka_unit_test_setup(criteria_that_nothing_meets, begin),
        cmocka_unit_test_setup(names_that_do_not_fit, begin),
        cmocka_unit_test_setup(the_callers_functions_are_called, begin),
        cmocka_unit_test_setup(other_names_and_groups, begin),
        cmocka_unit_test_setup(a_card_is_put_in, begin),
        cmocka_unit_test_setup(somebody_chooses, begin),
        cmocka_unit_test_setup(a_wrong_number, begin),
        cmocka_unit_test_setup(a_card_is_refused, begin),
        cmocka_unit_test_setup(somebody_gives_up, begin),
        cmocka_unit_test_setup(the_context_ends_the_question, begin),
        cmocka_unit_test_setup(nobody_can_be_asked, begin),
    };
    char folder[] = P_tmpdir "/scard-dialog-XXXXXX", readers[256];
    int failed;

    if (!mkdtemp(folder))
        return 1;
    snprintf(present[0], sizeof present[0], "%s/echo", folder);
    snprintf(present[1], sizeof present[1], "%s/iso", folder);
    snprintf(readers, sizeof readers, "sim:echo?presence=%s sim:iso?presence=%s", present[0], present[1]);
    setenv("SCARD_READERS", readers, 1);
    failed = cmocka_run_group_tests(tests, kit_begin, kit_end);
    put_in(0, false);
    put_in(1, false);
    rmdir(folder);
    return failed;
}
