/* SPDX-License-Identifier: MIT */
/*
 * The keeper: a thread of the writer that does what need not be waited for.
 *
 * It finishes segments that were rolled, syncs under the policy `interval`,
 * writes a checkpoint when a log has been idle for a second, and wakes sleepers
 * that an appender left. It is started by the first thing there is to do.
 */
#ifndef MAPLOG_KEEPER_H
#define MAPLOG_KEEPER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct maplog;

struct keeper {
	pthread_mutex_t lock;
	pthread_cond_t asked;
	pthread_t thread;
	bool started;
	bool stopping;
	bool pending;	/* atomic: asked since it began to look */
	bool awake;	/* atomic: it looks again within a moment by itself */
	bool wake_soon; /* atomic: sleepers are to be woken */
};

int keeper_init(struct keeper *keeper);

/** keeper_ask() - there is something to do; any thread, with any lock held */
void keeper_ask(struct maplog *log);

/** keeper_stop() - end the thread and wait for it; no lock held */
void keeper_stop(struct maplog *log);

void keeper_destroy(struct keeper *keeper);

#endif
