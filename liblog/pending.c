/* SPDX-License-Identifier: MIT */
/* Changes that were decided, but perhaps not finished. */
#include "pending.h"

#include <assert.h>

#include "dir.h"
#include "trim.h"
#include "truncate.h"

/* Makes sure of a change before it is finished. A writer that was killed while
 * it wrote this may have left it in the page cache only: a power cut now would
 * leave the change half done, and nothing that says so. */
static int confirm(struct maplog *log, struct maplog_checkpoint *checkpoint)
{
	assert(checkpoint->sequence);

	return head_set_checkpoint(&log->head, checkpoint);
}

/* Where what was to replace the tail is lost the tail goes, and that is all.
 * It has to be known as such before a new segment gets its name. */
static int give_up_lost(int dirfd, struct maplog_checkpoint *checkpoint)
{
	uint64_t index = checkpoint->truncate_to;
	bool is = false;
	int ret;

	if (!(checkpoint->flags & MAPLOG_REPLACING))
		return 0;
	ret = dir_exists(dirfd, index, DIR_LOG_NEW, &is);
	if (!ret && !is)
		ret = dir_is_named(dirfd, index, DIR_LOG, &is);
	if (ret || is)
		return ret;
	checkpoint->flags &= ~(uint64_t)MAPLOG_REPLACING;
	checkpoint->durable = index;
	return 0;
}

static int finish_truncation(struct maplog *log,
			     struct maplog_checkpoint *checkpoint)
{
	int ret;

	if (!(checkpoint->flags & MAPLOG_TRUNCATING))
		return 0;
	log->recovery.truncation = true;
	ret = give_up_lost(log->dirfd, checkpoint);
	if (!ret)
		ret = confirm(log, checkpoint);
	if (ret)
		return ret;
	return truncate_files(log->dirfd, checkpoint->truncate_to,
			      checkpoint->flags & MAPLOG_REPLACING, log->mode);
}

static int finish_trim(struct maplog *log, struct maplog_checkpoint *checkpoint)
{
	bool due = false;
	int ret;

	ret = trim_is_due(log->dirfd, checkpoint->first, &due);
	if (!ret && due)
		ret = confirm(log, checkpoint);
	if (!ret && due)
		ret = trim_files(log->dirfd, checkpoint->first);
	return ret;
}

/* Files that were prepared for a change that did not come about. */
static int remove_prepared(void *arg, const char *name)
{
	const struct maplog *log = arg;
	uint64_t base;

	if (dir_parse(name, DIR_LOG_NEW, &base))
		return dir_unlink(log->dirfd, base, DIR_LOG_NEW);
	if (dir_parse(name, DIR_INDEX_NEW, &base))
		return dir_unlink(log->dirfd, base, DIR_INDEX_NEW);
	return 0;
}

int pending_finish(struct maplog *log)
{
	struct maplog_checkpoint checkpoint;
	int ret;

	assert(!log_is_writer(log) && !log->active);

	head_checkpoint(log->head.page, &checkpoint);
	log->truncate_to = checkpoint.truncate_to;
	ret = finish_truncation(log, &checkpoint);
	if (!ret)
		ret = dir_each(log->dirfd, remove_prepared, log);
	return ret ? ret : finish_trim(log, &checkpoint);
}
