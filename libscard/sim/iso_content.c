/* SPDX-License-Identifier: MIT */
#include "sim/iso_content.h"

#include <string.h>

#include "base/rc.h"
#include "iso/apdu.h"
#include "iso/tlv.h"

#define LARGE_SIZE 40000
#define SCRATCH_SIZE 65536

/* Index into files[]; a parent stands before its children. */
enum {
    MF,
    DIR,
    INFO,
    SERIAL,
    SCARD_1,
    GREETING,
    LARGE,
    NOTES,
    PHONE,
    LOG,
    TAGGED,
    SCRATCH,
    SCARD_2,
    GREETING_2,
    PASSPORT,
    COM,
    DG1,
    FILES,
};

/* EF.COM: LDS 1.7, Unicode 4.0.0, data group 1 is there. */
#define COM_DATA                                                                                             \
    "\x60\x13\x5F\x01\x04"                                                                                   \
    "0107"                                                                                                   \
    "\x5F\x36\x06"                                                                                           \
    "040000"                                                                                                 \
    "\x5C\x01\x61"
#define DG1_DATA                                                                                             \
    "\x61\x5B\x5F\x1F\x58P<UTOSPECIMEN<<SCARD<<<<<<<<<<<<<<<<<<<<<<<<SIM0000013UTO9001011<4012313<<<<<<<<<<" \
    "<<<<<0"

#define TEXT(t) .text = (t), .length = sizeof(t) - 1

static const struct {
    int parent;
    struct iso_file file;
    const char *text;
    size_t length;
} files[FILES] = {
    [MF] = {.parent = -1, .file = {.kind = ISO_DF, .id = 0x3F00, .label = "scard simulated card"}},
    [DIR] = {.parent = MF,
             .file = {.kind = ISO_LINEAR_VARIABLE,
                      .id = 0x2F00,
                      .sfi = 30,
                      .update = ISO_NEVER,
                      .record_limit = 4,
                      .record_size = 64}},
    [INFO] = {.parent = MF, .file = {.kind = ISO_TRANSPARENT, .id = 0x2F01, .sfi = 1, .update = ISO_NEVER}},
    [SERIAL] = {.parent = MF, .file = {.kind = ISO_TRANSPARENT, .id = 0x2FE2, .sfi = 2, .update = ISO_NEVER}},
    [SCARD_1] = {.parent = MF,
                 .file = {.kind = ISO_DF,
                          .id = 0xDF01,
                          .label = "scard playground",
                          .name = "\xF0"
                                  "scard\x01",
                          .name_length = 7}},
    [GREETING] = {.parent = SCARD_1,
                  .file = {.kind = ISO_TRANSPARENT, .id = 0xE101, .sfi = 1, .update = ISO_PIN},
                  TEXT("Hello from scard's simulated card. VERIFY the PIN to change this text.\n")},
    [LARGE] = {.parent = SCARD_1,
               .file = {.kind = ISO_TRANSPARENT, .id = 0xE102, .sfi = 2, .update = ISO_NEVER}},
    [NOTES] = {.parent = SCARD_1,
               .file = {.kind = ISO_TRANSPARENT, .id = 0xE103, .sfi = 3, .read = ISO_PIN, .update = ISO_PIN},
               TEXT("Only who knows the PIN can read this.\n")},
    [PHONE] = {.parent = SCARD_1,
               .file = {.kind = ISO_LINEAR_FIXED,
                        .id = 0xE104,
                        .sfi = 4,
                        .update = ISO_PIN,
                        .record_limit = 10,
                        .record_size = 32}},
    [LOG] = {.parent = SCARD_1,
             .file = {.kind = ISO_CYCLIC, .id = 0xE105, .sfi = 5, .record_limit = 8, .record_size = 16}},
    [TAGGED] = {.parent = SCARD_1,
                .file = {.kind = ISO_LINEAR_VARIABLE,
                         .id = 0xE106,
                         .sfi = 6,
                         .simple_tlv = true,
                         .record_limit = ISO_RECORDS_MAX,
                         .record_size = 256}},
    [SCRATCH] = {.parent = SCARD_1, .file = {.kind = ISO_TRANSPARENT, .id = 0xE107, .sfi = 7}},
    [SCARD_2] = {.parent = MF,
                 .file = {.kind = ISO_DF,
                          .id = 0xDF02,
                          .label = "scard second application",
                          .name = "\xF0"
                                  "scard\x02",
                          .name_length = 7}},
    [GREETING_2] = {.parent = SCARD_2,
                    .file = {.kind = ISO_TRANSPARENT, .id = 0xE101, .sfi = 1, .update = ISO_PIN},
                    TEXT("Hello from the second application.\n")},
    [PASSPORT] = {.parent = MF,
                  .file = {.kind = ISO_DF,
                           .id = 0xDF03,
                           .label = "sample travel document",
                           .name = "\xA0\x00\x00\x02\x47\x10\x01",
                           .name_length = 7}},
    [COM] = {.parent = PASSPORT,
             .file = {.kind = ISO_TRANSPARENT, .id = 0x011E, .sfi = 30, .update = ISO_NEVER},
             TEXT(COM_DATA)},
    [DG1] = {.parent = PASSPORT,
             .file = {.kind = ISO_TRANSPARENT, .id = 0x0101, .sfi = 1, .update = ISO_NEVER},
             TEXT(DG1_DATA)},
};

static int fill_serial(struct iso_file *ef, const char *digits)
{
    uint8_t bytes[10];
    size_t count;

    if (!digits)
        digits = "89997201000000000012";
    count = (strlen(digits) + 1) / 2;
    for (size_t i = 0; i < count; i++) {
        unsigned low = (unsigned)(digits[2 * i] - '0');
        unsigned high = digits[2 * i + 1] ? (unsigned)(digits[2 * i + 1] - '0') : 0xF;

        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return buffer_append(&ef->content, bytes, count);
}

static int fill_info(struct iso_file *ef, uint8_t services, const uint8_t *capabilities)
{
    /* DO 7F66, extended length information, two numbers: longest command, longest response.
     */
    static const uint8_t lengths[] = {
        0x02, 0x03, APDU_COMMAND_MAX >> 16,  (APDU_COMMAND_MAX >> 8) & 0xFF,  APDU_COMMAND_MAX & 0xFF,
        0x02, 0x03, APDU_RESPONSE_MAX >> 16, (APDU_RESPONSE_MAX >> 8) & 0xFF, APDU_RESPONSE_MAX & 0xFF};
    int rc = tlv_append(&ef->content, 0x43, &services, 1);

    if (!rc)
        rc = tlv_append(&ef->content, 0x47, capabilities, 3);
    if (!rc && capabilities[2] & 0x40)
        rc = tlv_append(&ef->content, 0x7F66, lengths, sizeof lengths);
    return rc;
}

static int fill_dir(struct iso_file *ef, const struct iso_file *df)
{
    struct buffer inner = {0}, record = {0};
    int rc = tlv_append(&inner, 0x4F, df->name, df->name_length);

    if (!rc)
        rc = tlv_append(&inner, 0x50, (const uint8_t *)df->label, strlen(df->label));
    if (!rc)
        rc = tlv_append(&record, 0x61, inner.data, inner.length);
    if (!rc)
        rc = iso_file_append_record(ef, record.data, record.length);
    buffer_fini(&inner);
    buffer_fini(&record);
    return rc;
}

/* Texts become records; in a fixed-length EF they are padded with blanks. */
static int fill_records(struct iso_file *ef, const char *const *texts)
{
    int rc = RC_OK;

    for (; *texts && !rc; texts++) {
        uint8_t record[64];
        size_t length = strlen(*texts);

        memset(record, ' ', sizeof record);
        memcpy(record, *texts, length);
        rc = iso_file_append_record(ef, record, ef->kind == ISO_LINEAR_VARIABLE ? length : ef->record_size);
    }
    return rc;
}

static int fill_bulk(struct iso_file *large, struct iso_file *scratch)
{
    int rc = buffer_reserve(&large->content, LARGE_SIZE);

    if (!rc)
        rc = buffer_reserve(&scratch->content, SCRATCH_SIZE);
    if (rc)
        return rc;
    for (size_t i = 0; i < LARGE_SIZE; i++)
        large->content.data[i] = (uint8_t)(i ^ i >> 8);
    large->content.length = LARGE_SIZE;
    memset(scratch->content.data, 0, SCRATCH_SIZE);
    scratch->content.length = SCRATCH_SIZE;
    return RC_OK;
}

static int fill(struct iso_file **made, const char *serial, uint8_t services, const uint8_t *capabilities)
{
    /* Numbers from ranges set aside for fiction. */
    static const char *const phone[] = {"Ada       +44 20 7946 0101", "Blaise    +33 1 99 00 12 34",
                                        "Charles   +44 20 7946 0110", "Grace     +1 202 555 0142", NULL};
    static const char *const log[] = {"0001 card issued", "0002 PIN set", "0003 log opened", NULL};
    static const char *const tagged[] = {"\x01\x05"
                                         "alpha",
                                         "\x02\x04"
                                         "beta",
                                         "\x01\x05"
                                         "gamma",
                                         NULL};
    int rc = fill_serial(made[SERIAL], serial);

    if (!rc)
        rc = fill_info(made[INFO], services, capabilities);
    if (!rc)
        rc = fill_dir(made[DIR], made[SCARD_1]);
    if (!rc)
        rc = fill_dir(made[DIR], made[SCARD_2]);
    if (!rc)
        rc = fill_dir(made[DIR], made[PASSPORT]);
    if (!rc)
        rc = fill_records(made[PHONE], phone);
    if (!rc)
        rc = fill_records(made[LOG], log);
    if (!rc)
        rc = fill_records(made[TAGGED], tagged);
    return rc ? rc : fill_bulk(made[LARGE], made[SCRATCH]);
}

int iso_content_new(const char *serial, uint8_t services, const uint8_t *capabilities,
                    struct iso_file **ret_mf)
{
    struct iso_file *made[FILES] = {0};
    int rc = RC_OK;

    for (size_t i = 0; i < FILES && !rc; i++) {
        struct iso_file *parent = files[i].parent < 0 ? NULL : made[files[i].parent];

        rc = iso_file_add(parent, &files[i].file, &made[i]);
        if (!rc)
            rc = buffer_append(&made[i]->content, files[i].text, files[i].length);
    }
    if (!rc)
        rc = fill(made, serial, services, capabilities);
    if (rc) {
        iso_file_free(made[MF]);
        return rc;
    }
    *ret_mf = made[MF];
    return RC_OK;
}
