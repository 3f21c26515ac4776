/* SPDX-License-Identifier: MIT */
/* Truncating and overwriting. */
#include "truncate.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "append.h"
#include "dir.h"
#include "idx.h"
#include "io.h"
#include "meter.h"
#include "publish.h"
#include "roll.h"
#include "snapshot.h"
#include "suspect.h"
#include "sync.h"

/* Behind its end a segment keeps what is truncated now. It must not be read
 * again if the segment that follows is lost: the checkpoint says where the end
 * is until the next truncation, and where there is no room to say it here. */
static int mark_end(int dirfd, uint64_t index, mode_t mode)
{
	int ret;

	assert(index <= DIR_BASE_MAX);

	ret = dir_mark_end(dirfd, index, mode);
	return ret == -ENOSPC || ret == -EDQUOT ? 0 : ret;
}

static int remove_segment(int dirfd, uint64_t base, uint64_t index)
{
	int ret = dir_unlink_segment(dirfd, base);

	/* At @index the one before it ends still. */
	return ret || base == index ? ret : dir_unlink(dirfd, base, DIR_END);
}

/* Removes segments from @from on, for a truncation to @index. */
static int remove_from(int dirfd, uint64_t from, uint64_t index, mode_t mode)
{
	uint64_t *bases;
	size_t count;
	int ret;

	assert(from >= index);

	ret = dir_segments(dirfd, &bases, &count);
	if (ret)
		return ret;
	while (!ret && count && bases[count - 1] >= from)
		ret = remove_segment(dirfd, bases[--count], index);
	if (!ret && count && bases[count - 1] < index)
		ret = mark_end(dirfd, index, mode);
	free(bases);
	return ret ? ret : io_sync_dir(dirfd);
}

static int give_name(int dirfd, uint64_t base, const char *from, const char *to)
{
	char old[DIR_NAME_SIZE];
	char new[DIR_NAME_SIZE];

	dir_name(old, base, from);
	dir_name(new, base, to);
	if (renameat(dirfd, old, dirfd, new) && errno != ENOENT)
		return -errno;
	return 0;
}

/* Where there was a segment before, it may be that one which has the name. */
static int has_name(int dirfd, const struct maplog_head *page,
		    const struct maplog_checkpoint *intent, bool *has)
{
	struct maplog_trailer trailer;
	int ret;

	ret = suspect_trailer(dirfd, page, intent->truncate_to, &trailer, has);
	*has = *has && trailer.generation >= intent->generation;
	return ret;
}

int truncate_replacement(int dirfd, const struct maplog_head *page,
			 const struct maplog_checkpoint *intent,
			 enum replacement *found)
{
	bool is = false;
	int ret;

	*found = REPLACEMENT_NONE;
	if (!(intent->flags & MAPLOG_REPLACING))
		return 0;
	ret = dir_exists(dirfd, intent->truncate_to, DIR_LOG_NEW, &is);
	if (is)
		*found = REPLACEMENT_PREPARED;
	if (ret || is)
		return ret;
	ret = has_name(dirfd, page, intent, &is);
	if (is)
		*found = REPLACEMENT_NAMED;
	return ret;
}

int truncate_files(int dirfd, uint64_t index, enum replacement replacement,
		   mode_t mode)
{
	bool named = replacement == REPLACEMENT_NAMED;
	int ret;

	ret = remove_from(dirfd, named ? index + 1 : index, index, mode);
	if (ret || replacement != REPLACEMENT_PREPARED)
		return ret;
	/* The .log last: until then all of this can be done again. */
	ret = give_name(dirfd, index, DIR_INDEX_NEW, DIR_INDEX);
	if (!ret)
		ret = give_name(dirfd, index, DIR_LOG_NEW, DIR_LOG);
	return ret ? ret : io_sync_dir(dirfd);
}

/* Makes all entries before @index durable and ready to be sealed. */
static int secure_prefix(struct maplog *log, uint64_t index)
{
	struct segment *active = log->active;
	int ret;

	assert(log->busy && log->syncing);

	ret = sync_rolled(log);
	if (ret || !active || index <= active->trailer.base)
		return ret;
	ret = sync_segment(log, active);
	if (!ret)
		ret = idx_finish(active, log->seed);
	if (ret)
		sync_failed(log, ret);
	return ret;
}

/* Takes segments from @index on out of the table; the one that is cut short
 * there, if it does not end there anyway, becomes another one. */
static void cut_table(struct maplog *log, uint64_t index)
{
	uint64_t bound = UINT64_MAX;
	struct row row;

	while (table_find(&log->table, UINT64_MAX, &row, &(uint64_t){ 0 }) &&
	       row.base >= index) {
		table_begin(&log->table);
		table_cut(&log->table, row.base);
		table_end(&log->table);
		windows_forget(&log->windows, row.id);
		bound = row.base;
	}
	if (bound == index ||
	    !table_find(&log->table, UINT64_MAX, &row, &bound))
		return;
	windows_forget(&log->windows, row.id);
	row.id = ++log->last_id;
	row.whole = false;
	table_begin(&log->table);
	table_put(&log->table, &row);
	table_end(&log->table);
}

/* Readers see the end at @index, and keep what they hold. */
static void hide(struct maplog *log, uint64_t index)
{
	assert(index < log->tail);

	pthread_mutex_lock(&log->segments);
	snapshot_keep(log, index, UINT64_MAX);
	publish_truncation(log, index);
	cut_table(log, index);
	pthread_mutex_unlock(&log->segments);
	log->tail = index;
}

static void drop_active(struct maplog *log, uint64_t index)
{
	struct segment *active = log->active;

	log->active = NULL;
	if (!active)
		return;
	/* Readers were shown all of it: it is cut behind that, not at index. */
	if (active->trailer.base < index)
		segment_cut(active, active->used, active->count);
	roll_let_go(log, active);
}

/* Shows what the log goes on with after a truncation. */
static int go_on(struct maplog *log, struct segment *prepared)
{
	assert(!log->active);
	assert(!prepared || prepared->trailer.base == log->tail);

	if (prepared) {
		roll_activate(log, prepared);
		log->tail += prepared->count;
		publish_tail(log, log->last_time);
		publish_durable(log, log->tail);
		return 0;
	}
	/* The truncation itself is done. */
	return roll_if_room(log);
}

/* The point of no return: from here on, what fails is for recovery to finish,
 * and the log is read-only until then. */
static int replace_tail(struct maplog *log, uint64_t index,
			struct segment *prepared)
{
	uint64_t end = prepared ? index + prepared->count : index;
	struct maplog_checkpoint intent = {
		.durable = end,
		.first = log->head.page->first,
		.generation = log->head.page->generation + 1,
		.truncate_to = index,
		.flags = MAPLOG_TRUNCATING | (prepared ? MAPLOG_REPLACING : 0),
	};
	int ret;

	assert(log->busy && index < log->tail);

	ret = sync_write_checkpoint(log, &intent);
	if (ret)
		return ret;
	hide(log, index);
	drop_active(log, index);
	ret = truncate_files(log->dirfd, index,
			     prepared ? REPLACEMENT_PREPARED : REPLACEMENT_NONE,
			     log->mode);
	if (!ret)
		ret = sync_clear_intent(log, end);
	if (!ret)
		ret = go_on(log, prepared);
	if (ret)
		sync_failed(log, ret);
	return ret;
}

static int check_index(const struct maplog *log, uint64_t index)
{
	if (index > log->tail)
		return -ENODATA;
	return index < log->head.page->first ? -ENOENT : 0;
}

/* Entries that replace others have a later time, whatever the clock says: by
 * that a reader tells which of those that it has read are there. */
static int begin(struct maplog *log, uint64_t index)
{
	int ret;

	ret = secure_prefix(log, index);
	if (!ret)
		log->last_time++;
	return ret;
}

int maplog_truncate(struct maplog *log, uint64_t index)
{
	int ret;

	ret = append_enter(log);
	if (ret)
		return ret;
	ret = check_index(log, index);
	if (!ret && index < log->tail) {
		ret = begin(log, index);
		if (!ret)
			ret = replace_tail(log, index, NULL);
	}
	append_leave(log);
	return ret;
}

/* A durable segment with a batch in it, which nobody knows of yet. */
static int prepare(struct maplog *log, struct append *batch, uint64_t index,
		   struct segment **prepared)
{
	uint64_t generation = log->head.page->generation + 1;
	struct segment *segment;
	int ret;

	ret = append_check(log, batch);
	if (!ret)
		ret = roll_create(log, roll_name_new, index, generation,
				  &segment);
	if (ret)
		return ret;
	ret = segment_reserve(segment, batch->bytes, batch->n);
	if (!ret) {
		append_put(log, segment, batch, append_time(log), false);
		ret = sync_segment(log, segment);
		if (!ret)
			ret = segment_finish(segment);
		if (ret)
			sync_failed(log, ret);
	}
	assert(ret || segment->count == batch->n);
	if (ret)
		roll_discard(log, roll_name_new, segment);
	else
		*prepared = segment;
	return ret;
}

static int overwrite(struct maplog *log, uint64_t index, struct append *batch)
{
	struct segment *prepared;
	int ret;

	ret = check_index(log, index);
	if (ret)
		return ret;
	if (index == log->tail)
		return -EAGAIN;
	ret = begin(log, index);
	if (!ret)
		ret = prepare(log, batch, index, &prepared);
	if (ret)
		return ret;
	ret = replace_tail(log, index, prepared);
	if (!ret)
		meter_append(&log->metrics, batch->n, batch->bytes);
	if (log->active != prepared)
		roll_discard(log, roll_name_new, prepared);
	return ret;
}

int maplog_overwrite(struct maplog *log, uint64_t index,
		     const struct maplog_entry *entries, size_t n)
{
	struct append batch = { .entries = entries, .n = n };
	int ret;

	do {
		ret = maplog_append_at(log, index, entries, n);
		if (!ret)
			return maplog_sync(log, NULL);
		if (ret != -ESTALE)
			return ret;
		ret = append_enter(log);
		if (ret)
			return ret;
		ret = overwrite(log, index, &batch);
		append_leave(log);
	} while (ret == -EAGAIN);
	return ret;
}
