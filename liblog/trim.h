/* SPDX-License-Identifier: MIT */
/* Trimming: the log begins later, and whole segments before that go. */
#ifndef MAPLOG_TRIM_H
#define MAPLOG_TRIM_H

#include <stdint.h>

/**
 * trim_files() - remove all segments that hold no entry from @first on
 *
 * Never the last one. Can be repeated, which is what recovery does. Durable.
 */
int trim_files(int dirfd, uint64_t first);

#endif
