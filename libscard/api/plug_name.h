/* SPDX-License-Identifier: MIT */
/* What a USB reader is called. */
#ifndef API_PLUG_NAME_H
#define API_PLUG_NAME_H

#include <stdint.h>

/* A text of the device for use in a name: blanks at the ends taken off, those within made one space, control
 * characters taken as blanks. A new string; *ret_text is NULL for text NULL, or with nothing in it.
 * RC_NO_MEMORY. */
int plug_name_clean(const char *text, char **ret_text);

/* The model in a reader's name, in pcsc-lite's form: "VENDOR PRODUCT [INTERFACE]", from cleaned texts that
 * may be NULL. The vendor is left out if the product begins with it, the interface if it only repeats;
 * without vendor and product it is "USB 072F:2200". A new string, NULL without memory. */
char *plug_name_model(const char *vendor_name, const char *product_name, const char *interface_name,
                      uint16_t vendor, uint16_t product);

#endif
