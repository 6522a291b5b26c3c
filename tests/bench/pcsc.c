/* SPDX-License-Identifier: MIT */
#include "tests/bench/pcsc.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define WAIT_MS 10000

struct pcsc pcsc;

void pcsc_need(LONG rv, const char *what)
{
    if (rv == SCARD_S_SUCCESS)
        return;
    fprintf(stderr, "%s: %08lX\n", what, (unsigned long)rv);
    exit(1);
}

void pcsc_load(const char *library)
{
    const struct {
        void *function;
        const char *name;
    } all[] = {
        {&pcsc.establish, "SCardEstablishContext"},
        {&pcsc.release, "SCardReleaseContext"},
        {&pcsc.list, "SCardListReaders"},
        {&pcsc.wait, "SCardGetStatusChange"},
        {&pcsc.cancel, "SCardCancel"},
        {&pcsc.connect, "SCardConnect"},
        {&pcsc.disconnect, "SCardDisconnect"},
        {&pcsc.begin, "SCardBeginTransaction"},
        {&pcsc.end, "SCardEndTransaction"},
        {&pcsc.transmit, "SCardTransmit"},
    };
    void *loaded = dlopen(library, RTLD_NOW);

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        void *function = loaded ? dlsym(loaded, all[i].name) : NULL;

        if (!function) {
            fprintf(stderr, "%s\n", dlerror());
            exit(1);
        }
        memcpy(all[i].function, &function, sizeof function);
    }
}

SCARDCONTEXT pcsc_establish(void)
{
    SCARDCONTEXT context;

    pcsc_need(pcsc.establish(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), "SCardEstablishContext");
    return context;
}

SCARDHANDLE pcsc_connect(SCARDCONTEXT context, const char *reader, DWORD protocol)
{
    SCARDHANDLE card;
    DWORD active;

    pcsc_need(pcsc.connect(context, reader, SCARD_SHARE_SHARED, protocol, &card, &active), "SCardConnect");
    return card;
}

void pcsc_await(SCARDCONTEXT context, SCARD_READERSTATE *state, DWORD wanted)
{
    do {
        state->dwCurrentState = state->dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
        pcsc_need(pcsc.wait(context, WAIT_MS, state, 1), "SCardGetStatusChange");
    } while (!(state->dwEventState & wanted));
}

static void add_task(const char *folder, const char *task, struct pcsc_use *use)
{
    char path[512], line[128];
    unsigned long count;
    unsigned long long busy_ns;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s/status", folder, task);
    file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "voluntary_ctxt_switches: %lu", &count) == 1)
            use->wakes += count;
    }
    if (file)
        fclose(file);
    snprintf(path, sizeof path, "%s/%s/schedstat", folder, task);
    file = fopen(path, "re");
    if (file && fscanf(file, "%llu", &busy_ns) == 1)
        use->busy_us += (double)busy_ns / 1e3;
    if (file)
        fclose(file);
}

void pcsc_add_use(const char *pid, struct pcsc_use *use)
{
    char folder[64], self[24];
    struct dirent *entry;
    DIR *tasks;

    snprintf(folder, sizeof folder, "/proc/%s/task", pid);
    snprintf(self, sizeof self, "%d", (int)gettid());
    tasks = opendir(folder);
    if (!tasks)
        bench_die(folder);
    while ((entry = readdir(tasks))) {
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, self) != 0)
            add_task(folder, entry->d_name, use);
    }
    closedir(tasks);
}
