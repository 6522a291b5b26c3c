/* SPDX-License-Identifier: MIT */
/* Names that a device gives itself: made fit to be shown, because they are any bytes that a device sends. */
#ifndef USB_USB_TEXT_H
#define USB_USB_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* In place: what is no valid UTF-8 or a control character becomes '?', blanks at both ends go. */
void usb_text_clean(char *text);

/* A string descriptor's text (UTF-16, little endian; an odd byte at the end is left out), cleaned, in a new
 * block; "" if nothing is left. NULL: no memory. */
char *usb_text_from_utf16(const uint8_t *bytes, size_t length);

/* Appends all that can be read from a file. RC_IO without a detail, RC_NO_MEMORY. */
int usb_file_read(const char *path, struct buffer *content);

/* One value of sysfs, cleaned, in a new block; NULL: it is not there, or it is empty. */
char *usb_file_text(const char *path);

#endif
