/* SPDX-License-Identifier: MIT */
/* Snapshots: ranges of entries that outlive truncation and trim. */
#include "snapshot.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "dir.h"
#include "io.h"
#include "roll.h"
#include "view.h"

#define load(field) __atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#define store(field, value)                                                    \
	__atomic_store_n(&(field), (value), __ATOMIC_RELEASE)

/* A segment that is gone or cut short, as it was. */
struct kept {
	struct kept *next;
	uint64_t id;
	uint64_t base;
	uint64_t end; /* one past its last entry */
	int fd[2];
};

struct maplog_snapshot {
	struct maplog *log;
	struct maplog_snapshot *next;
	struct maplog_snapshot **link; /* what points to this one */
	uint64_t first;
	uint64_t end;
	uint64_t generation;
	/* Atomic: what of it still is where it was. */
	uint64_t live_first;
	uint64_t live_end;
	struct kept *kept;
};

static int open_files(struct maplog *log, struct kept *kept)
{
	for (int file = 0; file < 2; file++) {
		char name[DIR_NAME_SIZE];
		int ret;

		dir_name(name, kept->base, roll_name[file]);
		ret = io_open(log->dirfd, name, O_RDONLY, 0, &kept->fd[file],
			      NULL);
		if (ret)
			return ret;
	}
	return 0;
}

static void free_kept(struct maplog *log, struct kept *kept)
{
	for (int file = 0; file < 2; file++) {
		if (kept->fd[file] >= 0)
			close(kept->fd[file]);
	}
	windows_forget(&log->windows, kept->id);
	free(kept);
}

static void keep_row(struct maplog_snapshot *snapshot, const struct row *row,
		     uint64_t end)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	assert(row->base <= end);

	if (!kept)
		return;
	kept->id = row->id;
	kept->base = row->base;
	kept->end = end;
	kept->fd[0] = kept->fd[1] = -1;
	/* Without them, its entries read as stale: better than as others. */
	if (open_files(snapshot->log, kept)) {
		free_kept(snapshot->log, kept);
		return;
	}
	kept->next = snapshot->kept;
	snapshot->kept = kept;
}

static void keep_rows(struct maplog_snapshot *snapshot, uint64_t from,
		      uint64_t to)
{
	struct maplog *log = snapshot->log;
	uint64_t end = log->head.page->next;
	struct row row;
	uint64_t bound;

	while (from < to && table_find(&log->table, from, &row, &bound)) {
		uint64_t row_end = bound < end ? bound : end;

		keep_row(snapshot, &row, row_end);
		if (row_end <= from)
			break;
		from = row_end;
	}
}

static void keep_for(struct maplog_snapshot *snapshot, uint64_t from,
		     uint64_t to)
{
	uint64_t first = snapshot->live_first;
	uint64_t end = snapshot->live_end;

	assert(from <= to);
	assert(first <= end);

	keep_rows(snapshot, from > first ? from : first, to < end ? to : end);
	/* What goes is the end or the beginning of the log. */
	if (from > first && from < end)
		end = from;
	else if (from <= first && to > first)
		first = to < end ? to : end;
	assert(first <= end);
	store(snapshot->live_end, end);
	store(snapshot->live_first, first);
}

void snapshot_keep(struct maplog *log, uint64_t from, uint64_t to)
{
	struct maplog_snapshot *snapshot;

	for (snapshot = log->snapshots; snapshot; snapshot = snapshot->next)
		keep_for(snapshot, from, to);
}

void snapshot_expire(struct maplog *log)
{
	uint64_t generation = log->head.page->generation;
	struct maplog_snapshot *snapshot;

	pthread_mutex_lock(&log->segments);
	for (snapshot = log->snapshots; snapshot; snapshot = snapshot->next) {
		if (snapshot->generation != generation)
			store(snapshot->live_end, snapshot->live_first);
	}
	pthread_mutex_unlock(&log->segments);
}

static int check_range(struct maplog *log, uint64_t first, uint64_t next)
{
	const struct maplog_head *page = log_page(log);

	if (next > head_load(&page->next) || first > next)
		return -ENODATA;
	return first < head_load(&page->first) ? -ENOENT : 0;
}

int maplog_snapshot_take(struct maplog *log, uint64_t first, uint64_t next,
			 struct maplog_snapshot **snapshot)
{
	struct maplog_snapshot *taken = calloc(1, sizeof(*taken));
	int ret;

	if (!taken)
		return -ENOMEM;
	*taken = (struct maplog_snapshot){
		.log = log,
		.first = first,
		.end = next,
		.live_first = first,
		.live_end = next,
	};
	pthread_mutex_lock(&log->segments);
	taken->generation = head_load(&log_page(log)->generation);
	ret = check_range(log, first, next);
	if (!ret) {
		taken->next = log->snapshots;
		taken->link = &log->snapshots;
		if (taken->next)
			taken->next->link = &taken->next;
		log->snapshots = taken;
	}
	pthread_mutex_unlock(&log->segments);
	if (ret)
		free(taken);
	else
		*snapshot = taken;
	return ret;
}

void maplog_snapshot_release(struct maplog_snapshot *snapshot)
{
	struct kept *kept;

	if (!snapshot)
		return;
	pthread_mutex_lock(&snapshot->log->segments);
	assert(*snapshot->link == snapshot);
	*snapshot->link = snapshot->next;
	if (snapshot->next)
		snapshot->next->link = snapshot->link;
	pthread_mutex_unlock(&snapshot->log->segments);
	while ((kept = snapshot->kept)) {
		snapshot->kept = kept->next;
		free_kept(snapshot->log, kept);
	}
	free(snapshot);
}

static bool is_live(const struct maplog_snapshot *snapshot, uint64_t index,
		    uint64_t count)
{
	return load(snapshot->live_first) <= index &&
	       index + count <= load(snapshot->live_end);
}

/* Another process truncated: what is at the index may be a new entry. */
static bool is_stale(const struct maplog_snapshot *snapshot)
{
	const struct maplog *log = snapshot->log;

	return !log_is_writer(log) &&
	       head_load(&log_page(log)->generation) != snapshot->generation;
}

static int view_live(struct maplog_snapshot *snapshot, uint64_t index,
		     uint32_t max, struct maplog_view *view)
{
	uint64_t end = load(snapshot->live_end);
	int ret;

	/* It is not live any more: the caller sees that, too. */
	if (end <= index)
		return -ESTALE;
	ret = maplog_view(snapshot->log, index,
			  end - index < max ? (uint32_t)(end - index) : max,
			  view);
	if (!ret && is_stale(snapshot)) {
		maplog_view_release(view);
		ret = -ESTALE;
	}
	/* Inside of the range these mean that another process took it away. */
	return ret == -ENODATA || ret == -ENOENT ? -ESTALE : ret;
}

static int view_kept(struct maplog_snapshot *snapshot, uint64_t index,
		     uint32_t max, struct maplog_view *view)
{
	struct kept *kept;

	assert(snapshot->first <= index && index < snapshot->end);

	/* The list only grows at its head until the snapshot is released. */
	pthread_mutex_lock(&snapshot->log->segments);
	kept = snapshot->kept;
	pthread_mutex_unlock(&snapshot->log->segments);
	for (; kept; kept = kept->next) {
		const struct place place = {
			.row = { .base = kept->base, .id = kept->id },
			.shift = __atomic_load_n(&snapshot->log->shift,
						 __ATOMIC_RELAXED),
			.next = kept->end < snapshot->end ? kept->end
							  : snapshot->end,
			.fd = kept->fd,
		};

		if (kept->base <= index && index < kept->end)
			return view_at(snapshot->log, &place, index, max, view);
	}
	return -ESTALE;
}

int maplog_snapshot_view(struct maplog_snapshot *snapshot, uint64_t index,
			 uint32_t max, struct maplog_view *view)
{
	if (index >= snapshot->end)
		return -ENODATA;
	if (index < snapshot->first)
		return -ENOENT;
	for (;;) {
		int ret;

		if (!is_live(snapshot, index, 1))
			return view_kept(snapshot, index, max, view);
		ret = view_live(snapshot, index, max, view);
		/* Gone meanwhile? Then it may be another entry by now. */
		if (is_live(snapshot, index, ret ? 1 : view->count))
			return ret;
		if (!ret)
			maplog_view_release(view);
	}
}
