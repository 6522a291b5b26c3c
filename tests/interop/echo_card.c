/* SPDX-License-Identifier: MIT */
/*
 * echo_card PORT [--reply N|P1P2] [--quickack] [--keep]: a card behind vpcd that answers each command with
 * the command's data field and 9000, or with N bytes (00 01 02 …) and 9000, N being told, or each command's
 * P1-P2. --quickack: the machine acknowledges what arrives at once. Prints "card in" when connected. Ends
 * with the connection, or, with --keep, never: whenever there is a reader at the port there is a card.
 */
#include "tests/interop/vpcd_client.h"

#include <time.h>

/* T=1; historical bytes (ISO 7816-4, 8.1.1): card capabilities 73, third byte 40 = extended length. */
static const uint8_t atr[] = {0x3B, 0x85, 0x01, 0x80, 0x73, 0xC0, 0x01, 0x40, 0xF6};

static struct vpcd_client client;
static bool keep;
static uint8_t answer[2 + VPCD_BODY_MAX];

/* Data field of a command APDU, short or extended (ISO 7816-4, 5.1). */
static size_t data_field(const uint8_t *command, size_t length, const uint8_t **ret_data)
{
    size_t extended;

    if (length > 5 && command[4]) {
        *ret_data = command + 5;
        return command[4] <= length - 5 ? command[4] : length - 5;
    }
    if (length > 7) {
        extended = (size_t)command[5] << 8 | command[6];
        *ret_data = command + 7;
        return extended <= length - 7 ? extended : length - 7;
    }
    return 0;
}

#define REPLY_DATA (-1)
#define REPLY_P1P2 (-2)
#define REPLY_MAX (VPCD_BODY_MAX - 2)

static bool serve(long reply)
{
    size_t length, count = 0;
    const uint8_t *data = NULL, *body = vpcd_client_receive(&client, &length);

    if (!body)
        return false;
    if (length == 1 && body[0] == VPCD_GET_ATR) {
        uint8_t frame[2 + sizeof atr];

        memcpy(frame + 2, atr, sizeof atr);
        return vpcd_client_send(&client, frame, sizeof atr);
    }
    if (length < 2)
        return true;
    if (reply == REPLY_P1P2 && length >= 4) {
        count = (size_t)body[2] << 8 | body[3];
        if (count > REPLY_MAX)
            count = REPLY_MAX;
    } else if (reply >= 0) {
        count = (size_t)reply;
    } else {
        count = data_field(body, length, &data);
        if (count > REPLY_MAX)
            count = REPLY_MAX;
        if (count)
            memcpy(answer + 2, data, count);
    }
    answer[2 + count] = 0x90;
    answer[3 + count] = 0x00;
    return vpcd_client_send(&client, answer, count + 2);
}

static bool read_options(int argc, char **argv, long *ret_reply)
{
    for (int i = 2; i < argc; i++) {
        char *end;

        if (!strcmp(argv[i], "--quickack")) {
            client.quickack = true;
            continue;
        }
        if (!strcmp(argv[i], "--keep")) {
            keep = true;
            continue;
        }
        if (strcmp(argv[i], "--reply") != 0 || ++i == argc)
            return false;
        *ret_reply = strcmp(argv[i], "P1P2") != 0 ? strtol(argv[i], &end, 10) : REPLY_P1P2;
        if (*ret_reply != REPLY_P1P2 && (end == argv[i] || *end || *ret_reply < 0 || *ret_reply > REPLY_MAX))
            return false;
    }
    return argc >= 2;
}

int main(int argc, char **argv)
{
    long reply = REPLY_DATA;

    if (!read_options(argc, argv, &reply)) {
        fprintf(stderr, "usage: echo_card PORT [--reply N|P1P2] [--quickack] [--keep]   (N: 0 to %d)\n",
                REPLY_MAX);
        return 2;
    }
    for (size_t i = 2; i < sizeof answer; i++)
        answer[i] = (uint8_t)(i - 2);
    do {
        if (vpcd_client_connect(&client, argv[1])) {
            puts("card in");
            fflush(stdout);
            while (serve(reply))
                ;
        } else if (!keep) {
            return 1;
        }
        if (client.fd >= 0)
            close(client.fd);
    } while (keep && !nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL));
    return 0;
}
