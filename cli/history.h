/* SPDX-License-Identifier: MIT */
/* What was there before, to tell which of it a truncation has taken away. */
#ifndef MAPLOG_CLI_HISTORY_H
#define MAPLOG_CLI_HISTORY_H

#include <stdint.h>

#include "log.h"

#define HISTORY_SIZE 65536

/* Fingerprints of the entries first <= i < next. All zero to begin with. */
struct history {
	uint64_t first;
	uint64_t next;
	uint64_t print[HISTORY_SIZE];
};

/**
 * history_fill() - begin as if the last entries before @next had been read
 *
 * As many as there are and fit; fewer if some cannot be looked at.
 */
void history_fill(struct history *history, struct maplog *log, uint64_t first,
		  uint64_t next);

/** history_add() - the entries of a view were read; they follow the others */
void history_add(struct history *history, const struct maplog_view *view);

/**
 * history_compare() - how far the log still is what was read
 * @same: out: all entries below are; history->first at least
 *
 * Return: 0, or as maplog_view().
 */
int history_compare(const struct history *history, struct maplog *log,
		    uint64_t *same);

#endif
