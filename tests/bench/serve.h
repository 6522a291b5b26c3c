/* SPDX-License-Identifier: MIT */
/* The parts of serve_bench. Each takes the arguments behind its name. */
#ifndef BENCH_SERVE_H
#define BENCH_SERVE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/pcsc.h"

#define SERVE_READER_MAX 128
#define SERVE_NAMES_MAX 2048  /* of a list of readers */
#define SERVE_BYTES_MAX 65544 /* of a command or a response */

typedef void serve_part(char **argv);

serve_part serve_bare;
serve_part serve_rate, serve_transact;
serve_part serve_wake, serve_cancel;
serve_part serve_contexts, serve_memory, serve_idle, serve_race;

/* A command of out bytes that echo_card --reply P1P2 answers with in bytes. */
void serve_command(uint8_t *command, size_t out, size_t in);

/* Names of count readers, of which the first is the one with that index, with cards in all of them. */
void serve_readers(SCARDCONTEXT context, size_t index, size_t count, char (*names)[SERVE_READER_MAX]);

/* Clients that do something over and over, all at once. */
struct serve_client {
    size_t index;
    void (*call)(struct serve_client *client); /* once */
    void *line;                                /* for bare sockets */
    SCARDHANDLE card;
    size_t out, in;
    uint8_t command[SERVE_BYTES_MAX], response[SERVE_BYTES_MAX];
    unsigned long count;
    double longest_us;
};

/* Room for count clients; ends the program without memory. */
struct serve_client *serve_clients_new(size_t count);

/* Lets them go for so long and returns how many calls they made in a second. */
double serve_run(struct serve_client *clients, size_t count, long ms);

/* A thread; ends the program if there is none. */
pthread_t serve_thread(void *(*run)(void *), void *argument);

void serve_pause_ms(long ms);

void serve_print(const char *name, double figure);

#endif
