/* SPDX-License-Identifier: MIT */
#include "bus_kit.h"

#include "base/log.h"

static struct emu_reader *readers[16];
static size_t reader_count;
static SCARDCONTEXT keeper;

/* The thread sanitizer does not see how the emulated bus closes descriptors, nor how libusb opens a folder:
 * it takes the folder's number for the descriptor that had it before. */
const char *__tsan_default_suppressions(void) __attribute__((visibility("default")));
const char *__tsan_default_suppressions(void)
{
    return "race:closedir\n";
}

int bus_begin(void **state)
{
    (void)state;
    setenv("SCARD_READERS", "usb:", 1);
    keeper = establish();
    return 0;
}

int bus_end(void **state)
{
    (void)state;
    return SCardReleaseContext(keeper) != SCARD_S_SUCCESS;
}

struct emu_reader *bus_reader(const char *preset, const char *options)
{
    const struct emu_reader_config *row = emu_reader_preset(preset);
    struct emu_reader_config config;
    char copy[256], *rest = copy, *word;

    assert_non_null(row);
    config = *row;
    config.manufacturer = "Emu";
    config.product = "Reader";
    config.serial = config.interface_name = NULL;
    assert_true(strlen(options) < sizeof copy);
    strcpy(copy, options);
    while ((word = strsep(&rest, " "))) {
        char *value = strchr(word, '=');

        if (!value)
            continue;
        *value++ = '\0';
        if (emu_reader_config_set(&config, word, value))
            fail_msg("%s", detail_get());
    }
    assert_true(reader_count < sizeof readers / sizeof *readers);
    assert_int_equal(emu_reader_new(&config, &readers[reader_count]), 0);
    return readers[reader_count++];
}

void bus_plug(struct emu_reader *reader, const char *path, const char *uri)
{
    if (uri && emu_reader_insert(reader, 0, uri))
        fail_msg("%s", detail_get());
    assert_int_equal(emu_plug(emu_reader_device(reader), path), 0);
}

void bus_unplug(struct emu_reader *reader)
{
    emu_unplug(emu_reader_device(reader));
}

const char *bus_list(SCARDCONTEXT context)
{
    static _Thread_local char text[1024];
    char names[1024];
    DWORD length = sizeof names;
    LONG code = SCardListReaders(context, NULL, names, &length);

    text[0] = '\0';
    if (code == SCARD_E_NO_READERS_AVAILABLE)
        return text;
    assert_code(code, SCARD_S_SUCCESS);
    for (const char *name = names; *name; name += strlen(name) + 1) {
        strcat(text, text[0] ? ", " : "");
        strcat(text, name);
    }
    return text;
}

DWORD bus_list_events(SCARDCONTEXT context)
{
    SCARD_READERSTATE state = {.szReader = BUS_PNP};
    LONG code = SCardGetStatusChange(context, 0, &state, 1);

    assert_true(code == SCARD_S_SUCCESS || code == SCARD_E_TIMEOUT);
    return state.dwEventState & 0xFFFF0000;
}

void bus_await_list(SCARDCONTEXT context, const char *expected)
{
    for (;;) {
        SCARD_READERSTATE state = {.szReader = BUS_PNP, .dwCurrentState = bus_list_events(context)};

        if (!strcmp(bus_list(context), expected))
            return;
        if (SCardGetStatusChange(context, PATIENCE_MS, &state, 1))
            fail_msg("the list stays '%s', and is not '%s'", bus_list(context), expected);
    }
}

void bus_await_card(SCARDCONTEXT context, const char *reader, bool present)
{
    DWORD wanted = present ? SCARD_STATE_PRESENT : SCARD_STATE_EMPTY;
    SCARD_READERSTATE state = {.szReader = reader};

    do {
        state.dwCurrentState = state.dwEventState;
        if (SCardGetStatusChange(context, PATIENCE_MS, &state, 1))
            fail_msg("'%s' stays in state %lX", reader, (unsigned long)state.dwEventState);
    } while (!(state.dwEventState & wanted));
}

const char *bus_fact(SCARDCONTEXT context, const char *reader, const char *key)
{
    static _Thread_local char value[8192];
    DWORD length = sizeof value;

    assert_code(scard_reader_fact(context, reader, key, value, &length), SCARD_S_SUCCESS);
    return value;
}

void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text);
}

bool bus_is_used(const char *reader)
{
    SCARD_READERSTATE state = {.szReader = reader};

    assert_code(SCardGetStatusChange(keeper, 0, &state, 1), SCARD_S_SUCCESS);
    return (state.dwEventState & (SCARD_STATE_INUSE | SCARD_STATE_EXCLUSIVE)) != 0;
}

int bus_finish(void **state)
{
    SCARDCONTEXT context;

    (void)state;
    for (size_t i = 0; i < reader_count; i++)
        bus_unplug(readers[i]);
    context = establish();
    bus_await_list(context, "");
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
    while (reader_count)
        emu_reader_free(readers[--reader_count]);
    assert_int_equal(emu_blamed(), 0);
    return 0;
}
