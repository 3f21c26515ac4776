/* SPDX-License-Identifier: MIT */
/* Rolling: from one active segment to the next. */
#include "roll.h"

#include <assert.h>
#include <errno.h>

#include "append.h"
#include "dir.h"
#include "io.h"
#include "publish.h"
#include "sync.h"
#include "trailer.h"

const char *const roll_name[2] = { DIR_LOG, DIR_INDEX };
const char *const roll_name_new[2] = { DIR_LOG_NEW, DIR_INDEX_NEW };

void roll_let_go(struct maplog *log, struct segment *segment)
{
	uint64_t id = segment->id;

	for (int file = 0; file < 2; file++) {
		if (!segment->window[file])
			continue;
		windows_count(segment->window[file]);
		window_put(segment->window[file]);
	}
	segment_close(segment);
	windows_forget(&log->windows, id);
	/* What was exempt while it was written to counts now. */
	windows_limit(&log->windows, log->windows.limit);
}

/* Lets readers in this process use the mappings that are written to. */
static int lend_mappings(struct maplog *log, struct segment *segment)
{
	void *const at[2] = { segment->data, segment->index };
	const uint64_t size[2] = {
		trailer_file_size(&segment->trailer),
		segment->trailer.records * sizeof(struct maplog_record),
	};

	assert(segment->id && segment->data && segment->index);

	for (unsigned file = 0; file < 2; file++) {
		uint64_t key = window_key(segment->id, file, 0);
		int ret;

		ret = windows_adopt(&log->windows, key, at[file], size[file],
				    &segment->window[file]);
		if (ret)
			return ret;
	}
	return 0;
}

static int remove_left(const struct maplog *log)
{
	int ret =
		dir_unlink(log->dirfd, log->left_base, log->left[MAPLOG_INDEX]);

	return ret ? ret
		   : dir_unlink(log->dirfd, log->left_base,
				log->left[MAPLOG_DATA]);
}

int roll_clean(struct maplog *log)
{
	int ret;

	if (!log->left)
		return 0;
	ret = remove_left(log);
	if (ret)
		return ret;
	log->left = NULL;
	/* Or a power cut would bring the names back. */
	ret = io_sync_dir(log->dirfd);
	if (ret)
		sync_failed(log, ret);
	return ret;
}

static void leave(struct maplog *log, const char *const name[2], uint64_t base)
{
	assert(!log->left);

	log->left = name;
	log->left_base = base;
}

void roll_discard(struct maplog *log, const char *const name[2],
		  struct segment *segment)
{
	assert(segment != log->active);

	if (!log_error(log)) {
		leave(log, name, segment->trailer.base);
		(void)remove_left(log);
	}
	roll_let_go(log, segment);
}

int roll_take(struct maplog *log, struct segment *segment)
{
	int ret;

	assert(!segment->id);

	pthread_mutex_lock(&log->segments);
	segment->id = ++log->last_id;
	ret = table_reserve(&log->table, 1);
	pthread_mutex_unlock(&log->segments);
	if (!ret)
		ret = lend_mappings(log, segment);
	return ret;
}

int roll_create(struct maplog *log, const char *const name[2], uint64_t base,
		uint64_t generation, struct segment **segment)
{
	struct maplog_trailer trailer;
	bool begun;
	int ret;

	ret = roll_clean(log);
	if (ret)
		return ret;
	trailer_init(&trailer, log->head.page->uuid, base, generation,
		     log->options.segment_size);
	ret = segment_create(log->dirfd, &trailer, log->mode, name, &begun,
			     segment);
	if (ret && begun)
		leave(log, name, base);
	if (ret)
		return ret;
	ret = roll_take(log, *segment);
	if (ret)
		roll_discard(log, name, *segment);
	return ret;
}

void roll_activate(struct maplog *log, struct segment *segment)
{
	const struct row row = {
		.base = segment->trailer.base,
		.id = segment->id,
		.whole = true,
	};

	assert(segment->id);
	assert(segment != log->active);

	pthread_mutex_lock(&log->segments);
	table_begin(&log->table);
	table_put(&log->table, &row);
	table_end(&log->table);
	pthread_mutex_unlock(&log->segments);
	log->active = segment;
	segment_begin(segment);
	publish_active(log, segment);
}

static void queue_for_sealing(struct maplog *log, struct segment *segment)
{
	struct segment **last = &log->sealing;

	assert(segment->count);
	assert(!segment->next);

	while (*last)
		last = &(*last)->next;
	*last = segment;
	keeper_ask(log);
}

/* A new segment would have the name of an empty one. What is left of that where
 * it cannot be removed is for recovery: nothing goes on beside it. */
static int remove_empty(struct maplog *log)
{
	struct segment *empty = log->active;
	uint64_t base = empty->trailer.base;
	int ret;

	assert(empty && !empty->count);

	publish_active(log, NULL);
	pthread_mutex_lock(&log->segments);
	table_begin(&log->table);
	table_cut(&log->table, base);
	table_end(&log->table);
	pthread_mutex_unlock(&log->segments);
	log->active = NULL;
	roll_let_go(log, empty);
	ret = dir_unlink_segment(log->dirfd, base);
	if (!ret)
		ret = io_sync_dir(log->dirfd);
	if (ret)
		sync_failed(log, ret);
	return ret;
}

/* What lies before a segment that follows no other may hold, behind its end,
 * what a truncation took away. If its name were lost in a power cut, and that
 * of the next one were not, all of that would be there again. */
static int keep_name(struct maplog *log, struct segment *segment)
{
	int ret = io_sync_dir(log->dirfd);

	if (ret) {
		sync_failed(log, ret);
		roll_discard(log, roll_name, segment);
	} else {
		segment->named = true;
	}
	return ret;
}

int roll(struct maplog *log)
{
	struct segment *old;
	struct segment *segment;
	int ret = 0;

	if (log->active && !log->active->count)
		ret = remove_empty(log);
	if (ret)
		return ret;
	old = log->active;

	ret = roll_create(log, roll_name, log->tail, log->head.page->generation,
			  &segment);
	if (!ret && !old)
		ret = keep_name(log, segment);
	if (ret)
		return ret;
	roll_activate(log, segment);
	assert(log->active == segment && !segment->count);
	if (old)
		queue_for_sealing(log, old);
	return 0;
}

static void end_active(struct maplog *log)
{
	struct segment *old = log->active;

	publish_active(log, NULL);
	log->active = NULL;
	queue_for_sealing(log, old);
}

int roll_if_room(struct maplog *log)
{
	int ret = roll(log);

	if (ret != -ENOSPC && ret != -EDQUOT)
		return ret;
	if (log->active)
		end_active(log);
	return 0;
}

static int seal(struct maplog *log)
{
	int ret = sync_everything(log);

	if (!ret && (!log->active || log->active->count))
		ret = roll(log);
	if (!ret)
		ret = sync_rolled(log);
	return ret;
}

int maplog_seal(struct maplog *log, uint64_t *base)
{
	int ret;

	ret = append_enter(log);
	if (ret)
		return ret;
	ret = seal(log);
	assert(ret || log->active);
	if (!ret && base)
		*base = log->active->trailer.base;
	append_leave(log);
	return ret;
}
