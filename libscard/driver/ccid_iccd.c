/* SPDX-License-Identifier: MIT */
#include "driver/ccid_iccd.h"

#include "base/log.h"
#include "base/rc.h"

#define TO_DEVICE 0x21 /* class, interface */
#define FROM_DEVICE 0xA1

#define POWER_ON_REQUEST 0x62
#define POWER_OFF_REQUEST 0x63
#define XFR_BLOCK_REQUEST 0x65
#define DATA_BLOCK_REQUEST 0x6F
#define SLOT_STATUS_REQUEST 0x81 /* version B */
#define ICC_STATUS_REQUEST 0xA0  /* version A */

#define REQUEST_MS 3000 /* for a request that does not wait for the card */
#define UNIT_MS 10      /* of a polling delay, and our own choice of one */

#define BOUND_PROTOCOL 7 /* offset of bProtocolNum: "cannot be changed" */

static struct ccid_answer refusal(uint8_t error)
{
    return (struct ccid_answer){.card = CCID_CARD_ACTIVE, .failed = true, .error = error};
}

/* What a control transfer came to: RC_*. */
static int result_of(const struct ccid_command *command, int rc)
{
    if (rc > 0)
        return detail_set(RC_IO, "the device refused command %02X", (unsigned)command->type);
    if (rc == RC_TIMEOUT)
        return detail_set(rc, "the device did not answer command %02X in time", (unsigned)command->type);
    return rc;
}

static int send(struct ccid_link *link, const struct ccid_command *command, uint8_t request, uint16_t value,
                const uint8_t *bytes, size_t length)
{
    /* Not written to: the direction is out. */
    int rc = ccid_link_control(link, command->slot, TO_DEVICE, request, value, (uint8_t *)(uintptr_t)bytes,
                               length, NULL, REQUEST_MS);

    return result_of(command, rc);
}

static int receive(struct ccid_link *link, const struct ccid_command *command, uint8_t request, uint8_t *room,
                   size_t capacity, size_t *ret_length, uint64_t timeout_ms)
{
    int rc = ccid_link_control(link, command->slot, FROM_DEVICE, request, 0, room, capacity, ret_length,
                               timeout_ms);

    return result_of(command, rc);
}

/* What is not in the version's own table of requests. */
static int answer_ourselves(const struct ccid_command *command, struct ccid_answer *ret_answer)
{
    *ret_answer = refusal(command->type == CCID_SET_PARAMETERS ? BOUND_PROTOCOL : CCID_NOT_SUPPORTED);
    return RC_OK;
}

/* Version B */

enum response { /* bResponseType; below: enum ccid_part */
                RESPONSE_STATUS = 0x40,
                RESPONSE_POLL = 0x80,
};

static struct ccid_answer status_answer(const uint8_t *response)
{
    struct ccid_answer answer = {.card = (enum ccid_card)(response[1] & 0x03), .failed = response[1] & 0x40};

    if (answer.failed)
        answer.error = response[2];
    return answer;
}

static int b_status(struct ccid_link *link, const struct ccid_command *command, uint8_t *room,
                    size_t room_size, struct ccid_answer *ret_answer)
{
    size_t length = 0;
    int rc =
        receive(link, command, SLOT_STATUS_REQUEST, room, room_size < 3 ? room_size : 3, &length, REQUEST_MS);

    if (rc)
        return rc;
    if (length != 3)
        return detail_set(RC_IO, "the device told its status in %zu bytes, not 3", length);
    *ret_answer = status_answer(room);
    return RC_OK;
}

/* Reads until there is something else than a request to come again. */
static int b_response(struct ccid_link *link, const struct ccid_command *command, uint64_t timeout_ms,
                      uint8_t *room, size_t room_size, struct ccid_answer *ret_answer)
{
    size_t length;
    int rc;

    for (;;) {
        uint64_t units;

        length = 0;
        rc = receive(link, command, DATA_BLOCK_REQUEST, room, room_size, &length, timeout_ms);
        if (rc)
            return rc;
        if (!length || ((room[0] == RESPONSE_STATUS || room[0] == RESPONSE_POLL) && length < 3))
            return detail_set(RC_IO, "the device sent a response of %zu bytes", length);
        if (room[0] != RESPONSE_POLL)
            break;
        units = (uint64_t)room[1] | (uint64_t)room[2] << 8;
        rc = ccid_link_pause(link, command->slot, (units ? units : 1) * UNIT_MS);
        if (rc)
            return rc;
    }
    switch (room[0]) {
    case RESPONSE_STATUS:
        *ret_answer = status_answer(room);
        return RC_OK;
    case CCID_WHOLE:
    case CCID_BEGINS:
    case CCID_ENDS:
    case CCID_CONTINUES:
    case CCID_GO_ON:
        *ret_answer = (struct ccid_answer){
            .card = CCID_CARD_ACTIVE, .parameter = room[0], .data = room + 1, .length = length - 1};
        return RC_OK;
    default:
        return detail_set(RC_IO, "the device sent a response of unknown type %02X", (unsigned)room[0]);
    }
}

int iccd_b_exchange(struct ccid_link *link, const struct ccid_command *command, uint64_t timeout_ms,
                    uint8_t *room, size_t room_size, struct ccid_answer *ret_answer)
{
    int rc;

    switch (command->type) {
    case CCID_GET_SLOT_STATUS:
        return b_status(link, command, room, room_size, ret_answer);
    case CCID_POWER_OFF:
        rc = send(link, command, POWER_OFF_REQUEST, 0, NULL, 0);
        return rc ? rc : b_status(link, command, room, room_size, ret_answer);
    case CCID_POWER_ON:
        /* Powered by the bus: there is one voltage (wValue). */
        rc = send(link, command, POWER_ON_REQUEST, 1, NULL, 0);
        break;
    case CCID_XFR_BLOCK:
        rc = send(link, command, XFR_BLOCK_REQUEST, (uint16_t)(command->level << 8), command->data,
                  command->length);
        break;
    default:
        return answer_ourselves(command, ret_answer);
    }
    return rc ? rc : b_response(link, command, timeout_ms, room, room_size, ret_answer);
}

/* Version A */

enum icc_status {
    STATUS_DATA = 0x10,
    STATUS_SW = 0x20,
    STATUS_BUSY = 0x40,
    STATUS_MUTE = 0x80,
};

/* Waits until the device is not busy. */
static int a_status(struct ccid_link *link, const struct ccid_command *command, struct deadline deadline,
                    uint8_t *ret_status)
{
    for (;;) {
        uint8_t status;
        size_t length = 0;
        int rc = receive(link, command, ICC_STATUS_REQUEST, &status, 1, &length, REQUEST_MS);

        if (rc)
            return rc;
        if (length != 1)
            return detail_set(RC_IO, "the device told no status");
        if (!(status & STATUS_BUSY)) {
            *ret_status = status;
            return RC_OK;
        }
        if (deadline_passed(deadline))
            return detail_set(RC_TIMEOUT, "the device stays busy");
        rc = ccid_link_pause(link, command->slot, UNIT_MS);
        if (rc)
            return rc;
    }
}

static struct ccid_answer a_mute(void)
{
    return (struct ccid_answer){.card = CCID_CARD_INACTIVE, .failed = true, .error = CCID_MUTE};
}

static int a_slot_status(struct ccid_link *link, const struct ccid_command *command, struct deadline deadline,
                         struct ccid_answer *ret_answer)
{
    uint8_t status;
    int rc = a_status(link, command, deadline, &status);

    if (!rc)
        *ret_answer = (struct ccid_answer){
            .card = status == STATUS_MUTE ? CCID_CARD_ABSENT : CCID_CARD_ACTIVE,
        };
    return rc;
}

static int a_power_off(struct ccid_link *link, const struct ccid_command *command, struct deadline deadline,
                       struct ccid_answer *ret_answer)
{
    uint8_t status;
    int rc = send(link, command, POWER_OFF_REQUEST, 0, NULL, 0);

    if (!rc)
        rc = a_status(link, command, deadline, &status);
    if (!rc)
        *ret_answer = (struct ccid_answer){.card = CCID_CARD_INACTIVE};
    return rc;
}

static int a_power_on(struct ccid_link *link, const struct ccid_command *command, uint64_t timeout_ms,
                      struct deadline deadline, uint8_t *room, size_t room_size,
                      struct ccid_answer *ret_answer)
{
    size_t length = 0;
    int rc = a_power_off(link, command, deadline, ret_answer);

    if (rc)
        return rc;
    rc = ccid_link_control(link, command->slot, FROM_DEVICE, POWER_ON_REQUEST, 0, room, room_size, &length,
                           timeout_ms);
    if (rc < 0)
        return result_of(command, rc);
    if (rc > 0)
        *ret_answer = a_mute();
    else
        *ret_answer = (struct ccid_answer){.card = CCID_CARD_ACTIVE, .data = room, .length = length};
    return RC_OK;
}

/* A TPDU under way. */
struct a_tpdu {
    const uint8_t *data; /* yet to be sent */
    size_t data_length;
    size_t expected; /* data bytes from the card, yet to be read */
    size_t got;      /* in room */
};

/* The device is ready for data: to be sent to it, or read from it. false: it had all. */
static bool a_data(struct ccid_link *link, const struct ccid_command *command, struct a_tpdu *tpdu,
                   uint8_t *room, int *ret_rc)
{
    if (tpdu->data_length) {
        *ret_rc = send(link, command, XFR_BLOCK_REQUEST, 0, tpdu->data, tpdu->data_length);
        tpdu->data_length = 0;
        tpdu->expected = 0;
        return true;
    }
    if (!tpdu->expected)
        return false;
    *ret_rc = receive(link, command, DATA_BLOCK_REQUEST, room, tpdu->expected, &tpdu->got, REQUEST_MS);
    if (!*ret_rc && !tpdu->got)
        *ret_rc = detail_set(RC_IO, "the device has data of the card, and sent none");
    tpdu->expected = 0;
    return true;
}

static int a_finish(struct ccid_link *link, const struct ccid_command *command, uint8_t *room, size_t got,
                    struct ccid_answer *ret_answer)
{
    size_t length = 0;
    int rc = receive(link, command, DATA_BLOCK_REQUEST, room + got, 2, &length, REQUEST_MS);

    if (rc)
        return rc;
    if (length != 2)
        return detail_set(RC_IO, "the device sent a status word of %zu bytes", length);
    *ret_answer = (struct ccid_answer){.card = CCID_CARD_ACTIVE, .data = room, .length = got + 2};
    return RC_OK;
}

static int a_transfer(struct ccid_link *link, const struct ccid_command *command, struct deadline deadline,
                      uint8_t *room, struct ccid_answer *ret_answer)
{
    uint8_t header[5] = {0}; /* case 1: P3 = 00 (ISO 7816-3:2006, 12.1.1) */
    struct a_tpdu tpdu = {0};
    uint8_t status;
    int rc;

    for (size_t i = 0; i < sizeof header && i < command->length; i++)
        header[i] = command->data[i];
    if (command->length > sizeof header) {
        tpdu.data = command->data + sizeof header;
        tpdu.data_length = command->length - sizeof header;
    }
    tpdu.expected = header[4] ? header[4] : 256;
    rc = send(link, command, XFR_BLOCK_REQUEST, 0, header, sizeof header);
    while (!rc) {
        rc = a_status(link, command, deadline, &status);
        if (rc)
            break;
        if (status == STATUS_SW)
            return a_finish(link, command, room, tpdu.got, ret_answer);
        if (status == STATUS_MUTE) {
            *ret_answer = a_mute();
            return RC_OK;
        }
        if (status != STATUS_DATA || !a_data(link, command, &tpdu, room, &rc)) {
            *ret_answer = refusal(CCID_PROCEDURE_BYTE);
            return RC_OK;
        }
    }
    return rc;
}

int iccd_a_exchange(struct ccid_link *link, const struct ccid_command *command, uint64_t timeout_ms,
                    uint8_t *room, size_t room_size, struct ccid_answer *ret_answer)
{
    struct deadline deadline = timeout_ms ? deadline_in_ms(timeout_ms) : deadline_never();
    size_t length = command->length;

    switch (command->type) {
    case CCID_GET_SLOT_STATUS:
        return a_slot_status(link, command, deadline, ret_answer);
    case CCID_POWER_OFF:
        return a_power_off(link, command, deadline, ret_answer);
    case CCID_POWER_ON:
        return a_power_on(link, command, timeout_ms, deadline, room, room_size, ret_answer);
    case CCID_XFR_BLOCK:
        if (length < 4 || (length > 5 && length - 5 != command->data[4])) {
            *ret_answer = refusal(CCID_BAD_LENGTH);
            return RC_OK;
        }
        return a_transfer(link, command, deadline, room, ret_answer);
    default:
        return answer_ourselves(command, ret_answer);
    }
}

void iccd_start(struct ccid_link *link)
{
    static const uint8_t types[] = {CCID_POWER_OFF, CCID_POWER_ON, CCID_POWER_OFF};
    struct ccid_answer answer;

    for (size_t i = 0; i < sizeof types; i++) {
        struct ccid_command command = {.type = types[i]};

        if (ccid_link_exchange(link, &command, REQUEST_MS, &answer) == RC_READER_UNAVAILABLE)
            return;
    }
}
