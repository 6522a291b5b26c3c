/* SPDX-License-Identifier: MIT */
/* The emulated readers by hand-made messages: levels, cards, the judge, faults, the soft pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rc.h"
#include "driver/ccid_message.h"
#include "tests/usbemu/model_rig.h"

#define T0_PARAMETERS "1100000A00"
#define T1_PARAMETERS "11100045 00FE00"

static void tpdu_t0(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "tpdu", "sim:iso?protocol=T0&line.nulls=1");
    rig_command(&rig, CCID_GET_SLOT_STATUS, 0, "", CCID_SLOT_STATUS);
    assert_int_equal(rig.answer[7], CCID_CARD_INACTIVE);
    rig_command(&rig, CCID_POWER_ON, 0, "", CCID_DATA_BLOCK);
    rig_command(&rig, CCID_SET_PARAMETERS, 0, T0_PARAMETERS, CCID_PARAMETERS);
    rig_exchange(&rig, 0, "00A4040007F0736361726401", "6127");
    rig_exchange(&rig, 0, "00B0810000", "6C47");
    rig_close(&rig);
}

static void tpdu_t1(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "tpdu", "sim:echo?protocol=T1");
    rig_command(&rig, CCID_POWER_ON, 0, "", CCID_DATA_BLOCK);
    rig_command(&rig, CCID_SET_PARAMETERS, 1, T1_PARAMETERS, CCID_PARAMETERS);
    rig_exchange(&rig, 0, "00C101FE3E", "00E101FE1E");
    rig_exchange(&rig, 0, "00000500CA000002CD", "0000040001900095");
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tpdu_t0),
        cmocka_unit_test(tpdu_t1),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
