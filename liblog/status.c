/* SPDX-License-Identifier: MIT */
/* Looking at a log: counters, segments, status. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "dir.h"
#include "follow.h"
#include "io.h"
#include "lock.h"
#include "private.h"
#include "record.h"
#include "roll.h"

void maplog_counters(struct maplog *log, struct maplog_counters *counters)
{
	const struct maplog_head *page;
	uint64_t generation;

	/* Of one generation: a truncation between two loads would make a log
	 * that never was. The others only grow meanwhile: next comes last. */
	do {
		page = log_page(log);
		generation = head_load(&page->generation);
		counters->first = head_load(&page->first);
		counters->durable = head_load(&page->durable);
		counters->next = head_load(&page->next);
		counters->generation = head_load(&page->generation);
	} while (counters->generation != generation);
	if (counters->durable > counters->next)
		counters->durable = counters->next;
}

/* Size and time of a segment, from the record of its last entry. */
static int read_last(struct maplog *log, struct maplog_segment *segment)
{
	struct maplog_record record;
	char name[DIR_NAME_SIZE];
	uint64_t size;
	int ret;
	int fd;

	dir_name(name, segment->base, DIR_INDEX);
	ret = io_open(log->dirfd, name, O_RDONLY, 0, &fd, &size);
	if (ret)
		return ret;
	segment->exact[MAPLOG_INDEX] =
		size == segment->entries * sizeof(record);
	if (segment->entries > size / sizeof(record))
		ret = -EUCLEAN;
	else if (segment->entries)
		ret = io_read(fd, &record, sizeof(record),
			      (segment->entries - 1) * sizeof(record));
	close(fd);
	if (ret)
		return ret == -ENODATA ? -EUCLEAN : ret;
	if (segment->entries) {
		segment->bytes = record.end;
		segment->time = record_time(&record);
	}
	return 0;
}

static int read_size(struct maplog *log, struct maplog_segment *segment)
{
	char name[DIR_NAME_SIZE];
	uint64_t size;
	int ret;
	int fd;

	dir_name(name, segment->base, DIR_LOG);
	ret = io_open(log->dirfd, name, O_RDONLY, 0, &fd, &size);
	if (ret)
		return ret;
	close(fd);
	segment->exact[MAPLOG_DATA] = size == segment->bytes;
	return segment->bytes <= size ? 0 : -EUCLEAN;
}

/* The active one is mapped already; one that was not sealed has an .idx that
 * cannot be trusted. */
static int read_active(struct maplog *log, struct maplog_segment *segment)
{
	struct maplog_view view;
	int ret;

	if (!segment->entries)
		return 0;
	ret = maplog_view(log, segment->base + segment->entries - 1, 1, &view);
	if (ret)
		return ret;
	segment->bytes = view.offset + view.bytes;
	segment->time = record_time(view.records);
	maplog_view_release(&view);
	return 0;
}

static int look_at_files(struct maplog *log, struct maplog_segment *segment,
			 bool copy)
{
	int ret;

	if ((segment->active || copy) && !read_active(log, segment))
		return 0;
	ret = read_last(log, segment);
	if (!ret)
		ret = read_size(log, segment);
	return ret == -ENOENT ? -EUCLEAN : ret;
}

static int keep_up(struct maplog *log)
{
	return follow_is_behind(log) ? follow_refresh(log) : 0;
}

/* The one that holds an entry; else the first, or the last. */
static bool find_row(struct maplog *log, uint64_t index, struct row *row,
		     uint64_t *bound)
{
	return table_find(&log->table, index, row, bound) ||
	       table_after(&log->table, index, row, bound);
}

/* Its files go without the table changing, if another process trims. */
static bool is_trimmed(const struct maplog *log, uint64_t bound)
{
	return bound <= head_load(&log_page(log)->first);
}

int maplog_segment(struct maplog *log, uint64_t index,
		   struct maplog_segment *segment)
{
	uint64_t version;
	uint64_t bound;
	int ret;

	do {
		uint64_t first;
		uint64_t next;
		uint64_t end;
		struct row row;

		ret = keep_up(log);
		if (ret)
			return ret;
		version = table_version(&log->table);
		first = head_load(&log_page(log)->first);
		next = head_load(&log_page(log)->next);
		bound = UINT64_MAX;
		if (!find_row(log, index > first ? index : first, &row,
			      &bound)) {
			ret = -ENODATA;
			continue;
		}
		/* A truncation changes next first, then the rows. */
		end = bound < next ? bound : next;
		*segment = (struct maplog_segment){
			.id = row.id,
			.base = row.base,
			.entries = end > row.base ? end - row.base : 0,
			.active = bound > next,
		};
		ret = look_at_files(log, segment, row.copy);
	} while (table_changed(&log->table, version) || follow_is_behind(log) ||
		 is_trimmed(log, bound));
	return ret;
}

static bool is_current(struct maplog *log, const struct maplog_segment *segment)
{
	struct row row;
	uint64_t bound;

	return table_find(&log->table, segment->base, &row, &bound) &&
	       row.id == segment->id;
}

int maplog_segment_open(struct maplog *log,
			const struct maplog_segment *segment,
			enum maplog_file file, int *fd)
{
	char name[DIR_NAME_SIZE];
	bool current;
	int opened;
	int ret;

	ret = keep_up(log);
	if (ret)
		return ret;
	dir_name(name, segment->base, roll_name[file]);
	pthread_mutex_lock(&log->segments);
	ret = io_open(log->dirfd, name, O_RDONLY, 0, &opened, NULL);
	current = is_current(log, segment) && !follow_is_behind(log);
	pthread_mutex_unlock(&log->segments);
	if (current && !ret)
		*fd = opened;
	else if (!ret)
		close(opened);
	return current ? ret : -ESTALE;
}

int maplog_head_open(struct maplog *log, int *fd)
{
	return io_open(log->dirfd, HEAD_NAME, O_RDONLY, 0, fd, NULL);
}

int maplog_dirfd(struct maplog *log)
{
	return log->dirfd;
}

static int count_segments(struct maplog *log, struct maplog_status *status)
{
	struct maplog_segment segment = { .active = false };
	uint64_t index = 0;
	int first_error = 0;

	while (!segment.active) {
		int ret;

		segment.id = 0;
		ret = maplog_segment(log, index, &segment);
		if (ret && !first_error && ret != -ENODATA)
			first_error = ret;
		/* Damage in one must not hide the others. */
		if (!segment.id)
			break;
		status->segments++;
		status->bytes += segment.bytes;
		index = segment.base + segment.entries;
	}
	return first_error;
}

int maplog_status(struct maplog *log, struct maplog_status *status)
{
	const struct maplog_head *page = log->head.page;

	memset(status, 0, sizeof(*status));
	maplog_counters(log, &status->counters);
	memcpy(status->uuid, page->uuid, sizeof(status->uuid));
	status->created = page->created;
	status->mapped = windows_mapped(&log->windows);
	status->error = log_error(log);
	status->writer = log_is_writer(log);
	status->live = status->writer || lock_is_held(log->dirfd);
	if (status->live)
		status->holder = (pid_t)head_load(&page->pid);
	pthread_mutex_lock(&log->write);
	if (status->writer)
		status->recovery = log->recovery;
	status->recovery.options = log->recovery.options;
	pthread_mutex_unlock(&log->write);
	return count_segments(log, status);
}
