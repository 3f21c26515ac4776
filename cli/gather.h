/* SPDX-License-Identifier: MIT */
/* Gathering entries, to append them in batches. */
#ifndef MAPLOG_CLI_GATHER_H
#define MAPLOG_CLI_GATHER_H

#include <stdbool.h>
#include <stddef.h>

#include "log.h"
#include "text.h"

/* All zero to begin with; to be given to gather_free(). */
struct gather {
	struct text data;	      /* the bytes of all */
	struct maplog_entry *entries; /* data is set by gather_entries() */
	size_t count;
	size_t room;
};

/** gather_is_full() - would so many bytes more be too large a batch?
 * @limit: bytes that fit in a segment
 */
bool gather_is_full(const struct gather *gather, size_t bytes, uint64_t limit);

/** gather_add() - copy an entry */
void gather_add(struct gather *gather, const void *data, size_t bytes,
		uint64_t tag);

/** gather_entries() - what was gathered, as maplog_append() takes it */
const struct maplog_entry *gather_entries(struct gather *gather);

/** gather_clear() - begin anew */
void gather_clear(struct gather *gather);

void gather_free(struct gather *gather);

#endif
