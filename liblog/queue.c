/* SPDX-License-Identifier: MIT */
/* The queue: batches that wait to be committed, in order. */
#include "queue.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>

#include "meter.h"

/* Of so few that were told, those who wait are as many. */
#define TOLD_MIN 2

/* When nobody has come for so long, nobody else will. */
#define QUIET_NSEC 10000

void queue_add(struct maplog *log, struct append *append)
{
	*log->last_append = append;
	log->last_append = &append->next;
	log->queued++;
}

void queue_await(struct maplog *log)
{
	size_t all = log->queued + log->told;
	size_t seen = log->queued;
	uint64_t since = meter_now();

	assert(log->busy);

	if (log->told < TOLD_MIN)
		return;
	while (log->queued < all && !log->entering) {
		pthread_mutex_unlock(&log->write);
		sched_yield();
		pthread_mutex_lock(&log->write);
		if (log->queued != seen)
			since = meter_now();
		else if (meter_now() - since >= QUIET_NSEC)
			break;
		seen = log->queued;
	}
}

void queue_complete(struct maplog *log, uint64_t first, int ret)
{
	struct append *append = log->first_append;

	assert(log->busy);
	assert(append && !append->done);

	log->first_append = append->next;
	if (!log->first_append)
		log->last_append = &log->first_append;
	append->first = first;
	append->ret = ret;
	append->done = true;
	append->next = log->completed;
	log->completed = append;
	log->queued--;
}

void queue_complete_all(struct maplog *log, int ret)
{
	while (log->first_append)
		queue_complete(log, 0, ret);
}

void queue_refuse_stale(struct maplog *log)
{
	struct append *first;

	assert(log->busy);

	while ((first = log->first_append) && first->conditional &&
	       first->at != log->tail)
		queue_complete(log, 0, -ESTALE);
}

struct append *queue_take_completed(struct maplog *log)
{
	struct append *completed = log->completed;

	log->completed = NULL;
	log->told = 0;
	for (struct append *a = completed; a; a = a->next)
		log->told++;
	return completed;
}
