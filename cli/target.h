/* SPDX-License-Identifier: MIT */
/* Where entries are appended: a log in a store, or in a mount. */
#ifndef MAPLOG_CLI_TARGET_H
#define MAPLOG_CLI_TARGET_H

#include <stdint.h>

#include "log.h"

/* All zero to begin with. */
struct target {
	const char *path;
	struct maplog_options options;
	uint64_t first;	    /* next, as it was when this was opened */
	uint64_t count;	    /* entries that were appended */
	struct maplog *log; /* NULL through a mount */
	int batch;	    /* the file in the mount */
};

/** target_open() - sets options and first; STATUS_FAILED after a message */
int target_open(struct target *target, const char *path);

/**
 * target_append() - append a batch
 * @whole: as one, also through a mount
 *
 * Return: as maplog_append(); -E2BIG if it does not go through a mount whole.
 */
int target_append(struct target *target, const struct maplog_entry *entries,
		  size_t n, bool whole);

/** target_next() - one past what was appended last, if nobody else did */
uint64_t target_next(const struct target *target);

/** target_explain() - why appending failed; STATUS_FAILED */
int target_explain(const struct target *target, int ret);

/** target_print() - "first=0 next=3", or how many if others appended, too */
void target_print(const struct target *target, uint64_t first);

/**
 * target_close() - make all of it durable, and close
 * @status: the exit status so far
 *
 * Return: the exit status, now that this is known, too.
 */
int target_close(struct target *target, int status);

#endif
