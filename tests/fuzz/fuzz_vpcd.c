/* SPDX-License-Identifier: MIT */
/*
 * A card program that sends anything: frames are read as a plain parser reads them, never past the room.
 * Input: one byte for the room, then what the card sends before it leaves.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/rc.h"
#include "driver/vpcd_frame.h"
#include "tests/fuzz/fuzz.h"

enum { ROOM_MAX = 512, GUARD = 0xA5 };

/* What reading one frame must give for the bytes stream[0 … left). */
static int expect(const uint8_t *stream, size_t left, size_t capacity, size_t *ret_length)
{
    if (left < 2)
        return RC_NO_CARD;
    *ret_length = (size_t)stream[0] << 8 | stream[1];
    if (left - 2 < *ret_length)
        return RC_NO_CARD;
    return *ret_length > capacity ? RC_INSUFFICIENT_BUFFER : RC_OK;
}

/* One frame; returns how much of the stream it took, 0 at its end. */
static size_t read_one(int fd, const uint8_t *stream, size_t left, size_t capacity)
{
    uint8_t out[ROOM_MAX + 1];
    size_t length = SIZE_MAX, expected_length = SIZE_MAX;
    int expected = expect(stream, left, capacity, &expected_length);
    int rc;

    memset(out, GUARD, sizeof out);
    rc = vpcd_frame_read(fd, out, capacity, deadline_never(), &length);
    FUZZ_CHECK(out[capacity] == GUARD);
    if (rc == RC_IO) { /* more than the frame was there, and room to see it */
        FUZZ_CHECK(expected_length < capacity && left > 2 + expected_length);
        return 0;
    }
    FUZZ_CHECK(rc == expected);
    if (rc == RC_NO_CARD) {
        FUZZ_CHECK(length == SIZE_MAX);
        return 0;
    }
    FUZZ_CHECK(length == expected_length);
    FUZZ_CHECK(!memcmp(out, stream + 2, length < capacity ? length : capacity));
    return 2 + length;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    size_t capacity, taken;
    int pair[2];

    if (size < 1 || size > 70000) /* what the socket's buffer holds without a reader */
        return 0;
    capacity = (size_t)input[0] * 2;
    input++;
    size--;
    FUZZ_CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    FUZZ_CHECK(send(pair[1], input, size, MSG_DONTWAIT) == (ssize_t)size);
    close(pair[1]);
    do {
        taken = read_one(pair[0], input, size, capacity);
        input += taken;
        size -= taken;
    } while (taken);
    close(pair[0]);
    return 0;
}
