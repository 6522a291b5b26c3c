/* SPDX-License-Identifier: MIT */
#include "cli/explain/ins.h"

#include "iso/apdu.h"

/* Interindustry classes (00) or the others that an application has (80): channels and secure messaging aside.
 */
struct row {
    uint8_t cla, ins;
    const char *name;
};

/* GlobalPlatform 2.3.1, 11. */
static const struct row gp[] = {
    {0x80, 0x50, "INITIALIZE UPDATE"},
    {0x80, 0x82, "EXTERNAL AUTHENTICATE"},
    {0x80, 0xCA, "GET DATA"},
    {0x80, 0xD8, "PUT KEY"},
    {0x80, 0xE2, "STORE DATA"},
    {0x80, 0xE4, "DELETE"},
    {0x80, 0xE6, "INSTALL"},
    {0x80, 0xE8, "LOAD"},
    {0x80, 0xF0, "SET STATUS"},
    {0x80, 0xF2, "GET STATUS"},
    {0x80, 0x78, "END R-MAC SESSION"},
    {0x80, 0x7A, "BEGIN R-MAC SESSION"},
    {0x80, 0x88, "INTERNAL AUTHENTICATE"},
};

/* EMV 4.3, Book 3, 6.5. */
static const struct row emv[] = {
    {0x80, 0xA8, "GET PROCESSING OPTIONS"},
    {0x80, 0xAE, "GENERATE AC"},
    {0x80, 0xCA, "GET DATA"},
    {0x84, 0x1E, "APPLICATION BLOCK"},
    {0x84, 0x18, "APPLICATION UNBLOCK"},
    {0x84, 0x16, "CARD BLOCK"},
    {0x84, 0x24, "PIN CHANGE/UNBLOCK"},
    {0x80, 0x2A, "COMPUTE CRYPTOGRAPHIC CHECKSUM"},
};

/* ETSI TS 102 221, 10.1.2; 3GPP TS 31.102, 7. */
static const struct row sim[] = {
    {0x80, 0x10, "TERMINAL PROFILE"},
    {0x80, 0x12, "FETCH"},
    {0x80, 0x14, "TERMINAL RESPONSE"},
    {0x80, 0xAA, "TERMINAL CAPABILITY"},
    {0x80, 0x32, "INCREASE"},
    {0x80, 0xC2, "ENVELOPE"},
    {0x80, 0xCB, "RETRIEVE DATA"},
    {0x80, 0xDB, "SET DATA"},
    {0x80, 0xF2, "STATUS"},
    {0x80, 0x76, "SUSPEND UICC"},
    {0x80, 0x78, "GET IDENTITY"},
    {0x80, 0x7A, "EXCHANGE CAPABILITIES"},
    {0x80, 0x7C, "MANAGE LSI"},
    {0x00, 0x73, "MANAGE SECURE CHANNEL"},
    {0x00, 0x75, "TRANSACT DATA"},
    {0x00, 0x88, "AUTHENTICATE"},
    {0x00, 0x89, "AUTHENTICATE"},
    {0x00, 0x20, "VERIFY PIN"},
    {0x00, 0x24, "CHANGE PIN"},
    {0x00, 0x26, "DISABLE PIN"},
    {0x00, 0x28, "ENABLE PIN"},
    {0x00, 0x2C, "UNBLOCK PIN"},
    {0x00, 0x04, "DEACTIVATE FILE"},
    {0x00, 0x44, "ACTIVATE FILE"},
    {0x80, 0xD4, "RESIZE FILE"},
};

/* NIST SP 800-73-4, part 2; from F3 on what Yubico adds. */
static const struct row piv[] = {
    {0x00, 0x87, "GENERAL AUTHENTICATE"},
    {0x00, 0x47, "GENERATE ASYMMETRIC KEY PAIR"},
    {0x00, 0xCB, "GET DATA"},
    {0x00, 0xDB, "PUT DATA"},
    {0x00, 0xF6, "MOVE KEY (Yubico)"},
    {0x00, 0xF7, "GET METADATA (Yubico)"},
    {0x00, 0xF8, "GET SERIAL (Yubico)"},
    {0x00, 0xF9, "ATTEST (Yubico)"},
    {0x00, 0xFA, "SET PIN RETRIES (Yubico)"},
    {0x00, 0xFB, "RESET (Yubico)"},
    {0x00, 0xFD, "GET VERSION (Yubico)"},
    {0x00, 0xFE, "IMPORT ASYMMETRIC KEY (Yubico)"},
    {0x00, 0xFF, "SET MANAGEMENT KEY (Yubico)"},
};

/* OpenPGP card 3.4, 7.2; from F1 on what Yubico adds. */
static const struct row openpgp[] = {
    {0x00, 0x47, "GENERATE ASYMMETRIC KEY PAIR"},
    {0x00, 0xDA, "PUT DATA"},
    {0x00, 0xDB, "PUT DATA"},
    {0x00, 0xA5, "SELECT DATA"},
    {0x00, 0x44, "ACTIVATE FILE"},
    {0x00, 0xE6, "TERMINATE DF"},
    {0x00, 0xF1, "GET VERSION (Yubico)"},
    {0x00, 0xF2, "SET PIN RETRIES (Yubico)"},
    {0x00, 0xFB, "ATTEST (Yubico)"},
};

/* FIDO U2F raw messages 1.2, 3; CTAP 2.1, 11.3. */
static const struct row fido[] = {
    {0x00, 0x01, "U2F REGISTER"}, {0x00, 0x02, "U2F AUTHENTICATE"},  {0x00, 0x03, "U2F VERSION"},
    {0x80, 0x10, "CTAP MESSAGE"}, {0x80, 0x11, "CTAP GET RESPONSE"}, {0x80, 0x12, "CTAP CONTROL"},
};

/* Yubico's OATH protocol. */
static const struct row oath[] = {
    {0x00, 0x01, "PUT"},
    {0x00, 0x02, "DELETE"},
    {0x00, 0x03, "SET CODE"},
    {0x00, 0x04, "RESET"},
    {0x00, 0x05, "RENAME"},
    {0x00, 0xA1, "LIST"},
    {0x00, 0xA2, "CALCULATE"},
    {0x00, 0xA3, "VALIDATE"},
    {0x00, 0xA4, "SELECT or CALCULATE ALL"},
    {0x00, 0xA5, "SEND REMAINING"},
};

/* NXP MF3ICD40/41/81 and MF3DHx2 data sheets. */
static const struct row desfire[] = {
    {0x90, 0x0A, "AUTHENTICATE (DES)"},
    {0x90, 0x1A, "AUTHENTICATE (3DES)"},
    {0x90, 0xAA, "AUTHENTICATE (AES)"},
    {0x90, 0x71, "AUTHENTICATE EV2 FIRST"},
    {0x90, 0x77, "AUTHENTICATE EV2 NON-FIRST"},
    {0x90, 0xAF, "ADDITIONAL FRAME"},
    {0x90, 0x60, "GET VERSION"},
    {0x90, 0x51, "GET CARD UID"},
    {0x90, 0x6E, "FREE MEMORY"},
    {0x90, 0xFC, "FORMAT PICC"},
    {0x90, 0x5C, "SET CONFIGURATION"},
    {0x90, 0x5A, "SELECT APPLICATION"},
    {0x90, 0x6A, "GET APPLICATION IDS"},
    {0x90, 0x6D, "GET DF NAMES"},
    {0x90, 0xCA, "CREATE APPLICATION"},
    {0x90, 0xDA, "DELETE APPLICATION"},
    {0x90, 0x45, "GET KEY SETTINGS"},
    {0x90, 0x54, "CHANGE KEY SETTINGS"},
    {0x90, 0x64, "GET KEY VERSION"},
    {0x90, 0xC4, "CHANGE KEY"},
    {0x90, 0x6F, "GET FILE IDS"},
    {0x90, 0x61, "GET ISO FILE IDS"},
    {0x90, 0xF5, "GET FILE SETTINGS"},
    {0x90, 0x5F, "CHANGE FILE SETTINGS"},
    {0x90, 0xCD, "CREATE STANDARD DATA FILE"},
    {0x90, 0xCB, "CREATE BACKUP DATA FILE"},
    {0x90, 0xCC, "CREATE VALUE FILE"},
    {0x90, 0xC1, "CREATE LINEAR RECORD FILE"},
    {0x90, 0xC0, "CREATE CYCLIC RECORD FILE"},
    {0x90, 0xDF, "DELETE FILE"},
    {0x90, 0xBD, "READ DATA"},
    {0x90, 0x3D, "WRITE DATA"},
    {0x90, 0xBB, "READ RECORDS"},
    {0x90, 0x3B, "WRITE RECORD"},
    {0x90, 0xEB, "CLEAR RECORD FILE"},
    {0x90, 0x6C, "GET VALUE"},
    {0x90, 0x0C, "CREDIT"},
    {0x90, 0xDC, "DEBIT"},
    {0x90, 0x1C, "LIMITED CREDIT"},
    {0x90, 0xC7, "COMMIT TRANSACTION"},
    {0x90, 0xA7, "ABORT TRANSACTION"},
};

/* CardContact's SmartCard-HSM. */
static const struct row hsm[] = {
    {0x80, 0x50, "INITIALIZE DEVICE"}, {0x80, 0x52, "IMPORT DKEK SHARE"}, {0x00, 0x58, "ENUMERATE OBJECTS"},
    {0x80, 0x58, "ENUMERATE OBJECTS"}, {0x80, 0x62, "DECIPHER"},          {0x80, 0x68, "SIGN"},
    {0x80, 0x72, "WRAP KEY"},          {0x80, 0x74, "UNWRAP KEY"},
};

static const struct {
    const struct row *rows;
    size_t count;
} tables[EXPLAIN_CONTEXTS] = {
#define TABLE(context, name) [context] = {name, sizeof name / sizeof *name}
    TABLE(EXPLAIN_GP, gp),     TABLE(EXPLAIN_EMV, emv),         TABLE(EXPLAIN_SIM, sim),
    TABLE(EXPLAIN_PIV, piv),   TABLE(EXPLAIN_OPENPGP, openpgp), TABLE(EXPLAIN_FIDO, fido),
    TABLE(EXPLAIN_OATH, oath), TABLE(EXPLAIN_DESFIRE, desfire), TABLE(EXPLAIN_HSM, hsm),
#undef TABLE
};

const char *explain_ins(uint8_t cla, uint8_t ins, enum explain_context context)
{
    enum explain_context own = explain_context_for(cla, context);

    /* GSM's class has a table of its own (iso/apdu), a UICC's classes this one. */
    for (size_t i = 0; cla != 0xA0 && i < tables[own].count; i++)
        if (tables[own].rows[i].ins == ins && (tables[own].rows[i].cla & 0x80) == (cla & 0x80))
            return tables[own].rows[i].name;
    return apdu_instruction_name(cla, ins);
}

const char *explain_ins_of(const uint8_t *command, size_t length, enum explain_context context)
{
    if (length < 2)
        return NULL;
    if (context == EXPLAIN_OATH && length >= 3 && !(command[0] & 0x80) && command[1] == 0xA4)
        return command[2] == 0x04 ? "SELECT" : "CALCULATE ALL";
    return explain_ins(command[0], command[1], context);
}
