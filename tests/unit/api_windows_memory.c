/* SPDX-License-Identifier: MIT */
/* Facts of readers, cache, audit, event and dialog when memory runs out: each says so or succeeds, and
 * nothing leaks. */
#include <stdbool.h>
#include <stdio.h>
#include <syslog.h>

#include "tests/unit/database_kit.h"
#include "tests/unit/failing_alloc.h"

#define NAME(text) ((void *)(uintptr_t)(text))

static SCARDCONTEXT context;
static unsigned lines;

/* In the place of the C library's, hardened or not. */
void syslog(int level, const char *format, ...)
{
    (void)level;
    (void)format;
    lines++;
}

void __syslog_chk(int level, int flag, const char *format, ...);
void __syslog_chk(int level, int flag, const char *format, ...)
{
    (void)level;
    (void)flag;
    (void)format;
    lines++;
}

static bool passed(LONG code)
{
    if (code != SCARD_S_SUCCESS)
        assert_code(code, SCARD_E_NO_MEMORY);
    return code == SCARD_S_SUCCESS;
}

static void facts(void)
{
    void *block = NULL;
    DWORD length = SCARD_AUTOALLOCATE, type;

    if (passed(SCardGetReaderIconW(context, u"Desk", (LPBYTE)&block, &length)))
        passed(SCardFreeMemory(context, block));
    passed(SCardGetDeviceTypeIdW(context, u"Desk", &type));
    length = SCARD_AUTOALLOCATE;
    passed(SCardGetReaderDeviceInstanceIdW(context, u"Desk", (LPWSTR)&block, &length));
    length = SCARD_AUTOALLOCATE;
    passed(SCardListReadersWithDeviceInstanceIdW(context, u"sim:echo", (LPWSTR)&block, &length));
}

static void cache(void)
{
    UUID card = {1, 2, 3, {4}};
    BYTE value[8] = {0};
    void *block = NULL;
    DWORD length = SCARD_AUTOALLOCATE;
    LONG code;

    if (!passed(SCardWriteCacheW(context, &card, 1, NAME(u"Name"), value, sizeof value)))
        return;
    code = SCardReadCacheW(context, &card, 1, NAME(u"Name"), (PBYTE)&block, &length);
    if (passed(code))
        assert_memory_equal(block, value, sizeof value);
}

/* A verification is told in any case. */
static void audit(void)
{
    SCARDHANDLE card;

    passed(SCardConnect(context, "Desk", SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, &(DWORD){0}));
    lines = 0;
    assert_code(SCardAudit(context, SCARD_AUDIT_CHV_FAILURE), SCARD_S_SUCCESS);
    assert_int_equal(lines, 1);
}

static void event(void)
{
    if (SCardAccessStartedEvent())
        SCardReleaseStartedEvent();
}

static SCARDHANDLE no_connection(SCARDCONTEXT home, LPWSTR reader, LPWSTR cards, PVOID user)
{
    (void)home;
    (void)reader;
    (void)cards;
    (void)user;
    return 0;
}

static void dialog(void)
{
    OPENCARD_SEARCH_CRITERIAW criteria = {.dwStructSize = sizeof criteria, .lpstrCardNames = NAME(u"Card\0")};
    WCHAR reader[64], card[64];
    OPENCARDNAME_EXW box = {.dwStructSize = sizeof box,
                            .hSCardContext = context,
                            .dwFlags = SC_DLG_NO_UI,
                            .lpstrTitle = u"Title",
                            .pOpenCardSearchCriteria = &criteria,
                            .lpfnConnect = no_connection,
                            .lpstrRdr = reader,
                            .nMaxRdr = 64,
                            .lpstrCard = card,
                            .nMaxCard = 64};

    passed(SCardUIDlgSelectCardW(&box));
}

static void (*const calls[])(void) = {facts, cache, audit, event, dialog};

static void memory_runs_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        unsigned n = 0;
        bool hit;

        do {
            context = kit_context(SCARD_SCOPE_USER);
            kit_write(KIT_USER "cards.d/card.conf",
                      "name = \"Card\"; atr = \"3B 94 96 81 31 FE 45 65 63 68 6F 08\";\n");
            kit_write(KIT_USER "readers.d/desk.conf", "name = \"Desk\"; device = \"sim:echo\";\n");
            failing_alloc_arm(++n);
            calls[i]();
            failing_alloc_arm(0);
            hit = failing_alloc_hit();
            assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
        } while (hit);
        assert_true(n > 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_runs_out)};
    char folder[] = "/dev/shm/scard-test-XXXXXX", command[64];
    int failed;

    if (!mkdtemp(folder))
        return 1;
    setenv("XDG_RUNTIME_DIR", folder, 1);
    setenv("SCARD_READERS", "sim:echo", 1);
    failed = cmocka_run_group_tests(tests, kit_begin, kit_end);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) || failed;
}
