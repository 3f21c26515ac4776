/* SPDX-License-Identifier: MIT */
/*
 * The open log, as the parts of the library share it.
 *
 * Three locks, taken in this order where more than one is held:
 *   write     who may change the log: append, truncate, trim, seal, set
 *   segments  the table of segments, mapping of windows, snapshots
 *   keeper    what the background thread is asked to do
 * Readers take none of them, except to map a window or to follow a writer in
 * another process into a new segment.
 */
#ifndef MAPLOG_PRIVATE_H
#define MAPLOG_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "head.h"
#include "keeper.h"
#include "log.h"
#include "peek.h"
#include "segment.h"
#include "table.h"
#include "window.h"

struct append;

/* What a table of segments was read from, to tell when it is out of date. */
struct seen {
	uint64_t generation;
	uint64_t active_base;
	uint64_t session;
};

struct maplog {
	int dirfd;
	mode_t mode;   /* of new files */
	uint32_t seed; /* crc_seed() */
	struct head head;
	/* The counters that readers go by: head.page, or while a crashed log
	 * is open for reading only, a copy with what a scan found. */
	const struct maplog_head *page;
	struct maplog_head *frozen;
	bool writer;  /* atomic: this handle publishes */
	bool follows; /* atomic: a writer elsewhere changes the segments */
	int error;    /* atomic: why the log is read-only, or 0 */

	pthread_mutex_t segments;
	struct table table;
	struct windows windows;
	struct peeks peeks; /* locked by segments, too */
	unsigned shift;	    /* atomic: view_shift() */
	struct seen seen;
	uint64_t last_id;
	struct maplog_snapshot *snapshots;

	pthread_mutex_t write;
	pthread_cond_t written; /* busy ended, or a sync */
	bool busy;		/* a writer works without holding the lock */
	unsigned entering;	/* who wait for it to end, not in the queue */
	bool syncing;		/* a sync runs without holding the lock */
	struct maplog_options options;
	struct append *first_append; /* waiting, in order */
	struct append **last_append;
	struct append *completed; /* by the one who leads, the last first */
	size_t queued;		  /* batches that wait */
	size_t told;		  /* callers, by the last leader */
	struct segment *active;
	struct segment *sealing; /* ended but not yet finished, oldest first */
	/* Names of a segment that came to nothing, of which there may be
	 * something left, or NULL; and its base. */
	const char *const *left;
	uint64_t left_base;
	uint64_t tail; /* index of the next entry to be written */
	uint64_t last_time;
	uint64_t last_wake;
	uint64_t checkpointed; /* durable, as the last checkpoint says */
	uint64_t truncate_to;  /* by the last truncation there was */
	struct maplog_recovery recovery;
	struct maplog_metrics metrics; /* see meter.h */
	struct keeper keeper;
};

static inline bool log_is_writer(const struct maplog *log)
{
	return __atomic_load_n(&log->writer, __ATOMIC_ACQUIRE);
}

static inline int log_error(const struct maplog *log)
{
	return __atomic_load_n(&log->error, __ATOMIC_ACQUIRE);
}

/* The page whose counters count. */
static inline const struct maplog_head *log_page(const struct maplog *log)
{
	return __atomic_load_n(&log->page, __ATOMIC_ACQUIRE);
}

#endif
