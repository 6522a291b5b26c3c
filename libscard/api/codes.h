/* SPDX-License-Identifier: MIT */
/* From RC_* to the codes of PC/SC. */
#ifndef API_CODES_H
#define API_CODES_H

#include <pcsclite.h>

LONG codes_from_rc(int rc);

#endif
