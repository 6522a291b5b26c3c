/* SPDX-License-Identifier: MIT */
/* What the tests of the public functions share. The environment names the readers, so each test has its own
 * main. */
#ifndef UNIT_API_KIT_H
#define UNIT_API_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <reader.h>
#include <scard.h>

#define ECHO "scard sim:echo 00 00" /* the first reader of SCARD_READERS="sim:echo …" */

#define assert_code(expression, code) expect_code((expression), (code), __FILE__, __LINE__)

/* pcsc_stringify_error has one buffer, and which argument is made first is for the compiler to say. */
static inline void expect_code(LONG got, LONG wanted, const char *file, int line)
{
    char text[75];

    strcpy(text, pcsc_stringify_error(got));
    _assert_string_equal(text, pcsc_stringify_error(wanted), file, line);
}

static inline SCARDCONTEXT establish(void)
{
    SCARDCONTEXT context = 0;

    assert_int_equal(SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context), SCARD_S_SUCCESS);
    assert_true(context > 0 && context <= INT32_MAX);
    return context;
}

static inline SCARDHANDLE connect_shared(SCARDCONTEXT context, const char *reader)
{
    SCARDHANDLE card = 0;
    DWORD protocol = 0;

    assert_int_equal(SCardConnect(context, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, &protocol),
                     SCARD_S_SUCCESS);
    assert_true(card > 0 && card <= INT32_MAX);
    return card;
}

/* An echo card's answer to two bytes of data. */
static inline LONG transmit_echo(SCARDHANDLE card)
{
    static const BYTE command[] = {0x80, 0x10, 0x00, 0x00, 0x02, 0xAB, 0xCD};
    BYTE response[16];
    DWORD length = sizeof response;

    return SCardTransmit(card, SCARD_PCI_T1, command, sizeof command, NULL, response, &length);
}

#endif
