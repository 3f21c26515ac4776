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
static void give_up_lost(struct maplog_checkpoint *checkpoint)
{
	if (!(checkpoint->flags & MAPLOG_REPLACING))
		return;
	checkpoint->flags &= ~(uint64_t)MAPLOG_REPLACING;
	checkpoint->durable = checkpoint->truncate_to;
}

static int finish_truncation(struct maplog *log,
			     struct maplog_checkpoint *checkpoint)
{
	enum replacement replacement;
	int ret;

	if (!(checkpoint->flags & MAPLOG_TRUNCATING))
		return 0;
	log->recovery.truncation = true;
	ret = truncate_replacement(log->dirfd, log->head.page, checkpoint,
				   &replacement);
	if (ret)
		return ret;
	if (replacement == REPLACEMENT_NONE)
		give_up_lost(checkpoint);
	ret = confirm(log, checkpoint);
	if (ret)
		return ret;
	return truncate_files(log->dirfd, checkpoint->truncate_to, replacement,
			      log->mode);
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
