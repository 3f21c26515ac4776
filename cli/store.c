/* SPDX-License-Identifier: MIT */
/* Stores, and the logs in them, by path. */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "error.h"
#include "explain.h"
#include "holder.h"
#include "mounted.h"

void store_clean_path(char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		path[--n] = 0;
}

char *store_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *parent;

	if (!slash)
		parent = strdup(".");
	else
		parent = strndup(path,
				 slash == path ? 1 : (size_t)(slash - path));
	if (!parent)
		error_no_memory();
	return parent;
}

char *store_join(const char *store, const char *name)
{
	const char *slash = store[strlen(store) - 1] == '/' ? "" : "/";
	char *path;

	if (asprintf(&path, "%s%s%s", store, slash, name) < 0)
		error_no_memory();
	return path;
}

/* The size of a file in a directory; -1 if there is no such regular file. */
static off_t size_of(const char *directory, const char *name)
{
	char *path = store_join(directory, name);
	struct stat st;
	bool found = !lstat(path, &st) && S_ISREG(st.st_mode);

	free(path);
	return found ? st.st_size : -1;
}

bool store_is_log(const char *path)
{
	/* Without the first, it is a log that has lost it. */
	return size_of(path, "head") == MAPLOG_HEAD_SIZE ||
	       size_of(path, "log.ini") >= 0;
}

static bool is_on_fuse(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == FUSE_SUPER_MAGIC;
}

/* A file that is only there. */
static bool is_mountpoint(const char *path)
{
	return size_of(path, ".maplog/status") >= 0;
}

/* Where there is no such directory, it is its name that has a parent. */
static char *above(const char *path)
{
	struct stat st;

	return stat(path, &st) || !S_ISDIR(st.st_mode) ? store_parent(path)
						       : store_join(path, "..");
}

char *store_mount(const char *path)
{
	char *at = strdup(path);

	if (!at)
		error_no_memory();
	/* A log of the mount is one below, its segments are two or three. */
	for (int up = 0; at && up < 4; up++) {
		char *parent;

		if (is_mountpoint(at) && (up < 2 || is_on_fuse(at)))
			return at;
		parent = above(at);
		free(at);
		at = parent;
	}
	free(at);
	return NULL;
}

bool store_is_mount(const char *path)
{
	char *root = store_mount(path);

	free(root);
	return root;
}

bool store_head(const char *path, struct maplog_head *head)
{
	char *name = store_join(path, "head");
	int fd = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	bool whole;

	free(name);
	if (fd < 0)
		return false;
	whole = pread(fd, head, sizeof(*head), 0) == sizeof(*head);
	close(fd);
	return whole;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_name(char ***names, size_t *count, const char *name)
{
	char **grown = reallocarray(*names, *count + 1, sizeof(*grown));

	if (!grown)
		error_no_memory();
	*names = grown;
	grown[*count] = strdup(name);
	if (!grown[(*count)++])
		error_no_memory();
}

static void add_if_log(const char *store, const char *name, char ***names,
		       size_t *count)
{
	char *path;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return;
	path = store_join(store, name);
	if (store_is_log(path))
		add_name(names, count, name);
	free(path);
}

int store_logs(const char *store, char ***names, size_t *count)
{
	DIR *dir = opendir(store);
	struct dirent *entry;
	int ret;

	if (!dir)
		return -errno;
	*names = NULL;
	*count = 0;
	while (errno = 0, (entry = readdir(dir)))
		add_if_log(store, entry->d_name, names, count);
	ret = -errno;
	closedir(dir);
	if (ret)
		store_free(*names, *count);
	else if (*count)
		qsort(*names, *count, sizeof(**names), by_name);
	return ret;
}

void store_free(char **names, size_t count)
{
	while (count)
		free(names[--count]);
	free(names);
}

/* What a crash has left is to be seen by who opens the log first. */
static void tell_recovery(const char *path, struct maplog *log)
{
	struct maplog_status status;

	(void)maplog_status(log, &status);
	if (status.recovery.head)
		error_print("%s: its damaged head was rebuilt", path);
	if (status.recovery.options)
		error_print("%s: its log.ini is damaged: all options are at "
			    "their defaults",
			    path);
	if (status.recovery.truncation)
		error_print("%s: a truncation that a crash had interrupted "
			    "was finished",
			    path);
	if (status.recovery.torn_bytes)
		error_print("%s: a torn tail was cut off at entry %" PRIu64
			    ": its %" PRIu64 " bytes are kept in a .torn file",
			    path, status.recovery.torn_index,
			    status.recovery.torn_bytes);
	if (status.recovery.damaged)
		error_print("%s: %" PRIu64 " entries are damaged: see "
			    "'maplog verify %s'",
			    path, status.recovery.damaged, path);
}

/* Whether the last writer left nothing to be recovered: to ask the library
 * afterwards would have it look at every segment. */
static bool is_in_order(const char *path)
{
	struct maplog_head head;

	return store_head(path, &head) && head.state == MAPLOG_CLOSED &&
	       head.crc == maplog_crc32c(0, &head,
					 offsetof(struct maplog_head, crc));
}

/* In a mount, what is behind it can be read as well. */
static struct maplog *open_mounted(const char *path, enum maplog_mode mode)
{
	char *behind = mode == MAPLOG_READ ? mounted_store(path) : NULL;
	struct maplog *log = NULL;
	struct stat st;
	int ret = 0;

	if (behind)
		ret = maplog_open(AT_FDCWD, behind, mode, &log);
	if (ret)
		explain_open(behind, mode, ret);
	if (!behind && stat(path, &st) && errno == ENOENT)
		error_print("%s: there is no such log in the mount", path);
	else if (!behind)
		error_print("%s: is in a mount of maplogfs, whose store is not "
			    "to be found here: use the files that are there "
			    "(control, append, follow ...), or give the path "
			    "of the store",
			    path);
	free(behind);
	return ret ? NULL : log;
}

struct maplog *store_open(const char *path, enum maplog_mode mode)
{
	struct maplog *log;
	uint64_t since = 0;
	bool recovers;
	int ret;

	if (store_is_mount(path))
		return open_mounted(path, mode);
	do {
		recovers = mode == MAPLOG_WRITE && !is_in_order(path);
		ret = maplog_open(AT_FDCWD, path, mode, &log);
	} while (ret == -EBUSY && holder_wait(path, &since));
	if (ret) {
		explain_open(path, mode, ret);
		return NULL;
	}
	if (recovers)
		tell_recovery(path, log);
	return log;
}
