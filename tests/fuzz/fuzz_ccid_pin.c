/* SPDX-License-Identifier: MIT */
/*
 * PIN structures: the first byte is verify or modify, the next four are the quirks, two the PIN lengths that
 * the reader takes; the rest is what a program sent.
 */
#include <string.h>

#include "base/rc.h"
#include "driver/ccid_pin_data.h"
#include "tests/fuzz/fuzz.h"

#define SETTINGS 7

/* Whatever the quirks do, Secure has its fixed fields, prologue and APDU (CCID 1.1, 6.1.11). */
static void check_written(const struct ccid_quirk *quirk, const struct ccid_pin_request *request)
{
    static const uint8_t prologue[3] = {0x11, 0x22, 0x33};
    size_t room = ccid_pin_room(request), length, fixed = request->modify ? 14 : 11;
    uint8_t *out = malloc(room);

    FUZZ_CHECK(out);
    length = ccid_pin_write(quirk, request, prologue, out);
    FUZZ_CHECK(length <= room && length >= fixed + 4 + request->apdu_length);
    FUZZ_CHECK(length <= fixed + 6 + request->apdu_length);
    FUZZ_CHECK(out[0] == request->modify);
    FUZZ_CHECK(out[request->modify ? 10 : 7] >= 1 && out[request->modify ? 10 : 7] <= 7);
    FUZZ_CHECK(!memcmp(out + length - request->apdu_length, request->apdu, request->apdu_length));
    FUZZ_CHECK(!memcmp(out + length - request->apdu_length - 3, prologue, 3));
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct ccid_quirk quirk = {0};
    struct ccid_pin_request request;
    bool modify;
    int rc;

    if (size < SETTINGS)
        return 0;
    modify = input[0] & 1;
    quirk.flags = input[1] | (uint32_t)input[2] << 8 | (uint32_t)input[3] << 16 | (uint32_t)input[4] << 24;
    quirk.pin_min = input[5];
    quirk.pin_max = input[6];
    input += SETTINGS;
    size -= SETTINGS;
    rc = ccid_pin_read(modify, input, size, &request);
    FUZZ_CHECK(rc == RC_OK || rc == RC_INVALID_VALUE);
    if (rc)
        return 0;
    FUZZ_CHECK(request.modify == modify && request.apdu_length >= 4);
    FUZZ_CHECK(fuzz_inside(request.apdu, request.apdu_length, input, size));
    FUZZ_CHECK(request.apdu + request.apdu_length == input + size);
    check_written(&quirk, &request);
    return 0;
}
