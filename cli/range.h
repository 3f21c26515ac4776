/* SPDX-License-Identifier: MIT */
/* Ranges of entries as people write them: I, A-B, A- and -N. */
#ifndef MAPLOG_CLI_RANGE_H
#define MAPLOG_CLI_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"

enum range_kind {
	RANGE_BETWEEN, /* A-B, both included; I is I-I */
	RANGE_FROM,    /* A-: to the end */
	RANGE_LAST,    /* -N: the last N, or all if there are fewer */
};

struct range {
	enum range_kind kind;
	uint64_t a; /* A or N */
	uint64_t b;
};

/** range_parse() - false if @text is none, or B is lower than A */
bool range_parse(const char *text, struct range *range);

/**
 * range_resolve() - the entries of a log that a range means
 * @from: out: the first of them
 * @end:  out: one past the last
 * @bad:  out, on failure: the index that is not in the log
 *
 * Return: 0; -ENODATA if the range goes past the end; -ENOENT if it begins
 * before the first entry.
 */
int range_resolve(const struct range *range,
		  const struct maplog_counters *counters, uint64_t *from,
		  uint64_t *end, uint64_t *bad);

#endif
