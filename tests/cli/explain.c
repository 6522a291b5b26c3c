/* SPDX-License-Identifier: MIT */
/* Explanations against published examples, each with its source; what no explainer may do with bytes that
 * lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "cli/explain/aid.h"
#include "cli/explain/bytes.h"
#include "cli/explain/guess.h"
#include "cli/explain/ins.h"
#include "cli/explain/sw.h"
#include "cli/explain/tag.h"

static size_t bytes_from(const char *hex, uint8_t *bytes)
{
    size_t count, at;

    assert_int_equal(hex_parse(hex, strlen(hex), bytes, &count, &at), 0);
    return count;
}

/* Is there a part with this label whose text holds these words? */
static bool says(const struct explanation *explanation, const char *label, const char *words)
{
    for (size_t i = 0; i < explanation->count; i++)
        if (!strcmp(explanation->parts[i].label, label) && strstr(explanation->parts[i].text, words))
            return true;
    return false;
}

static void assert_tlv(const char *hex, enum explain_context context, const char *const (*expected)[2])
{
    struct explanation explanation = {0};
    uint8_t bytes[512];
    size_t length = bytes_from(hex, bytes);

    assert_true(explain_is_tlv(bytes, length));
    explain_tlv(bytes, length, 0, context, 0, 0, &explanation);
    for (; (*expected)[0]; expected++)
        if (!says(&explanation, (*expected)[0], (*expected)[1]))
            fail_msg("%s: nothing says \"%s\" of %s", hex, (*expected)[1], (*expected)[0]);
    explanation_fini(&explanation);
}

static void published_objects_are_named(void **state)
{
    (void)state;
    /* EMV Book 1, 12.2.3 and 11.3.4: a payment system environment and its directory entry (as cards give it).
     */
    assert_tlv("6F2B840E325041592E5359532E4444463031A519BF0C1661144F07A00000000310109F0A080001050100000000",
               EXPLAIN_EMV,
               (const char *const[][2]){{"84", "2PAY.SYS.DDF01"},
                                        {"BF0C", "issuer discretionary data"},
                                        {"61", "application"},
                                        {"4F", "Visa"},
                                        {"9F0A", "registered proprietary data"},
                                        {0}});
    /* EMV Book 1, 11.3.4; Book 3, 5.4: a list of what the card wants to know. */
    assert_tlv("6F1E8407A0000000041010A51350084D415354455243419F38069F02069F1D02", EXPLAIN_EMV,
               (const char *const[][2]){{"84", "Mastercard"},
                                        {"50", "\"MASTERCA\""},
                                        {"9F38", "9F02 amount (6), 9F1D terminal risk management data (2)"},
                                        {0}});
    /* NIST SP 800-73-4, part 1, 3.3.2: the discovery object. */
    assert_tlv(
        "7E124F0BA00000030800001000010"
        "05F2F024000",
        EXPLAIN_PIV,
        (const char *const[][2]){{"7E", "discovery"}, {"4F", "PIV"}, {"5F2F", "PIN usage policy"}, {0}});
    /* NIST SP 800-73-4, part 2, table 3: the answer to SELECT. */
    assert_tlv("61114F0600001000010079074F05A000000308", EXPLAIN_PIV,
               (const char *const[][2]){{"61", "application"}, {"79", "authority"}, {"4F", "NIST"}, {0}});
    /* GlobalPlatform 2.3.1, H.2: card recognition data. */
    assert_tlv("6631732F06072A864886FC6B01600C060A2A864886FC6B02020101630906072A864886FC6B03640B06092A864886F"
               "C6B040215",
               EXPLAIN_GP,
               (const char *const[][2]){{"66", "card data"},
                                        {"06", "1.2.840.114283.1"},
                                        {"60", "card management type"},
                                        {"64", "secure channel protocol"},
                                        {"06", "1.2.840.114283.4.2.21"},
                                        {0}});
    /* ETSI TS 102 221, 11.1.1.3: file control parameters of a linear fixed file of 5 records of 42 bytes. */
    assert_tlv("621A82054221002A0583022F058A01058B032F060280020"
               "0D2880130",
               EXPLAIN_SIM,
               (const char *const[][2]){
                   {"82", "working file, linear fixed, shareable, records of 42 bytes, 5 of them"},
                   {"83", "file identifier"},
                   {"8A", "activated"},
                   {"8B", "access rules"},
                   {"80", ": 210"},
                   {0}});
    /* ISO 7816-4:2013, 8.2.1.2 and table 12: a directory. */
    assert_tlv(
        "6F0A8201788302"
        "3F008A0103",
        EXPLAIN_ISO,
        (const char *const[][2]){{"82", "directory (DF), shareable"}, {"8A", "being initialised"}, {0}});
    /* OpenPGP card 3.4, 4.3.3.8 and 4.4.1. */
    assert_tlv("7A05930300001E", EXPLAIN_OPENPGP,
               (const char *const[][2]){{"93", "signatures made: 30"}, {0}});
}

static void lengths_that_lie_are_told(void **state)
{
    static const char *const liars[] = {"6F10840541", "84FF", "7F",     "9F",       "8484FFFFFFFF",
                                        "6F80",       "BF0C", "5C015F", "8C029F02", "0681FF"};
    struct explanation explanation;
    uint8_t bytes[64];

    (void)state;
    for (size_t i = 0; i < sizeof liars / sizeof *liars; i++) {
        size_t length = bytes_from(liars[i], bytes);

        explanation = (struct explanation){0};
        explain_tlv(bytes, length, 0, EXPLAIN_EMV, 0, 0, &explanation);
        assert_true(explanation.count > 0 && !explanation.failed);
        for (size_t n = 0; n < explanation.count; n++)
            assert_true(explanation.parts[n].offset + explanation.parts[n].length <= length);
        explanation_fini(&explanation);
    }
}

static void words_of_a_status(const char *expected, uint16_t sw, enum explain_context context)
{
    char text[SW_TEXT_MAX];

    if (!strstr(explain_sw(sw, context, text, sizeof text), expected))
        fail_msg("%04X: \"%s\" has no \"%s\"", sw, text, expected);
}

static void status_words_are_the_applications(void **state)
{
    (void)state;
    words_of_a_status("file or application not found", 0x6A82, EXPLAIN_ISO); /* ISO 7816-4:2013, table 6 */
    words_of_a_status("slot is empty", 0x6A82, EXPLAIN_PIV);                 /* SP 800-73-4, part 2, 3.1.2 */
    words_of_a_status("terminated", 0x6285, EXPLAIN_OPENPGP);                /* OpenPGP card 3.4, 7.1 */
    words_of_a_status("cryptogram", 0x6300, EXPLAIN_GP);                     /* GPCS 2.3.1, E.5.2.7 */
    words_of_a_status("next entries", 0x6310, EXPLAIN_GP);                   /* GPCS 2.3.1, 11.4.3.2 */
    words_of_a_status("touch", 0x6985, EXPLAIN_FIDO);                        /* U2F raw messages, 3.3 */
    words_of_a_status("key number", 0x6988, EXPLAIN_READER);                 /* PC/SC part 3, 3.2.2.1.4 */
    words_of_a_status("done, another frame follows", 0x91AF, EXPLAIN_DESFIRE);
    words_of_a_status("authentication error", 0x91AE, EXPLAIN_DESFIRE);             /* MF3ICD81, 5.3 */
    words_of_a_status("proactive command of 174 bytes waits", 0x91AE, EXPLAIN_SIM); /* TS 102 221, 10.2.1.1 */
    words_of_a_status("blocked", 0x9840, EXPLAIN_SIM);                              /* GSM 11.11, 9.4.5 */
    words_of_a_status("card is blocked", 0x6A81, EXPLAIN_EMV);                      /* EMV Book 1, 11.3.5 */
    for (unsigned sw = 0; sw <= 0xFFFF; sw++)
        for (int context = 0; context < EXPLAIN_CONTEXTS; context++) {
            char text[SW_TEXT_MAX] = "";

            explain_sw((uint16_t)sw, (enum explain_context)context, text, sizeof text);
            assert_true(text[0] && strlen(text) < SW_TEXT_MAX - 1);
            assert_true(context != EXPLAIN_DESFIRE || sw >> 8 != 0x91 || !strstr(text, "proactive"));
            assert_true(context != EXPLAIN_SIM || !strstr(text, "DESFire"));
        }
}

static void tries_are_counted_where_a_pin_is_meant(void **state)
{
    static const uint8_t verify[] = {0x00, 0x20, 0x00, 0x80, 0x01, 0x31}, ask[] = {0x00, 0x20, 0x00, 0x80};
    char text[SW_TEXT_MAX];

    (void)state;
    assert_string_equal(explain_sw_of(verify, sizeof verify, 0x63C1, EXPLAIN_PIV, text, sizeof text),
                        "verification failed, 1 try left");
    assert_string_equal(explain_sw_of(ask, sizeof ask, 0x63C3, EXPLAIN_PIV, text, sizeof text),
                        "not verified, 3 tries left");
}

static void instructions_are_the_applications(void **state)
{
    (void)state;
    assert_string_equal(explain_ins(0x00, 0xA4, EXPLAIN_ISO), "SELECT");
    assert_string_equal(explain_ins(0x80, 0xF2, EXPLAIN_GP), "GET STATUS");
    assert_string_equal(explain_ins(0x80, 0xF2, EXPLAIN_SIM), "STATUS");
    assert_string_equal(explain_ins(0x84, 0x82, EXPLAIN_GP), "EXTERNAL AUTHENTICATE");
    assert_string_equal(explain_ins(0x00, 0x01, EXPLAIN_FIDO), "U2F REGISTER");
    assert_string_equal(explain_ins(0x00, 0x01, EXPLAIN_OATH), "PUT");
    assert_null(explain_ins(0x00, 0x01, EXPLAIN_ISO));
    assert_string_equal(explain_ins(0x90, 0x5A, EXPLAIN_ISO), "SELECT APPLICATION");
    assert_string_equal(explain_ins(0xFF, 0xCA, EXPLAIN_PIV), "GET DATA");
    assert_string_equal(explain_ins(0xA0, 0xF2, EXPLAIN_PIV), "STATUS");
    assert_string_equal(explain_ins(0x00, 0xF9, EXPLAIN_PIV), "ATTEST (Yubico)");
}

static void a_selection_sets_the_context(void **state)
{
    uint8_t select[] = {0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08};
    uint8_t master[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};
    uint8_t unknown[] = {0x00, 0xA4, 0x04, 0x00, 0x05, 0x01, 0x02, 0x03, 0x04, 0x05};

    (void)state;
    assert_int_equal(explain_context_after(EXPLAIN_ISO, select, sizeof select, 0x9000), EXPLAIN_PIV);
    assert_int_equal(explain_context_after(EXPLAIN_ISO, select, sizeof select, 0x6110), EXPLAIN_PIV);
    assert_int_equal(explain_context_after(EXPLAIN_OATH, select, sizeof select, 0x6A82), EXPLAIN_OATH);
    assert_int_equal(explain_context_after(EXPLAIN_OATH, unknown, sizeof unknown, 0x9000), EXPLAIN_ISO);
    assert_int_equal(explain_context_after(EXPLAIN_PIV, master, sizeof master, 0x9000), EXPLAIN_ISO);
    assert_int_equal(explain_context_after(EXPLAIN_SIM, master, sizeof master, 0x9000), EXPLAIN_SIM);
    for (size_t cut = 0; cut < sizeof select; cut++)
        (void)explain_context_after(EXPLAIN_ISO, select, cut, 0x9000);
}

static void applications_have_one_name(void **state)
{
    const struct aid *aid;

    (void)state;
    assert_ptr_equal(aid_by_name("PIV"), aid_by_name("piv"));
    assert_null(aid_by_name(""));
    for (size_t i = 0; (aid = aid_word_at(i)); i++) {
        assert_ptr_equal(aid_by_name(aid->word), aid);
        assert_ptr_equal(aid_find(aid->bytes, aid->length), aid);
        assert_true(aid->length >= 5 && aid->length <= AID_MAX);
    }
    assert_string_equal(aid_name((const uint8_t *)"\xA0\0\0\0\x03", 5), "Visa");
    assert_null(aid_name((const uint8_t *)"\xA0\0\0\0", 4));
}

/* A PIN in no text and no hex, unless it was asked for. */
static void secrets_stay_hidden(void **state)
{
    static const char *const commands[] = {
        "002000800837373838393930"
        "30",
        "00240080107737377838393930303131323233"
        "333434",
        "80D8018100",
        "0020008037373838",
        "00200080000008"
        "3737383839393030",
        "0020008007"
        "373738383939303031",
    };

    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        for (int shown = 0; shown < 2; shown++) {
            struct explanation explanation = {.show_secrets = shown};
            uint8_t bytes[64];
            size_t length = bytes_from(commands[i], bytes);
            char *hex;

            explain_command(bytes, length, false, EXPLAIN_ISO, 0, 0, &explanation);
            hex = explanation_hex(&explanation, bytes, length);
            assert_int_equal(!!strstr(hex, "3838"), shown && strstr(commands[i], "3838"));
            for (size_t n = 0; n < explanation.count; n++)
                assert_null(strstr(explanation.parts[n].text, "88"));
            free(hex);
            explanation_fini(&explanation);
        }
    }
}

static void messages_of_readers(void **state)
{
    /* CCID 1.1, 6.1.1, 6.2.1, 6.2.2, 6.3.1. */
    static const struct {
        const char *hex, *label, *words;
    } rows[] = {
        {"62000000000005010000", "bMessageType", "IccPowerOn, to the reader"},
        {"62000000000005010000", "bPowerSelect", "5 V"},
        {"8004000000000500000"
         "03B021450",
         "T0", "2 historical bytes"},
        {"81000000000007420001", "bStatus", "no card, failed"},
        {"80000000000008800500", "bError", "5 times the waiting time"},
        {"8000000000000841FE00", "bError", "card mute"},
        {"6F05000000000900000000C10120E0", "PCB", "S-block IFS request"},
        {"5003", "bmSlotICCState", "slot 0: card, changed"},
        {"610700000000030100009610004D00FE00", "bmFindexDindex", "Fi=512, Di=32"},
        {"6F040000", "?", "shorter"},
        {"6F050000000009000000"
         "00A4",
         "?", "it says 5 bytes of data, 2 are there"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct explanation explanation = {0};
        uint8_t bytes[64];
        size_t length = bytes_from(rows[i].hex, bytes);

        explain_ccid(bytes, length, EXPLAIN_ISO, 0, 0, &explanation);
        if (!says(&explanation, rows[i].label, rows[i].words))
            fail_msg("%s: nothing says \"%s\"", rows[i].hex, rows[i].words);
        explanation_fini(&explanation);
    }
}

static void answers_to_reset(void **state)
{
    static const struct {
        const char *hex, *label, *words;
    } rows[] = {
        /* The Belgian identity card's, and a MIFARE card's as PC/SC part 3, 3.1.3.2.3 makes it. */
        {"3B98134 00AA503010101AD1311", "TC2", "WI=10"},
        {"3B8F8001804F0CA000000306030001000000006A", "card", "MIFARE Classic 1K"},
        {"3B8F8001804F0CA000000306030001000000006A", "standard", "ISO 14443 A, part 3"},
        {"3B9F96801F438031E073362113574A330E0931410 0AA", "lengths",
         "4 logical channels, numbered by the card"},
        {"3B909691 81B1FE551FC7D4", "TA2", "specific mode: T=1, F and D of TA1, cannot be changed"},
        {"3B909691 81B1FE551FC7D4", "TA4", "the clock can be stopped; voltages: 5 V 3 V 1.8 V"},
        {"3B8680010675778102 8F00", "TCK", "wrong: 0F would be right"},
        {"3B9E95801FC78031E073FE211B66D00219151300", "TCK", "missing"},
        {"3B046089", "?", "2 of 4 historical bytes are missing"},
        {"3BF0", "?", "cut off in the interface bytes"},
        {"3B", "?", "two bytes or more"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct explanation explanation = {0};
        char hex[80] = "";
        uint8_t bytes[64];
        size_t length;

        for (const char *at = rows[i].hex; *at; at++)
            if (*at != ' ')
                strncat(hex, at, 1);
        length = bytes_from(hex, bytes);
        explain_atr(bytes, length, 0, 0, &explanation);
        if (!says(&explanation, rows[i].label, rows[i].words))
            fail_msg("%s: nothing says \"%s\"", hex, rows[i].words);
        explanation_fini(&explanation);
    }
}

static void kinds_are_guessed(void **state)
{
    static const struct {
        const char *hex;
        enum explain_kind kind;
    } rows[] = {
        {"9000", KIND_RESPONSE},
        {"6A82", KIND_RESPONSE},
        {"3B021450", KIND_ATR},
        {"00A4040007A0000002471001", KIND_COMMAND},
        {"80CA9F7F00", KIND_COMMAND},
        {"FFCA000000", KIND_COMMAND},
        {"905A000003010203"
         "00",
         KIND_COMMAND},
        {"6F058403414243", KIND_TLV},
        {"6F0584034142439000", KIND_RESPONSE},
        {"62000000000005010000", KIND_CCID},
        {"00200080", KIND_COMMAND},
        {"0020008008313233", KIND_COMMAND},
        {"01", KIND_UNKNOWN},
        {"DEADBEEF", KIND_UNKNOWN},
    };
    uint8_t bytes[64];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (explain_guess(bytes, bytes_from(rows[i].hex, bytes)) != rows[i].kind)
            fail_msg("%s is taken for %s", rows[i].hex,
                     explain_kind_name(explain_guess(bytes, bytes_from(rows[i].hex, bytes))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_objects_are_named),
        cmocka_unit_test(lengths_that_lie_are_told),
        cmocka_unit_test(status_words_are_the_applications),
        cmocka_unit_test(tries_are_counted_where_a_pin_is_meant),
        cmocka_unit_test(instructions_are_the_applications),
        cmocka_unit_test(a_selection_sets_the_context),
        cmocka_unit_test(applications_have_one_name),
        cmocka_unit_test(secrets_stay_hidden),
        cmocka_unit_test(messages_of_readers),
        cmocka_unit_test(answers_to_reset),
        cmocka_unit_test(kinds_are_guessed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
