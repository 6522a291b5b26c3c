/* SPDX-License-Identifier: MIT */
/* sim:iso and sim:echo behind the card seam: every command, every error word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "base/uri.h"
#include "iso/apdu.h"
#include "iso/atr.h"
#include "iso/tlv.h"
#include "sim/card.h"

#define SELECT_APP "00A4040C07F0736361726401"

static struct sim_card *card;
static struct buffer response;
static const uint8_t *atr;
static size_t atr_length;

static int make(const char *text)
{
    struct uri uri;
    int rc = uri_parse(text, strlen(text), &uri);

    assert_int_equal(rc, RC_OK);
    rc = sim_card_new(&uri, &card);
    uri_fini(&uri);
    return rc;
}

static void reset(void)
{
    assert_int_equal(card->ops->reset(card, &atr, &atr_length), RC_OK);
}

static void insert(const char *text)
{
    assert_int_equal(make(text), RC_OK);
    reset();
}

static void discard(void)
{
    card->ops->free(card);
    card = NULL;
}

static int set_up(void **state)
{
    (void)state;
    insert("sim:iso");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (card)
        discard();
    buffer_fini(&response);
    return 0;
}

static unsigned sw(void)
{
    assert_true(response.length >= 2);
    return (unsigned)response.data[response.length - 2] << 8 | response.data[response.length - 1];
}

static unsigned send_bytes(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length); /* exact, so that the sanitizer sees reads behind the end */

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    response.length = 0;
    assert_int_equal(card->ops->apdu(card, copy, length, &response), RC_OK);
    free(copy);
    assert_true(response.length <= APDU_RESPONSE_MAX);
    return sw();
}

static unsigned send_hex(const char *hex)
{
    uint8_t bytes[600];
    size_t count, at;

    assert_true(strlen(hex) / 2 <= sizeof bytes);
    assert_int_equal(hex_parse(hex, strlen(hex), bytes, &count, &at), RC_OK);
    return send_bytes(bytes, count);
}

/* The whole response, status word included. */
static void check(const char *command, const char *expected, int line)
{
    char got[1200];

    (void)send_hex(command);
    assert_true(response.length * 2 < sizeof got);
    hex_format(response.data, response.length, got);
    if (strcmp(got, expected) != 0)
        print_error("line %d: %s\n", line, command);
    assert_string_equal(got, expected);
}
#define answers(command, expected) check(command, expected, __LINE__)

/* The status word only. */
static void check_sw(const char *command, unsigned expected, int line)
{
    unsigned got = send_hex(command);

    if (got != expected)
        print_error("line %d: %s: %04X instead of %04X\n", line, command, got, expected);
    assert_int_equal(got, expected);
}
#define ends(command, expected) check_sw(command, expected, __LINE__)

static void atr_is_valid_and_tells_the_truth(void **state)
{
    static const struct {
        const char *uri;
        uint32_t mask;
        uint8_t third;
    } cases[] = {{"sim:iso", 2, 0xFF},
                 {"sim:iso?protocol=T0", 1, 0x9F},
                 {"sim:iso?protocol=both", 3, 0xFF},
                 {"sim:echo", 2, 0},
                 {"sim:odd?protocol=T0", 1, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct atr parsed;

        discard();
        insert(cases[i].uri);
        assert_int_equal(atr_parse(atr, atr_length, &parsed), RC_OK);
        assert_int_equal(parsed.faults, 0);
        assert_int_equal(atr_protocol_mask(&parsed), cases[i].mask);
        if (cases[i].third) {
            assert_int_equal(parsed.history_length, 15);
            assert_int_equal(parsed.history[0], 0x80);
            assert_int_equal(parsed.history[3], 0x73);
            assert_int_equal(parsed.history[6], cases[i].third);
        }
    }
}

static void bad_options_are_refused_without_showing_the_pin(void **state)
{
    static const char *const bad[] = {
        "sim:nosuch",       "sim:iso?nosuch=1",         "sim:iso?pin=999",      "sim:iso?tries=0",
        "sim:iso?tries=16", "sim:iso?protocol=T2",      "sim:echo?reply=65537", "sim:odd?atr=3",
        "sim:odd?atr=",     "sim:iso?puk=1234567890123"};

    (void)state;
    discard();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        detail_clear();
        assert_int_equal(make(bad[i]), RC_INVALID_VALUE);
        assert_true(detail_get()[0]);
    }
    assert_int_equal(make("sim:iso?pin=987"), RC_INVALID_VALUE);
    assert_null(strstr(detail_get(), "987"));
}

static void malformed_and_unknown(void **state)
{
    (void)state;
    answers("00", "6700");
    answers("00A404", "6700");
    answers("00A4040005A000", "6700");
    answers("00B000000000", "6700");
    answers("80CA0000", "6E00");
    answers("FFCA000000", "6E00");
    answers("00120000", "6D00");
    answers("0CB0000000", "6882");
    answers("01B0000000", "6881");
    answers("4FB0000000", "6881");
}

static void selects_in_every_way(void **state)
{
    (void)state;
    answers("00A40000023F0000", "6F2082013883023F008A0105501473636172642073696D756C6174656420636172649000");
    answers("00A4000C", "9000");
    answers("00A4000C022F00", "9000");
    answers("00A4000C02DF01", "9000");
    answers("00A4000C02E101", "9000");
    answers("00A4000C02DF02", "9000"); /* beside the current DF */
    answers("00A4000C02DF02", "9000"); /* the current DF itself */
    answers("00A4000C023F00", "9000");
    answers("00A4000C021234", "6A82");
    answers("00A4010C02DF01", "9000");
    answers("00A4010C02E101", "6A82"); /* no DF */
    answers("00A4020C02E101", "9000");
    answers("00A4020C02DF01", "6A82");
    answers("00A4030C", "9000");
    answers("00A4030C", "6A82"); /* the MF has no parent */
    answers("00A4080C04DF01E104", "9000");
    answers("00A4080C04DF01E1FF", "6A82");
    answers("00A4090C02E101", "9000"); /* the current DF was kept */
    answers("00A4090C03E101E1", "6700");
    answers("00A4000C01E1", "6700");
    answers("00A4050C02E101", "6A86");
    answers("00A4003C02E101", "6A86");
    answers("00A4000D02E101", "6A86");
}

static void failed_select_changes_nothing(void **state)
{
    (void)state;
    ends("00A4080C04DF01E101", 0x9000);
    ends("00A4040C06A0000000FFFF", 0x6A82);
    ends("00A4000C02FFFF", 0x6A82);
    answers("00B0000005", "48656C6C6F9000");
}

static void selects_by_name_and_occurrence(void **state)
{
    (void)state;
    answers("00A4040007A000000247100100", "6F2B8201388302DF038407A00000024710018A0105"
                                          "501673616D706C652074726176656C20646F63756D656E749000");
    answers("00A4040007A0000002471001", "9000"); /* no Le, no data */
    answers("00A4040806F0736361726400",
            "641B8407F07363617264015010736361726420706C617967726F756E649000"); /* partial: the first */
    answers("00CA004F00", "F07363617264019000");
    ends("00A4040E06F07363617264", 0x9000);
    answers("00CA004F00", "F07363617264029000");
    ends("00A4040E06F07363617264", 0x6A82);
    ends("00A4040F06F07363617264", 0x9000);
    answers("00CA004F00", "F07363617264019000");
    ends("00A4040D06F07363617264", 0x9000);
    answers("00CA004F00", "F07363617264029000");
    ends("00A4040C08F073636172640101", 0x6A82); /* longer than the name */
}

static void control_parameters_describe_the_files(void **state)
{
    (void)state;
    answers("00A4080404DF01E10300", "621880020026820201418302E1038801188A01058C04071010109000");
    answers("00A4080404DF01E10700", "62198003010000820201418302E1078801388A01058C04070000009000");
    answers("00A4080404DF01E10400", "621882060241002000048302E1048801208A01058C04071010009000");
    answers("00A4080804DF01E10400", "64009000");
}

static void long_selection_answer_waits_for_get_response(void **state)
{
    (void)state;
    answers("00A4040007A000000247100105", "6F2B8201386128");
    answers("00C0000004", "8302DF036124");
    answers("00C0000000", "8407A00000024710018A0105501673616D706C652074726176656C20646F63756D656E749000");
    answers("00C0000000", "6985");
    ends("00A4040007A000000247100105", 0x6128);
    answers("00CA004F00", "A00000024710019000"); /* another command: the rest is gone */
    answers("00C0000000", "6985");
    answers("00C0010000", "6A86");
    answers("00C00000", "6700");
}

static void reads_binary(void **state)
{
    (void)state;
    answers("00B0000005", "6986");
    answers("00B0890005", "6A82");
    ends("00A4000C022F00", 0x9000);
    answers("00B0000005", "6981"); /* records */
    ends(SELECT_APP, 0x9000);
    answers("00B0810005", "48656C6C6F9000");
    answers("00B0000605", "66726F6D209000"); /* now the current EF */
    answers("00B0004408", "742E0A6282");
    answers("00B00000", "6700");
    answers("00B0004701", "6B00");
    answers("00B07FFF01", "6B00");
    answers("00B09F0001", "6A86");
    answers("00B0A10001", "6A86");
    answers("00B0800001", "6A86");
    answers("00B0830001", "6982");
    answers("00B0840001", "6981");
    ends("00B0820000", 0x9000);
    assert_int_equal(response.length, 258);
}

static void reads_40000_bytes_at_once(void **state)
{
    (void)state;
    ends(SELECT_APP, 0x9000);
    ends("00B08200000000", 0x9000);
    assert_int_equal(response.length, 40002);
    for (size_t i = 0; i < 40000; i++)
        assert_int_equal(response.data[i], (uint8_t)(i ^ i >> 8));
    ends("00B08200009C41", 0x6282);
    assert_int_equal(response.length, 40002);
    ends("00B00000009C40", 0x9000);
    assert_int_equal(response.length, 40002);
    answers("00B19C3F00", "6700");
    answers("00B100000454029C3E00", "5302A2A39000");
    answers("00B1E1020454029C3F00", "5301A39000");
    answers("00B100020454029C4000", "6B00");
    answers("00B100000355010000", "6A80");
    answers("00B1E1F00354010000", "6A82");
    ends("00B100000354010000", 0x9000);
    assert_int_equal(response.length, 258); /* 53 81 FD … : Le counts the whole object */
    assert_int_equal(response.data[2], 253);
}

static size_t extended_command(uint8_t *out, uint8_t ins, uint8_t p1, size_t lc, size_t le)
{
    static uint8_t data[65535];
    size_t length = 0;
    struct apdu apdu = {.ins = ins, .p1 = p1, .data = data, .lc = lc, .le = le, .extended = true};

    for (size_t i = 0; i < lc; i++)
        data[i] = (uint8_t)(i * 7 + 1);
    assert_int_equal(apdu_build(&apdu, out, APDU_COMMAND_MAX, &length), RC_OK);
    return length;
}

static void longest_command_and_longest_response(void **state)
{
    uint8_t *command = malloc(APDU_COMMAND_MAX);
    size_t length;

    (void)state;
    assert_non_null(command);
    ends(SELECT_APP, 0x9000);
    length = extended_command(command, 0xD6, 0x87, 65535, 0);
    assert_int_equal(send_bytes(command, length), 0x9000);
    ends("00B08700000000", 0x9000);
    assert_int_equal(response.length, 65538);
    for (size_t i = 0; i < 65535; i++)
        assert_int_equal(response.data[i], (uint8_t)(i * 7 + 1));
    assert_int_equal(response.data[65535], 0);
    ends("00840000000000", 0x9000);
    assert_int_equal(response.length, 65538);
    free(command);
}

static void writes_binary(void **state)
{
    (void)state;
    ends(SELECT_APP, 0x9000);
    answers("00D687000401020304", "9000");
    answers("00B0870005", "01020304009000");
    answers("00D00001021010", "9000"); /* OR */
    answers("00B0000004", "011213049000");
    answers("000E0001020003", "9000");
    answers("00B0000004", "010000049000");
    answers("000E0001020001", "6A80");
    answers("00D7E107075402FFFF5301EE", "9000");
    answers("00B1E107045402FFFF00", "5301EE9000");
    answers("00D70000085402FFFF5302EEEE", "6A84");
    answers("00D70000045402FFFF", "6A80");
    answers("000E0000", "9000");
    answers("00B1E107045402FFFF00", "5301009000");
    answers("00D68700", "6700");
    answers("00D681000141", "6982");
    answers("00D682000141", "6982");
    answers("002000010431323334", "9000");
    answers("00D681000148", "9000");
    answers("00D682000141", "6982"); /* never */
    answers("00D68147024142", "6B00");
    answers("00D68146024142", "6A84");
}

static void reads_records(void **state)
{
    (void)state;
    answers("00B2010400", "6986");
    answers("00B201F400", "611B4F07F07363617264015010736361726420706C617967726F756E649000");
    ends(SELECT_APP, 0x9000);
    ends("00B2012400", 0x9000);
    assert_int_equal(response.length, 34);
    assert_memory_equal(response.data, "Ada ", 4);
    answers("00B2042405", "47726163659000");
    ends("00B2012421", 0x6282); /* Le 33, record 32 */
    answers("00B2052400", "6A83");
    answers("00B2002400", "6A83"); /* no current record */
    answers("00B2FF2400", "6A83");
    answers("00B2010700", "6A86");
    answers("00B201FC00", "6A86");
    answers("00B201E400", "6A82");
    answers("00B2010C00", "6981");
    answers("00B20104", "6700");
    /* The log: number 1 is the newest. */
    answers("00B2012C00", "30303033206C6F67206F70656E6564209000");
    ends("00B2012D00", 0x9000);
    assert_int_equal(response.length, 3 * 16 + 2);
    assert_memory_equal(response.data, "0003", 4);
    assert_memory_equal(response.data + 32, "0001", 4);
    ends("00B2022E00", 0x9000); /* from the last down to 2 */
    assert_int_equal(response.length, 2 * 16 + 2);
    assert_memory_equal(response.data, "0001", 4);
    assert_memory_equal(response.data + 16, "0002", 4);
    ends("00B2012D10", 0x6120);
    ends("00C0000000", 0x9000);
    assert_memory_equal(response.data, "0002", 4);
}

static void record_pointer_and_identifiers(void **state)
{
    (void)state;
    ends(SELECT_APP, 0x9000);
    answers("00B2013000", "0105616C7068619000"); /* first with 01 */
    answers("00B2010200", "010567616D6D619000"); /* next with 01 */
    answers("00B2010200", "6A83");
    answers("00B2000300", "0204626574619000");   /* previous of any */
    answers("00B2000400", "0204626574619000");   /* current */
    answers("00B2030400", "010567616D6D619000"); /* by number: the pointer stays */
    answers("00B2000400", "0204626574619000");
    answers("00B2010100", "010567616D6D619000"); /* last with 01 */
    answers("00B2090000", "6A83");
    answers("00B2003200", "0105616C7068619000"); /* SFI: no pointer, so next is the first */
}

static void writes_and_appends_records(void **state)
{
    char command[64];

    (void)state;
    ends(SELECT_APP, 0x9000);
    answers("00E200300403024142", "9000");
    answers("00B2000400", "030241429000"); /* the new one is current */
    answers("00DC040403030143", "9000");
    answers("00B2040400", "0301439000");
    answers("00D2040403000020", "9000");
    answers("00B2040400", "0301639000");
    answers("00D20404020000", "6700");
    answers("00DC050403030143", "6A83");
    answers("00DC010003030143", "6A86");
    answers("00E201000403024142", "6A86");
    answers("00E20030", "6700");
    answers("00E200200141", "6982"); /* telephone list: PIN */
    ends("002000010431323334", 0x9000);
    answers("00E200200141", "6700");
    ends("00DC0124204242424242424242424242424242424242424242424242424242424242424242", 0x9000);
    answers("00B2012402", "42429000");
    for (int i = 4; i <= 12; i++) {
        snprintf(command, sizeof command, "00E2002810%02X0000000000000000000000000000%02X", i, i);
        ends(command, 0x9000);
    }
    ends("00B2012D00", 0x9000);
    assert_int_equal(response.length, 8 * 16 + 2); /* the oldest were overwritten */
    assert_int_equal(response.data[0], 12);
    assert_int_equal(response.data[7 * 16], 5);
    ends("00DC002B100D00000000000000000000000000000D", 0x9000); /* update previous of a cyclic EF */
    ends("00B2012C00", 0x9000);
    assert_int_equal(response.data[0], 13);
    for (int i = 0; i < 6; i++)
        ends("00E20020204343434343434343434343434343434343434343434343434343434343434343", 0x9000);
    ends("00E20020204343434343434343434343434343434343434343434343434343434343434343", 0x6A84);
}

static void pin_counts_blocks_and_is_unblocked(void **state)
{
    (void)state;
    answers("00200001", "63C3");
    answers("002000010431323335", "63C2");
    reset();
    answers("00200001", "63C2"); /* a reset does not give tries back */
    answers("002000010431323334", "9000");
    answers("00200001", "9000");
    reset();
    answers("00200001", "63C3");
    answers("002000010430303030", "63C2");
    answers("002000010430303030", "63C1");
    answers("002000010430303030", "63C0");
    answers("002000010431323334", "6983");
    answers("00200001", "63C0");
    answers("00240001083132333435363738", "6983");
    answers("002C00010C313233343536373734333231", "63C9");
    answers("002C00010C313233343536373834333231", "9000");
    answers("002000010431323334", "63C2");
    answers("002000010834333231FFFFFFFF", "9000"); /* padded */
    answers("002001010431323334", "6A86");
    answers("002000020431323334", "6A88");
    answers("0020FF01", "9000");
    answers("00200001", "63C3");
    answers("002C0101083132333435363738", "9000");
    answers("002C0301", "6A86");
    answers("002C0001", "6700");
    for (int i = 0; i < 10; i++)
        (void)send_hex("002C01010431313131");
    answers("002C0101083132333435363738", "6983");
}

static void pin_changes(void **state)
{
    (void)state;
    answers("00240001083132333435363738", "9000");
    answers("00200001", "9000");
    answers("0024000109313233343536373839", "63C2");
    answers("00200001", "63C2");
    answers("002400011035363738FFFFFFFF313131313131FFFF", "9000");
    answers("0024000106313131313131", "6A80");
    answers("00240001083131313131313232", "6A80");
    answers("0024000103313131", "6700");
    answers("0024020106313131313131", "6A86");
    answers("0024000206313131313131", "6A88");
    answers("0020000106313131313131", "9000");
    answers("002401010434343434", "9000");
    answers("0020FF01", "9000");
    answers("002401010434343434", "6982");
    answers("002000010434343434", "9000");
}

static void options_set_pin_and_tries(void **state)
{
    (void)state;
    discard();
    insert("sim:iso?pin=secret&puk=unblock&tries=1&serial=12345");
    answers("00200081", "63C1");
    answers("0020008106736563726574", "9000");
    answers("002000810431323334", "63C0");
    answers("002C018107756E626C6F636B", "9000");
    ends("00A4000C022FE2", 0x9000);
    answers("00B0000000", "2143F59000");
}

static void pin_opens_the_file_on_this_channel_only(void **state)
{
    (void)state;
    ends(SELECT_APP, 0x9000);
    answers("00B0830004", "6982");
    ends("002000010431323334", 0x9000);
    answers("00B0830004", "4F6E6C799000");
    answers("0070000001", "019000");
    ends("01A4040C07F0736361726401", 0x9000);
    answers("01B0830004", "6982");
    answers("01200001", "63C3");
    reset();
    ends(SELECT_APP, 0x9000);
    answers("00B0830004", "6982");
}

static void channels_are_independent(void **state)
{
    char command[16];

    (void)state;
    ends(SELECT_APP, 0x9000);
    answers("0070000001", "019000");
    answers("00700003", "9000");
    answers("00700003", "6881");
    answers("0070000001", "029000");
    ends("01A4040C07A0000002471001", 0x9000);
    answers("00CA004F00", "F07363617264019000");
    answers("01CA004F00", "A00000024710019000");
    answers("02CA004F00", "6A88"); /* MF: no name */
    answers("0170000001", "049000");
    answers("40CA004F00", "A00000024710019000"); /* channel 4: opened from 1, begins where 1 is */
    ends("01A4020C02011E", 0x9000);
    answers("01B0000001", "609000");
    answers("00B0000001", "6986");
    answers("01708000", "9000");
    answers("01CA004F00", "6881");
    answers("00708003", "9000");
    answers("00708003", "6881");
    answers("00708000", "6A86");
    answers("00708014", "6A86");
    answers("00700014", "6A86");
    answers("00704000", "6A86");
    answers("00700000", "6700");
    for (unsigned i = 0; i < 17; i++)
        ends("0070000001", 0x9000);
    assert_int_equal(response.data[0], 19);
    ends("0070000001", 0x6A81);
    for (unsigned i = 4; i < 20; i++) {
        snprintf(command, sizeof command, "%02XA4000C023F00", 0x40 + i - 4);
        ends(command, 0x9000);
    }
    reset();
    answers("01CA004F00", "6881");
}

static void rest_of_a_response_belongs_to_its_channel(void **state)
{
    (void)state;
    answers("0070000001", "019000");
    ends("00A4040007A000000247100105", 0x6128);
    answers("01C0000005", "6985");
    answers("00C0000004", "8302DF036124");
}

static void chains(void **state)
{
    (void)state;
    ends(SELECT_APP, 0x9000);
    answers("10D6870003010203", "9000");
    answers("10D68700020405", "9000");
    answers("00D687000106", "9000");
    answers("00B0870007", "010203040506009000");
    answers("10D6870003FFFFFF", "9000");
    answers("00B0870003", "6883"); /* the chain was not ended: it is dropped */
    answers("00B0870003", "0102039000");
    answers("10D687000107", "9000");
    answers("00D687010107", "6883"); /* other P2 */
    answers("10B0870003", "6884");
    answers("10200001", "6884");
    answers("10120000", "6884");
    /* Across chain parts the channel is the same, or the chain is broken. */
    ends("0070000001", 0x9000);
    answers("10D687000107", "9000");
    answers("01D687000107", "6883");
    answers("10D687000107", "9000");
    reset();
    ends(SELECT_APP, 0x9000);
    answers("00D687000108", "9000");
    answers("00B0870002", "08029000");
    answers("102400010431323334", "9000");
    answers("002400010435353535", "9000");
    answers("002000010435353535", "9000");
}

static void chain_longer_than_a_command_is_refused(void **state)
{
    uint8_t *command = malloc(APDU_COMMAND_MAX);
    size_t length;

    (void)state;
    assert_non_null(command);
    ends(SELECT_APP, 0x9000);
    length = extended_command(command, 0xD6, 0x87, 65535, 0);
    command[0] = 0x10;
    assert_int_equal(send_bytes(command, length), 0x9000);
    ends("00D687000101", 0x6700);
    ends("00D687000101", 0x9000);
    free(command);
}

static void gives_data_and_challenges(void **state)
{
    uint8_t first[32];

    (void)state;
    answers("00CA004300", "E09000");
    answers("00CA004700", "F741FF9000");
    ends("00CA5F5200", 0x9000);
    assert_int_equal(response.length, 17);
    answers("00CA123400", "6A88");
    answers("00CA0043", "6700");
    ends("0084000020", 0x9000);
    assert_int_equal(response.length, 34);
    memcpy(first, response.data, sizeof first);
    ends("0084000020", 0x9000);
    assert_memory_not_equal(first, response.data, sizeof first);
    answers("00840000", "6700");
    answers("0084010008", "6A86");
}

static void info_file_and_sample_files_are_well_formed(void **state)
{
    static const char *const files[] = {"00A4080C022F01", "00A4080C04DF03011E", "00A4080C04DF030101"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bytes in;
        struct tlv tlv;
        int rc;

        ends(files[i], 0x9000);
        ends("00B0000000", 0x9000);
        in = bytes_of(response.data, response.length - 2);
        while ((rc = tlv_next(&in, &tlv)) == 1) {
            struct bytes inner = bytes_of(tlv.value, tlv.length);
            struct tlv ignored;

            while (tlv.constructed && (rc = tlv_next(&inner, &ignored)) == 1)
                ;
            assert_true(rc >= 0);
        }
        assert_int_equal(rc, 0);
    }
    ends("00A4000C022F01", 0x9000);
    ends("00B0000000", 0x9000);
    assert_memory_equal(response.data + response.length - 12, "\x02\x03\x01\x00\x08\x02\x03\x01\x00\x02", 10);
}

static void echo_echoes(void **state)
{
    uint8_t *command = malloc(APDU_COMMAND_MAX);
    size_t length;

    (void)state;
    assert_non_null(command);
    discard();
    insert("sim:echo");
    answers("00000000", "9000");
    answers("0000000003010203", "0102039000");
    answers("000000000301020300", "0102039000");
    answers("0000000004", "000102039000");
    answers("00", "6700");
    ends("00000000000000", 0x9000);
    assert_int_equal(response.length, 65538);
    assert_int_equal(response.data[65535], 0xFF);
    length = extended_command(command, 0x00, 0x00, 65535, 65536);
    assert_int_equal(send_bytes(command, length), 0x9000);
    assert_int_equal(response.length, 65537);
    assert_memory_equal(response.data, command + 7, 65535);
    discard();
    insert("sim:echo?reply=3");
    answers("00000000", "0001029000");
    answers("00000000FF", "0001029000");
    free(command);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(atr_is_valid_and_tells_the_truth),
        TEST(bad_options_are_refused_without_showing_the_pin),
        TEST(malformed_and_unknown),
        TEST(selects_in_every_way),
        TEST(failed_select_changes_nothing),
        TEST(selects_by_name_and_occurrence),
        TEST(control_parameters_describe_the_files),
        TEST(long_selection_answer_waits_for_get_response),
        TEST(reads_binary),
        TEST(reads_40000_bytes_at_once),
        TEST(longest_command_and_longest_response),
        TEST(writes_binary),
        TEST(reads_records),
        TEST(record_pointer_and_identifiers),
        TEST(writes_and_appends_records),
        TEST(pin_counts_blocks_and_is_unblocked),
        TEST(pin_changes),
        TEST(options_set_pin_and_tries),
        TEST(pin_opens_the_file_on_this_channel_only),
        TEST(channels_are_independent),
        TEST(rest_of_a_response_belongs_to_its_channel),
        TEST(chains),
        TEST(chain_longer_than_a_command_is_refused),
        TEST(gives_data_and_challenges),
        TEST(info_file_and_sample_files_are_well_formed),
        TEST(echo_echoes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
