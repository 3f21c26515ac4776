/* SPDX-License-Identifier: MIT */
/* Views: finding the bytes of entries in windows. */
#ifndef MAPLOG_VIEW_H
#define MAPLOG_VIEW_H

#include "private.h"

/* The segment to look in. */
struct place {
	struct row row;
	uint64_t next;	  /* one past the last entry to be shown */
	uint64_t version; /* of the table when row was found */
	unsigned shift;	  /* view_shift() of the limit at that time */
	const int *fd;	  /* by enum maplog_file, or NULL: open by name */
};

/**
 * view_at() - a view of entries of one segment
 *
 * Return: as maplog_view(); -EAGAIN if the table has changed meanwhile.
 */
int view_at(struct maplog *log, const struct place *place, uint64_t index,
	    uint32_t max, struct maplog_view *view);

/** view_shift() - windows of .log files are to be 1 << this bytes */
unsigned view_shift(uint64_t map_limit);

/** view_set_limit() - change map-limit; any thread */
void view_set_limit(struct maplog *log, uint64_t map_limit);

/**
 * view_find() - the segment that shows an entry now
 *
 * Return: 0; -ENODATA, -ENOENT, -EUCLEAN as maplog_view(); else an -errno of
 * following a writer in another process.
 */
int view_find(struct maplog *log, uint64_t index, struct place *place);

#endif
