/* SPDX-License-Identifier: MIT */
/*
 * Which USB readers are taken, and how: what the usb: URIs say.
 *
 *     usb:               every reader
 *     usb:1-2.3          those in the device at that port (as the kernel names it)
 *     usb:1-2.3:1.0      the one at that interface of it, as the reader's device is told
 *     usb:072F:2200      those of that vendor and product
 *
 * Options: escape=yes|no, whether programs may send escape commands to the reader (no); firmware=any, to use
 * it though its firmware is known as bad. Of several URIs that fit a reader the last one counts.
 */
#ifndef API_PLUG_CHOICE_H
#define API_PLUG_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uri.h"

enum plug_choice_kind { PLUG_ALL, PLUG_PLACE, PLUG_MODEL };

struct plug_choice {
    enum plug_choice_kind kind;
    char *place; /* "1-2.3" or "1-2.3:1.0" */
    uint16_t vendor, product;
    bool escape_allowed, any_firmware;
};

/* {0}: no readers at all. */
struct plug_choices {
    struct plug_choice *list;
    size_t count;
};

/* What a URI of scheme usb says, behind the others. RC_INVALID_VALUE with a detail; RC_NO_MEMORY. */
int plug_choices_add(struct plug_choices *choices, const struct uri *uri);
void plug_choices_fini(struct plug_choices *choices);

/* For the interface at place, "1-2.3:1.0": the choice that counts, borrowed; NULL: not to be taken. */
const struct plug_choice *plug_choices_find(const struct plug_choices *choices, const char *place,
                                            uint16_t vendor, uint16_t product);

#endif
