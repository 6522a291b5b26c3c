/* SPDX-License-Identifier: MIT */
/* A server around a local service with test readers, and raw connections to it. */
#ifndef UNIT_SERVER_KIT_H
#define UNIT_SERVER_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "ipc/server_state.h"
#include "ipc/wire.h"
#include "tests/conform/test_reader.h"

#define RV_CANCELLED 0x80100002u
#define RV_INVALID_HANDLE 0x80100003u
#define RV_INSUFFICIENT 0x80100008u
#define RV_UNKNOWN_READER 0x80100009u
#define RV_SHARING 0x8010000Bu
#define RV_NO_CARD 0x8010000Cu
#define RV_PROTO_MISMATCH 0x8010000Fu
#define RV_INVALID_VALUE 0x80100011u
#define RV_NOT_TRANSACTED 0x80100016u
#define RV_STOPPED 0x8010001Eu
#define RV_UNSUPPORTED 0x8010001Fu
#define RV_RESET 0x80100068u
#define RV_REMOVED 0x80100069u

#define KIT_READERS 2

struct kit {
    struct service *service;
    struct server *server;
    struct reader *readers[KIT_READERS]; /* with cards */
    char *names[KIT_READERS];
    char folder[64], path[96];
    int listener;      /* the server's */
    int reports_fd[2]; /* a byte for each report */
};

/* cmocka setup and teardown; *state is a struct kit. */
int kit_setup(void **state);
int kit_teardown(void **state);

/* Another server in the place of the kit's, for this group. */
void kit_restart(struct kit *kit, gid_t group);

/* A connection; without VERSION. */
int kit_connect(const struct kit *kit);

/* A header and body. */
void kit_send(int fd, uint32_t command, const void *body, size_t size);
void kit_write(int fd, const void *bytes, size_t size);
/* Exactly so many bytes, or the test fails. */
void kit_read(int fd, void *bytes, size_t size);
/* Nothing has come, and everything asked for before has been answered: a round trip shows it. */
void kit_expect_silence(int fd);
/* The server closes the connection. */
void kit_expect_closed(int fd);
/* The server has reported so many times since the last call. */
void kit_expect_reports(struct kit *kit, unsigned count);
/* Waits until so many clients are left. */
void kit_await_clients(const struct kit *kit, size_t count);

/* Waits until so many clients are in the middle of a message. */
void kit_await_unfinished(const struct kit *kit, size_t count);

struct wire_version kit_version(int fd, int32_t minor);
uint32_t kit_establish(int fd); /* the context */
struct wire_connect kit_card(int fd, uint32_t context, const char *reader, uint32_t share);
/* Connects shared and returns the handle. */
int32_t kit_shared(int fd, uint32_t context, const char *reader);
void kit_begin_send(int fd, int32_t card);
uint32_t kit_begin(int fd, int32_t card);
uint32_t kit_end(int fd, int32_t card, uint32_t disposition);
uint32_t kit_status(int fd, int32_t card);
uint32_t kit_cancel(int fd, uint32_t context);
struct wire_transmit kit_transmit(int fd, int32_t card, const uint8_t *command, size_t length, uint32_t room,
                                  uint8_t *answer);

#endif
