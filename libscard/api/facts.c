/* SPDX-License-Identifier: MIT */
/* Facts about a reader: picture, kind and identity of its device, what it has transmitted. */
#include "api/facts.h"

#include <reader.h>
#include <stdlib.h>
#include <string.h>

#include "api/catalog.h"
#include "api/export.h"
#include "api/memory.h"
#include "api/text.h"
#include "base/bytes.h"

#ifndef READER_ICON
#define READER_ICON "libscard/api/reader.ico"
#endif

/* The picture, as scripts/icon draws it. */
__asm__(".pushsection .rodata\n"
        ".balign 16\n"
        ".globl scard_reader_icon, scard_reader_icon_end\n"
        ".hidden scard_reader_icon, scard_reader_icon_end\n"
        "scard_reader_icon:\n"
        ".incbin \"" READER_ICON "\"\n"
        "scard_reader_icon_end:\n"
        ".popsection\n");
extern const uint8_t scard_reader_icon[] __attribute__((visibility("hidden")));
extern const uint8_t scard_reader_icon_end[] __attribute__((visibility("hidden")));

int facts_get(struct api_context *context, const char *reader, const char *key, char **ret_value)
{
    int rc = context_ops(context)->fact(context->service, reader, key, ret_value);
    char *own;

    if (rc != RC_UNKNOWN_READER)
        return rc;
    rc = catalog_own_name(context, reader, &own);
    if (rc)
        return rc;
    rc = context_ops(context)->fact(context->service, own, key, ret_value);
    free(own);
    return rc;
}

/* The device as its driver calls it. A service that does not tell says "pcscd:" and its own place. */
static int get_device(struct api_context *context, const char *reader, char **ret_device)
{
    char *device;
    int rc = facts_get(context, reader, "device", &device);

    if (rc)
        return rc;
    if (strncmp(device, "pcscd:", 6) != 0) {
        *ret_device = device;
        return RC_OK;
    }
    free(device);
    return detail_set(RC_UNSUPPORTED,
                      "pcscd does not tell which device '%s' is; 'scard serve' in its place would", reader);
}

static int give_icon(struct api_context *context, const char *reader, LPBYTE icon, LPDWORD length)
{
    char *device;
    /* One picture for all; but only of a reader that is there. */
    int rc = facts_get(context, reader, "device", &device);

    if (rc)
        return rc;
    free(device);
    return memory_give(context, scard_reader_icon, (size_t)(scard_reader_icon_end - scard_reader_icon), 0,
                       icon, length);
}

static int give_type(struct api_context *context, const char *reader, LPDWORD type)
{
    char *device;
    int rc = get_device(context, reader, &device);

    if (rc)
        return rc;
    *type = strncmp(device, "usb:", 4) == 0 ? SCARD_READER_TYPE_USB : SCARD_READER_TYPE_VENDOR;
    free(device);
    return RC_OK;
}

static int give_instance(struct api_context *context, enum text_form form, const char *reader, void *id,
                         LPDWORD length)
{
    char *device;
    int rc = get_device(context, reader, &device);

    if (rc)
        return rc;
    rc = text_give(context, form, device, strlen(device) + 1, id, length);
    free(device);
    return rc;
}

/* Appends the names of the reader if it is of the device. */
static int append_if(struct api_context *context, const char *reader, const char *device,
                     struct buffer *found)
{
    char *its = NULL, *names = NULL;
    size_t length = 0;
    int rc = get_device(context, reader, &its);

    if (!rc && !strcmp(its, device)) {
        rc = catalog_names_of(context, reader, &names, &length);
        if (!rc)
            rc = buffer_append(found, names, length - 1);
    }
    free(its);
    free(names);
    if (rc != RC_UNKNOWN_READER && rc != RC_NO_READERS)
        return rc;
    detail_clear(); /* it has gone meanwhile */
    return RC_OK;
}

static int give_readers_of(struct api_context *context, enum text_form form, const char *device,
                           void *readers, LPDWORD length)
{
    struct buffer found = {0};
    char *names;
    size_t names_length;
    int rc = context_ops(context)->list(context->service, &names, &names_length);

    if (rc)
        return rc;
    for (const char *name = names; *name && !rc; name += strlen(name) + 1)
        rc = append_if(context, name, device, &found);
    if (!rc && !found.length)
        rc = RC_NO_READERS;
    if (!rc)
        rc = buffer_append(&found, "", 1);
    if (!rc)
        rc = text_give(context, form, (const char *)found.data, found.length, readers, length);
    free(names);
    buffer_fini(&found);
    return rc;
}

/* Reader names and other text that a function takes, in the form of its caller; then the context. */
static LONG enter(SCARDCONTEXT handle, enum text_form form, const void *text, char **ret_copy,
                  const char **ret_text, struct api_context **ret_context)
{
    int rc = RC_OK;

    *ret_copy = NULL;
    if (form == TEXT_UTF16)
        rc = text_from_wide(text, ret_copy);
    if (rc)
        return codes_from_rc(rc);
    *ret_text = form == TEXT_UTF16 ? *ret_copy : text;
    *ret_context = object_context(handle);
    if (*ret_context)
        return SCARD_S_SUCCESS;
    free(*ret_copy);
    return SCARD_E_INVALID_HANDLE;
}

static LONG leave(struct api_context *context, char *copy, int rc)
{
    object_put_context(context);
    free(copy);
    return codes_from_rc(rc);
}

static LONG reader_icon(SCARDCONTEXT handle, enum text_form form, const void *name, LPBYTE icon,
                        LPDWORD length)
{
    struct api_context *context;
    const char *reader;
    char *copy;
    LONG code;

    if (!name || !length || (!icon && memory_is_autoallocate(*length)))
        return SCARD_E_INVALID_PARAMETER;
    code = enter(handle, form, name, &copy, &reader, &context);
    return code ? code : leave(context, copy, give_icon(context, reader, icon, length));
}

EXPORT LONG SCardGetReaderIcon(SCARDCONTEXT hContext, LPCSTR szReaderName, LPBYTE pbIcon, LPDWORD pcbIcon)
{
    EXPORT_BEGIN;
    return reader_icon(hContext, TEXT_UTF8, szReaderName, pbIcon, pcbIcon);
}

EXPORT_A(SCardGetReaderIcon);

EXPORT LONG SCardGetReaderIconW(SCARDCONTEXT hContext, LPCWSTR szReaderName, LPBYTE pbIcon, LPDWORD pcbIcon)
{
    EXPORT_BEGIN;
    return reader_icon(hContext, TEXT_UTF16, szReaderName, pbIcon, pcbIcon);
}

static LONG device_type(SCARDCONTEXT handle, enum text_form form, const void *name, LPDWORD type)
{
    struct api_context *context;
    const char *reader;
    char *copy;
    LONG code;

    if (!name || !type)
        return SCARD_E_INVALID_PARAMETER;
    code = enter(handle, form, name, &copy, &reader, &context);
    return code ? code : leave(context, copy, give_type(context, reader, type));
}

EXPORT LONG SCardGetDeviceTypeId(SCARDCONTEXT hContext, LPCSTR szReaderName, LPDWORD pdwDeviceTypeId)
{
    EXPORT_BEGIN;
    return device_type(hContext, TEXT_UTF8, szReaderName, pdwDeviceTypeId);
}

EXPORT_A(SCardGetDeviceTypeId);

EXPORT LONG SCardGetDeviceTypeIdW(SCARDCONTEXT hContext, LPCWSTR szReaderName, LPDWORD pdwDeviceTypeId)
{
    EXPORT_BEGIN;
    return device_type(hContext, TEXT_UTF16, szReaderName, pdwDeviceTypeId);
}

/* Of a reader its device, or of a device its readers. */
typedef int give_fn(struct api_context *context, enum text_form form, const char *given, void *text,
                    LPDWORD length);

static LONG give_for(SCARDCONTEXT handle, enum text_form form, const void *given, void *text, LPDWORD length,
                     give_fn *give)
{
    struct api_context *context;
    const char *utf8;
    char *copy;
    LONG code;

    if (!given || !length || (!text && memory_is_autoallocate(*length)))
        return SCARD_E_INVALID_PARAMETER;
    code = enter(handle, form, given, &copy, &utf8, &context);
    return code ? code : leave(context, copy, give(context, form, utf8, text, length));
}

EXPORT LONG SCardGetReaderDeviceInstanceId(SCARDCONTEXT hContext, LPCSTR szReaderName,
                                           LPSTR szDeviceInstanceId, LPDWORD pcchDeviceInstanceId)
{
    EXPORT_BEGIN;
    return give_for(hContext, TEXT_UTF8, szReaderName, szDeviceInstanceId, pcchDeviceInstanceId,
                    give_instance);
}

EXPORT_A(SCardGetReaderDeviceInstanceId);

EXPORT LONG SCardGetReaderDeviceInstanceIdW(SCARDCONTEXT hContext, LPCWSTR szReaderName,
                                            LPWSTR szDeviceInstanceId, LPDWORD pcchDeviceInstanceId)
{
    EXPORT_BEGIN;
    return give_for(hContext, TEXT_UTF16, szReaderName, szDeviceInstanceId, pcchDeviceInstanceId,
                    give_instance);
}

EXPORT LONG SCardListReadersWithDeviceInstanceId(SCARDCONTEXT hContext, LPCSTR szDeviceInstanceId,
                                                 LPSTR mszReaders, LPDWORD pcchReaders)
{
    EXPORT_BEGIN;
    return give_for(hContext, TEXT_UTF8, szDeviceInstanceId, mszReaders, pcchReaders, give_readers_of);
}

EXPORT_A(SCardListReadersWithDeviceInstanceId);

EXPORT LONG SCardListReadersWithDeviceInstanceIdW(SCARDCONTEXT hContext, LPCWSTR szDeviceInstanceId,
                                                  LPWSTR mszReaders, LPDWORD pcchReaders)
{
    EXPORT_BEGIN;
    return give_for(hContext, TEXT_UTF16, szDeviceInstanceId, mszReaders, pcchReaders, give_readers_of);
}

EXPORT LONG SCardGetTransmitCount(SCARDHANDLE hCard, LPDWORD pcTransmitCount)
{
    struct api_card *card;
    uint32_t count = 0;
    size_t length = 0;
    int rc;

    EXPORT_BEGIN;
    if (!pcTransmitCount)
        return SCARD_E_INVALID_PARAMETER;
    card = object_card(hCard);
    if (!card)
        return SCARD_E_INVALID_HANDLE;
    rc = card_ops(card)->get_attribute(card->service, SCARD_PERF_NUM_TRANSMISSIONS, (uint8_t *)&count,
                                       sizeof count, &length);
    if (rc == RC_UNSUPPORTED)
        detail_set(rc, "this reader's service does not count; 'scard serve' does");
    if (!rc && length != sizeof count)
        rc = RC_IO;
    if (!rc)
        *pcTransmitCount = count;
    object_put_card(card);
    return codes_from_rc(rc);
}
