/* SPDX-License-Identifier: MIT */
#include "driver/vpcd_settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"

static int check_host(const struct uri *uri, const char *host)
{
    if (!strcmp(host, "127.0.0.1") || !strcmp(host, "::1"))
        return RC_OK;
    return detail_set(
        RC_INVALID_VALUE,
        "%s: host=%s: whoever reaches the port can insert a card, so only this machine may: give "
        "127.0.0.1 or ::1, and a tunnel (ssh -L) for a card elsewhere",
        uri->text, host);
}

static int read_port(const struct uri *uri, uint64_t slots, uint16_t *ret_port)
{
    const char *path = uri->path;
    unsigned long long port;
    char *end;

    errno = 0;
    port = strtoull(path, &end, 10);
    if (path[0] < '0' || path[0] > '9' || *end || errno || port > UINT16_MAX)
        return detail_set(RC_INVALID_VALUE, "%s: give a port from 1 to 65535, as in vpcd:35963", uri->text);
    if (port + slots - 1 > UINT16_MAX)
        return detail_set(RC_INVALID_VALUE, "%s: %llu slots from port %llu on need ports above 65535",
                          uri->text, (unsigned long long)slots, port);
    *ret_port = (uint16_t)port;
    return RC_OK;
}

int vpcd_settings_read(const struct uri *uri, struct vpcd_settings *ret_settings)
{
    static const char *const known[] = {"slots", "host", "timeout", NULL};
    const char *host = uri_get(uri, "host");
    uint64_t slots = 1, timeout_s = 60;
    uint16_t port = 0;
    int rc;

    if (!host)
        host = "127.0.0.1";
    rc = uri_check_keys(uri, known);
    if (!rc)
        rc = uri_get_number(uri, "slots", 1, 256, &slots);
    if (!rc)
        rc = uri_get_number(uri, "timeout", 0, UINT32_MAX, &timeout_s);
    if (!rc)
        rc = check_host(uri, host);
    if (!rc)
        rc = read_port(uri, slots, &port);
    if (rc)
        return rc;
    *ret_settings = (struct vpcd_settings){
        .name = uri->text,
        .host = host,
        .port = port,
        .slots = (unsigned)slots,
        .timeout_ms = timeout_s * 1000,
    };
    return RC_OK;
}
