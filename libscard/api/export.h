/* SPDX-License-Identifier: MIT */
/* What every public function begins and ends with. */
#ifndef API_EXPORT_H
#define API_EXPORT_H

#include "api/codes.h"
#include "base/log.h"
#include "base/rc.h"

#define EXPORT __attribute__((visibility("default")))

#endif
