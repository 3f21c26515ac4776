/* SPDX-License-Identifier: MIT */
/* Why something could not be done with a log, and what can be done then. */
#include "explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "holder.h"
#include "store.h"

int explain_index(const char *path, const struct maplog_counters *counters,
		  uint64_t index, int ret)
{
	return error_print("%s: entry %" PRIu64 " %s: it holds first=%" PRIu64
			   " next=%" PRIu64,
			   path, index,
			   ret == -ENOENT ? "was trimmed" : "is not there",
			   counters->first, counters->next);
}

int explain_store(const char *store, int ret)
{
	if (ret == -ENOENT || ret == -ENOTDIR)
		return error_print("%s: there is no such store, and no such "
				   "log",
				   store);
	return error_system(store, ret);
}

static int busy(const char *path)
{
	const char *advice = "wait until it has ended, or stop it";
	struct holder holder;

	holder_find(path, &holder);
	if (!holder.pid)
		return error_print("%s: is being written by another process: "
				   "wait until it has ended, and try again",
				   path);
	if (!*holder.name)
		return error_print("%s: is being written by process %d: %s",
				   path, (int)holder.pid, advice);
	if (holder.serves)
		advice = "write through its mount instead, or stop it";
	return error_print("%s: is being written by process %d (%s): %s", path,
			   (int)holder.pid, holder.name, advice);
}

static bool holds_logs(const char *path)
{
	char **names;
	size_t count;

	if (store_logs(path, &names, &count))
		return false;
	store_free(names, count);
	return count;
}

static int damaged(const char *path, enum maplog_mode mode)
{
	if (mode == MAPLOG_WRITE)
		return error_print("%s: its files are damaged beyond what may "
				   "be decided without a person: keep a copy "
				   "of them",
				   path);
	return error_print(
		"%s: its file head is damaged or missing: 'maplog sync %s' "
		"opens it for writing, and rebuilds it if that can "
		"be done",
		path, path);
}

static int no_log(const char *path, enum maplog_mode mode)
{
	struct stat st;

	if (stat(path, &st))
		return error_print("%s: there is no such log: 'maplog ls' "
				   "lists the logs of a store, 'maplog create "
				   "%s' makes this one",
				   path, path);
	if (store_is_log(path))
		return damaged(path, mode);
	if (holds_logs(path))
		return error_print("%s: is a store, not a log: 'maplog ls %s' "
				   "lists its logs",
				   path, path);
	return error_print("%s: is a directory but no log: it has no file head",
			   path);
}

static int not_a_directory(const char *path)
{
	struct stat st;

	if (!lstat(path, &st) && S_ISLNK(st.st_mode))
		return error_print("%s: is a symbolic link: give the path that "
				   "it points to",
				   path);
	return error_print("%s: is not a log: a log is a directory in a store",
			   path);
}

static int other_version(const char *path)
{
	struct maplog_head head;

	if (!store_head(path, &head))
		return error_print("%s: is of another version of the format",
				   path);
	if (head.version == __builtin_bswap32(MAPLOG_FORMAT_VERSION))
		return error_print("%s: was written on a machine of the other "
				   "byte order: there it can be read",
				   path);
	return error_print("%s: is of version %" PRIu32 " of the format, this "
			   "maplog knows version %d: use the one that made it",
			   path, head.version, MAPLOG_FORMAT_VERSION);
}

/* For as long as the library waits, its writer truncated. */
static int in_motion(const char *path)
{
	return error_print("%s: its writer is in the middle of a truncation: "
			   "try again",
			   path);
}

int explain_open(const char *path, enum maplog_mode mode, int ret)
{
	switch (-ret) {
	case EBUSY:
		return busy(path);
	case ENOENT:
		return no_log(path, mode);
	case ENOTDIR:
	case ELOOP:
		return not_a_directory(path);
	case ENOTSUP:
		return other_version(path);
	case EUCLEAN:
		return damaged(path, mode);
	case EAGAIN:
		return in_motion(path);
	default:
		return error_system(path, ret);
	}
}

static int read_only(const char *path, struct maplog *log)
{
	struct maplog_status status;

	(void)maplog_status(log, &status);
	if (!status.error)
		return error_system(path, -EROFS);
	return error_print("%s: a sync has failed (%s): what was not yet "
			   "durable may be lost, look at the disk before you "
			   "go on",
			   path, strerror(-status.error));
}

int explain_change(const char *path, struct maplog *log, int ret)
{
	return ret == -EIO || ret == -EROFS ? read_only(path, log)
					    : error_system(path, ret);
}

int explain_close(const char *path, int ret)
{
	return error_print("%s: what was appended last may not be durable: %s",
			   path, strerror(-ret));
}
