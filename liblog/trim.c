/* SPDX-License-Identifier: MIT */
/* Trimming: the log begins later, and whole segments before that go. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "append.h"
#include "dir.h"
#include "io.h"
#include "roll.h"
#include "snapshot.h"
#include "sync.h"
#include "trim.h"

int trim_files(int dirfd, uint64_t first)
{
	uint64_t *bases;
	size_t count;
	int ret;

	assert(first);

	ret = dir_segments(dirfd, &bases, &count);
	if (ret)
		return ret;
	for (size_t i = 0; !ret && i + 1 < count && bases[i + 1] <= first;
	     i++) {
		/* By its .log it can be told that it is being removed. */
		ret = dir_unlink(dirfd, bases[i], DIR_END);
		if (!ret)
			ret = dir_unlink_segment(dirfd, bases[i]);
	}
	free(bases);
	return ret ? ret : io_sync_dir(dirfd);
}

int trim_is_due(int dirfd, uint64_t first, bool *due)
{
	uint64_t *bases;
	size_t count;
	int ret;

	ret = dir_segments(dirfd, &bases, &count);
	if (ret)
		return ret;
	*due = count > 1 && bases[1] <= first;
	free(bases);
	return 0;
}

/* Takes segments out of the table that hold no entry from @first on. */
static void drop_rows(struct maplog *log, uint64_t first)
{
	struct row row;
	uint64_t bound;

	while (table_after(&log->table, 0, &row, &bound) && bound <= first) {
		table_begin(&log->table);
		table_drop(&log->table, 1);
		table_end(&log->table);
		windows_forget(&log->windows, row.id);
	}
}

static int write_first(struct maplog *log, uint64_t first)
{
	struct maplog_checkpoint change = sync_next_checkpoint(log);

	change.first = first;
	/* An .idx is durable only up to there, unless it is not needed. */
	if (change.durable < first)
		change.durable = first;
	assert(change.first <= change.durable);
	return sync_write_checkpoint(log, &change);
}

static int trim(struct maplog *log, uint64_t first)
{
	struct maplog_head *page = log->head.page;
	int ret;

	assert(log->busy && log->syncing);

	if (first > log->tail)
		return -ENODATA;
	if (first <= page->first)
		return 0;
	/* Where another segment begins, the active one would seem to end. */
	ret = roll_clean(log);
	if (!ret)
		ret = sync_everything(log);
	if (!ret)
		ret = write_first(log, first);
	if (ret)
		return ret;
	pthread_mutex_lock(&log->segments);
	snapshot_keep(log, 0, first);
	head_store(&page->first, first);
	drop_rows(log, first);
	pthread_mutex_unlock(&log->segments);
	/* It is trimmed: space that does not come back now does when the log
	 * is opened again. */
	(void)trim_files(log->dirfd, first);
	return 0;
}

int maplog_trim(struct maplog *log, uint64_t index)
{
	int ret;

	ret = append_enter(log);
	if (ret)
		return ret;
	ret = trim(log, index);
	append_leave(log);
	return ret;
}
