/* SPDX-License-Identifier: MIT */
/*
 * What libscard offers beyond PC/SC. Same rules as winscard.h.
 */
#ifndef SCARD_PCSC_SCARD_H
#define SCARD_PCSC_SCARD_H

#include <stddef.h>
#include <stdint.h>
#include <reader.h>
#include <winscard.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the library, "0.1.0". */
const char *scard_version(void);

/* The last failure on this thread in one sentence that says what, where and what to do next; "" if there is
 * nothing to add to the code. Valid until the next call of the library on this thread. */
const char *scard_error_detail(void);

/* Receives one line of debug log without newline, from any thread. Do not call the library from it. */
typedef void scard_log_fn(void *user, const char *line);

/* Sets the receiver of the debug log; NULL switches it off (the default). user is borrowed until the next
 * call. */
void scard_set_log(scard_log_fn *fn, void *user);

/* Like SCardCancel, and also ends exchanges of this context that are on the card: they return
 * SCARD_E_CANCELLED. What the card made of the command is then unknown; its state may be lost. Not sticky: a
 * call that is only on its way to the card goes on, so repeat it until the call has come back. */
LONG scard_abort(SCARDCONTEXT hContext);

/* Facts about a reader that need no connection, as text:
 *   "device"   stable identity, such as "vpcd:35963" or, by the port that it is plugged in, "usb:1-2.3:1.0"
 *   "problem"  why the reader is listed but cannot be used; "" = no problem
 *   "facts"    all that the driver knows of the device, its limits and what is special about it, in lines
 *              "key=value", each with a newline; "" = nothing. A reader on USB has them also when it cannot
 * be used Usual length rules, SCARD_AUTOALLOCATE included. SCARD_E_UNSUPPORTED_FEATURE for another key. */
LONG scard_reader_fact(SCARDCONTEXT hContext, LPCSTR szReader, LPCSTR szKey, LPSTR szValue,
                       LPDWORD pcchValue);

/* Which service a new context would get (SCARD_SERVICE): the path of its socket, "" when this process does it
 * itself. Usual length rules, without SCARD_AUTOALLOCATE. As SCardEstablishContext when a service that was
 * asked for is not there. */
LONG scard_service_socket(LPSTR szPath, LPDWORD pcchPath);

/* Can a configuration file (scard.conf) be used: SCARD_S_SUCCESS, or SCARD_E_NO_SERVICE with file, line and
 * what is wrong in scard_error_detail. */
LONG scard_configuration_check(LPCSTR szFile);

/* The name that a reader goes by in the service, for any name that it has in the database. Usual length
 * rules, SCARD_AUTOALLOCATE included. SCARD_E_UNKNOWN_READER. */
LONG scard_reader_own_name(SCARDCONTEXT hContext, LPCSTR szReader, LPSTR szName, LPDWORD pcchName);

/* What in the database cannot be used: one line for each, "path:line: text" with a newline, "" = nothing.
 * Usual length rules, SCARD_AUTOALLOCATE included. hContext may be 0. */
LONG scard_database_problems(SCARDCONTEXT hContext, LPSTR szProblems, LPDWORD pcchProblems);

/* An attribute for SCardGetAttrib, where the reader's driver knows it (SCARD_E_UNSUPPORTED_FEATURE elsewhere,
 * and of pcscd): how long the last SCardTransmit to the reader was with the card; int64_t, nanoseconds. The
 * rest of the time that the call took went to library, service, bus and reader. Of a reader on USB it is what
 * its messages took beyond the fastest one that it answered without the card: the characters on the card's
 * line count as the card's. */
#define SCARD_ATTR_CARD_TIME SCARD_ATTR_VALUE(SCARD_CLASS_VENDOR_DEFINED, 0xC001)

/* A descriptor for poll: readable while the event of SCardAccessStartedEvent is signalled; -1 for another
 * value. */
int scard_event_fd(LPVOID hEvent);

/* Traces: what passed between program and card, as it happened. */

/* One call of a program, when it has ended. Texts and bytes are borrowed until the receiver returns. */
struct scard_exchange {
    size_t size; /* sizeof(struct scard_exchange): more may come */

    DWORD kind;   /* SCARD_EXCHANGE_... */
    LPCSTR call;  /* "SCardTransmit" */
    LPCSTR words; /* what else went in and, behind '>', came out, for people: " \"Reader\" shared T=1"; "" */

    LPCSTR reader; /* name; "" for a call that is about none */
    LPCSTR device; /* stable identity of the reader, "usb:1-2.3:1.0"; "" = not known */
    DWORD process; /* of the program */
    DWORD context; /* contexts of a process and cards of a context, counted from 1; 0 = none */
    DWORD card;
    DWORD protocol; /* SCARD_PROTOCOL_* of the card handle; 0 = none */

    int64_t time_ns;     /* when it began: CLOCK_REALTIME, nanoseconds since 1970 */
    int64_t duration_ns; /* how long it took */
    LONG result;         /* SCARD_S_SUCCESS, or what the program got */

    DWORD
        code; /* control code; of a connection what SCardReconnect did with the card before, SCARD_..._CARD */
    LPCBYTE command; /* what was sent: the APDU, the data of a control */
    size_t command_length;
    LPCBYTE response; /* what came back: response APDU with status word, ATR, data */
    size_t response_length;

    /* The secret in command: with SCARD_EXCHANGE_MASKED in flags its bytes are '*', and their number need not
     * be the true one. In a recording that was read they stand for any bytes of any number. */
    size_t secret_offset;
    size_t secret_length; /* 0: there is none */
    DWORD flags;
};

/* kind */
#define SCARD_EXCHANGE_CALL 0 /* any other call: call, words and result tell all */
#define SCARD_EXCHANGE_APDU 1 /* command APDU and its response */
#define SCARD_EXCHANGE_CONNECT                                                                               \
    2 /* a card handle begins, or begins anew: response is the ATR, nothing without card */
#define SCARD_EXCHANGE_RESET 3   /* the card was reset or switched off, when a handle or transaction ended */
#define SCARD_EXCHANGE_CONTROL 4 /* a control of the reader by code */

/* flags */
#define SCARD_EXCHANGE_MASKED 1    /* the secret is not in command */
#define SCARD_EXCHANGE_AUTOMATIC 2 /* nobody typed this command: see scard_trace_hint */

/* Receives one exchange, from any thread. Do not call the library from it, but scard_trace_write. */
typedef void scard_exchange_fn(void *user, const struct scard_exchange *exchange);

#define SCARD_TRACE_SECRETS 1 /* PINs and keys as well */

/* Sets the receiver of what this process does in its contexts; NULL ends it. user is borrowed until the next
 * call has returned: the receiver is not running then. */
void scard_set_trace(scard_exchange_fn *fn, void *user, DWORD dwFlags);

/* About the next SCardTransmit of this thread, for its trace alone: flags SCARD_EXCHANGE_AUTOMATIC or 0, and
 * which bytes of it are secret beside those that its instruction tells. */
void scard_trace_hint(DWORD dwFlags, size_t cbOffset, size_t cbLength);

/* A file of exchanges, in a format:
 *   "jsonl"     an object per line; what scard replays best
 *   "text"      a line for each call, for people
 *   "pcapng"    a capture that Wireshark dissects by itself (link type 252, dissector iso7816)
 *   "gp"        as GlobalPlatformPro prints it with -d
 *   "apdu4j", "cardpeek", "scard"   as those programs keep sessions; scard: a script that expects the same
 * answers
 */
struct scard_trace;

/* Which of these the ending of a file's name asks for: .jsonl .json .txt .log .pcapng .gp .dump .cardpeek
 * .scard; NULL if it is none of them. */
LPCSTR scard_trace_format(LPCSTR szFile);

/* Writes to a descriptor, which is borrowed, behind what other processes write to the same file. NULL as
 * format is jsonl. SCARD_E_INVALID_VALUE for another format; SCARD_E_NO_MEMORY. */
LONG scard_trace_open(int fd, LPCSTR szFormat, struct scard_trace **ppTrace);

/* A scard_exchange_fn, with the trace as user; from any thread. */
void scard_trace_write(void *trace, const struct scard_exchange *exchange);

/* Ends it and frees it, NULL as well. SCARD_F_COMM_ERROR, with a detail, when not all of it could be written.
 */
LONG scard_trace_close(struct scard_trace *trace);

/* Reads a recording - jsonl, apdu4j, cardpeek, a log of pcscd, ETSI's notation of RST and CMD, pcapng as
 * above - and hands out its exchanges in order. SCARD_E_INVALID_VALUE with file and line in scard_error_detail; SCARD_E_NO_MEMORY.
 */
LONG scard_recording_read(LPCSTR szFile, scard_exchange_fn *fn, void *user);

/* A server for other programs: the readers of this process behind a Unix socket that speaks pcscd's protocol,
 * so that programs on pcsc-lite's library or on this one share them. What it serves is set as for a context
 * (SCARD_READERS, the configuration files). One for a process; functions of this library in the same process
 * work beside it. */
struct scard_server;

struct scard_server_options {
    size_t size; /* sizeof(struct scard_server_options): more may come */

    /* Where: a listening Unix stream socket, which is taken over, also on failure; or, with -1, a path, where
     * what a server that died has left is replaced. NULL is the place where this library looks for servers:
     * scard/scard.comm in $XDG_RUNTIME_DIR or /run/user/UID, or in /run for root without these. */
    int listener;
    LPCSTR path;

    /* Who may connect beside root and this process's own user: the members of this group, who then may use
     * the path as well; "*": everybody, or whom the caller's listener lets in; NULL: nobody. */
    LPCSTR group;

    /* Receives what an administrator wants to know, such as who was disconnected for what, as a line without
     * newline, from any thread; or NULL. Do not call the library from it. user is borrowed until
     * scard_server_stop. */
    scard_log_fn *report;
    void *user;

    /* With 1 the exchanges of all clients go to the receiver of scard_set_trace, and to SCARD_TRACE, as those
     * of this process do; process tells whose they are. The receiver may be set and changed while the server
     * runs. */
    int trace;
};

/* SCARD_E_SHARING_VIOLATION: another server listens there, and scard_error_detail says which, or this process
 * has one already; SCARD_E_INVALID_VALUE: path or group; SCARD_W_SECURITY_VIOLATION, SCARD_F_COMM_ERROR,
 * SCARD_E_NO_MEMORY, and what SCardEstablishContext says of readers. */
LONG scard_server_start(const struct scard_server_options *options, struct scard_server **server);

/* The path that it listens at; "" for a listener of the caller's. Valid until scard_server_stop. */
const char *scard_server_path(const struct scard_server *server);

/* How many clients it has; with 0 *pdwIdle (may be NULL) is for how many milliseconds there have been none.
 */
DWORD scard_server_clients(struct scard_server *server, LPDWORD pdwIdle);

/* A descriptor to poll: readable when the first client has come or the last one has gone since it was read (8
 * bytes). */
int scard_server_fd(const struct scard_server *server);

/* Ends it: clients are disconnected, their cards left as their dispositions say, the socket is taken away. */
void scard_server_stop(struct scard_server *server);

/* The same, if it has had no clients for dwIdle milliseconds and none is just connecting: 1, and the server
 * is gone. Else 0: whoever has connected is served. Who comes later finds no socket, or waits at a listener
 * of the caller's. */
int scard_server_stop_idle(struct scard_server *server, DWORD dwIdle);

/* Control codes of the built-in simulated readers (sim:NAME), through SCardControl without data. */
#define SCARD_CTL_SIM_INSERT 0x42002580 /* puts the card in */
#define SCARD_CTL_SIM_REMOVE 0x42002581 /* takes it out */

#ifdef __cplusplus
}
#endif

#endif
