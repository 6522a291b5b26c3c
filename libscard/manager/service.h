/* SPDX-License-Identifier: MIT */
/*
 * The service seam: the PC/SC verbs. local (local.h) is the resource manager in this process; a remote
 * one speaks to another process. api/ and the server are its callers.
 *
 * Objects: a service makes contexts, a context makes card handles. Closing and freeing are two steps, so
 * that a call under way in one thread survives a close from another: release and disconnect close, from
 * then on every verb answers RC_INVALID_HANDLE; context_free and handle_free give the memory back and are
 * called once, when no call on the object is under way, handles before their context.
 *
 * Every verb may be called from any thread at any time between make and free. Results are 0 or RC_*;
 * out parameters are untouched on failure unless said otherwise.
 */
#ifndef MANAGER_SERVICE_H
#define MANAGER_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "driver/reader.h"

/* Numbers as in PC/SC; api/ asserts that they agree. */
enum share_mode { SHARE_EXCLUSIVE = 1, SHARE_SHARED = 2, SHARE_DIRECT = 3 };
enum disposition { CARD_LEAVE = 0, CARD_RESET = 1, CARD_UNPOWER = 2, CARD_EJECT = 3 };

/* State of a reader in a wait; bits 16…31 of event count insertions and removals. */
enum reader_state {
    STATE_UNAWARE = 0,
    STATE_IGNORE = 0x001,
    STATE_CHANGED = 0x002,
    STATE_UNKNOWN = 0x004,
    STATE_UNAVAILABLE = 0x008,
    STATE_EMPTY = 0x010,
    STATE_PRESENT = 0x020,
    STATE_EXCLUSIVE = 0x080,
    STATE_INUSE = 0x100,
    STATE_MUTE = 0x200,
};

/* State of a card handle's slot. */
enum card_state {
    CARD_ABSENT = 0x02,
    CARD_PRESENT = 0x04,
    CARD_SWALLOWED = 0x08,
    CARD_POWERED = 0x10,
    CARD_NEGOTIABLE = 0x20,
};

/* The reader that stands for the list of readers; compared without case. */
#define PNP_READER "\\\\?PnP?\\Notification"

/* Room for a reader's name with its NUL: programs have such arrays (MAX_READERNAME). */
#define READER_NAME_MAX 128

struct service;
struct service_context;
struct service_handle;

/* One entry of a wait. */
struct reader_watch {
    const char *name; /* in, borrowed */
    uint32_t current; /* in: what the caller believes */
    uint32_t event;   /* out */
    uint8_t atr[ATR_MAX];
    size_t atr_length; /* out: 0 without card */
};

struct handle_status {
    const char *reader; /* borrowed from the handle, constant */
    uint32_t state;     /* enum card_state, counter in bits 16…31 */
    uint32_t protocol;  /* active protocol or 0 */
    uint8_t atr[ATR_MAX];
    size_t atr_length;
};

/* A reader as the table has it. */
struct reader_entry {
    char name[READER_NAME_MAX];
    uint32_t state;    /* enum reader_state, counter of insertions and removals in bits 16…31 */
    uint32_t card;     /* enum card_state without counter; 0: the reader cannot be used */
    unsigned handles;  /* how many are connected to it */
    uint32_t protocol; /* in force, or 0 */
    uint8_t atr[ATR_MAX];
    size_t atr_length; /* 0 without card */
};

struct service_ops {
    /* no_wait: Transmit, Status and Reconnect fail with RC_SHARING instead of waiting behind another
     * handle's transaction (PCSCLITE_NO_BLOCKING). RC_NO_MEMORY, RC_NO_SERVICE. */
    int (*establish)(struct service *service, bool no_wait, struct service_context **ret_context);

    /* Closes the context and its handles; its waits end with RC_CANCELLED. Waits only for exchanges of the
     * context that are on a card. A transaction it owns ends with a reset of the card. */
    void (*release)(struct service_context *context);
    void (*context_free)(struct service_context *context);

    /* Ends the waits of the context with RC_CANCELLED: wait, and verbs that wait for their turn. Not sticky.
     */
    int (*cancel)(struct service_context *context);

    /* cancel, and ends exchanges of the context on a card as well: those that have reached the device. */
    int (*abort)(struct service_context *context);

    /* Is it of use still? RC_NO_SERVICE: the service was lost, and all but a release fails. A service that
     * cannot be lost has NULL here. */
    int (*check)(struct service_context *context);

    /* Names of all readers as a multi-string in a new block (free it), with its length; RC_NO_READERS. */
    int (*list)(struct service_context *context, char **ret_names, size_t *ret_length);

    /* All readers at one moment, in a new block (free it; NULL for none), and how often the list has changed
     * (16 bits, never 0). */
    int (*table)(struct service_context *context, struct reader_entry **ret_entries, size_t *ret_count,
                 uint16_t *ret_list_events);

    /* Calls changed(user) after anything in the table has become another, until observe with NULL has
     * returned; one observer. It is called under the service's lock, from any thread: it may do no more than
     * signal. A service that cannot has NULL here. */
    void (*observe)(struct service *service, void (*changed)(void *user), void *user);

    /* Waits until an entry differs (see PC/SC's GetStatusChange). Entries are filled on 0, RC_TIMEOUT and
     * RC_CANCELLED, else untouched. RC_UNKNOWN_READER at once for a name that is not attached, unless
     * ignored. */
    int (*wait)(struct service_context *context, struct deadline deadline, struct reader_watch *watches,
                size_t count);

    /* A fact about a reader that needs no connection, "device", "problem" or "facts" (lines "key=value"), as
     * a new string (free it). RC_UNKNOWN_READER, RC_UNSUPPORTED. */
    int (*fact)(struct service_context *context, const char *reader, const char *key, char **ret_value);

    int (*connect)(struct service_context *context, const char *reader, enum share_mode share,
                   uint32_t protocols, struct service_handle **ret_handle, uint32_t *ret_protocol);
    int (*reconnect)(struct service_handle *handle, enum share_mode share, uint32_t protocols,
                     enum disposition initialization, uint32_t *ret_protocol);

    /* On RC_CANCELLED the handle stays open. */
    int (*disconnect)(struct service_handle *handle, enum disposition disposition);
    void (*handle_free)(struct service_handle *handle);

    int (*begin)(struct service_handle *handle);
    int (*end)(struct service_handle *handle, enum disposition disposition);
    int (*status)(struct service_handle *handle, struct handle_status *ret_status);

    /* protocol: PROTOCOL_T0, _T1 or _RAW. *ret_length is also set with RC_INSUFFICIENT_BUFFER. */
    int (*transmit)(struct service_handle *handle, uint32_t protocol, const uint8_t *command,
                    size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length);
    int (*control)(struct service_handle *handle, uint32_t code, const uint8_t *in, size_t in_length,
                   uint8_t *out, size_t capacity, size_t *ret_length);
    int (*get_attribute)(struct service_handle *handle, uint32_t tag, uint8_t *out, size_t capacity,
                         size_t *ret_length);
    int (*set_attribute)(struct service_handle *handle, uint32_t tag, const uint8_t *value, size_t length);
};

/* Is the state of a reader another one than a program believes (PC/SC's SCARD_STATE_CHANGED)? Both with the
 * counter in bits 16…31. Users that come do not count: a program would wake itself by connecting. */
bool service_state_differs(uint32_t current, uint32_t actual);

/* First members of each implementation's structs. */
struct service {
    const struct service_ops *ops;
};

struct service_context {
    struct service *service;
};

struct service_handle {
    struct service_context *context;
};

#endif
