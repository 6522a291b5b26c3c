/* SPDX-License-Identifier: MIT */
#include "manager/service.h"

bool service_state_differs(uint32_t current, uint32_t actual)
{
    bool usable = !(actual & (STATE_UNKNOWN | STATE_UNAVAILABLE));

    if (current == STATE_UNAWARE || actual & STATE_UNKNOWN)
        return true;
    if (!usable)
        return !(current & STATE_UNAVAILABLE);
    if (current & (STATE_UNKNOWN | STATE_UNAVAILABLE))
        return true;
    if (current >> 16 && current >> 16 != actual >> 16)
        return true;
    if ((current & STATE_EMPTY && actual & STATE_PRESENT) ||
        (current & STATE_PRESENT && actual & STATE_EMPTY))
        return true;
    if (actual & STATE_PRESENT && (current ^ actual) & STATE_MUTE)
        return true;
    return current & ~actual & (STATE_INUSE | STATE_EXCLUSIVE);
}
