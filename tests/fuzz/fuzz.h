/* SPDX-License-Identifier: MIT */
/* What a fuzz target defines, and how it says that a property does not hold. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* One run over one input; 0. Called by libFuzzer or by replay.c, with input in a block of exactly its size.
 */
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* Stays in every build, unlike assert. */
#define FUZZ_CHECK(property)                                                                                 \
    do {                                                                                                     \
        if (!(property)) {                                                                                   \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property);              \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* Is [at, at + count) inside [input, input + size)? */
static inline int fuzz_inside(const uint8_t *at, size_t count, const uint8_t *input, size_t size)
{
    return at >= input && count <= size && at <= input + (size - count);
}

#endif
