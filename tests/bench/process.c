/* SPDX-License-Identifier: MIT */
/* Whole processes, start to end. */
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double run(char **argv, long *ret_peak_kib)
{
    struct rusage usage;
    double start = bench_now_us();
    int status;
    pid_t child = vfork();

    if (child == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, 1);
        dup2(null, 2);
        execvp(argv[0], argv);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        bench_die(argv[0]);
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        fprintf(stderr, "%s: exit status %d\n", argv[0], WIFEXITED(status) ? WEXITSTATUS(status) : -1);
        exit(1);
    }
    *ret_peak_kib = usage.ru_maxrss;
    return (bench_now_us() - start) / 1000;
}

int bench_process(const char *name, unsigned count, char **argv, double under_ms)
{
    double *samples = calloc(count ? count : 1, sizeof *samples);
    long peak = 0;

    if (!samples || !count)
        bench_die("COUNT");
    run(argv, &peak); /* into the page cache */
    for (unsigned i = 0; i < count; i++)
        samples[i] = run(argv, &peak);
    bench_row(name, bench_quantile(samples, count, 0.5), "ms", under_ms, 0);
    bench_note("", "peak memory %.1f MB", (double)peak / 1024);
    free(samples);
    return 0;
}
