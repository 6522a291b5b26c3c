/* SPDX-License-Identifier: MIT */
/* SCardAudit: the line that goes to the system's log, which is this test's. */
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include "tests/unit/database_kit.h"

static int priority;
static unsigned lines;
static char line[1024];

static void __attribute__((format(printf, 2, 0))) keep(int level, const char *format, va_list arguments)
{
    priority = level;
    lines++;
    vsnprintf(line, sizeof line, format, arguments);
}

/* In the place of the C library's; the second is what a program hardened by _FORTIFY_SOURCE calls. */
void syslog(int level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    keep(level, format, arguments);
    va_end(arguments);
}

void __syslog_chk(int level, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));
void __syslog_chk(int level, int flag, const char *format, ...)
{
    va_list arguments;

    (void)flag;
    va_start(arguments, format);
    keep(level, format, arguments);
    va_end(arguments);
}

static SCARDCONTEXT context;

static int begin(void **state)
{
    context = kit_context(SCARD_SCOPE_USER);
    lines = 0;
    return kit_clear(state);
}

static int end(void **state)
{
    (void)state;
    return SCardReleaseContext(context) != SCARD_S_SUCCESS;
}

static void expect(DWORD event, const char *rest)
{
    char expected[512];

    snprintf(expected, sizeof expected, "scard: PIN verification %s, user %lu%s",
             event == SCARD_AUDIT_CHV_SUCCESS ? "succeeded" : "failed", (unsigned long)getuid(), rest);
    lines = 0;
    assert_code(SCardAudit(context, event), SCARD_S_SUCCESS);
    assert_string_equal(scard_error_detail(), "");
    assert_int_equal(lines, 1);
    assert_string_equal(line, expected);
    assert_int_equal(priority & LOG_FACMASK, LOG_AUTHPRIV);
    assert_int_equal(priority & 7, event == SCARD_AUDIT_CHV_SUCCESS ? LOG_INFO : LOG_NOTICE);
}

#define ECHO_CARD ", reader " ECHO " with the card 3B94968131FE456563686F08"

static void readers_and_cards_are_told(void **state)
{
    SCARDHANDLE card, again, other;

    (void)state;
    expect(SCARD_AUDIT_CHV_FAILURE, ", no reader connected");
    card = connect_shared(context, ECHO);
    again = connect_shared(context, ECHO);
    expect(SCARD_AUDIT_CHV_FAILURE, ECHO_CARD);
    expect(SCARD_AUDIT_CHV_SUCCESS, ECHO_CARD);
    assert_code(SCardConnect(context, "scard sim:iso 01 00", SCARD_SHARE_DIRECT, 0, &other, NULL),
                SCARD_S_SUCCESS);
    assert_code(SCardDisconnect(again, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
    expect(SCARD_AUDIT_CHV_SUCCESS, ECHO_CARD ", reader scard sim:iso 01 00 without a card");
    assert_code(SCardDisconnect(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
    expect(SCARD_AUDIT_CHV_FAILURE, ", reader scard sim:iso 01 00 without a card");
}

/* By its own name, whatever it was connected by, and once. */
static void other_names_are_no_other_readers(void **state)
{
    (void)state;
    assert_code(SCardIntroduceReader(context, "Door", ECHO), SCARD_S_SUCCESS);
    connect_shared(context, "Door");
    expect(SCARD_AUDIT_CHV_SUCCESS, ECHO_CARD);
    connect_shared(context, ECHO);
    expect(SCARD_AUDIT_CHV_SUCCESS, ECHO_CARD);
}

static void a_transaction_is_not_waited_for(void **state)
{
    SCARDCONTEXT other = kit_context(SCARD_SCOPE_USER);
    SCARDHANDLE theirs = connect_shared(other, ECHO);

    (void)state;
    connect_shared(context, ECHO);
    assert_code(SCardBeginTransaction(theirs), SCARD_S_SUCCESS);
    expect(SCARD_AUDIT_CHV_FAILURE, ECHO_CARD);
    assert_code(SCardReleaseContext(other), SCARD_S_SUCCESS);
}

static void what_is_refused(void **state)
{
    (void)state;
    assert_code(SCardAudit(context, 2), SCARD_E_INVALID_PARAMETER);
    assert_code(SCardAudit(0, SCARD_AUDIT_CHV_FAILURE), SCARD_E_INVALID_HANDLE);
    assert_code(SCardAudit(99, SCARD_AUDIT_CHV_SUCCESS), SCARD_E_INVALID_HANDLE);
    assert_int_equal(lines, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(readers_and_cards_are_told, begin, end),
        cmocka_unit_test_setup_teardown(other_names_are_no_other_readers, begin, end),
        cmocka_unit_test_setup_teardown(a_transaction_is_not_waited_for, begin, end),
        cmocka_unit_test_setup_teardown(what_is_refused, begin, end),
    };

    setenv("SCARD_READERS", "sim:echo sim:iso?insert=no", 1);
    return cmocka_run_group_tests(tests, kit_begin, kit_end);
}
