/* SPDX-License-Identifier: MIT */
/* Appending: putting batches in order, and committing them in groups. */
#ifndef MAPLOG_APPEND_H
#define MAPLOG_APPEND_H

#include "private.h"

/* One caller's batch. */
struct append {
	struct append *next; /* the one that came after; completed: before */
	const struct maplog_entry *entries;
	size_t n;
	uint64_t bytes;
	bool conditional;
	uint64_t at; /* if conditional: append only there */
	uint64_t first;
	int ret;
	bool done;
	uint32_t turn; /* by turn.h */
};

/**
 * append_check() - whether a batch may be appended at all
 *
 * With the lock on writing held. Fills in append->bytes.
 *
 * Return: 0; -EMSGSIZE; -E2BIG.
 */
int append_check(const struct maplog *log, struct append *append);

/** append_time() - the time for a batch: now, but never less than before */
uint64_t append_time(struct maplog *log);

/**
 * append_put() - write a batch into a segment that has room reserved
 * @more: what is committed together does not end with this batch
 */
void append_put(struct maplog *log, struct segment *segment,
		const struct append *append, uint64_t time, bool more);

/**
 * append_enter() - wait until nobody changes the log, and keep it so
 *
 * Takes the lock on writing and the token of sync.h.
 *
 * Return: 0; -EROFS, and neither is held.
 */
int append_enter(struct maplog *log);
void append_leave(struct maplog *log);

#endif
