/* SPDX-License-Identifier: MIT */
/*
 * replay:FILE - a card that answers as a recorded one did (capture/recording.h says which files can be read).
 *
 * Options:
 *     match=strict    commands come in the recorded order (the default); behind the last one it begins anew.
 * A reset where the recording has one, or a new connection, goes on there; any other begins anew
 *     match=lenient   in any order: the next recorded answer to that command, from where the last one was on
 *     match=fuzz      lenient, and answers are damaged: bits changed, bytes cut, status words exchanged
 *     rate=PERCENT    how many answers match=fuzz damages (10)
 *     seed=N          which ones, and how (1): the same seed, the same damage
 *     else=SW         status word for a command that was not recorded there; without it the exchange fails,
 * and the detail says what was recorded reader=TEXT     of a recording of several readers, the one whose name
 * has TEXT in it; else the first timing=yes      each answer takes as long as it did name=TEXT       name of
 * the reader
 *
 * Bytes of a command that were masked in the recording are not compared. An exchange that failed, fails
 * again. T=0 or T=1: answers are those of the recorded reader, with nothing added.
 */
#ifndef SIM_REPLAY_H
#define SIM_REPLAY_H

#include "sim/card.h"

/* uri->path is the file. RC_READER_UNAVAILABLE with a detail when it cannot be read, RC_INVALID_VALUE for a
 * bad option; RC_NO_MEMORY. */
int replay_new(const struct uri *uri, struct sim_card **ret_card);

#endif
