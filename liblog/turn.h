/* SPDX-License-Identifier: MIT */
/*
 * Turns: how a thread that waits with its batch is told, by itself and without
 * the lock on writing. Waking all that wait for each commit costs more than
 * the commit where there are many of them.
 */
#ifndef MAPLOG_TURN_H
#define MAPLOG_TURN_H

#include <stdint.h>

enum turn {
	TURN_WAITS,
	TURN_LEADS, /* it is to commit what is queued */
	TURN_DONE,  /* somebody has committed it, or failed to */
};

/** turn_wait() - sleep until a turn is given, and return it */
enum turn turn_wait(uint32_t *turn);

/**
 * turn_give() - give a turn and wake who waits for it
 *
 * With TURN_DONE what @turn is a part of is its owner's from then on.
 */
void turn_give(uint32_t *turn, enum turn given);

#endif
