/* SPDX-License-Identifier: MIT */
/* What tests of the public functions share whose readers are on the emulated bus. */
#ifndef USBEMU_BUS_KIT_H
#define USBEMU_BUS_KIT_H

#include "emu_bus.h"
#include "emu_reader.h"
#include "tests/unit/api_kit.h"

#define PATIENCE_MS 20000
#define BUS_PNP "\\\\?PnP?\\Notification"
#define BUS_FIRST "Emu Reader 00 00"

/* Setup of the group: the readers are those of the bus, and the service is this process's; a context stays,
 * so that the service does. And its teardown. Without them, each test's service is its own. */
int bus_begin(void **state);
int bus_end(void **state);

/* A reader of that preset, with options ("slots=2 pieces=48"; "" for none), whose model is "Emu Reader";
 * bus_finish frees it. */
struct emu_reader *bus_reader(const char *preset, const char *options);

/* Plugs in, with a card in slot 0 unless uri is NULL. */
void bus_plug(struct emu_reader *reader, const char *path, const char *uri);
void bus_unplug(struct emu_reader *reader);

/* The list of readers, names with ", " between; valid until the next call of the thread. */
const char *bus_list(SCARDCONTEXT context);
void bus_await_list(SCARDCONTEXT context, const char *expected);

/* What counts the changes of the list, as a wait for the next one takes it. */
DWORD bus_list_events(SCARDCONTEXT context);

/* Until the reader is there and has a card (or has none). */
void bus_await_card(SCARDCONTEXT context, const char *reader, bool present);

/* Does any program use the reader? */
bool bus_is_used(const char *reader);

const char *bus_fact(SCARDCONTEXT context, const char *reader, const char *key);
void assert_has(const char *text, const char *part);

/* Teardown: unplugs and frees all readers of the test, waits until the list is empty; the judge has nothing
 * to say. */
int bus_finish(void **state);

#endif
