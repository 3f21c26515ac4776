/* SPDX-License-Identifier: MIT */
/* Trimming: the log begins later, and whole segments before that go. */
#ifndef MAPLOG_TRIM_H
#define MAPLOG_TRIM_H

#include <stdbool.h>
#include <stdint.h>

/**
 * trim_files() - remove all segments that hold no entry from @first on
 *
 * Never the last one. Can be repeated, which is what recovery does. Durable.
 */
int trim_files(int dirfd, uint64_t first);

/** trim_is_due() - whether there are such segments */
int trim_is_due(int dirfd, uint64_t first, bool *due);

#endif
