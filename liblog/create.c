/* SPDX-License-Identifier: MIT */
/* Making and removing logs. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "append.h"
#include "dir.h"
#include "head.h"
#include "io.h"
#include "lock.h"
#include "log.h"
#include "options.h"
#include "sync.h"

static int fill(int dirfd, const struct maplog_options *options)
{
	struct maplog_options defaults;
	struct stat st;
	mode_t mode;
	int ret;

	if (fstat(dirfd, &st))
		return -errno;
	mode = st.st_mode & 0666;
	maplog_options_init(&defaults);
	ret = options_store(dirfd, options ? options : &defaults, mode);
	/* The head last: with it the directory is a log. */
	return ret ? ret : head_write_new(dirfd, mode);
}

static int remove_file(void *arg, const char *name)
{
	const int *dirfd = arg;

	return unlinkat(*dirfd, name, 0) ? -errno : 0;
}

int maplog_create(int dirfd, const char *name, mode_t mode,
		  const struct maplog_options *options)
{
	int parent;
	int ret;
	int fd;

	if (mkdirat(dirfd, name, mode))
		return -errno;
	ret = io_open_dir(dirfd, name, &fd);
	if (ret)
		goto remove_dir;
	ret = fill(fd, options);
	if (!ret)
		ret = io_open_dir(fd, "..", &parent);
	if (!ret) {
		ret = io_sync_dir(parent);
		close(parent);
	}
	if (ret)
		(void)dir_each(fd, remove_file, &fd);
	close(fd);
	if (ret)
		goto remove_dir;
	return 0;

remove_dir:
	unlinkat(dirfd, name, AT_REMOVEDIR);
	return ret;
}

/* What the making of a log writes before it is one. */
static bool is_beginning(const char *name)
{
	return !strcmp(name, OPTIONS_NAME) ||
	       !strcmp(name, OPTIONS_NAME ".new") ||
	       !strcmp(name, HEAD_NAME ".new");
}

static bool is_ours(const char *name)
{
	uint64_t base;

	return !strcmp(name, HEAD_NAME) || is_beginning(name) ||
	       dir_parse(name, DIR_LOG, &base) ||
	       dir_parse(name, DIR_INDEX, &base) ||
	       dir_parse(name, DIR_END, &base) ||
	       dir_parse(name, DIR_LOG_NEW, &base) ||
	       dir_parse(name, DIR_INDEX_NEW, &base) || dir_is_reader(name);
}

static int check_ours(void *arg, const char *name)
{
	(void)arg;
	/* A .torn file is somebody's evidence. */
	return is_ours(name) ? 0 : -ENOTEMPTY;
}

static int check_beginning(void *arg, const char *name)
{
	(void)arg;
	return is_beginning(name) ? 0 : -ENOENT;
}

static int check_empty(struct maplog *log)
{
	struct maplog_counters counters;

	assert(log_is_writer(log));

	maplog_counters(log, &counters);
	if (counters.first != counters.next)
		return -ENOTEMPTY;
	return dir_each(maplog_dirfd(log), check_ours, NULL);
}

/* Removes what makes no log by itself. */
static int remove_contents(void *arg, const char *name)
{
	if (!strcmp(name, HEAD_NAME) || is_beginning(name))
		return 0;
	return remove_file(arg, name);
}

/* The head after all that it tells of: without it, entries that were trimmed
 * would be entries again. What is there at any moment can be removed. */
static int remove_all(int fd)
{
	int ret;

	ret = dir_each(fd, remove_contents, &fd);
	if (!ret)
		ret = io_sync_dir(fd);
	return ret ? ret : dir_each(fd, remove_file, &fd);
}

/* Removes a directory with all its files. */
static int remove_files(int dirfd, const char *name, int fd)
{
	int parent;
	int ret;

	ret = io_open_dir(fd, "..", &parent);
	if (ret)
		return ret;
	ret = remove_all(fd);
	if (!ret && unlinkat(dirfd, name, AT_REMOVEDIR))
		ret = -errno;
	if (!ret)
		ret = io_sync_dir(parent);
	close(parent);
	return ret;
}

/* Whether a name is that of an open directory. */
static bool is_named(int dirfd, const char *name, int fd)
{
	struct stat named;
	struct stat opened;

	return !fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) &&
	       !fstat(fd, &opened) && named.st_ino == opened.st_ino &&
	       named.st_dev == opened.st_dev;
}

int maplog_delete(struct maplog *log, int dirfd, const char *name)
{
	int ret;

	ret = append_enter(log);
	if (ret)
		return ret;
	ret = is_named(dirfd, name, log->dirfd) ? check_empty(log) : -ENOENT;
	if (!ret) {
		ret = remove_files(dirfd, name, log->dirfd);
		/* Even half of it is too much to go on with. */
		sync_failed(log, ret ? ret : -ESTALE);
	}
	append_leave(log);
	return ret;
}

/* What a crash has left of a log that was being made, or removed. */
static int remove_beginning(int dirfd, const char *name)
{
	int ret;
	int fd;

	ret = io_open_dir(dirfd, name, &fd);
	if (ret)
		return ret;
	ret = lock_take(fd);
	if (!ret)
		ret = dir_each(fd, check_beginning, NULL);
	if (!ret)
		ret = remove_files(dirfd, name, fd);
	close(fd);
	return ret;
}

int maplog_remove(int dirfd, const char *name)
{
	struct maplog *log;
	int ret;

	/* As its writer: then nobody appends meanwhile. */
	ret = maplog_open(dirfd, name, MAPLOG_WRITE, &log);
	if (ret == -ENOENT)
		return remove_beginning(dirfd, name);
	if (ret)
		return ret;
	ret = maplog_delete(log, dirfd, name);
	(void)maplog_close(log);
	return ret;
}
