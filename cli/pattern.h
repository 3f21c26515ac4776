/* SPDX-License-Identifier: MIT */
/* Patterns: how a person wants each entry to be written, --format. */
#ifndef MAPLOG_CLI_PATTERN_H
#define MAPLOG_CLI_PATTERN_H

#include <stdint.h>

#include "log.h"
#include "text.h"

/* An entry, as it is shown. */
struct shown {
	const void *data;
	struct maplog_info info;
	uint32_t crc;
};

/** pattern_fault() - what in a pattern is not understood, NULL if nothing */
const char *pattern_fault(const char *pattern);

/** pattern_add() - add an entry as the pattern, without a fault, has it */
void pattern_add(struct text *text, const char *pattern,
		 const struct shown *shown);

#endif
