/* SPDX-License-Identifier: MIT */
/*
 * The queue: batches that wait to be committed, in order.
 *
 * The one who leads commits them from its head, see append.c. All of this is
 * called with the lock on writing held.
 */
#ifndef MAPLOG_QUEUE_H
#define MAPLOG_QUEUE_H

#include "append.h"

void queue_add(struct maplog *log, struct append *append);

/**
 * queue_await() - wait until those are back whom the last leader told
 *
 * Mostly they come at once with the next batch, and one sync for them and for
 * those who wait takes less than two. Ends when nobody has come for a tenth of
 * what a sync takes on a fast disk. Releases the lock meanwhile.
 */
void queue_await(struct maplog *log);

/** queue_complete() - remove the first batch; its caller is told later */
void queue_complete(struct maplog *log, uint64_t first, int ret);
void queue_complete_all(struct maplog *log, int ret);

/** queue_refuse_stale() - remove those at the head that are for another index
 */
void queue_refuse_stale(struct maplog *log);

/** queue_take_completed() - those whose callers are to be told, the last first
 */
struct append *queue_take_completed(struct maplog *log);

#endif
