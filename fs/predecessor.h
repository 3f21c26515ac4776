/* SPDX-License-Identifier: MIT */
/*
 * The daemon that had the store before. Its mount is gone at once when it is
 * unmounted, but then it has requests to finish and logs to close: whoever
 * mounts the store again is not to find them taken.
 */
#ifndef MAPLOG_FS_PREDECESSOR_H
#define MAPLOG_FS_PREDECESSOR_H

#include <stdbool.h>

/* How often the logs of others are looked at, all together: maplog_open() waits
 * 20 ms for each, which makes half a minute. */
#define PREDECESSOR_PATIENCE 1500

/**
 * predecessor_keeps() - whether a log that has a writer will be free soon
 * @dirfd:    its directory
 * @ours:     where this daemon has mounted the store
 * @patience: how many looks are left
 */
bool predecessor_keeps(int dirfd, const char *ours, unsigned *patience);

#endif
