/* SPDX-License-Identifier: MIT */
/* Contexts: establish, release, valid, cancel; and the words of the last failure. */
#include <scard.h>

#include <stdlib.h>
#include <string.h>

#include "api/codes.h"
#include "api/config.h"
#include "api/export.h"
#include "api/memory.h"
#include "api/object.h"
#include "api/route.h"
#include "api/setup.h"
#include "api/tracing.h"

static int establish(DWORD scope, SCARDCONTEXT *ret_context)
{
    struct service_context *context;
    int64_t start_ns = clock_now_ns();
    struct service *service;
    int rc = setup_get_service(&service);

    if (rc)
        return rc;
    rc = service->ops->establish(service, setup_no_blocking(), &context);
    if (rc) {
        setup_put_service(service);
        return rc;
    }
    context = tracing_wrap(context, start_ns);
    rc = object_add_context(context, scope, ret_context);
    if (rc) {
        context->service->ops->release(context);
        context->service->ops->context_free(context);
        setup_put_service(service);
    }
    return rc;
}

EXPORT LONG SCardEstablishContext(DWORD dwScope, LPCVOID pvReserved1, LPCVOID pvReserved2,
                                  LPSCARDCONTEXT phContext)
{
    (void)pvReserved1;
    (void)pvReserved2;
    EXPORT_BEGIN;
    if (!phContext)
        return SCARD_E_INVALID_PARAMETER;
    *phContext = 0;
    if (dwScope > SCARD_SCOPE_GLOBAL)
        return SCARD_E_INVALID_VALUE;
    return codes_from_rc(establish(dwScope, phContext));
}

EXPORT LONG SCardReleaseContext(SCARDCONTEXT hContext)
{
    struct api_context *context;

    EXPORT_BEGIN;
    context = object_close_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    object_end_waits(context);
    context_ops(context)->release(context->service);
    memory_release(context, setup_keep_memory());
    object_drop_cards(context);
    object_put_context(context);
    return SCARD_S_SUCCESS;
}

EXPORT LONG SCardIsValidContext(SCARDCONTEXT hContext)
{
    struct api_context *context;
    int rc = RC_OK;

    EXPORT_BEGIN;
    context = object_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    if (context_ops(context)->check)
        rc = context_ops(context)->check(context->service);
    object_put_context(context);
    /* As Windows has it for a context of a service that has ended. */
    return codes_from_rc(rc == RC_NO_SERVICE ? RC_INVALID_HANDLE : rc);
}

EXPORT LONG SCardCancel(SCARDCONTEXT hContext)
{
    struct api_context *context;
    int rc;

    EXPORT_BEGIN;
    context = object_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    object_end_waits(context);
    rc = context_ops(context)->cancel(context->service);
    object_put_context(context);
    return codes_from_rc(rc);
}

EXPORT LONG scard_abort(SCARDCONTEXT hContext)
{
    struct api_context *context;
    int rc;

    EXPORT_BEGIN;
    context = object_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    object_end_waits(context);
    rc = context_ops(context)->abort(context->service);
    object_put_context(context);
    return codes_from_rc(rc);
}

EXPORT LONG SCardFreeMemory(SCARDCONTEXT hContext, LPCVOID pvMem)
{
    struct api_context *context;
    int rc = RC_OK;

    EXPORT_BEGIN;
    /* What a call without a context gave out. */
    if (!hContext && pvMem && !memory_free(NULL, pvMem))
        return SCARD_S_SUCCESS;
    context = object_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    if (pvMem)
        rc = memory_free(context, pvMem);
    object_put_context(context);
    return codes_from_rc(rc);
}

EXPORT LONG scard_service_socket(LPSTR szPath, LPDWORD pcchPath)
{
    size_t needed;
    char *path;
    int rc;

    EXPORT_BEGIN;
    if (!pcchPath || memory_is_autoallocate(*pcchPath))
        return SCARD_E_INVALID_PARAMETER;
    rc = route_socket(&path);
    if (rc)
        return codes_from_rc(rc);
    needed = strlen(path) + 1;
    if (szPath && *pcchPath < needed)
        rc = RC_INSUFFICIENT_BUFFER;
    else if (szPath)
        memcpy(szPath, path, needed);
    *pcchPath = needed;
    free(path);
    return codes_from_rc(rc);
}

EXPORT LONG scard_configuration_check(LPCSTR szFile)
{
    EXPORT_BEGIN;
    return szFile ? codes_from_rc(config_check(szFile)) : SCARD_E_INVALID_PARAMETER;
}

EXPORT const char *scard_version(void)
{
    return SCARD_VERSION;
}

EXPORT const char *scard_error_detail(void)
{
    return detail_get();
}

EXPORT void scard_set_log(scard_log_fn *fn, void *user)
{
    log_set(fn, user);
}
