/* SPDX-License-Identifier: MIT */
/* What spans are made of; only for the files span*.c. */
#ifndef MAPLOG_FS_SPAN_PRIVATE_H
#define MAPLOG_FS_SPAN_PRIVATE_H

#include <stdbool.h>

#include "span.h"
#include "store.h"

/* Entries of one segment, end to end in its .log file. */
struct piece {
	uint64_t first;
	uint64_t next;
	uint64_t at; /* where they begin in the span's file */
	uint64_t bytes;
};

/* Entries that were there at one time, kept. */
struct part {
	struct maplog_snapshot *snapshot;
	uint64_t first;
	uint64_t next;
};

struct span {
	struct maplog *log;
	uint64_t first;
	uint64_t next; /* so far */
	bool open_end;
	/* Behind a truncation the log goes on with other entries. */
	uint64_t generation;
	uint64_t bytes;
	/* Of the last entry. */
	uint64_t time;
	uint32_t crc;
	struct part *parts;
	size_t n_parts;
	struct piece *pieces;
	size_t n_pieces;
	/* Where the last read began: the next one is often behind it. */
	uint64_t hint_index;
	uint64_t hint_at;
	/* Entries that were checked, so that one read in many pieces is not
	 * checked with each of them. */
	uint64_t good_from;
	uint64_t good_to;
};

/** span_view() - as maplog_view(), of kept entries */
int span_view(struct span *span, uint64_t index, uint64_t max,
	      struct maplog_view *view);

/** span_check() - compare a view with its checksums, if it was not before */
int span_check(struct span *span, const struct maplog_view *view);

#endif
