/* SPDX-License-Identifier: MIT */
/* Reading a log whose writer is another process: keeping up with it. */
#ifndef MAPLOG_FOLLOW_H
#define MAPLOG_FOLLOW_H

#include "private.h"

/** follow_start() - keep up from now on; the first look is a refresh */
void follow_start(struct maplog *log);

/** follow_stop() - the table is this handle's own now */
void follow_stop(struct maplog *log);

/** follow_is_behind() - whether the table is older than the log; any thread */
bool follow_is_behind(const struct maplog *log);

/**
 * follow_refresh() - read the names of the segments again
 *
 * Return: 0; -EAGAIN if they change faster than they can be read; -ENOMEM;
 * else the -errno of reading the directory.
 */
int follow_refresh(struct maplog *log);

/** follow_set_table() - a table of segments with these bases
 * @keep: rows of a base that was there before keep their id
 *
 * With the lock on segments held. Return: 0 or -ENOMEM.
 */
int follow_set_table(struct maplog *log, const uint64_t *bases, size_t count,
		     bool keep);

/** follow_remember() - the table is now as @seen says */
void follow_remember(struct maplog *log, const struct seen *seen);

/** follow_look() - what the live page says now */
void follow_look(const struct maplog *log, struct seen *seen);

#endif
