/* SPDX-License-Identifier: MIT */
/*
 * Fifty processes at a time on `scard serve`, each with share modes, transactions and dispositions at random,
 * and many of them killed wherever they are. Whoever has a card alone, by a transaction or exclusively, finds
 * that nobody else has spoken to it or reset it. In the end the server holds nothing for those who have gone:
 * its descriptors are those of the beginning, and each reader can be had exclusively. SCARD_STRESS_SEED
 * repeats a run, as far as the scheduler does.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <winscard.h>

#define READERS 4
#define PROCESSES 50
#define KILLS 150
#define STEPS 60       /* of a process that is not killed */
#define KILL_WITHIN 40 /* steps of all from one kill to the next */
#define PATIENCE_S 240

/* What players tell of. */
#define STEP 's'
#define ALONE 'a'

struct player {
    unsigned seed;
    char tag;     /* changes with each use of a card */
    int words_fd; /* tells of what it does */
    SCARDCONTEXT context;
    const char *names[READERS];
};

struct server {
    pid_t pid;
    char folder[32], socket[48];
};

static unsigned draw(unsigned *seed, unsigned below)
{
    return (unsigned)rand_r(seed) % below;
}

/* In a process of players: no test, so a failure ends it. */
_Noreturn static void fail_player(const char *what, LONG code)
{
    fprintf(stderr, "process %d: %s: %08lX\n", (int)getpid(), what, (unsigned long)code);
    _exit(1);
}

static void need(LONG code, const char *what)
{
    if (code != SCARD_S_SUCCESS)
        fail_player(what, code);
}

/* What may happen to those who share. */
static LONG may(LONG code, const char *what)
{
    if (code != SCARD_S_SUCCESS && code != SCARD_E_SHARING_VIOLATION && code != SCARD_W_RESET_CARD)
        fail_player(what, code);
    return code;
}

static LONG transmit(SCARDHANDLE card, const BYTE *command, DWORD length, BYTE *response, DWORD *ret_length)
{
    return SCardTransmit(card, SCARD_PCI_T1, command, length, NULL, response, ret_length);
}

static void tell(const struct player *player, char word)
{
    if (write(player->words_fd, &word, 1) != 1)
        _exit(1);
}

/* Selects a file, writes to it and reads it: another's SELECT, UPDATE or reset between would show. */
static void use_alone(struct player *player, SCARDHANDLE card)
{
    const uint32_t pid = (uint32_t)getpid();
    BYTE select[] = {0x00, 0xA4, 0x08, 0x0C, 4, 0xDF, 0x01, 0xE1, 0x07};
    BYTE update[] = {0x00, 0xD6, 0x00, 0x00, 5, 0, 0, 0, 0, (BYTE)player->tag++};
    BYTE read[] = {0x00, 0xB0, 0x00, 0x00, 5}, response[16];
    DWORD length = sizeof response;

    memcpy(update + 5, &pid, sizeof pid);
    need(transmit(card, select, sizeof select, response, &length), "SELECT of one who is alone");
    length = sizeof response;
    need(transmit(card, update, sizeof update, response, &length), "UPDATE BINARY of one who is alone");
    if (length != 2 || response[0] != 0x90)
        fail_player("the file is not selected any more", response[0]);
    length = sizeof response;
    need(transmit(card, read, sizeof read, response, &length), "READ BINARY of one who is alone");
    if (length != 7 || memcmp(response, update + 5, 5) != 0)
        fail_player("another has written", (LONG)length);
    tell(player, ALONE);
}

static LONG join(struct player *player, DWORD share, SCARDHANDLE *ret_card)
{
    const char *name = player->names[draw(&player->seed, READERS)];
    DWORD protocols = share == SCARD_SHARE_DIRECT ? 0 : SCARD_PROTOCOL_T1, protocol;

    return may(SCardConnect(player->context, name, share, protocols, ret_card, &protocol), "SCardConnect");
}

/* Mostly closes it; else the end of the context or of the process does. */
static void leave(struct player *player, SCARDHANDLE card)
{
    if (draw(&player->seed, 8))
        need(SCardDisconnect(card, draw(&player->seed, 4)), "SCardDisconnect");
}

static void exclusively(struct player *player)
{
    SCARDHANDLE card;

    if (join(player, SCARD_SHARE_EXCLUSIVE, &card))
        return;
    use_alone(player, card);
    leave(player, card);
}

static void in_transaction(struct player *player)
{
    SCARDHANDLE card;
    DWORD protocol;
    LONG code;

    if (join(player, SCARD_SHARE_SHARED, &card))
        return;
    /* Who was reset has to say that he knows. */
    while ((code = may(SCardBeginTransaction(card), "SCardBeginTransaction")) == SCARD_W_RESET_CARD)
        may(SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1, SCARD_LEAVE_CARD, &protocol),
            "SCardReconnect");
    need(code, "SCardBeginTransaction");
    use_alone(player, card);
    if (draw(&player->seed, 8)) {
        need(SCardEndTransaction(card, draw(&player->seed, 3) ? SCARD_LEAVE_CARD : SCARD_RESET_CARD),
             "SCardEndTransaction");
        leave(player, card);
    } else {
        need(SCardDisconnect(card, SCARD_RESET_CARD), "SCardDisconnect in a transaction");
    }
}

static void among_others(struct player *player)
{
    static const BYTE select[] = {0x00, 0xA4, 0x00, 0x0C, 2, 0x3F, 0x00};
    BYTE response[16];
    DWORD length = sizeof response, protocol;
    SCARDHANDLE card;

    if (join(player, SCARD_SHARE_SHARED, &card))
        return;
    may(transmit(card, select, sizeof select, response, &length), "SCardTransmit");
    if (draw(&player->seed, 2))
        may(SCardReconnect(card, draw(&player->seed, 2) ? SCARD_SHARE_SHARED : SCARD_SHARE_EXCLUSIVE,
                           SCARD_PROTOCOL_T1, draw(&player->seed, 3), &protocol),
            "SCardReconnect");
    leave(player, card);
}

static void without_card(struct player *player)
{
    SCARD_READERSTATE state = {.szReader = player->names[draw(&player->seed, READERS)]};
    SCARDHANDLE card;
    LONG code;

    for (unsigned i = 0; i < 2; i++) {
        code = SCardGetStatusChange(player->context, draw(&player->seed, 3), &state, 1);
        if (code != SCARD_E_TIMEOUT)
            need(code, "SCardGetStatusChange");
        state.dwCurrentState = state.dwEventState;
    }
    if (!join(player, SCARD_SHARE_DIRECT, &card))
        leave(player, card);
}

static void renew(struct player *player)
{
    need(SCardReleaseContext(player->context), "SCardReleaseContext");
    need(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &player->context), "SCardEstablishContext");
}

static void get_ready(struct player *player)
{
    static char names[1024];
    const char *name = names;
    DWORD length = sizeof names;

    need(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &player->context), "SCardEstablishContext");
    need(SCardListReaders(player->context, NULL, names, &length), "SCardListReaders");
    for (unsigned i = 0; i < READERS; i++, name += strlen(name) + 1)
        player->names[i] = name;
}

/* Tells of each step before it, so that it can be killed within. */
_Noreturn static void play(unsigned seed, int words_fd)
{
    static void (*const kinds[])(struct player *) = {exclusively,    exclusively,    in_transaction,
                                                     in_transaction, in_transaction, among_others,
                                                     without_card,   renew};
    struct player player = {.seed = seed, .words_fd = words_fd};

    get_ready(&player);
    for (unsigned i = 0; i < STEPS; i++) {
        tell(&player, STEP);
        kinds[draw(&player.seed, sizeof kinds / sizeof *kinds)](&player);
    }
    _exit(0); /* with all that is open */
}

static pid_t start_player(unsigned seed, const int words[2])
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(words[0]);
    play(seed, words[1]);
}

/* Kills one, and waits for its end: 1, or 0 if it had ended by itself just before. */
static unsigned kill_one(pid_t *players, unsigned *seed)
{
    pid_t *victim = &players[draw(seed, PROCESSES)];
    int status;

    kill(*victim, SIGKILL);
    assert_int_equal(waitpid(*victim, &status, 0), *victim);
    *victim = 0;
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGKILL;
    assert_int_equal(WEXITSTATUS(status), 0);
    return 0;
}

/* Reads up to the next step of any of them; counts those who have been alone. */
static bool step(int words_fd, unsigned *alone)
{
    char word = STEP;
    ssize_t got;

    do {
        got = read(words_fd, &word, 1);
        *alone += got == 1 && word == ALONE;
    } while ((got < 0 && errno == EINTR) || (got == 1 && word != STEP));
    return got == 1;
}

static void let_them_play(unsigned *seed)
{
    unsigned alone = 0, killed = 0;
    pid_t players[PROCESSES];
    int words[2], status;

    assert_int_equal(pipe2(words, O_CLOEXEC), 0);
    for (unsigned i = 0; i < PROCESSES; i++)
        players[i] = start_player(draw(seed, 1u << 30), words);
    for (unsigned kills = 0; kills < KILLS; kills++) {
        for (unsigned i = draw(seed, KILL_WITHIN); i > 0; i--)
            assert_true(step(words[0], &alone));
        killed += kill_one(players, seed);
        for (unsigned i = 0; i < PROCESSES; i++)
            if (!players[i])
                players[i] = start_player(draw(seed, 1u << 30), words);
    }
    close(words[1]);
    while (step(words[0], &alone))
        ;
    close(words[0]);
    for (unsigned i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(players[i], &status, 0), players[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    /* They have really been at it. */
    print_message("%u killed, %u times somebody was alone with a card\n", killed, alone);
    assert_true(killed > KILLS / 4);
    assert_true(alone > 500);
}

static void start_server(struct server *server)
{
    static const char readers[] = "sim:iso sim:iso sim:iso sim:iso";
    char line[256];
    FILE *words;
    int out[2];

    strcpy(server->folder, "/tmp/scard-stress-XXXXXX");
    assert_non_null(mkdtemp(server->folder));
    snprintf(server->socket, sizeof server->socket, "%s/socket", server->folder);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test end before it */
        dup2(out[1], STDOUT_FILENO);
        setenv("SCARD_SERVICE", "local", 1);
        execl(SCARD, "scard", "--json", "--readers", readers, "serve", "--socket", server->socket,
              (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    words = fdopen(out[0], "r");
    assert_non_null(words);
    assert_non_null(fgets(line, sizeof line, words));
    assert_non_null(strstr(line, "serving"));
    /* Kept open: it may have more to say. */
}

static unsigned count_entries(const struct server *server, const char *folder)
{
    char path[64];
    unsigned count = 0;
    DIR *entries;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)server->pid, folder);
    entries = opendir(path);
    assert_non_null(entries);
    while (readdir(entries))
        count++;
    closedir(entries);
    return count;
}

/* Each reader is had exclusively, without waiting for longer than until the last of the dead is buried, and
 * its card works. */
static void inspect_readers(void)
{
    struct player player = {.seed = 1, .words_fd = open("/dev/null", O_WRONLY | O_CLOEXEC)};

    get_ready(&player);
    for (unsigned i = 0; i < READERS; i++) {
        SCARD_READERSTATE state = {.szReader = player.names[i]};
        SCARDHANDLE card;
        DWORD protocol;

        do {
            state.dwCurrentState = state.dwEventState;
            assert_int_equal(SCardGetStatusChange(player.context, INFINITE, &state, 1), SCARD_S_SUCCESS);
        } while (state.dwEventState & (SCARD_STATE_INUSE | SCARD_STATE_EXCLUSIVE));
        assert_int_equal(SCardConnect(player.context, player.names[i], SCARD_SHARE_EXCLUSIVE,
                                      SCARD_PROTOCOL_T1, &card, &protocol),
                         SCARD_S_SUCCESS);
        assert_int_equal(SCardBeginTransaction(card), SCARD_S_SUCCESS);
        use_alone(&player, card);
        assert_int_equal(SCardEndTransaction(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
        assert_int_equal(SCardDisconnect(card, SCARD_UNPOWER_CARD), SCARD_S_SUCCESS);
    }
    assert_int_equal(SCardReleaseContext(player.context), SCARD_S_SUCCESS);
    close(player.words_fd);
}

/* A closed connection is no event that a client could wait for. */
static void await_descriptors(const struct server *server, unsigned count)
{
    while (count_entries(server, "fd") > count)
        sched_yield();
    assert_int_equal(count_entries(server, "fd"), count);
}

/* Threads without a client stay for a moment; that they go is told by nothing. */
static void await_threads(const struct server *server)
{
    while (count_entries(server, "task") >= PROCESSES)
        sched_yield();
}

static void nothing_is_left(void **state)
{
    const char *given = getenv("SCARD_STRESS_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL), descriptors;
    struct server server;
    char service[64];
    int status;

    (void)state;
    print_message("SCARD_STRESS_SEED=%u\n", seed);
    alarm(PATIENCE_S);
    start_server(&server);
    descriptors = count_entries(&server, "fd");
    snprintf(service, sizeof service, "unix:%s", server.socket);
    setenv("SCARD_SERVICE", service, 1);
    let_them_play(&seed);
    inspect_readers();
    await_descriptors(&server, descriptors);
    await_threads(&server);
    kill(server.pid, SIGTERM);
    assert_int_equal(waitpid(server.pid, &status, 0), server.pid);
    /* Under the leak sanitizer: nothing was lost either. */
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    rmdir(server.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_left)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
