/* SPDX-License-Identifier: MIT */
/*
 * cacard_bridge PORT NSSDIR: libcacard's emulated CAC card behind vpcd. NSSDIR comes from make_nssdb. Prints
 * "card in" when connected. Ends with the connection, or by SIGTERM.
 *
 * cacard_bridge SOCKET NSSDIR: SOCKET is a path with a '/'; prints "listening" and is the card of one program
 * after another, with the connections to their readers that vpcd_insert.c sends there. Ends by SIGTERM or
 * with its parent.
 */
#include "tests/interop/vpcd_client.h"

#include <libcacard.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/un.h>

static struct vpcd_client client;
static uint8_t answer[2 + VPCD_BODY_MAX];

static void leave(int number)
{
    (void)number;
    shutdown(client.fd, SHUT_RDWR); /* wakes the receive, whichever thread got the signal */
}

/* The reader with the card made of the database's certificates; NULL with a word on stderr. */
static VReader *open_card(const char *directory)
{
    VCardEmulOptions *options = NULL;
    VReader *reader = NULL;
    VEvent *event;
    char *text;

    if (asprintf(&text, "db=\"sql:%s\" use_hw=no soft=(,Test,CAC,,id-cert,signing-cert,encryption-cert)",
                 directory) >= 0) {
        options = vcard_emul_options(text);
        free(text);
    }
    if (!options || vcard_emul_init(options) != VCARD_EMUL_OK) {
        fprintf(stderr, "%s: libcacard cannot use this database; make one by make_nssdb\n", directory);
        return NULL;
    }
    /* A soft card is inserted by the initialisation, so its event is there already, or never will be. */
    while (!reader && (event = vevent_get_next_vevent())) {
        if (event->type == VEVENT_CARD_INSERT)
            reader = vreader_reference(event->reader);
        vevent_delete(event);
    }
    if (!reader)
        fprintf(stderr, "%s: no id-cert, signing-cert and encryption-cert in it; make it by make_nssdb\n",
                directory);
    return reader;
}

static bool transmit(VReader *reader, const uint8_t *command, size_t length)
{
    int count = VPCD_BODY_MAX;
    VReaderStatus status =
        vreader_xfr_bytes(reader, (uint8_t *)(uintptr_t)command, (int)length, answer + 2, &count);

    /* A frame without status words tells the reader that the exchange failed. */
    return vpcd_client_send(&client, answer, status == VREADER_OK && count > 0 ? (size_t)count : 0);
}

static bool control(VReader *reader, uint8_t code)
{
    int count = 33; /* ISO 7816-3, 8.1 */

    switch (code) {
    case VPCD_OFF:
        vreader_power_off(reader);
        return true;
    case VPCD_RESET:
        vreader_power_off(reader);
        __attribute__((fallthrough));
    case VPCD_ON:
        vreader_power_on(reader, answer + 2, &count);
        return true;
    case VPCD_GET_ATR:
        if (vreader_power_on(reader, answer + 2, &count) != VREADER_OK)
            count = 0;
        return vpcd_client_send(&client, answer, (size_t)count);
    default:
        return true;
    }
}

static bool serve(VReader *reader)
{
    size_t length;
    const uint8_t *body = vpcd_client_receive(&client, &length);

    if (!body)
        return false;
    if (length == 1)
        return control(reader, body[0]);
    return !length || transmit(reader, body, length);
}

/* One that came over the connection, or -1. */
static int receive_descriptor(int connection)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec bytes = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *header;
    int fd = -1;

    if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) < 0)
        return -1;
    header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, path);
    return fd >= 0 && !bind(fd, (const struct sockaddr *)&address, sizeof address) && !listen(fd, 16) ? fd
                                                                                                      : -1;
}

/* The next program's connection to its reader. */
static bool next_reader(int listener)
{
    int connection;

    do {
        connection = accept(listener, NULL, NULL);
        if (connection < 0)
            return false;
        client = (struct vpcd_client){.fd = receive_descriptor(connection)};
        close(connection);
    } while (client.fd < 0);
    return true;
}

static int serve_programs(VReader *reader, const char *path)
{
    int listener = listen_at(path);

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (listener < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    puts("listening");
    fflush(stdout);
    while (next_reader(listener)) {
        while (serve(reader))
            ;
        vreader_power_off(reader);
        close(client.fd);
    }
    return 1;
}

static int serve_port(VReader *reader, const char *port)
{
    if (!vpcd_client_connect(&client, port))
        return 1;
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = leave}, NULL);
    puts("card in");
    fflush(stdout);
    while (serve(reader))
        ;
    close(client.fd);
    return 0;
}

int main(int argc, char **argv)
{
    VReader *reader;
    int status;

    if (argc != 3) {
        fprintf(stderr, "usage: cacard_bridge PORT|SOCKET NSSDIR\n");
        return 2;
    }
    reader = open_card(argv[2]);
    if (!reader)
        return 1;
    status = strchr(argv[1], '/') ? serve_programs(reader, argv[1]) : serve_port(reader, argv[1]);
    vreader_free(reader);
    return status;
}
