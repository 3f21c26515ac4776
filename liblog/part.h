/* SPDX-License-Identifier: MIT */
/* Parts of a segment's files, held in windows. */
#ifndef MAPLOG_PART_H
#define MAPLOG_PART_H

#include "view.h"

/* A window with a key, or a piece of its own if that is 0. */
struct part {
	enum maplog_file file;
	uint64_t key;
	uint64_t offset;
	uint64_t size;
	/* Of it, what a view of one entry needs, which may be copied instead;
	 * 0: all of it is wanted, in place. */
	uint64_t peek;
	size_t bytes;
	bool copied; /* the peek always: who seals the segment cuts it away */
};

/**
 * part_hold() - hold a window with a part of the segment at a place
 *
 * Return: 0, the window has all of it, less what is behind the end of the
 * file, or all of the peek; else as view_at().
 */
int part_hold(struct maplog *log, const struct place *place,
	      const struct part *part, struct maplog_window **window);

#endif
