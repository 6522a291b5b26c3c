/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "cli/save.h"
#include "cli/scope.h"
#include "commands/commands.h"

static int run_introduce(struct call *call)
{
    const char *name = call_argument(call, 0);
    char *reader = scope_reader(call, call_argument(call, 1));
    SCARDCONTEXT context;
    int status = reader != NULL ? scope_open(call, &context) : STATUS_READER;

    if (status == STATUS_DONE)
        status = scope_close(call, context, SCardIntroduceReader(context, name, reader),
                             "cannot name \"%s\" \"%s\"", reader, name);
    free(reader);
    return status;
}

static int run_forget(struct call *call)
{
    const char *name = call_argument(call, 0);
    SCARDCONTEXT context;
    int status = scope_open(call, &context);

    if (status != STATUS_DONE)
        return status;
    return scope_close(call, context, SCardForgetReader(context, name), "cannot forget reader \"%s\"", name);
}

static int run_icon(struct call *call)
{
    DWORD length = SCARD_AUTOALLOCATE;
    LPBYTE icon = NULL;
    LONG code = SCardGetReaderIcon(call->desk->context, call->reader, (LPBYTE)&icon, &length);
    int status;

    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "no picture of %s", call->reader);
    status = save_file(call, call_argument(call, 0), icon, length);
    SCardFreeMemory(call->desk->context, icon);
    return status;
}

static const char *type_word(DWORD type)
{
    switch (type) {
    case SCARD_READER_TYPE_USB:
        return "usb";
    case SCARD_READER_TYPE_SERIAL:
        return "serial";
    case SCARD_READER_TYPE_VENDOR:
        return "vendor";
    default:
        return "other";
    }
}

static int run_instance(struct call *call)
{
    SCARDCONTEXT context = call->desk->context;
    DWORD length = SCARD_AUTOALLOCATE, type = 0;
    struct record record;
    LPSTR id = NULL;
    LONG code = SCardGetReaderDeviceInstanceId(context, call->reader, (LPSTR)&id, &length);

    if (code == SCARD_S_SUCCESS)
        code = SCardGetDeviceTypeId(context, call->reader, &type);
    if (code == SCARD_S_SUCCESS) {
        record_init(&record, "instance", RECORD_ROW);
        record_text(&record, SHOW_JSON, "reader", call->reader);
        record_text(&record, SHOW_ALL, "instance", id);
        record_text(&record, SHOW_ALL, "type", type_word(type));
        record_format(&record, SHOW_JSON, "type_id", "0x%02lX", type);
        output_record(call->output, &record);
        record_fini(&record);
    }
    if (id != NULL)
        SCardFreeMemory(context, id);
    return code == SCARD_S_SUCCESS ? STATUS_DONE
                                   : call_fail_scard(call, code, "no device instance of %s", call->reader);
}

static int run_find(struct call *call)
{
    const char *id = call_argument(call, 0);
    DWORD length = SCARD_AUTOALLOCATE;
    LPSTR readers = NULL;
    LONG code = SCardListReadersWithDeviceInstanceId(call->desk->context, id, (LPSTR)&readers, &length);

    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "no reader of device \"%s\"", id);
    for (const char *reader = readers; *reader != '\0'; reader += strlen(reader) + 1) {
        struct record record;

        record_init(&record, "reader", RECORD_ROW);
        record_text(&record, SHOW_ALL, "name", reader);
        output_record(call->output, &record);
        record_fini(&record);
    }
    SCardFreeMemory(call->desk->context, readers);
    return STATUS_DONE;
}

static const struct option_spec scope_options[] = {SCOPE_OPTION, {0}};

static const struct argument_spec introduce_arguments[] = {
    {"NAME", VALUE_TEXT, NULL, false, false, "the other name"},
    {"READER", VALUE_READER, NULL, false, false, "the reader: its name, or its device such as usb:1-2.3:1.0"},
    {0},
};

static const struct argument_spec forget_arguments[] = {
    {"NAME", VALUE_READER, NULL, false, false, "the other name, or a reader's own that is to be hidden"},
    {0},
};

static const struct argument_spec icon_arguments[] = {
    {"FILE", VALUE_FILE, NULL, false, false, "where the picture goes; - is standard output"},
    {0},
};

static const struct argument_spec find_arguments[] = {
    {"INSTANCE", VALUE_TEXT, NULL, false, false, "a device instance id, as \"reader instance\" prints it"},
    {0},
};

static const struct command introduce = {
    .name = "reader introduce",
    .summary = "give a reader another name",
    .description =
        "SCardIntroduceReader. The name works wherever a reader is named, in all programs that use "
        "libscard. By its\ndevice a USB reader is meant by the port that it is plugged in; so four "
        "readers of one model can be told apart.",
    .examples =
        "  scard reader introduce \"Front desk\" usb:1-2.3:1.0\n  scard apdu -r \"Front desk\" 00A4040000",
    .arguments = introduce_arguments,
    .options = scope_options,
    .run = run_introduce,
};

static const struct command forget = {
    .name = "reader forget",
    .summary = "take such a name away, or hide a reader's own",
    .description = "SCardForgetReader. A reader's own name can be hidden when it has another.",
    .arguments = forget_arguments,
    .options = scope_options,
    .run = run_forget,
};

static const struct command icon = {
    .name = "reader icon",
    .summary = "a picture of the reader, as an .ico file",
    .description = "SCardGetReaderIcon.",
    .examples = "  scard reader icon -r 0 reader.ico",
    .arguments = icon_arguments,
    .needs = NEED_READER,
    .run = run_icon,
};

static const struct command instance = {
    .name = "reader instance",
    .summary = "the device of the reader: instance id and type",
    .description = "SCardGetReaderDeviceInstanceId and SCardGetDeviceTypeId.",
    .examples = "  scard reader instance -r 0",
    .needs = NEED_READER,
    .run = run_instance,
};

static const struct command find = {
    .name = "reader find",
    .summary = "the readers of a device instance",
    .description = "SCardListReadersWithDeviceInstanceId.",
    .arguments = find_arguments,
    .needs = NEED_SERVICE,
    .run = run_find,
};

static const struct command *const children[] = {&introduce, &forget, &icon, &instance, &find, NULL};

const struct command command_reader = {
    .name = "reader",
    .group = "Database",
    .summary = "names and devices of readers",
    .children = children,
};
