/* SPDX-License-Identifier: MIT */
/* The formats, for writer.c; what each is stands in its file. */
#ifndef CAPTURE_FORMATS_H
#define CAPTURE_FORMATS_H

#include "capture/writer.h"

extern const struct capture_format format_json, format_text, format_pcapng, format_gp, format_apdu4j,
    format_cardpeek, format_script;

#endif
