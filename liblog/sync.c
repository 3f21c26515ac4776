/* SPDX-License-Identifier: MIT */
/* Making entries durable, and finishing segments that were rolled. */
#include "sync.h"

#include <assert.h>
#include <errno.h>

#include "idx.h"
#include "meter.h"
#include "publish.h"

void sync_begin(struct maplog *log)
{
	while (log->syncing)
		pthread_cond_wait(&log->written, &log->write);
	log->syncing = true;
}

void sync_end(struct maplog *log)
{
	assert(log->syncing);
	log->syncing = false;
	pthread_cond_broadcast(&log->written);
}

int sync_segment(struct maplog *log, struct segment *segment)
{
	uint64_t begin = meter_now();
	int ret = segment_sync(segment, log->dirfd);

	meter_sync(&log->metrics, meter_now() - begin);
	return ret;
}

void sync_failed(struct maplog *log, int error)
{
	assert(error < 0);

	/* The first error counts. A second try may succeed without having
	 * written anything: nothing is tried again. */
	if (!log_error(log))
		__atomic_store_n(&log->error, error, __ATOMIC_RELEASE);
	/* Told to who opens it next, if he sees the same page cache. */
	if (!head_reach(&log->head))
		head_store(&log->head.page->state, (uint32_t)MAPLOG_FAILED);
	pthread_cond_broadcast(&log->written);
}

struct maplog_checkpoint sync_next_checkpoint(const struct maplog *log)
{
	const struct maplog_head *page = log->head.page;

	return (struct maplog_checkpoint){
		.durable = log->checkpointed,
		.first = page->first,
		.generation = page->generation,
		.truncate_to = log->truncate_to,
	};
}

int sync_write_checkpoint(struct maplog *log,
			  struct maplog_checkpoint *checkpoint)
{
	int ret = head_set_checkpoint(&log->head, checkpoint);

	/* Where a copy that was made of the files shares the page, it needs
	 * space to change it: the log's own, on a full disk. */
	if (ret == -ENOSPC && log->active && segment_give_back(log->active))
		ret = head_set_checkpoint(&log->head, checkpoint);
	/* A full disk is not a failed sync: later there may be room again. */
	if (ret && ret != -ENOSPC)
		sync_failed(log, ret);
	if (ret)
		return ret;
	log->checkpointed = checkpoint->durable;
	log->truncate_to = checkpoint->truncate_to;
	return 0;
}

int sync_write_durable(struct maplog *log, uint64_t durable)
{
	struct maplog_checkpoint checkpoint = sync_next_checkpoint(log);

	checkpoint.durable = durable;
	return sync_write_checkpoint(log, &checkpoint);
}

int sync_clear_intent(struct maplog *log, uint64_t durable)
{
	int ret = sync_write_durable(log, durable);

	assert(durable >= log->truncate_to);

	return ret ? ret : sync_write_durable(log, durable);
}

/* The segment is sealed for good: its space behind the entries comes back, and
 * its mappings stay only as long as they are used. */
static void retire(struct maplog *log, struct segment *segment)
{
	struct row row;
	uint64_t bound;
	bool found;

	assert(segment->count);
	assert(log->sealing == segment);

	pthread_mutex_lock(&log->segments);
	found = table_find(&log->table, segment->trailer.base, &row, &bound);
	/* What trims or truncates has it finished first. */
	assert(found && row.id == segment->id);
	(void)found;
	row.whole = false;
	table_begin(&log->table);
	table_put(&log->table, &row);
	table_end(&log->table);
	for (int file = 0; file < 2; file++) {
		windows_count(segment->window[file]);
		window_put(segment->window[file]);
	}
	/* From now on it is looked for by pieces. */
	windows_forget(&log->windows, segment->id);
	windows_limit(&log->windows, log->windows.limit);
	pthread_mutex_unlock(&log->segments);

	segment_cut(segment, segment->used, segment->count);
	log->sealing = segment->next;
	segment_close(segment);
}

static int finish(struct maplog *log, struct segment *segment)
{
	uint64_t end = segment->trailer.base + segment->count;
	int ret;

	assert(log->syncing && log->sealing == segment);

	pthread_mutex_unlock(&log->write);
	ret = sync_segment(log, segment);
	if (!ret)
		ret = idx_finish(segment, log->seed);
	pthread_mutex_lock(&log->write);
	assert(log->syncing && log->sealing == segment);
	if (ret) {
		sync_failed(log, ret);
		return ret;
	}
	publish_durable(log, end);
	ret = sync_write_durable(log, end);
	if (!ret)
		retire(log, segment);
	return ret;
}

int sync_rolled(struct maplog *log)
{
	int ret = 0;

	assert(log->syncing);

	while (!ret && log->sealing)
		ret = log_error(log) ? -EROFS : finish(log, log->sealing);
	return ret;
}

int sync_everything(struct maplog *log)
{
	struct segment *segment;
	uint64_t next;
	int ret;

	assert(log->syncing);

	ret = sync_rolled(log);
	if (ret)
		return ret;
	next = log->head.page->next;
	segment = log->active;
	if (log->head.page->durable == next)
		return 0;
	/* Where there is none all that there was is sealed. */
	assert(segment);
	pthread_mutex_unlock(&log->write);
	ret = sync_segment(log, segment);
	pthread_mutex_lock(&log->write);
	assert(log->syncing);
	if (ret)
		sync_failed(log, ret);
	else
		publish_durable(log, next);
	return ret;
}

int maplog_sync(struct maplog *log, uint64_t *durable)
{
	int ret;

	if (!log_is_writer(log) || log_error(log))
		return -EROFS;
	pthread_mutex_lock(&log->write);
	sync_begin(log);
	ret = log_error(log) ? -EROFS : sync_everything(log);
	if (!ret && durable)
		*durable = log->head.page->durable;
	sync_end(log);
	pthread_mutex_unlock(&log->write);
	return ret;
}

bool sync_duties(struct maplog *log, struct sync_duties *duties)
{
	if (pthread_mutex_trylock(&log->write))
		return false;
	*duties = (struct sync_duties){
		.finish = log->sealing,
		.checkpoint = log->checkpointed < log->head.page->durable,
	};
	if (log->options.sync == MAPLOG_SYNC_INTERVAL)
		duties->interval = log->options.interval;
	assert(!duties->checkpoint || log_is_writer(log));
	pthread_mutex_unlock(&log->write);
	return true;
}

int sync_finish(struct maplog *log)
{
	int ret;

	pthread_mutex_lock(&log->write);
	sync_begin(log);
	ret = sync_rolled(log);
	sync_end(log);
	pthread_mutex_unlock(&log->write);
	return ret;
}

int sync_checkpoint(struct maplog *log)
{
	uint64_t durable;
	int ret = 0;

	pthread_mutex_lock(&log->write);
	sync_begin(log);
	durable = log->head.page->durable;
	if (log->active && !log->sealing && log->checkpointed < durable) {
		struct segment *segment = log->active;

		pthread_mutex_unlock(&log->write);
		ret = idx_finish(segment, log->seed);
		pthread_mutex_lock(&log->write);
		assert(log->syncing);
		if (ret)
			sync_failed(log, ret);
		else if (!log->sealing)
			ret = sync_write_durable(log, durable);
	}
	sync_end(log);
	pthread_mutex_unlock(&log->write);
	return ret;
}
