/* SPDX-License-Identifier: MIT */
/*
 * Truncating and overwriting: the intent is made durable first, then old files
 * go back to front, then the intent is cleared.
 */
#ifndef MAPLOG_TRUNCATE_H
#define MAPLOG_TRUNCATE_H

#include "private.h"

/**
 * truncate_files() - remove all segments from @index on, and the prepared one
 * takes its place
 * @replacing: there may be a prepared one
 * @mode:      of files that are made
 *
 * Can be repeated at any point, which is what recovery does. Durable.
 */
int truncate_files(int dirfd, uint64_t index, bool replacing, mode_t mode);

#endif
