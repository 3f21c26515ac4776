/* SPDX-License-Identifier: MIT */
/* Damaged entries: ranges of them, told with the place where they begin. */
#ifndef MAPLOG_CLI_DAMAGE_H
#define MAPLOG_CLI_DAMAGE_H

#include <stdint.h>
#include <stdio.h>

#include "log.h"

struct damage {
	const char *path;
	struct maplog *log;
	FILE *out;
	uint64_t total; /* entries found damaged */

	uint64_t first; /* of the range that is being gathered */
	uint64_t count;
	uint64_t bound; /* one past the last entry of its segment */
	int reason;
};

/** damage_add() - the entry at @index is damaged; @ret is what says so */
void damage_add(struct damage *damage, uint64_t index, int ret);

/** damage_flush() - print the range that was gathered, if there is one */
void damage_flush(struct damage *damage);

#endif
