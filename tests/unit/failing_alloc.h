/* SPDX-License-Identifier: MIT */
/* Memory that runs out: the n-th call of malloc, calloc, realloc, strdup, strndup, asprintf, tsearch or
 * pthread_create that a test's own objects make fails. scard_failing_alloc in the CMakeLists.txt has the
 * linker send them through here. */
#ifndef UNIT_FAILING_ALLOC_H
#define UNIT_FAILING_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* The n-th call from now on fails, of whichever thread; 0: none does. */
void failing_alloc_arm(unsigned n);

/* The same for calls of the calling thread alone. */
void failing_alloc_arm_here(unsigned n);

/* Has a call failed since it was armed with a number? */
bool failing_alloc_hit(void);

/* Between spare(true) and spare(false) the calling thread's calls neither fail nor count. Calls nest. */
void failing_alloc_spare(bool on);

/* No thread can be started, until it is switched off again. */
void failing_alloc_no_threads(bool on);

/* The longest block that malloc or realloc was asked for since this was asked the last time. */
size_t failing_alloc_longest(void);

/* Counts a call that a test has sent through a function of its own: true if that is to fail. */
bool failing_alloc_fails(void);

#endif
