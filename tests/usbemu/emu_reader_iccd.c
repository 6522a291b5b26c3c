/* SPDX-License-Identifier: MIT */
/* USB-ICC devices (ICCD 1.0). */
#include <errno.h>

#include "tests/usbemu/emu_reader_state.h"

int iccd_request(struct emu_function *function, const uint8_t setup[8], uint8_t *data, size_t length)
{
    (void)function;
    (void)setup;
    (void)data;
    (void)length;
    return -EPIPE;
}
