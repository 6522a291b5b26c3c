/* SPDX-License-Identifier: MIT */
/* What happens at the readers: SCardGetStatusChange as single events. For watch, wait and the shell. */
#ifndef CLI_MONITOR_H
#define CLI_MONITOR_H

#include <stddef.h>
#include <stdint.h>

#include <winscard.h>

enum monitor_what {
    MONITOR_READER_IN,
    MONITOR_READER_OUT,
    MONITOR_CARD_IN, /* also a mute one: see state */
    MONITOR_CARD_OUT,
    MONITOR_USE, /* somebody connected or disconnected: see state */
};

struct monitor_event {
    enum monitor_what what;
    const char *reader;
    DWORD state; /* SCARD_STATE_*, low word; 0 for MONITOR_READER_OUT */
    const uint8_t *atr;
    size_t atr_length;
};

/* Returns 0 to go on with the other events of the same moment, else they are skipped. */
typedef int monitor_fn(void *user, const struct monitor_event *event);

struct monitor {
    SCARDCONTEXT context;
    SCARD_READERSTATE *states; /* [0] is the list of readers itself */
    size_t count;
};

/* Takes the present state as known: no events for it. */
LONG monitor_init(struct monitor *monitor, SCARDCONTEXT context);
void monitor_fini(struct monitor *monitor);

/* Waits for the next change and tells its events. A card that was changed between two looks is told as out
 * and in. SCARD_E_TIMEOUT, SCARD_E_CANCELLED, …: nothing was told. */
LONG monitor_wait(struct monitor *monitor, DWORD timeout_ms, monitor_fn *fn, void *user);

/* Stable words: "reader-in", "reader-out", "card-in", "card-out", and for MONITOR_USE by state "exclusive",
 * "in-use", "free". */
const char *monitor_word(const struct monitor_event *event);

#endif
