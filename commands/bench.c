/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <scard.h>

#include "base/deadline.h"
#include "cli/call.h"
#include "cli/exchange.h"
#include "cli/progress.h"
#include "commands/commands.h"
#include "iso/apdu.h"
#include "iso/sw.h"

#define COUNT 1000
#define COUNT_MAX 10000000
#define BARS 16
#define BAR_WIDTH 50
#define MEAN 101 /* no percentage */

/* SELECT of the master file by its identifier without an answer's data: every card takes it, whatever it
 * thinks of it. */
static const char harmless[] = "00A4000C023F00";

/* Where the time of a round trip goes. */
enum part { PART_ALL, PART_CARD, PART_REST, PARTS };

struct bench {
    struct call *call;
    struct apdu_text apdu;
    size_t length; /* of the command that is sent */
    uint8_t *response;
    uint16_t sw;
    size_t answered; /* bytes, of the last one */
    int64_t *times_ns[PARTS];
    bool split; /* the driver tells what part is the card's */
    size_t count, done;
};

static int one(struct bench *bench, int64_t *ret_ns)
{
    int64_t start = clock_now_ns();
    size_t length = 0;
    LONG code =
        desk_transmit(bench->call->desk, bench->apdu.bytes.data, bench->length, bench->response, &length);

    *ret_ns = clock_now_ns() - start;
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(bench->call, code, "exchange %zu with the card in %s failed", bench->done + 1,
                               bench->call->desk->reader);
    bench->answered = length;
    if (length >= 2)
        bench->sw = (uint16_t)(bench->response[length - 2] << 8 | bench->response[length - 1]);
    return STATUS_DONE;
}

static bool card_time(const struct bench *bench, int64_t *ret_ns)
{
    DWORD length = sizeof *ret_ns;

    return SCardGetAttrib(bench->call->desk->card, SCARD_ATTR_CARD_TIME, (LPBYTE)ret_ns, &length) ==
               SCARD_S_SUCCESS &&
           length == sizeof *ret_ns;
}

static void keep(struct bench *bench, int64_t ns)
{
    int64_t card_ns = 0;

    bench->split = bench->split && card_time(bench, &card_ns);
    bench->times_ns[PART_ALL][bench->done] = ns;
    bench->times_ns[PART_CARD][bench->done] = card_ns;
    bench->times_ns[PART_REST][bench->done] = ns - card_ns;
    bench->done++;
}

static int measure(struct bench *bench)
{
    struct progress progress;
    int64_t ns;
    /* The first one wakes up what sleeps: it is not counted. */
    int status = one(bench, &ns);

    bench->split = status == STATUS_DONE && card_time(bench, &ns);
    progress_begin(&progress, bench->call->output, "round trips", false);
    while (status == STATUS_DONE && bench->done < bench->count && !call_interrupted(bench->call)) {
        status = one(bench, &ns);
        if (status == STATUS_DONE)
            keep(bench, ns);
        progress_step(&progress, bench->done, bench->count);
    }
    progress_hide(&progress);
    return status == STATUS_DONE && bench->done == 0 ? STATUS_INTERRUPTED : status;
}

static int by_value(const void *a, const void *b)
{
    int64_t x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* The time that this share of the round trips did not take longer than (nearest rank). */
static double share_us(const struct bench *bench, enum part part, unsigned percent)
{
    size_t rank = (bench->done * percent + 99) / 100;

    return (double)bench->times_ns[part][rank > 0 ? rank - 1 : 0] / 1e3;
}

static double mean_us(const struct bench *bench, enum part part)
{
    double sum = 0;

    for (size_t i = 0; i < bench->done; i++)
        sum += (double)bench->times_ns[part][i];
    return sum / (double)bench->done / 1e3;
}

/* What two digits behind the point of a label tell apart. */
#define FINEST_NS 10

/* Bars of equal width; what is slower than the others is in the last. */
struct histogram {
    int64_t first_ns, step_ns; /* multiples of FINEST_NS: no two labels are the same */
    size_t bars[BARS], highest;
};

static int64_t share_ns(const struct bench *bench, unsigned percent)
{
    return (int64_t)(share_us(bench, PART_ALL, percent) * 1e3 + 0.5);
}

/* Where the last bar begins: the 95th percentile, or less where a few that are far away would leave most of
 * the other bars empty: three widths of the middle half beyond it. */
static int64_t histogram_end(const struct bench *bench)
{
    int64_t quarter = share_ns(bench, 25), three = share_ns(bench, 75), end = share_ns(bench, 95);
    int64_t fence = three + 3 * (three - quarter);

    return end < fence ? end : fence;
}

static struct histogram histogram_of(const struct bench *bench)
{
    const int64_t *times = bench->times_ns[PART_ALL];
    struct histogram histogram = {.first_ns = times[0] / FINEST_NS * FINEST_NS};
    int64_t unit = (int64_t)(BARS - 1) * FINEST_NS, span = histogram_end(bench) - histogram.first_ns;

    histogram.step_ns = (span > unit ? (span + unit - 1) / unit : 1) * FINEST_NS;
    for (size_t i = 0; i < bench->done; i++) {
        int64_t bar = (times[i] - histogram.first_ns) / histogram.step_ns;

        bar = bar < BARS ? bar : BARS - 1;
        if (++histogram.bars[bar] > histogram.highest)
            histogram.highest = histogram.bars[bar];
    }
    return histogram;
}

/* In microseconds. */
static double bar_from(const struct histogram *histogram, size_t bar)
{
    return (double)(histogram->first_ns + (int64_t)bar * histogram->step_ns) / 1e3;
}

static void draw(struct record *record, const struct histogram *histogram)
{
    static const char marks[] = "##################################################";

    for (size_t i = 0; i < BARS; i++) {
        size_t width = (histogram->bars[i] * BAR_WIDTH + histogram->highest - 1) / histogram->highest;

        record_people(record, "\n%s%10.2f us  %-*.*s %zu", i == BARS - 1 ? ">" : " ", bar_from(histogram, i),
                      BAR_WIDTH, (int)width, marks, histogram->bars[i]);
    }
}

static void add_histogram(struct record *record, const struct histogram *histogram)
{
    char entry[64];

    record_list(record, SHOW_JSON, "histogram");
    for (size_t i = 0; i < BARS; i++) {
        snprintf(entry, sizeof entry, "%.2f:%zu", bar_from(histogram, i), histogram->bars[i]);
        record_list_add(record, entry);
    }
}

/* A line for each figure, and in it one for each part. */
static void add_times(struct record *record, const struct bench *bench)
{
    static const struct {
        const char *words;
        unsigned percent; /* MEAN: no share */
        const char *keys[PARTS];
    } figures[] = {
        {"fastest", 0, {"min_us", "card_min_us", "reader_min_us"}},
        {"median", 50, {"median_us", "card_median_us", "reader_median_us"}},
        {"99 %", 99, {"p99_us", "card_p99_us", "reader_p99_us"}},
        {"slowest", 100, {"max_us", "card_max_us", "reader_max_us"}},
        {"mean", MEAN, {"mean_us", "card_mean_us", "reader_mean_us"}},
    };
    enum part end = bench->split ? PARTS : PART_ALL + 1;

    if (bench->split)
        record_people(record, "\n%8s %13s %13s %13s", "", "all", "card", "reader");
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        record_people(record, "\n%8s", figures[i].words);
        for (enum part part = PART_ALL; part < end; part++) {
            double us =
                figures[i].percent == MEAN ? mean_us(bench, part) : share_us(bench, part, figures[i].percent);

            record_real(record, SHOW_JSON | (part == PART_ALL ? SHOW_BARE : 0), figures[i].keys[part], us);
            record_people(record, " %10.2f us", us);
        }
    }
}

static int report(struct bench *bench)
{
    struct histogram histogram = histogram_of(bench);
    char words[SW_TEXT_MAX];
    struct record record;
    int status;

    record_init(&record, "bench", RECORD_FACTS);
    record_text(&record, SHOW_JSON | SHOW_BARE, "reader", bench->call->desk->reader);
    record_number(&record, SHOW_JSON | SHOW_BARE, "count", (int64_t)bench->done);
    record_format(&record, SHOW_JSON | SHOW_BARE, "sw", "%04X", bench->sw);
    record_people(&record, "%zu round trips with %s; %zu bytes out, %zu in, %04X (%s)", bench->done,
                  bench->call->desk->reader, bench->length, bench->answered, bench->sw,
                  sw_describe(bench->sw, words, sizeof words));
    add_times(&record, bench);
    add_histogram(&record, &histogram);
    record_people(&record, "\n");
    draw(&record, &histogram);
    status = output_record(bench->call->output, &record);
    record_fini(&record);
    return status;
}

/* T=0 has no way to send Le with data (ISO 7816-3:2006, 12.2.1). */
static size_t length_to_send(const struct bench *bench)
{
    size_t length = bench->apdu.bytes.length;
    struct apdu apdu;

    if (bench->call->globals.raw || bench->call->desk->protocol != SCARD_PROTOCOL_T0 ||
        apdu_parse(bench->apdu.bytes.data, length, &apdu, NULL) < 0 || apdu.kind != APDU_4S)
        return length;
    return length - 1;
}

static int run_apdu(struct bench *bench)
{
    int status;

    if (bench->apdu.secret_length > 0)
        return call_fail(bench->call, STATUS_REFUSED, "Take a command without a PIN or key.",
                         "a card that gets a secret again and again may lock itself");
    bench->length = length_to_send(bench);
    bench->response = malloc(APDU_RESPONSE_MAX);
    if (bench->response == NULL)
        return call_no_memory(bench->call);
    for (enum part part = 0; part < PARTS; part++) {
        bench->times_ns[part] = calloc(bench->count, sizeof *bench->times_ns[part]);
        if (bench->times_ns[part] == NULL)
            return call_no_memory(bench->call);
    }
    status = measure(bench);
    if (bench->done == 0 || status != STATUS_DONE)
        return status;
    for (enum part part = 0; part < PARTS; part++)
        qsort(bench->times_ns[part], bench->done, sizeof *bench->times_ns[part], by_value);
    return report(bench);
}

static int run(struct call *call)
{
    const char *text = call_argument(call, 0);
    struct bench bench = {.call = call, .count = (size_t)call_number(call, "count", COUNT)};
    int status;

    if (bench.count == 0 || bench.count > COUNT_MAX)
        return call_fail(call, STATUS_USAGE, "", "--count is from 1 to %d", COUNT_MAX);
    status = exchange_parse(call, text != NULL ? text : harmless, 1, NULL, &bench.apdu);
    if (status != STATUS_DONE)
        return status;
    status = run_apdu(&bench);
    for (enum part part = 0; part < PARTS; part++)
        free(bench.times_ns[part]);
    free(bench.response);
    apdu_text_fini(&bench.apdu);
    return status;
}

static const struct argument_spec arguments[] = {
    {"APDU", VALUE_APDU, NULL, true, false, "the command to send; without it a SELECT that changes nothing"},
    {0},
};

static const struct option_spec options[] = {
    {"count", 'n', VALUE_NUMBER, "COUNT", NULL, "how many round trips (1000)"},
    {0},
};

const struct command command_bench = {
    .name = "bench",
    .group = "Program",
    .summary = "measure round trips to a card",
    .description =
        "Sends one APDU again and again, waits for each answer, and tells the fastest, median, "
        "99th percentile "
        "and\n"
        "slowest time, on a terminal with a picture of how they are spread. The time is that of "
        "the whole way: "
        "library,\n"
        "service, reader and card; where the reader's driver knows what part of it is the card's, it "
        "is split.\n"
        "GET RESPONSE is not sent for 61xx.\n"
        "Ctrl-C ends it early and tells what was measured so far.",
    .examples = "  scard bench -r sim:iso\n  scard bench -n 100 00B0000000 --json",
    .arguments = arguments,
    .options = options,
    .needs = NEED_CARD,
    .run = run,
};
