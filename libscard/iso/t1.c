/* SPDX-License-Identifier: MIT */
/* "Rule" is a rule of ISO 7816-3:2006, 11.6.2 (1 to 5) and 11.6.3 (6 to 9). */
#include "iso/t1.h"

#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"
#include "iso/apdu.h"

#define ATTEMPTS 3     /* the first and two more (rules 6, 7.4 and 8) */
#define RESYNCHES 2    /* for one command */
#define REQUESTS 65536 /* of the card, for one command: at one in each BWT they last for an hour */
#define IFSD_INITIAL 32

/* What comes of a reception: RC_*, 0 to go on, or one of these. */
enum outcome {
    INVALID_EDC = T1_FAULT_EDC,
    INVALID_OTHER = T1_FAULT_OTHER,
    DONE,
};

/* One command and its response. */
struct run {
    struct t1 *t1;
    const uint8_t *command; /* NULL: the reader has it */
    size_t length;
    size_t acknowledged;  /* bytes of command that the card has */
    size_t cut;           /* bytes of command in the current I-block */
    bool more;            /* M of the current I-block */
    unsigned transmitted; /* how often the current I-block was */
    bool complete;        /* the card may have all of the command */
    bool receiving;       /* the card has begun to answer */
    bool aborting;        /* the card has asked for the end of it */
    uint8_t *response;
    size_t capacity, received;
    size_t blocks;     /* of the answer */
    unsigned failures; /* receptions in a row that brought nothing */
    unsigned resynches;
    unsigned requests;
    enum t1_kind last; /* kind of the block in out */
    unsigned multiplier;
    size_t out_length;
    uint8_t out[T1_BLOCK_MAX];
    uint8_t in[T1_BLOCK_MAX];
};

void t1_init(struct t1 *t1, uint8_t ifsc, bool crc, t1_exchange_fn *exchange, void *user)
{
    *t1 = (struct t1){.exchange = exchange, .user = user, .ifsc_initial = ifsc, .crc = crc};
    t1_reset(t1);
}

void t1_init_atr(struct t1 *t1, const struct atr *atr, t1_exchange_fn *exchange, void *user)
{
    t1_init(t1, atr->ifsc, atr->crc, exchange, user);
}

void t1_reset(struct t1 *t1)
{
    t1->ns = t1->nr = 0;
    t1->ifsc = t1->ifsc_initial;
    t1->ifsd = IFSD_INITIAL;
    t1->ifsd_wanted = 0;
    t1->alive = t1->resynch_due = t1->dead = false;
}

void t1_set_ifsd(struct t1 *t1, uint8_t ifsd)
{
    t1->ifsd = ifsd;
}

static int die(struct t1 *t1, int rc, const char *why)
{
    t1->dead = true;
    return detail_set(rc, "T=1: %s; the card must be reset", why);
}

/* 0 with a valid block, enum t1_fault, or RC_*. */
static int hear(struct t1 *t1, int event, const uint8_t *bytes, size_t length, struct t1_block *ret_block)
{
    uint8_t nad = (uint8_t)(t1->nad << 4 | t1->nad >> 4);
    int fault;

    if (event < 0) {
        /* A call that was stopped leaves a card that can be asked; after anything else there is none. */
        if (event == RC_CANCELLED || event == RC_TIMEOUT)
            t1->resynch_due = true;
        else
            t1->dead = true;
        return event;
    }
    if (event)
        return event == T1_PARITY ? T1_FAULT_EDC : T1_FAULT_OTHER;
    fault = (int)t1_block_read(bytes, length, nad, t1->crc, ret_block);
    if (!fault)
        t1->alive = true;
    return fault;
}

static int exchange(struct t1 *t1, const uint8_t *out, size_t out_length, unsigned multiplier,
                    uint8_t in[static T1_BLOCK_MAX], struct t1_block *ret_block)
{
    size_t length = 0;
    int event = t1->exchange(t1->user, out, out_length, in, T1_BLOCK_MAX, &length, multiplier);

    return hear(t1, event, in, length, ret_block);
}

/* A request of ours, repeated as it is until it is acknowledged (rule 7.3). 0, enum t1_fault if it never is,
 * RC_*. */
static int request(struct t1 *t1, enum t1_supervision type, uint8_t value)
{
    struct t1_block block = {
        .kind = T1_S_REQUEST, .type = (uint8_t)type, .inf = &value, .length = type == T1_IFS ? 1 : 0};
    uint8_t out[T1_BLOCK_MAX], in[T1_BLOCK_MAX];
    size_t length = t1_block_write(&block, t1->nad, t1->crc, out);

    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct t1_block answer;
        int rc = exchange(t1, out, length, 0, in, &answer);

        if (rc < 0)
            return rc;
        if (!rc && answer.kind == T1_S_RESPONSE && answer.type == type &&
            (type != T1_IFS || answer.inf[0] == value))
            return RC_OK;
    }
    return T1_FAULT_OTHER;
}

/* Rule 4 and, where the card is alive, rule 8: without agreement the value of the reset stays. */
static int announce_ifsd(struct t1 *t1, uint8_t ifsd)
{
    int rc = request(t1, T1_IFS, ifsd);

    if (rc < 0)
        return rc;
    if (!rc)
        t1->ifsd = ifsd;
    else
        log_debug("T=1: IFSD %u not acknowledged, it stays %u", ifsd, t1->ifsd);
    return RC_OK;
}

int t1_negotiate_ifsd(struct t1 *t1, unsigned ifsd)
{
    int rc;

    if (!ifsd || ifsd > T1_INF_MAX)
        return detail_set(RC_INVALID_VALUE, "T=1: IFSD is 1 to %d, not %u", T1_INF_MAX, ifsd);
    if (t1->dead)
        return die(t1, RC_IO, "communication with the card was lost");
    if (ifsd == t1->ifsd)
        return RC_OK;
    rc = announce_ifsd(t1, (uint8_t)ifsd);
    if (rc)
        return rc;
    if (!t1->alive)
        return die(t1, RC_UNRESPONSIVE, "no valid block came since the reset");
    if (t1->ifsd == ifsd)
        t1->ifsd_wanted = (uint8_t)ifsd;
    return RC_OK;
}

/* Rule 6. What was agreed before is taken as lost; of the reader's IFSD, if it announces it, nothing is
 * known. */
static int resynchronise(struct t1 *t1)
{
    int rc = request(t1, T1_RESYNCH, 0);

    if (rc < 0)
        return rc;
    if (rc)
        return die(t1, RC_IO, "the card does not resynchronise");
    t1->ns = t1->nr = 0;
    t1->ifsc = t1->ifsc_initial;
    t1->resynch_due = false;
    if (!t1->ifsd_wanted)
        return RC_OK;
    t1->ifsd = IFSD_INITIAL;
    return announce_ifsd(t1, t1->ifsd_wanted);
}

/* Before a command. */
static int make_ready(struct t1 *t1)
{
    if (t1->dead)
        return die(t1, RC_IO, "communication with the card was lost");
    return t1->resynch_due ? resynchronise(t1) : RC_OK;
}

static void prepare(struct run *run, const struct t1_block *block)
{
    run->last = block->kind;
    run->multiplier = 0;
    run->out_length = t1_block_write(block, run->t1->nad, run->t1->crc, run->out);
}

/* The current I-block, for the first time or again. */
static void prepare_i(struct run *run)
{
    prepare(run, &(struct t1_block){.kind = T1_I,
                                    .number = run->t1->ns,
                                    .more = run->more,
                                    .inf = run->command + run->acknowledged,
                                    .length = run->cut});
    run->transmitted++;
    run->complete = !run->more;
}

/* Longest INF that may be sent now: what the card takes is a maximum (11.2.3), less is always right. */
static size_t inf_max(const struct t1 *t1)
{
    return t1->ifsc_max && t1->ifsc_max < t1->ifsc ? t1->ifsc_max : t1->ifsc;
}

/* Rule 5: cut at the IFSC of now. */
static void prepare_next(struct run *run)
{
    size_t left = run->length - run->acknowledged, most = inf_max(run->t1);

    run->cut = left < most ? left : most;
    run->more = run->cut < left;
    run->transmitted = 0;
    run->failures = 0;
    prepare_i(run);
}

static void prepare_r(struct run *run, enum t1_fault fault)
{
    prepare(run, &(struct t1_block){.kind = T1_R, .number = run->t1->nr, .type = (uint8_t)fault});
}

/* Rules 6.4 and 7.4: this went wrong too often. */
static int recover(struct run *run)
{
    struct t1 *t1 = run->t1;
    int rc;

    if (!t1->alive)
        return die(t1, RC_IO, "no valid block came since the reset");
    t1->resynch_due = true;
    if (run->resynches++ == RESYNCHES)
        return detail_set(RC_IO,
                          "T=1: the card loses synchronisation again and again; try again, or reset it");
    log_debug("T=1: resynchronising");
    rc = resynchronise(t1);
    if (rc)
        return rc;
    if (run->aborting)
        return detail_set(RC_IO, "T=1: the card aborted the exchange");
    if (run->complete)
        return detail_set(RC_IO, "T=1: the answer of the card was lost; it may have executed the command, "
                                 "so that it was not sent again");
    run->acknowledged = 0;
    prepare_next(run);
    return RC_OK;
}

/* Rules 7.1 and 7.2: ask again by an R-block; if that was it that failed, as it was. */
static int reject(struct run *run, enum t1_fault fault)
{
    if (++run->failures == ATTEMPTS)
        return recover(run);
    if (run->last != T1_R)
        prepare_r(run, fault);
    return RC_OK;
}

static int repeat(struct run *run)
{
    return ++run->failures == ATTEMPTS ? recover(run) : RC_OK;
}

/* Rules 2.1, 2.2 and 5. */
static int take_i(struct run *run, const struct t1_block *block)
{
    struct t1 *t1 = run->t1;

    if (run->aborting || (!run->receiving && run->more) || block->number != t1->nr ||
        block->length > t1->ifsd)
        return INVALID_OTHER;
    if (!run->receiving) /* the first block of the answer acknowledges the last of the command */
        t1->ns ^= 1;
    run->receiving = true;
    t1->nr ^= 1;
    run->failures = 0;
    /* Empty blocks count as well, or a chain of them would have no end. */
    if (++run->blocks > APDU_RESPONSE_MAX || run->received + block->length > APDU_RESPONSE_MAX) {
        t1->resynch_due = true;
        return detail_set(RC_IO, "T=1: the card sends more than the %d bytes that a response can have",
                          APDU_RESPONSE_MAX);
    }
    if (run->received < run->capacity && block->length) {
        size_t room = run->capacity - run->received;

        memcpy(run->response + run->received, block->inf, block->length < room ? block->length : room);
    }
    run->received += block->length;
    if (!block->more)
        return DONE;
    prepare_r(run, T1_FAULT_NONE);
    return RC_OK;
}

/* Rule 9: the R-block with which the card gives the right to send back. */
static int take_end_of_abort(struct run *run, const struct t1_block *block)
{
    if (!run->receiving)
        run->t1->ns = block->number;
    else if (block->number != run->t1->ns)
        run->t1->resynch_due = true;
    return detail_set(RC_IO, "T=1: the card aborted the exchange");
}

static int take_r(struct run *run, const struct t1_block *block)
{
    if (run->aborting)
        return take_end_of_abort(run, block);
    if (run->receiving)
        return repeat(run);
    if (block->number == run->t1->ns) { /* rule 7: it lacks the current I-block */
        run->complete = false;
        if (!run->command) {
            run->t1->resynch_due = true;
            return detail_set(RC_IO, "T=1: the card asks for the command again, which only the reader has");
        }
        if (run->transmitted == ATTEMPTS)
            return recover(run);
        run->failures = 0;
        prepare_i(run);
        return RC_OK;
    }
    if (run->more) { /* rule 2.2 */
        run->acknowledged += run->cut;
        run->t1->ns ^= 1;
        prepare_next(run);
        return RC_OK;
    }
    /* It has all of the command and asks for what was sent last: if that was an R-block, the same again
     * (rule 7.2); it cannot mean anything else, and such a block is invalid, which comes to the same. */
    return INVALID_OTHER;
}

/* Rules 3, 4 and 9. RESYNCH is not for the card (rule 6). */
static int take_request(struct run *run, const struct t1_block *block)
{
    if (block->type == T1_RESYNCH)
        return INVALID_OTHER;
    if (run->requests++ == REQUESTS) {
        run->t1->resynch_due = true;
        return detail_set(RC_IO, "T=1: the card made %d requests and gave no answer; reset it", REQUESTS);
    }
    run->failures = 0;
    prepare(run, &(struct t1_block){
                     .kind = T1_S_RESPONSE, .type = block->type, .inf = block->inf, .length = block->length});
    if (block->type == T1_IFS)
        run->t1->ifsc = block->inf[0];
    else if (block->type == T1_ABORT)
        run->aborting = true;
    else /* a multiplier of 0 means nothing and is taken as 1 */
        run->multiplier = block->inf[0] ? block->inf[0] : 1;
    return RC_OK;
}

static int take(struct run *run, const struct t1_block *block)
{
    switch (block->kind) {
    case T1_I:
        return take_i(run, block);
    case T1_R:
        return take_r(run, block);
    case T1_S_REQUEST:
        return take_request(run, block);
    case T1_S_RESPONSE: /* to none of our requests */
        break;
    }
    return INVALID_OTHER;
}

/* From a reception to the end. heard: as hear() says. */
static int proceed(struct run *run, int heard, struct t1_block block)
{
    for (;;) {
        if (!heard)
            heard = take(run, &block);
        if (heard == INVALID_EDC || heard == INVALID_OTHER)
            heard = reject(run, (enum t1_fault)heard);
        if (heard)
            return heard == DONE ? RC_OK : heard;
        heard = exchange(run->t1, run->out, run->out_length, run->multiplier, run->in, &block);
    }
}

static int finish(struct run *run, int rc, size_t *ret_length)
{
    secret_wipe(run->out, sizeof run->out);
    secret_wipe(run->in, sizeof run->in);
    if (rc)
        return rc;
    *ret_length = run->received;
    if (run->received > run->capacity)
        return detail_set(RC_INSUFFICIENT_BUFFER, "T=1: the response has %zu bytes, there is room for %zu",
                          run->received, run->capacity);
    return RC_OK;
}

int t1_transceive(struct t1 *t1, const uint8_t *command, size_t length, uint8_t *response, size_t capacity,
                  size_t *ret_length)
{
    struct run run = {
        .t1 = t1, .command = command, .length = length, .response = response, .capacity = capacity};
    struct t1_block block = {0};
    int rc = make_ready(t1);

    if (rc)
        return rc;
    prepare_next(&run);
    rc = exchange(t1, run.out, run.out_length, 0, run.in, &block);
    return finish(&run, proceed(&run, rc, block), ret_length);
}

int t1_secure_prologue(struct t1 *t1, size_t length, uint8_t ret_prologue[static 3])
{
    int rc = make_ready(t1);

    if (rc)
        return rc;
    if (length > inf_max(t1))
        return detail_set(RC_UNSUPPORTED,
                          "T=1: a command with PIN entry has at most %zu bytes with this %s, not %zu",
                          inf_max(t1), length > t1->ifsc ? "card" : "reader", length);
    ret_prologue[0] = t1->nad;
    ret_prologue[1] = (uint8_t)(t1->ns << 6);
    ret_prologue[2] = (uint8_t)length;
    return RC_OK;
}

int t1_secure_answer(struct t1 *t1, int event, const uint8_t *block, size_t block_length, uint8_t *response,
                     size_t capacity, size_t *ret_length)
{
    struct run run = {
        .t1 = t1, .transmitted = 1, .complete = true, .response = response, .capacity = capacity};
    struct t1_block first = {0};

    return finish(&run, proceed(&run, hear(t1, event, block, block_length, &first), first), ret_length);
}
