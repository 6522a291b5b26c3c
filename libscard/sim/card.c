/* SPDX-License-Identifier: MIT */
#include "sim/card.h"

#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "sim/echo.h"
#include "sim/iso.h"
#include "sim/odd.h"
#include "sim/replay.h"

#define MOUNT_KEYS "insert", "protocol", "presence", "serial"

static const char *const iso_keys[] = {MOUNT_KEYS, "pin", "puk", "tries", NULL};
static const char *const echo_keys[] = {MOUNT_KEYS, "reply", NULL};
static const char *const odd_keys[] = {MOUNT_KEYS, "mute", "atr", "delay", "powerdelay", "powerfail", NULL};
static const char *const replay_keys[] = {"insert", "presence", "serial", "match", "rate", "seed",
                                          "else",   "reader",   "timing", "name",  NULL};

static const struct {
    const char *name;
    const char *const *keys;
    int (*make)(const struct uri *uri, struct sim_card **ret_card);
} cards[] = {
    {"iso", iso_keys, iso_new},
    {"echo", echo_keys, echo_new},
    {"odd", odd_keys, odd_new},
};

static int new_replay(const struct uri *uri, struct sim_card **ret_card)
{
    int rc = uri_check_keys(uri, replay_keys);

    return rc ? rc : replay_new(uri, ret_card);
}

int sim_card_new(const struct uri *uri, struct sim_card **ret_card)
{
    if (!strcmp(uri->scheme, "replay"))
        return new_replay(uri, ret_card);
    for (size_t i = 0; i < sizeof cards / sizeof cards[0]; i++) {
        int rc;

        if (strcmp(uri->path, cards[i].name) != 0)
            continue;
        rc = uri_check_keys(uri, cards[i].keys);
        return rc ? rc : cards[i].make(uri, ret_card);
    }
    return detail_set(RC_INVALID_VALUE,
                      "no simulated card is called \"%s\"; there are sim:iso, sim:echo and sim:odd",
                      uri->path);
}
