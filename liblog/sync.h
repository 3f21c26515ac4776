/* SPDX-License-Identifier: MIT */
/*
 * Making entries durable, and finishing segments that were rolled.
 *
 * One thread at a time does either: it owns the token log->syncing. It holds
 * the lock on writing meanwhile, except while it waits for the device.
 */
#ifndef MAPLOG_SYNC_H
#define MAPLOG_SYNC_H

#include "private.h"

/** sync_begin() - wait for the token; with the lock on writing held */
void sync_begin(struct maplog *log);
void sync_end(struct maplog *log);

/* With the token and the lock; both are still held afterwards, but the lock is
 * released meanwhile. What fails turns the log read-only. */

/** sync_rolled() - finish all segments that wait for it */
int sync_rolled(struct maplog *log);

/** sync_segment() - segment_sync(), and say how long it took; any thread */
int sync_segment(struct maplog *log, struct segment *segment);

/** sync_everything() - that, and make durable what is visible now */
int sync_everything(struct maplog *log);

/**
 * sync_next_checkpoint() - what the next checkpoint says if nothing changes
 *
 * Where the last truncation ended the log is not forgotten: segments that were
 * begun before it hold more.
 */
struct maplog_checkpoint sync_next_checkpoint(const struct maplog *log);

/** sync_write_checkpoint() - write one; the lock is not released
 * @checkpoint: up to its `durable` the .idx files are durable, too
 */
int sync_write_checkpoint(struct maplog *log,
			  struct maplog_checkpoint *checkpoint);

/** sync_write_durable() - write one that only says what is durable */
int sync_write_durable(struct maplog *log, uint64_t durable);

/**
 * sync_clear_intent() - a truncation is finished
 *
 * Also in the older checkpoint: one that was lost later must not bring the
 * truncation back.
 */
int sync_clear_intent(struct maplog *log, uint64_t durable);

/** sync_failed() - turn the log read-only; with the lock on writing held */
void sync_failed(struct maplog *log, int error);

/* For the keeper; no lock held: */

/* What there is to do. */
struct sync_duties {
	bool finish;	   /* segments wait for it */
	bool checkpoint;   /* the last one says less than is durable */
	uint64_t interval; /* nanoseconds, or 0 under another policy */
};

/**
 * sync_duties() - find that out
 *
 * Return: whether it could be: false while somebody holds the lock. One who
 * appends in a hurry hardly ever gives it up to one who waits.
 */
bool sync_duties(struct maplog *log, struct sync_duties *duties);

/** sync_finish() - finish them */
int sync_finish(struct maplog *log);

/** sync_checkpoint() - write one */
int sync_checkpoint(struct maplog *log);

#endif
