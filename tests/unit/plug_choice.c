/* SPDX-License-Identifier: MIT */
/* Which USB readers the usb: URIs mean, and what they are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/plug_choice.h"
#include "api/plug_name.h"
#include "base/log.h"
#include "base/rc.h"

static int add(struct plug_choices *choices, const char *text)
{
    struct uri uri;
    int rc = uri_parse(text, strlen(text), &uri);

    assert_int_equal(rc, RC_OK);
    detail_clear();
    rc = plug_choices_add(choices, &uri);
    uri_fini(&uri);
    return rc;
}

static void choice_fits_what_it_names(void **state)
{
    static const struct {
        const char *uri, *place;
        uint16_t vendor, product;
        bool taken;
    } rows[] = {
        {"usb:", "1-2:1.0", 0x1234, 0x5678, true},
        {"usb:1-2", "1-2:1.0", 1, 2, true},
        {"usb:1-2", "1-2:1.3", 1, 2, true},
        {"usb:1-2", "1-2.1:1.0", 1, 2, false},
        {"usb:1-2", "1-21:1.0", 1, 2, false},
        {"usb:1-2.3.14", "1-2.3.14:1.0", 1, 2, true},
        {"usb:1-2:1.1", "1-2:1.1", 1, 2, true},
        {"usb:1-2:1.1", "1-2:1.10", 1, 2, false},
        {"usb:1-2:1.1", "1-2:1.0", 1, 2, false},
        {"usb:072f:2200", "9-9:1.0", 0x072F, 0x2200, true},
        {"usb:072F:2200", "9-9:1.0", 0x072F, 0x2200, true},
        {"usb:072f:2200", "9-9:1.0", 0x072F, 0x2201, false},
        {"usb:072f:2200", "9-9:1.0", 0x072E, 0x2200, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct plug_choices choices = {0};
        const struct plug_choice *found;

        assert_int_equal(add(&choices, rows[i].uri), RC_OK);
        found = plug_choices_find(&choices, rows[i].place, rows[i].vendor, rows[i].product);
        if (rows[i].taken != (found != NULL))
            fail_msg("%s and %s", rows[i].uri, rows[i].place);
        plug_choices_fini(&choices);
    }
}

static void faulty_choice_is_told(void **state)
{
    static const char *const rows[] = {
        "usb:x",
        "usb:1",
        "usb:1-",
        "usb:1-2.",
        "usb:1-2:",
        "usb:1-2:1",
        "usb:1-2:1.",
        "usb:1-2:1.0.",
        "usb:-2",
        "usb:072f:",
        "usb:072f:22",
        "usb:072f:22000",
        "usb:072g:2200",
        "usb:*",
        "usb:?speed=1",
        "usb:?escape=maybe",
        "usb:?firmware=none",
        "usb:?firmware",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct plug_choices choices = {0};

        if (add(&choices, rows[i]) != RC_INVALID_VALUE || !strstr(detail_get(), "usb:"))
            fail_msg("%s: %s", rows[i], detail_get());
        assert_int_equal(choices.count, 0);
        plug_choices_fini(&choices);
    }
}

static void last_choice_counts(void **state)
{
    struct plug_choices choices = {0};

    (void)state;
    assert_null(plug_choices_find(&choices, "1-1:1.0", 1, 1));
    assert_int_equal(add(&choices, "usb:"), RC_OK);
    assert_int_equal(add(&choices, "usb:072f:2200?escape=yes"), RC_OK);
    assert_int_equal(add(&choices, "usb:1-4?escape=no"), RC_OK);
    assert_false(plug_choices_find(&choices, "1-1:1.0", 0x04E6, 0x5116)->escape_allowed);
    assert_true(plug_choices_find(&choices, "1-1:1.0", 0x072F, 0x2200)->escape_allowed);
    assert_false(plug_choices_find(&choices, "1-4:1.0", 0x072F, 0x2200)->escape_allowed);
    assert_int_equal(add(&choices, "usb:1-4?firmware=any"), RC_OK);
    assert_true(plug_choices_find(&choices, "1-4:1.0", 0x072F, 0x2200)->any_firmware);
    assert_false(plug_choices_find(&choices, "1-4:1.0", 0x072F, 0x2200)->escape_allowed);
    assert_false(plug_choices_find(&choices, "1-1:1.0", 0x072F, 0x2200)->any_firmware);
    plug_choices_fini(&choices);
}

static void names_are_cleaned(void **state)
{
    static const struct {
        const char *text, *clean;
    } rows[] = {
        {NULL, NULL},
        {"", NULL},
        {" \t ", NULL},
        {"SCR 3310", "SCR 3310"},
        {"  Generic   Reader ", "Generic Reader"},
        {"evil\x1B[2Jname\n", "evil [2Jname"},
        {"csi\xC2\x9B"
         "1m",
         "csi 1m"},
        {"no\xC2\xA0"
         "break",
         "no break"},
        {"\x7F", NULL},
        {"Müller \xE2\x82\xAC", "Müller \xE2\x82\xAC"},
        {"cut\xC2", "cut\xC2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *clean;

        assert_int_equal(plug_name_clean(rows[i].text, &clean), RC_OK);
        if (rows[i].clean)
            assert_string_equal(clean, rows[i].clean);
        else
            assert_null(clean);
        free(clean);
    }
}

static void model_is_named_as_by_pcsclite(void **state)
{
    static const struct {
        const char *vendor, *product, *interface, *model;
    } rows[] = {
        {"Gemalto", "PC Twin Reader", NULL, "Gemalto PC Twin Reader"},
        {"SCM Microsystems Inc.", "SCR 3310", "CCID Interface",
         "SCM Microsystems Inc. SCR 3310 [CCID Interface]"},
        {"Nitrokey", "Nitrokey Pro", NULL, "Nitrokey Pro"},
        {"ACS", "acs ACR38U", NULL, "acs ACR38U"},
        {"Yubico", "YubiKey CCID", "YubiKey CCID", "Yubico YubiKey CCID"},
        {"Yubico", "YubiKey CCID", "YUBIKEY ccid", "Yubico YubiKey CCID"},
        {NULL, "Reader", NULL, "Reader"},
        {"Vendor", NULL, NULL, "Vendor"},
        {"Vendor", NULL, "Slot", "Vendor [Slot]"},
        {NULL, NULL, NULL, "USB 072F:2200"},
        {NULL, NULL, "Slot", "USB 072F:2200 [Slot]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *model = plug_name_model(rows[i].vendor, rows[i].product, rows[i].interface, 0x072F, 0x2200);

        assert_string_equal(model, rows[i].model);
        free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choice_fits_what_it_names),
        cmocka_unit_test(faulty_choice_is_told),
        cmocka_unit_test(last_choice_counts),
        cmocka_unit_test(names_are_cleaned),
        cmocka_unit_test(model_is_named_as_by_pcsclite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
