/* SPDX-License-Identifier: MIT */
/*
 * The exchange of messages with one CCID interface, shared by its slots (CCID 1.1, 3 and 6).
 *
 * One command at a time for each slot, and busy_slots of them for the device. Numbers the messages, sends
 * them, and finds the answer: what belongs to another slot is handed to the one that waits for it, what is
 * stale is dropped, what is malformed is refused. Time extensions start the waiting anew. When a wait ends
 * without an answer - timeout, cancel, nonsense - the command is aborted (5.3.1) or its late answer will be
 * dropped, so that the next exchange works.
 *
 * Slots are used by different threads; this is the one place of the driver with a lock, held briefly and
 * never across I/O.
 */
#ifndef DRIVER_CCID_LINK_H
#define DRIVER_CCID_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "driver/ccid_descriptor.h"
#include "driver/ccid_message.h"
#include "driver/ccid_quirks.h"
#include "usb/pipe.h"

struct ccid_link;

/* descriptor and quirk (corrected by it) are borrowed; the pipe is taken over when it succeeds. RC_NO_MEMORY.
 */
int ccid_link_new(struct pipe *pipe, const struct ccid_descriptor *descriptor, const struct ccid_quirk *quirk,
                  struct ccid_link **ret_link);

/* Closes the pipe. No exchange is under way. */
void ccid_link_free(struct ccid_link *link);

/* Brings host and reader into step when a reader is opened (1.16, 5): old notices dropped, GetSlotStatus
 * until it answers. RC_READER_UNAVAILABLE with a detail. */
int ccid_link_start(struct ccid_link *link);

/*
 * One command of a slot and its answer; command->seq is set here. The answer may come timeout_ms after the
 * command or, after a time extension, timeout_ms times its multiplier after that; 0 = no limit. The quirk's
 * extra_ms is added. *ret_answer's data is valid until the slot's next exchange or ccid_link_end, and is
 * wiped then as far as it is the link's own.
 *
 * RC_OK: there is an answer, perhaps a failed one (ccid_rc says what it means). RC_TIMEOUT, RC_CANCELLED:
 * none came, the link is ready for the next command. RC_READER_UNAVAILABLE: the device has gone. RC_IO:
 * transfer or message bad; the link is ready for the next command (GetSlotStatus and GetParameters have been
 * tried twice). RC_INVALID_VALUE: longer than the reader's messages may be; nothing was sent. All with a
 * detail, but for RC_CANCELLED.
 */
int ccid_link_exchange(struct ccid_link *link, struct ccid_command *command, uint64_t timeout_ms,
                       struct ccid_answer *ret_answer);

/* A chain of messages that will not be gone on with, though all of them were answered: the reader is to forget
 * it. RC_OK or RC_READER_UNAVAILABLE. */
int ccid_link_abandon(struct ccid_link *link, uint8_t slot);

/* Ends the slot's exchange that is under way, if there is one, with RC_CANCELLED. Any thread; never blocks.
 */
void ccid_link_cancel(struct ccid_link *link, uint8_t slot);

/* A call on the slot spans several exchanges: between begin and end a cancel that falls between two of them
 * ends the next one. Each reader operation is inside one such pair; the pipe is held as long. */
void ccid_link_begin(struct ccid_link *link, uint8_t slot);
void ccid_link_end(struct ccid_link *link, uint8_t slot);

/* Waits without polling, inside begin and end: RC_CANCELLED if a cancel comes before the time is over,
 * RC_READER_UNAVAILABLE if the device is known to have gone. */
int ccid_link_pause(struct ccid_link *link, uint8_t slot, uint64_t ms);

/* Readable when the slot should be looked at (a notice spoke of it, a poll is due where the reader has no
 * interrupt endpoint, the device has gone). Constant from ccid_link_start on. */
int ccid_link_event_fd(const struct ccid_link *link, uint8_t slot);

/* Consumes what made event_fd readable. Result: the notices of the reader say that a card has left the slot
 * since the last call. One that came was not there before: the first notice about it is about its coming. */
bool ccid_link_seen(struct ccid_link *link, uint8_t slot);

/* Makes the slot's event_fd readable until ccid_link_seen. */
void ccid_link_look_again(struct ccid_link *link, uint8_t slot);

/* Control transfer to the interface, for GET_DATA_RATES and ICCD. As the pipe's; cancelled as an exchange is.
 * timeout_ms 0 = no limit. */
int ccid_link_control(struct ccid_link *link, uint8_t slot, uint8_t request_type, uint8_t request,
                      uint16_t value, uint8_t *bytes, size_t length, size_t *ret_length, uint64_t timeout_ms);

/* In a forked child. */
void ccid_link_forget(struct ccid_link *link);

#endif
