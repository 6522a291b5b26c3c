/* SPDX-License-Identifier: MIT */
#include "cli/explain/context.h"

#include "iso/apdu.h"
#include "iso/sw.h"

const char *explain_context_name(enum explain_context context)
{
    static const char *const names[EXPLAIN_CONTEXTS] = {
        [EXPLAIN_ISO] = "",          [EXPLAIN_GP] = "GlobalPlatform", [EXPLAIN_EMV] = "EMV",
        [EXPLAIN_SIM] = "SIM",       [EXPLAIN_PIV] = "PIV",           [EXPLAIN_OPENPGP] = "OpenPGP",
        [EXPLAIN_FIDO] = "FIDO",     [EXPLAIN_OATH] = "OATH",         [EXPLAIN_DESFIRE] = "DESFire",
        [EXPLAIN_NDEF] = "NDEF",     [EXPLAIN_EMRTD] = "passport",    [EXPLAIN_HSM] = "SmartCard-HSM",
        [EXPLAIN_READER] = "reader",
    };

    return names[context];
}

enum explain_context explain_context_for(uint8_t cla, enum explain_context selected)
{
    switch (cla) {
    case 0xFF: /* PC/SC part 3, 3.2.2.1 */
        return EXPLAIN_READER;
    case 0x90: /* ISO 7816-4 wrapping of DESFire's native commands */
        return EXPLAIN_DESFIRE;
    case 0xA0: /* GSM 11.11, 9.2 */
        return EXPLAIN_SIM;
    default:
        return selected;
    }
}

enum explain_context explain_context_after(enum explain_context selected, const uint8_t *command,
                                           size_t length, uint16_t sw)
{
    struct apdu apdu;

    if (length < 4 || command[1] != 0xA4)
        return selected;
    if (command[0] == 0xA0)
        return EXPLAIN_SIM;
    if (apdu_class(command[0]).interindustry == false || apdu_parse(command, length, &apdu, NULL))
        return selected;
    if (!sw_is_success(sw) && sw >> 8 != 0x9F)
        return selected;
    if (apdu.p1 == 0x04)
        return apdu.lc ? explain_context_of_aid(apdu.data, apdu.lc) : EXPLAIN_GP;
    /* The master file, by its number or by no name at all (ISO 7816-4:2013, 11.2.2), leaves an application;
     * of a UICC it is the way to others of its files. */
    if (apdu.p1 == 0 && selected != EXPLAIN_SIM &&
        (!apdu.lc || (apdu.lc == 2 && apdu.data[0] == 0x3F && !apdu.data[1])))
        return EXPLAIN_ISO;
    return selected;
}
