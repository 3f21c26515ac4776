/* SPDX-License-Identifier: MIT */
/*
 * Going ahead: the keeper makes pages of the active segment ready before the
 * appending thread comes to them.
 *
 * The kernel fills a page with zeros before the first store into it, which
 * takes longer than all that an appender does with it. Who appends much between
 * syncs gets pages that are large where the kernel has them, and writable at
 * once. They are dirty, so the next sync writes them in vain: therefore not
 * further ahead than what it has to write anyway.
 *
 * Who syncs often gets single pages as he comes to them: of a large one each
 * sync would write all again. 2 MiB instead of 8 KiB was seen.
 *
 * Nothing depends on it: what fails here is met again by the appender.
 */
#ifndef MAPLOG_AHEAD_H
#define MAPLOG_AHEAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct maplog;
struct segment;

/* What the appender has asked for, and the keeper has not done. */
struct ahead {
	pthread_mutex_t lock;
	uint64_t id;	  /* of the segment */
	uint64_t copy;	  /* where that region begins in the .log file */
	uint64_t from[3]; /* by enum region: bytes of it */
	uint64_t to[3];
};

int ahead_init(struct ahead *ahead);
void ahead_destroy(struct ahead *ahead);

/* With the lock on writing held: */

/** ahead_begin() - a segment will be appended to */
void ahead_begin(struct segment *segment);

/** ahead_ask() - let the keeper go ahead, if it is time; after every append */
void ahead_ask(struct maplog *log);

/** ahead_synced() - a sync of a segment begins */
void ahead_synced(struct segment *segment);

/**
 * ahead_go() - make some pages ready; for the keeper, no lock held
 *
 * It does not need the lock on writing, which an appender in a hurry hardly
 * ever gives up. Return: whether there are more.
 */
bool ahead_go(struct maplog *log);

#endif
