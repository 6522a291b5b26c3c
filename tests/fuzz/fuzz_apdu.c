/* SPDX-License-Identifier: MIT */
/* A command APDU: what parses is built again byte for byte, what does not is explained; ranges are inside. */
#include <string.h>

#include "base/rc.h"
#include "iso/apdu.h"
#include "iso/sw.h"
#include "tests/fuzz/fuzz.h"

static void check_round_trip(const struct apdu *apdu, const uint8_t *input, size_t size)
{
    static uint8_t out[APDU_COMMAND_MAX];
    size_t length = 0;

    FUZZ_CHECK(size <= APDU_COMMAND_MAX);
    FUZZ_CHECK(!apdu->lc == !apdu->data);
    FUZZ_CHECK(!apdu->lc || fuzz_inside(apdu->data, apdu->lc, input, size));
    FUZZ_CHECK(apdu_build(apdu, out, size, &length) == RC_OK);
    FUZZ_CHECK(length == size && memcmp(out, input, size) == 0);
    FUZZ_CHECK(apdu_build(apdu, out, size - 1, &length) == RC_INSUFFICIENT_BUFFER && length == size);
}

static void check_class(uint8_t cla)
{
    struct apdu_class class = apdu_class(cla);

    FUZZ_CHECK(class.channel < 20 && class.secure_messaging < 4);
    FUZZ_CHECK(apdu_class_with_channel(cla, class.channel) == cla);
}

/* The data field of a well-formed command with a secret is masked whole, and the header never is. */
static void check_mask(const uint8_t *input, size_t size, const struct apdu *apdu)
{
    size_t offset, length;

    if (!apdu_secret_range(input, size, &offset, &length))
        return;
    FUZZ_CHECK(offset >= 4 && fuzz_inside(input + offset, length, input, size));
    FUZZ_CHECK(offset + length == size && length);
    FUZZ_CHECK(!apdu || !apdu->lc || apdu->data == input + offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    const char *why = NULL;
    struct apdu apdu;
    int rc = apdu_parse(input, size, &apdu, &why);

    if (rc) {
        FUZZ_CHECK(rc == RC_INVALID_VALUE && why && why[0]);
    } else {
        check_round_trip(&apdu, input, size);
        check_class(apdu.cla);
        (void)apdu_instruction_name(apdu.cla, apdu.ins);
    }
    check_mask(input, size, rc ? NULL : &apdu);
    if (size >= 2) {
        char text[SW_TEXT_MAX];

        FUZZ_CHECK(sw_describe((uint16_t)(input[0] << 8 | input[1]), text, sizeof text)[0]);
    }
    return 0;
}
