/* SPDX-License-Identifier: MIT */
#include "iso/pps.h"

#include "base/log.h"
#include "base/rc.h"

#define PPSS 0xFF
#define PPS0_T 0x0F
#define PPS0_PPS1 0x10
#define PPS0_RESERVED 0x80
#define ROUNDING 2 /* bit/s: readers round the rates of their list in every direction */

uint32_t pps_rate(uint32_t clock_khz, uint8_t fd)
{
    unsigned f, d, fmax;

    if (!atr_fi_di(fd, &f, &d, &fmax))
        return 0;
    uint64_t rate = (uint64_t)clock_khz * 1000 * d / f;
    return rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;
}

static bool is_possible(const struct pps_reader *reader, uint8_t fd)
{
    uint64_t rate = pps_rate(reader->clock_khz, fd);

    if (rate <= pps_rate(reader->clock_khz, PPS_DEFAULT_FD) || rate > reader->max_rate)
        return false;
    if (!reader->rate_count)
        return true;
    for (size_t i = 0; i < reader->rate_count; i++) {
        uint64_t listed = reader->rates[i];

        if (rate <= listed + ROUNDING && listed <= rate + ROUNDING)
            return true;
    }
    return false;
}

uint8_t pps_speed(const struct atr *atr, const struct pps_reader *reader)
{
    uint8_t fd = atr->ta1;

    if (is_possible(reader, fd))
        return fd;
    /* 9.2: any D between 1 and that of TA1 may be proposed. Cards in the field are known to take these. */
    if (fd >= 0x95 && fd <= 0x97)
        while (--fd >= 0x94)
            if (is_possible(reader, fd))
                return fd;
    return PPS_DEFAULT_FD;
}

static uint8_t check_byte(const uint8_t *frame, size_t length)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum ^= frame[i];
    return sum;
}

size_t pps_build(unsigned protocol, uint8_t fd, uint8_t ret_frame[PPS_FRAME_MAX])
{
    size_t length = 0;

    ret_frame[length++] = PPSS;
    if (fd == PPS_DEFAULT_FD) {
        ret_frame[length++] = protocol & PPS0_T;
    } else {
        ret_frame[length++] = (uint8_t)((protocol & PPS0_T) | PPS0_PPS1);
        ret_frame[length++] = fd;
    }
    ret_frame[length] = check_byte(ret_frame, length);
    return length + 1;
}

static int refuse(const char *why)
{
    return detail_set(RC_UNRESPONSIVE, "card's answer to the protocol selection (PPS) %s; it must be reset",
                      why);
}

int pps_check(const uint8_t *request, size_t request_length, const uint8_t *answer, size_t length,
              uint8_t *ret_fd)
{
    uint8_t fd = PPS_DEFAULT_FD;
    size_t asked = 2, at = 2;

    if (!length)
        return refuse("is missing");
    if (length < 3 || request_length < 3)
        return refuse("is too short");
    if (check_byte(answer, length))
        return refuse("has a wrong check byte");
    /* No bit that was not asked for; b8 is reserved and never is. */
    if (answer[0] != PPSS || (answer[1] & PPS0_T) != (request[1] & PPS0_T) ||
        (answer[1] & ~request[1] & ~PPS0_T))
        return refuse("is for something else");
    for (unsigned bit = PPS0_PPS1; bit < PPS0_RESERVED; bit <<= 1) {
        if (!(request[1] & bit))
            continue;
        if (answer[1] & bit) {
            if (asked + 1 >= request_length || at + 1 >= length || answer[at] != request[asked])
                return refuse("has another value than was proposed");
            if (bit == PPS0_PPS1)
                fd = answer[at];
            at++;
        }
        asked++;
    }
    if (at + 1 != length)
        return refuse("has a wrong length");
    *ret_fd = fd;
    return RC_OK;
}

static void lay_out(const struct pps_reader *reader, struct pps_plan *plan)
{
    plan->read_back = reader->who == PPS_READER;
    plan->set_parameters = !plan->read_back;
    plan->request_length = 0;
    if (reader->who == PPS_HOST && plan->step != PPS_WITHOUT)
        plan->request_length = pps_build(plan->protocol, plan->fd, plan->request);
}

static int check_protocol(const struct atr *atr, const struct pps_reader *reader, unsigned protocol)
{
    if (protocol > 1 || !(atr_protocol_mask(atr) & 1U << protocol)) {
        if (atr->specific)
            return detail_set(RC_PROTO_MISMATCH, "card is in specific mode and speaks T=%u only, not T=%u",
                              (unsigned)atr->specific_protocol, protocol);
        return detail_set(RC_PROTO_MISMATCH, "card does not offer T=%u", protocol);
    }
    if (!(reader->protocols & 1U << protocol))
        return detail_set(RC_PROTO_MISMATCH, "the reader does not speak T=%u", protocol);
    if (reader->who == PPS_NOBODY && !atr->specific && protocol != atr->first_protocol)
        return detail_set(
            RC_PROTO_MISMATCH,
            "card starts in T=%u, and this reader cannot make it change to T=%u; connect with T=%u",
            (unsigned)atr->first_protocol, protocol, (unsigned)atr->first_protocol);
    return RC_OK;
}

int pps_plan(const struct atr *atr, const struct pps_reader *reader, unsigned protocol,
             struct pps_plan *ret_plan)
{
    struct pps_plan plan = {.step = PPS_WITHOUT, .protocol = (uint8_t)protocol, .fd = PPS_DEFAULT_FD};
    int rc = check_protocol(atr, reader, protocol);

    if (rc)
        return rc;
    if (atr->specific) {
        /* 8.3, TA2: with b5 set F and D are known to those who made the card. */
        if (atr->specific_implicit && reader->who != PPS_READER)
            return detail_set(RC_UNRESPONSIVE, "card wants a speed that its ATR does not tell (TA2); "
                                               "try a reader that negotiates by itself");
        plan.fd = atr->ta1;
    } else {
        if (reader->who != PPS_NOBODY)
            plan.fd = pps_speed(atr, reader);
        if (plan.fd != PPS_DEFAULT_FD)
            plan.step = PPS_SPEED;
        else if (plan.protocol != atr->first_protocol)
            plan.step = PPS_PROTOCOL;
    }
    lay_out(reader, &plan);
    *ret_plan = plan;
    return RC_OK;
}

int pps_fall_back(const struct atr *atr, const struct pps_reader *reader, struct pps_plan *plan)
{
    bool negotiates = !atr->specific && (reader->who == PPS_HOST || reader->who == PPS_PARAMETERS);
    /* Nothing is left to change but that the reader is not told, either. */
    bool silent = reader->who == PPS_PARAMETERS && plan->set_parameters;

    if (negotiates && plan->step == PPS_SPEED) {
        plan->step = PPS_PROTOCOL;
    } else if (negotiates && plan->protocol == atr->first_protocol &&
               (plan->step == PPS_PROTOCOL || silent)) {
        plan->step = PPS_WITHOUT;
    } else {
        return detail_set(RC_UNRESPONSIVE,
                          "card and reader cannot agree on T=%u; take the card out and try again",
                          (unsigned)plan->protocol);
    }
    plan->fd = PPS_DEFAULT_FD;
    lay_out(reader, plan);
    if (plan->step == PPS_WITHOUT && reader->who == PPS_PARAMETERS)
        plan->set_parameters = false;
    return RC_OK;
}
