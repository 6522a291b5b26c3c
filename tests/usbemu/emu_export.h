/* SPDX-License-Identifier: MIT */
/* What is defined for others' shared libraries to find, though everything else is hidden. */
#ifndef USBEMU_EMU_EXPORT_H
#define USBEMU_EMU_EXPORT_H

#define EMU_EXPORT __attribute__((visibility("default"), used))

#endif
