/* SPDX-License-Identifier: MIT */
/*
 * An emulated device directly behind the pipe seam (usb/pipe.h), with no libusb in between. Packets are
 * counted as on a bus: a transfer to the host ends with a short packet or when its room is full.
 *
 * The device is plugged in as long as a pipe to it is open, or between emu_pipe_plug and emu_pipe_unplug.
 * What it sent and nobody fetched stays in its endpoints as long as it is plugged in.
 */
#ifndef USBEMU_EMU_PIPE_H
#define USBEMU_EMU_PIPE_H

#include "tests/usbemu/emu.h"
#include "usb/pipe.h"

/* Opens and claims. RC_NO_MEMORY, RC_SHARING (the interface is claimed), RC_READER_UNAVAILABLE (plugged into
 * something else). */
int pipe_open_emu(struct emu_device *device, const struct pipe_layout *layout, struct pipe **ret_pipe);

/* RC_NO_MEMORY, RC_READER_UNAVAILABLE. */
int emu_pipe_plug(struct emu_device *device);

/* Its pipes have to be closed still, but find it gone. Nothing if it is not plugged in. */
void emu_pipe_unplug(struct emu_device *device);

#endif
