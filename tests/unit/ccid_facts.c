/* SPDX-License-Identifier: MIT */
/* driver/ccid_facts: what is told of a reader that nobody has opened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "driver/ccid_facts.h"

static struct ccid_descriptor reader(enum ccid_level level)
{
    return (struct ccid_descriptor){
        .level = level, .max_message = 271, .protocols = 3, .slots = 1, .busy_slots = 1, .voltages = 7};
}

static struct {
    char text[4096];
    size_t length;
} told;

static void tell(void *user, const char *key, const char *value)
{
    assert_ptr_equal(user, &told);
    assert_null(strpbrk(value, "\r\n"));
    assert_int_equal(strspn(key, "abcdefghijklmnopqrstuvwxyz01-"), strlen(key));
    told.length +=
        (size_t)snprintf(told.text + told.length, sizeof told.text - told.length, "%s=%s\n", key, value);
    assert_true(told.length < sizeof told.text);
}

static void facts_of(const struct ccid_descriptor *descriptor, const struct ccid_identity *identity)
{
    memset(&told, 0, sizeof told);
    told.text[told.length++] = '\n';
    ccid_facts(descriptor, identity, tell, &told);
}

#define TOLD(line) assert_non_null(strstr(told.text, "\n" line "\n"))
#define NOT_TOLD(key) assert_null(strstr(told.text, "\n" key "="))

/* A short APDU reader that the quirk table corrects. */
static void facts(void **state)
{
    struct ccid_identity identity = {.vendor = 0x2f7c,
                                     .product = 0x6007,
                                     .bcd_device = 0x0512,
                                     .bus = 1,
                                     .address = 42,
                                     .path = "usb:1-2:1.0",
                                     .model = "A\nreader"};
    struct ccid_descriptor descriptor = reader(CCID_SHORT_APDU);

    (void)state;
    descriptor.class_code = 0x0b;
    descriptor.features = CCID_AUTO_VOLTAGE | CCID_AUTO_PPS | CCID_LEVEL_SHORT | 0x80000000;
    descriptor.interrupt = (struct ccid_endpoint){0x83, 8};
    descriptor.slots = 2;
    descriptor.clock_khz = 4000, descriptor.max_clock_khz = 20000;
    descriptor.rate = 10752, descriptor.max_rate = 344086;
    descriptor.max_ifsd = 254;
    descriptor.pin_verify = true;
    descriptor.lcd_columns = 16, descriptor.lcd_lines = 2;
    descriptor.class_get_response = 0xff;
    descriptor.raw[0] = 0x36, descriptor.raw[1] = 0x21;
    facts_of(&descriptor, &identity);
    TOLD("path=usb:1-2:1.0");
    TOLD("usb-id=2f7c:6007");
    TOLD("model=A?reader");
    NOT_TOLD("serial");
    TOLD("firmware=5.12");
    NOT_TOLD("firmware-needed");
    TOLD("bus=1");
    TOLD("address=42");
    TOLD("interface=0");
    TOLD("interface-class=0b");
    NOT_TOLD("defect");
    TOLD("transport=bulk");
    TOLD("level=extended APDU");
    TOLD("protocols=T=0 T=1");
    TOLD("max-apdu-t0=65544");
    TOLD("max-le-t1=65536");
    TOLD("extended-t1=yes");
    TOLD("slots=2");
    TOLD("busy-slots=1");
    NOT_TOLD("synchronous");
    TOLD("voltages=5 V, 3 V, 1.8 V");
    TOLD("clock-khz=4000");
    TOLD("max-clock-khz=20000");
    TOLD("data-rate=10752");
    TOLD("max-data-rate=344086");
    TOLD("max-ifsd=254");
    TOLD("max-message=271");
    TOLD("pps=reader, from the parameters");
    TOLD("interrupt=yes");
    TOLD("presence=interrupt");
    TOLD("pin-verify=yes");
    TOLD("pin-modify=no");
    TOLD("lcd=2 lines of 16 characters");
    NOT_TOLD("mechanical");
    TOLD("class-get-response=as in the APDU");
    TOLD("class-envelope=00");
    TOLD("features=80020088");
    TOLD("feature=chooses the voltage");
    TOLD("feature=exchanges short APDUs");
    TOLD("feature=unknown bits 80000000");
    TOLD("quirk=takes extended APDUs, although it says short ones");
    assert_non_null(strstr(told.text, "\nclass-descriptor=3621000000"));
}

static void facts_of_tpdu(void **state)
{
    const struct ccid_identity identity = {.vendor = 0x0b97, .product = 0x7762};
    struct ccid_descriptor descriptor = reader(CCID_TPDU);

    (void)state;
    descriptor.protocols = 1;
    descriptor.mechanical = 3;
    facts_of(&descriptor, &identity);
    TOLD("level=TPDU");
    TOLD("protocols=T=0");
    TOLD("max-apdu-t0=261");
    TOLD("max-le-t0=256");
    TOLD("extended-t0=no");
    NOT_TOLD("max-apdu-t1");
    NOT_TOLD("max-ifsd");
    TOLD("pps=nobody");
    TOLD("interrupt=no");
    TOLD("presence=polling");
    TOLD("lcd=no");
    TOLD("mechanical=accept eject");
    NOT_TOLD("class-envelope");
}

static void facts_of_unusable(void **state)
{
    const struct ccid_identity old = {.vendor = 0x072f, .product = 0x2200, .bcd_device = 0x0100};
    const struct ccid_descriptor empty = {.defect = CCID_NO_CLASS_DESCRIPTOR, .class_code = 0x0b};
    struct ccid_descriptor descriptor = reader(CCID_TPDU);

    (void)state;
    facts_of(&descriptor, &old);
    TOLD("firmware=1.00");
    TOLD("firmware-needed=2.06");
    TOLD("quirk=firmware too old to be used");
    TOLD("level=TPDU");
    descriptor.defect = CCID_BAD_TRANSPORT;
    descriptor.transport = 9;
    facts_of(&descriptor, &old);
    TOLD("defect=its bInterfaceProtocol is unknown");
    TOLD("transport=unknown");
    facts_of(&empty, &old);
    TOLD("defect=its class descriptor is missing");
    TOLD("quirk=slow to answer after opening");
    NOT_TOLD("level");
    NOT_TOLD("class-descriptor");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts),
        cmocka_unit_test(facts_of_tpdu),
        cmocka_unit_test(facts_of_unusable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
