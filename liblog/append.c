/* SPDX-License-Identifier: MIT */
/*
 * Appending: putting batches in order, and committing them in groups.
 *
 * Who finds nobody at work commits its own batch and all that queue up behind
 * it: they are written as one unit, made durable by one sync where the policy
 * is `always`, and published together. While the device works, others queue
 * up: nothing is written behind a unit that is not yet durable, so a power cut
 * can only ever take the last one, and takes it whole.
 */
#include "append.h"

#include <assert.h>
#include <errno.h>

#include "fresh.h"
#include "meter.h"
#include "publish.h"
#include "queue.h"
#include "roll.h"
#include "sync.h"
#include "trailer.h"
#include "turn.h"

/* Rolled segments that may wait to be finished before appending waits. */
#define ROLLED_MAX 4

static_assert(ROLLED_MAX > 0, "make_room() waits for one of them");

/* Batches at the head of the queue that are committed together. They are told
 * from those behind them by their number: more queue up meanwhile. */
struct group {
	size_t batches;
	uint64_t bytes;
	uint64_t entries;
};

int append_check(const struct maplog *log, struct append *append)
{
	const struct room fresh = trailer_room(log->options.segment_size);
	uint64_t max = log->options.max_entry;
	uint64_t bytes = 0;

	assert(!append->done);

	if (max > fresh.payload)
		max = fresh.payload;
	for (size_t i = 0; i < append->n; i++) {
		if (append->entries[i].bytes > max)
			return -EMSGSIZE;
		bytes += append->entries[i].bytes;
		if (bytes > fresh.payload)
			return -E2BIG;
	}
	append->bytes = bytes;
	return append->n > fresh.records ? -E2BIG : 0;
}

uint64_t append_time(struct maplog *log)
{
	uint64_t now = publish_now();

	if (now < log->last_time)
		now = log->last_time;
	/* No entry is of the time 0, whatever the clock says. */
	if (!now)
		now = 1;
	log->last_time = now;
	return now;
}

void append_put(struct maplog *log, struct segment *segment,
		const struct append *append, uint64_t time, bool more)
{
	assert(segment_fits(segment, append->bytes, append->n));

	for (size_t i = 0; i < append->n; i++) {
		bool last = i == append->n - 1 && !more;

		segment_put(segment, log->seed,
			    last ? time : time | MAPLOG_TIME_MORE,
			    &append->entries[i]);
	}
}

int append_enter(struct maplog *log)
{
	if (!log_is_writer(log) || log_error(log))
		return -EROFS;
	pthread_mutex_lock(&log->write);
	log->entering++;
	while (log->busy)
		pthread_cond_wait(&log->written, &log->write);
	log->entering--;
	assert(!log->busy);
	log->busy = true;
	sync_begin(log);
	if (!log_error(log))
		return 0;
	append_leave(log);
	return -EROFS;
}

/* Ends being busy. Returns the batch whose owner is to lead, if there is one:
 * then the log stays busy. */
static struct append *pass_on(struct maplog *log)
{
	assert(log->busy);

	if (log->first_append)
		return log->first_append;
	log->busy = false;
	return NULL;
}

void append_leave(struct maplog *log)
{
	struct append *leader = pass_on(log);

	/* This tells those who wait to enter, too. */
	sync_end(log);
	pthread_mutex_unlock(&log->write);
	if (leader)
		turn_give(&leader->turn, TURN_LEADS);
}

/* As many batches as fit in the active segment and may be appended there. */
static struct group gather(const struct maplog *log, bool many)
{
	const struct append *append = log->first_append;
	struct group group = { .batches = 0 };

	assert(log->active && log->first_append);

	for (; append; append = append->next) {
		uint64_t bytes = group.bytes + append->bytes;
		uint64_t entries = group.entries + append->n;

		if (!segment_fits(log->active, bytes, entries))
			break;
		if (append->conditional &&
		    append->at != log->tail + group.entries)
			break;
		group.bytes = bytes;
		group.entries = entries;
		group.batches++;
		if (!many)
			break;
	}
	assert(many || group.batches <= 1);
	return group;
}

static int reserve(struct maplog *log, const struct group *group)
{
	int ret = head_prepare(&log->head);

	assert(group->batches);

	if (!ret)
		ret = segment_reserve(log->active, group->bytes,
				      group->entries);
	if (!ret)
		fresh_use(log->active, group->bytes, group->entries,
			  log->options.sync == MAPLOG_SYNC_ALWAYS);
	return ret;
}

/* The next group, with room reserved for it; none if a new segment must be
 * begun first. */
static int next_group(struct maplog *log, struct group *group)
{
	bool always = log->options.sync == MAPLOG_SYNC_ALWAYS;
	int ret;

	*group = (struct group){ .batches = 0 };
	if (!log->active)
		return 0;
	*group = gather(log, always);
	if (!group->batches)
		return 0;
	ret = log->left ? roll_clean(log) : 0;
	if (ret)
		return ret;
	ret = reserve(log, group);
	if (!ret || group->batches == 1)
		return ret;
	/* What is too much for all may be enough for one. */
	*group = gather(log, false);
	return reserve(log, group);
}

static void write_group(struct maplog *log, const struct group *group,
			uint64_t time)
{
	struct append *append = log->first_append;
	uint64_t left = group->entries;

	assert(log->tail == log->active->trailer.base + log->active->count);

	for (size_t i = 0; i < group->batches; i++) {
		left -= append->n;
		append_put(log, log->active, append, time, left);
		append = append->next;
	}
	assert(!left);
	log->tail += group->entries;
	assert(log->tail == log->active->trailer.base + log->active->count);
}

/* Finishes what waits for it. Releases the lock. */
static int finish_rolled(struct maplog *log)
{
	int ret;

	assert(log->busy);

	sync_begin(log);
	ret = sync_rolled(log);
	sync_end(log);
	return ret;
}

/* Under `always` what comes before a batch must be durable before it is, and
 * need not be where another policy was in force. From then on nobody syncs the
 * active segment beside who leads: of two, only one is told of an error.
 * Releases the lock. */
static int secure_rest(struct maplog *log)
{
	int ret;

	if (log->options.sync != MAPLOG_SYNC_ALWAYS ||
	    log->head.page->durable == log->tail)
		return 0;
	sync_begin(log);
	ret = log_error(log) ? -EROFS : sync_everything(log);
	sync_end(log);
	return ret;
}

/* Makes the active segment durable up to the tail. Releases the lock. */
static int sync_tail(struct maplog *log)
{
	struct segment *segment = log->active;
	int ret;

	assert(log->busy && segment);

	pthread_mutex_unlock(&log->write);
	ret = sync_segment(log, segment);
	pthread_mutex_lock(&log->write);
	assert(log->active == segment);
	if (ret)
		sync_failed(log, ret);
	return ret;
}

static int commit_group(struct maplog *log, const struct group *group)
{
	bool sync = log->options.sync == MAPLOG_SYNC_ALWAYS && group->entries;
	uint64_t first = log->tail;
	uint64_t time = append_time(log);
	int ret = 0;

	assert(group->batches);

	write_group(log, group, time);
	if (sync)
		ret = sync_tail(log);
	if (ret)
		return ret;
	publish_tail(log, time);
	if (sync)
		publish_durable(log, log->tail);
	for (size_t i = 0; i < group->batches; i++) {
		uint64_t n = log->first_append->n;

		meter_append(&log->metrics, n, log->first_append->bytes);
		queue_complete(log, first, 0);
		first += n;
	}
	return 0;
}

/* Begins a new segment for a batch that does not fit. Releases the lock while
 * too many old ones wait to be finished. */
static int make_room(struct maplog *log)
{
	size_t waiting = 0;
	int ret;

	assert(log->first_append);

	/* New segments may have become smaller since it was queued. */
	ret = append_check(log, log->first_append);
	if (ret)
		return ret;
	for (struct segment *s = log->sealing; s; s = s->next)
		waiting++;
	if (waiting >= ROLLED_MAX)
		ret = finish_rolled(log);
	return ret ? ret : roll(log);
}

/* Commits the batches at the head of the queue. What fails fails the first. */
static void commit_some(struct maplog *log)
{
	struct group group;
	int ret;

	queue_refuse_stale(log);
	if (!log->first_append)
		return;
	ret = log_error(log) ? -EROFS : secure_rest(log);
	if (!ret)
		ret = next_group(log, &group);
	if (!ret && group.batches)
		ret = commit_group(log, &group);
	else if (!ret)
		ret = make_room(log);
	if (ret)
		queue_complete(log, 0, ret);
	/* After a failed sync nothing is known of what was written. */
	if (log_error(log))
		queue_complete_all(log, ret ? ret : -EROFS);
}

static int join(struct maplog *log, struct append *append)
{
	int ret;

	assert(!append->next && !append->done);

	if (log_error(log))
		return -EROFS;
	ret = append_check(log, append);
	if (ret)
		return ret;
	queue_add(log, append);
	return 0;
}

/* The log stays busy for whoever wants it to itself, should there be one. */
static struct append *pass_on_fairly(struct maplog *log)
{
	if (!log->entering)
		return pass_on(log);
	log->busy = false;
	pthread_cond_broadcast(&log->written);
	return NULL;
}

/* Commits until the own batch is, and lets the others go. Releases the lock. */
static void lead(struct maplog *log, const struct append *own)
{
	struct append *completed;
	struct append *leader;

	assert(log->busy && !own->done && !log->completed);

	if (log->options.sync == MAPLOG_SYNC_ALWAYS)
		queue_await(log);
	while (!own->done)
		commit_some(log);
	completed = queue_take_completed(log);
	leader = pass_on_fairly(log);
	pthread_mutex_unlock(&log->write);

	/* First the one who has work to do. */
	if (leader)
		turn_give(&leader->turn, TURN_LEADS);
	while (completed) {
		struct append *append = completed;

		completed = append->next;
		if (append != own)
			turn_give(&append->turn, TURN_DONE);
	}
}

/* Returns when a batch that was queued is committed. Releases the lock. */
static void commit(struct maplog *log, struct append *append)
{
	/* Who wants the log to itself lets those lead that come after it. */
	if (log->busy || log->entering) {
		pthread_mutex_unlock(&log->write);
		if (turn_wait(&append->turn) == TURN_DONE)
			return;
		pthread_mutex_lock(&log->write);
	}
	log->busy = true;
	lead(log, append);
}

static int append(struct maplog *log, struct append *append, uint64_t *first)
{
	int ret;

	if (!log_is_writer(log))
		return -EROFS;
	pthread_mutex_lock(&log->write);
	ret = join(log, append);
	if (ret) {
		pthread_mutex_unlock(&log->write);
	} else {
		commit(log, append);
		assert(append->done);
		ret = append->ret;
	}
	if (ret && ret != -ESTALE)
		meter_error(&log->metrics);
	if (!ret && first)
		*first = append->first;
	return ret;
}

int maplog_append(struct maplog *log, const struct maplog_entry *entries,
		  size_t n, uint64_t *first)
{
	struct append batch = { .entries = entries, .n = n };

	return append(log, &batch, first);
}

int maplog_append_at(struct maplog *log, uint64_t index,
		     const struct maplog_entry *entries, size_t n)
{
	struct append batch = {
		.entries = entries,
		.n = n,
		.conditional = true,
		.at = index,
	};

	return append(log, &batch, NULL);
}
