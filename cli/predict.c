/* SPDX-License-Identifier: MIT */
#include "cli/predict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iso/apdu.h"

/* Data bytes of a short command (ISO 7816-4:2013, 5.1). */
#define SHORT_DATA 255
#define SHORT_LE 256

/* The value of a key, or NULL; it ends at the newline. */
static const char *find(const char *facts, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = facts; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, key, length) == 0 && line[length] == '=')
            return line + length + 1;
    return NULL;
}

static bool is_value(const char *value, const char *text)
{
    size_t length = strlen(text);

    return value != NULL && strncmp(value, text, length) == 0 &&
           (value[length] == '\n' || value[length] == '\0');
}

static void tell_passing(const char *facts, bool t0, const struct apdu *apdu, struct prediction *prediction)
{
    const char *level = find(facts, "level");
    const char *how = "as it is";

    if (is_value(level, "extended APDU") && apdu->extended)
        how = "as it is, split over messages where it is longer than one";
    else if (!t0 && (is_value(level, "TPDU") || is_value(level, "character")))
        how = "as it is, in blocks of T=1 as long as card and reader take them";
    else if (t0 && (apdu->kind == APDU_4S))
        how = "without Le; GET RESPONSE fetches the answer";
    snprintf(prediction->how, sizeof prediction->how, "%s", how);
}

static void tell_refused(bool t0, const struct apdu *apdu, size_t length, size_t limit, size_t le_limit,
                         struct prediction *prediction)
{
    if (length > limit && apdu->lc > SHORT_DATA)
        snprintf(
            prediction->how, sizeof prediction->how,
            "%zu bytes are more than the %zu it takes: send it in %zu parts by command chaining (bit 5 of "
            "CLA)%s, if the card can",
            length, limit, (apdu->lc + SHORT_DATA - 1) / SHORT_DATA, t0 ? " or in ENVELOPE commands" : "");
    else if (length > limit)
        snprintf(prediction->how, sizeof prediction->how,
                 "%zu bytes are more than the %zu it takes: write it as a short APDU", length, limit);
    else
        snprintf(prediction->how, sizeof prediction->how,
                 "Le %zu is more than the %zu it takes: read in parts, by offset or GET RESPONSE", apdu->le,
                 le_limit);
}

static void predict(const char *facts, bool t0, const struct apdu *apdu, size_t length, size_t limit,
                    struct prediction *prediction)
{
    const char *le_text = find(facts, t0 ? "max-le-t0" : "max-le-t1");
    size_t le_limit = le_text != NULL ? strtoul(le_text, NULL, 10) : SHORT_LE;
    /* The Le of case 4 is no part of a T=0 command. */
    size_t carried = t0 && apdu->kind == APDU_4S ? length - 1 : length;

    *prediction = (struct prediction){.protocol = t0 ? "T=0" : "T=1",
                                      .passes = carried <= limit && apdu->le <= le_limit};
    if (prediction->passes)
        tell_passing(facts, t0, apdu, prediction);
    else
        tell_refused(t0, apdu, carried, limit, le_limit, prediction);
}

size_t predict_apdu(const char *facts, const uint8_t *apdu_bytes, size_t length,
                    struct prediction predictions[2])
{
    const char *const keys[] = {"max-apdu-t0", "max-apdu-t1"};
    struct apdu apdu;
    size_t count = 0;

    if (apdu_parse(apdu_bytes, length, &apdu, NULL) < 0)
        apdu = (struct apdu){0};
    for (size_t i = 0; i < 2; i++) {
        const char *limit = find(facts, keys[i]);

        if (limit != NULL)
            predict(facts, i == 0, &apdu, length, strtoul(limit, NULL, 10), &predictions[count++]);
    }
    return count;
}
