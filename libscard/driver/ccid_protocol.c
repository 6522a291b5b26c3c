/* SPDX-License-Identifier: MIT */
#include "driver/ccid_protocol.h"

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_exchange.h"
#include "driver/ccid_power.h"
#include "driver/ccid_timing.h"

/* Of a block, beside INF: the message's header, prologue, EDC. */
#define AROUND_INF(edc) (CCID_HEADER + 3 + (edc))
#define PACKET 64 /* CCID_NO_FULL_PACKETS */

static bool host_speaks_t1(const struct ccid_slot *slot)
{
    return slot->device->descriptor.level <= CCID_TPDU;
}

static bool host_must_know(int rc)
{
    return rc == RC_NO_CARD || rc == RC_READER_UNAVAILABLE || rc == RC_CANCELLED || rc == RC_NO_MEMORY;
}

/* ISO 7816-3:2006, 9.2: PPS0 says which of PPS1 to PPS3 follow, before PCK. */
static size_t pps_length(uint8_t pps0)
{
    return 3 + (size_t)__builtin_popcount(pps0 & 0x70U);
}

static int exchange_pps(struct ccid_slot *slot, const struct pps_plan *plan, uint8_t *ret_fd)
{
    uint8_t answer[16];
    size_t length = 0, more = 0;
    int rc = ccid_exchange_raw(slot, plan->request, plan->request_length, 2, answer, sizeof answer, &length);

    if (!rc && slot->device->descriptor.level == CCID_CHARACTER && length >= 2 &&
        length < pps_length(answer[1])) {
        rc = ccid_exchange_raw(slot, NULL, 0, pps_length(answer[1]) - length, answer + length,
                               sizeof answer - length, &more);
        length += more;
    }
    return rc ? rc : pps_check(plan->request, plan->request_length, answer, length, ret_fd);
}

static int get_parameters(struct ccid_slot *slot, struct ccid_parameters *ret_parameters)
{
    struct ccid_command command = {.type = CCID_GET_PARAMETERS};
    struct ccid_answer answer;
    int rc = ccid_slot_command(slot, &command, CCID_ANSWER_MS, &answer);

    return rc ? rc : ccid_parameters_parse(answer.parameter, answer.data, answer.length, ret_parameters);
}

/* The reader keeps a value of its own: which FI/DI, if that was it? A card that agreed on another one by PPS
 * could not be understood. */
static int kept(struct ccid_slot *slot, const struct pps_plan *plan, uint8_t *fd)
{
    struct ccid_parameters parameters;
    int rc = get_parameters(slot, &parameters);

    if (host_must_know(rc))
        return rc;
    if (rc || parameters.protocol != plan->protocol || parameters.fd == *fd)
        return RC_OK;
    if (plan->request_length)
        return detail_set(RC_UNRESPONSIVE, "%s: the reader stays at FI/DI %02X, the card is at %02X",
                          slot->reader.device, (unsigned)parameters.fd, (unsigned)*fd);
    *fd = parameters.fd;
    return RC_OK;
}

static int set_parameters(struct ccid_slot *slot, const struct pps_plan *plan, uint8_t *fd)
{
    struct ccid_parameters parameters = ccid_parameters_of(&slot->atr, plan->protocol, *fd);
    uint8_t data[CCID_PARAMETERS_MAX];
    struct ccid_command command = {.type = CCID_SET_PARAMETERS, .parameter = plan->protocol, .data = data};
    struct ccid_answer answer;
    int rc;

    command.length = ccid_parameters_build(&parameters, data);
    /* The reader may exchange PPS with the card in it. */
    rc = ccid_slot_command(slot, &command, CCID_ANSWER_MS + slot->exchange_ms, &answer);
    if (rc == CCID_KEPT)
        return kept(slot, plan, fd);
    /* Where the reader exchanged PPS, the card may have kept to the default speed: it says so (6.2.3). */
    if (!rc && !plan->request_length &&
        !ccid_parameters_parse(answer.parameter, answer.data, answer.length, &parameters) &&
        parameters.protocol == plan->protocol)
        *fd = parameters.fd;
    /* A reader that speaks to the card itself has no need to be told. */
    if (rc == RC_UNSUPPORTED && (!host_speaks_t1(slot) || slot->device->descriptor.transport != CCID_BULK))
        return RC_OK;
    return rc;
}

/* The reader has set itself up (5.1, dwFeatures 02 and 40): for which protocol and speed? */
static int read_back(struct ccid_slot *slot, const struct pps_plan *plan, uint8_t *fd, bool *ret_same)
{
    struct ccid_parameters parameters;
    int rc = get_parameters(slot, &parameters);

    if (host_must_know(rc))
        return rc;
    *ret_same = !rc && parameters.protocol == plan->protocol;
    if (*ret_same)
        *fd = parameters.fd;
    return RC_OK;
}

/* Longest INF that a message of this reader has room for; 0: none. */
static uint32_t inf_room(const struct ccid_slot *slot)
{
    uint32_t around = AROUND_INF(slot->atr.crc ? 2 : 1);
    uint32_t message = slot->device->descriptor.max_message;

    if (slot->device->quirk.flags & CCID_NO_FULL_PACKETS && message >= PACKET)
        message = PACKET - 1;
    return message > around ? message - around : 0;
}

static int start_t1(struct ccid_slot *slot)
{
    const struct ccid_device *device = slot->device;
    uint32_t room = inf_room(slot);
    uint32_t ifsd = device->descriptor.max_ifsd < room ? device->descriptor.max_ifsd : room;

    if (!room)
        return detail_set(RC_PROTO_MISMATCH, "%s: the reader's messages have no room for a block of T=1",
                          slot->reader.device);
    t1_init_atr(&slot->t1, &slot->atr, ccid_exchange_block, slot);
    if (room < T1_INF_MAX)
        slot->t1.ifsc_max = (uint8_t)room;
    if (!ifsd || device->quirk.flags & CCID_NO_IFSD)
        return RC_OK;
    if (device->descriptor.features & CCID_AUTO_IFSD) {
        t1_set_ifsd(&slot->t1, (uint8_t)ifsd);
        return RC_OK;
    }
    return ifsd == slot->t1.ifsd ? RC_OK : t1_negotiate_ifsd(&slot->t1, ifsd);
}

static int follow(struct ccid_slot *slot, const struct pps_plan *plan)
{
    enum protocol protocol = plan->protocol ? PROTOCOL_T1 : PROTOCOL_T0;
    uint8_t fd = plan->fd;
    bool same = false;
    int rc = RC_OK;

    if (plan->request_length)
        rc = exchange_pps(slot, plan, &fd);
    if (!rc && plan->read_back)
        rc = read_back(slot, plan, &fd, &same);
    if (!rc && (plan->set_parameters || (plan->read_back && !same)))
        rc = set_parameters(slot, plan, &fd);
    if (rc)
        return rc;
    slot->fd = fd;
    slot->exchange_ms = ccid_timing_ms(&slot->device->descriptor, &slot->atr, protocol, fd);
    return protocol == PROTOCOL_T1 && host_speaks_t1(slot) ? start_t1(slot) : RC_OK;
}

static int reset(struct ccid_slot *slot)
{
    uint8_t atr[ATR_MAX];
    size_t length;

    return ccid_power(slot, POWER_COLD, atr, &length);
}

/* The next thing to try after a failure by failed, in *plan; RC_* if there is none. */
static int next_plan(struct ccid_slot *slot, const struct pps_reader *reader, int failed,
                     struct pps_plan *plan)
{
    int rc;

    log_debug("%s: T=%u at FI/DI %02X failed: %s", slot->reader.device, (unsigned)plan->protocol,
              (unsigned)plan->fd, rc_name(failed));
    slot->warm_due = true;
    if (slot->device->quirk.flags & CCID_SKIP_PARAMETERS && plan->protocol == slot->atr.first_protocol &&
        (plan->set_parameters || plan->read_back)) {
        *plan = (struct pps_plan){.step = PPS_WITHOUT, .protocol = plan->protocol, .fd = PPS_DEFAULT_FD};
    } else {
        rc = pps_fall_back(&slot->atr, reader, plan);
        if (rc)
            return rc;
    }
    rc = reset(slot);
    if (!rc && !(atr_protocol_mask(&slot->atr) & 1U << plan->protocol))
        rc = detail_set(RC_UNRESPONSIVE, "%s: the card offers other protocols after each reset",
                        slot->reader.device);
    return rc;
}

int ccid_protocol_set(struct ccid_slot *slot, enum protocol protocol)
{
    const struct ccid_device *device = slot->device;
    struct pps_reader reader = {
        .who = device->quirk.flags & CCID_NO_PPS ? PPS_NOBODY : ccid_pps_who(&device->descriptor),
        .protocols = device->descriptor.protocols,
        .clock_khz = device->descriptor.clock_khz,
        .max_rate = device->descriptor.max_rate,
        .rates = device->rates,
        .rate_count = device->rate_count,
    };
    struct pps_plan plan;
    int rc = RC_OK;

    if (slot->left || !slot->powered)
        return detail_set(slot->left ? RC_NO_CARD : RC_UNRESPONSIVE, "%s: the card is not powered",
                          slot->reader.device);
    if (slot->protocol == protocol)
        return RC_OK;
    /* ISO 7816-3:2006, 6.3.1: PPS comes right after a reset. */
    if (slot->protocol != PROTOCOL_NONE || slot->warm_due)
        rc = reset(slot);
    if (!rc)
        rc = pps_plan(&slot->atr, &reader, protocol == PROTOCOL_T1, &plan);
    if (rc)
        return rc;
    while ((rc = follow(slot, &plan)) != RC_OK) {
        if (!host_must_know(rc))
            rc = next_plan(slot, &reader, rc, &plan);
        if (rc)
            return rc;
    }
    slot->protocol = protocol;
    return RC_OK;
}
