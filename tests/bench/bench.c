/* SPDX-License-Identifier: MIT */
/*
 * scard_bench                                    all figures of the library
 * scard_bench process NAME COUNT AIM_MS CMD…     a whole process, start to end (AIM_MS 0: no aim)
 *
 * Prints what was measured beside the aim. Never fails for a time: that is for people to judge.
 */
#include "tests/bench/bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <scard.h>

void bench_need(LONG rv, const char *what)
{
    if (rv == SCARD_S_SUCCESS)
        return;
    fprintf(stderr, "%s: %s %s\n", what, pcsc_stringify_error(rv), scard_error_detail());
    exit(1);
}

void bench_heading(const char *text)
{
    printf("\n%s\n", text);
}

void bench_row(const char *what, double measured, const char *unit, double under, double over)
{
    char value[64], aim[96] = "";

    snprintf(value, sizeof value, "%.*f %s", measured < 10 ? 3 : measured < 1000 ? 1 : 0, measured, unit);
    if (under > 0)
        snprintf(aim, sizeof aim, "under %g %s: %s", under, unit, measured < under ? "met" : "MISSED");
    if (over > 0)
        snprintf(aim, sizeof aim, "over %.0f %s: %s", over, unit, measured > over ? "met" : "MISSED");
    printf("  %-58s %16s   %s\n", what, value, aim);
    fflush(stdout);
}

void bench_note(const char *what, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printf("  %-58s %s\n", what, text);
    fflush(stdout);
}

size_t bench_resident(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (!file || fscanf(file, "%*u %lu", &pages) != 1)
        bench_die("/proc/self/statm");
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

SCARDCONTEXT bench_establish(void)
{
    SCARDCONTEXT context;

    bench_need(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), "SCardEstablishContext");
    return context;
}

void bench_reader(SCARDCONTEXT context, char *name)
{
    char *names = NULL;
    DWORD length = SCARD_AUTOALLOCATE;

    bench_need(SCardListReaders(context, NULL, (LPSTR)&names, &length), "SCardListReaders");
    snprintf(name, 128, "%s", names);
    bench_need(SCardFreeMemory(context, names), "SCardFreeMemory");
}

SCARDHANDLE bench_connect(SCARDCONTEXT context, const char *reader, DWORD share)
{
    SCARDHANDLE card;
    DWORD protocol;

    bench_need(SCardConnect(context, reader, share,
                            share == SCARD_SHARE_DIRECT ? 0 : SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card,
                            &protocol),
               "SCardConnect");
    return card;
}

/* Each part has a process of its own: its own readers, and memory that nothing else has touched. */
static void part(const char *readers, void (*run)(void))
{
    pid_t child;
    int status;

    fflush(stdout);
    child = fork();
    if (child < 0)
        bench_die("fork");
    if (child == 0) {
        if (setenv("SCARD_READERS", readers, 1))
            bench_die("setenv");
        run();
        fflush(stdout);
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status))
        exit(1);
}

static void part_readers(size_t count)
{
    static const char one[] = "sim:echo?reply=0 ";
    char *list = malloc(count * strlen(one) + 1), *at = list;

    if (!list)
        bench_die("malloc");
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, one);
    part(list, bench_readers);
    free(list);
}

static void library(void)
{
    struct rlimit files;

    /* 1,024 readers have a descriptor each. */
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    printf("libscard %s, %ld processors\n", scard_version(), sysconf(_SC_NPROCESSORS_ONLN));
    bench_heading("Exchange in the process, sim:echo");
    part("sim:echo?reply=0", bench_transmit);
    bench_heading("Contexts");
    part("sim:echo", bench_contexts);
    part("sim:echo", bench_many_contexts);
    part("sim:echo", bench_release);
    bench_heading("Readers");
    part_readers(1);
    part_readers(16);
    part_readers(1024);
    bench_heading("Waiting");
    part("sim:echo?insert=no", bench_wake);
    part("sim:echo", bench_hand_over);
    bench_heading("Exchange over vpcd, a card program in C behind it");
    part("vpcd:0", bench_vpcd);
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        library();
        return 0;
    }
    if (argc >= 6 && !strcmp(argv[1], "process"))
        return bench_process(argv[2], (unsigned)strtoul(argv[3], NULL, 10), argv + 5, strtod(argv[4], NULL));
    fprintf(stderr, "usage: scard_bench [process NAME COUNT AIM_MS COMMAND…]\n");
    return 2;
}
