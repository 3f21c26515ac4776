/* SPDX-License-Identifier: MIT */
/*
 * Truncating and overwriting: the intent is made durable first, then old files
 * go back to front, then the intent is cleared.
 */
#ifndef MAPLOG_TRUNCATE_H
#define MAPLOG_TRUNCATE_H

#include "private.h"

/* What there is of the segment with which an overwrite replaces the tail. */
enum replacement {
	REPLACEMENT_NONE,     /* none is to be, or it is lost */
	REPLACEMENT_PREPARED, /* it has the name it was made with */
	REPLACEMENT_NAMED,    /* it has that of a segment */
};

/**
 * truncate_replacement() - find what is to replace the tail
 * @intent: a checkpoint that says so, or not
 *
 * Until the intent is cleared nobody was told that it is there.
 *
 * Return: 0; else an -errno of open(2) or pread(2), where there is a file.
 */
int truncate_replacement(int dirfd, const struct maplog_head *page,
			 const struct maplog_checkpoint *intent,
			 enum replacement *found);

/**
 * truncate_files() - remove all segments from @index on, and the replacement
 * takes its place
 * @mode: of files that are made
 *
 * Can be repeated at any point, which is what recovery does. Durable.
 */
int truncate_files(int dirfd, uint64_t index, enum replacement replacement,
		   mode_t mode);

#endif
