/* SPDX-License-Identifier: MIT */
/* The directory of a log: names of files, and which segments there are. */
#include "dir.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "reader.h"

#define DIGITS 20

/* Names that are tried for what is set aside. */
#define TRIES 1000

struct bases {
	uint64_t *base;
	size_t count;
	size_t room;
};

void dir_name(char name[DIR_NAME_SIZE], uint64_t base, const char *suffix)
{
	int n = snprintf(name, DIR_NAME_SIZE, "%020" PRIu64 ".%s", base,
			 suffix);

	assert(n > DIGITS && n < DIR_NAME_SIZE);
	(void)n;
}

bool dir_parse(const char *name, const char *suffix, uint64_t *base)
{
	uint64_t value = 0;

	for (int i = 0; i < DIGITS; i++) {
		uint64_t digit = (uint64_t)(name[i] - '0');

		if (name[i] < '0' || name[i] > '9')
			return false;
		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (name[DIGITS] != '.' || strcmp(name + DIGITS + 1, suffix) != 0)
		return false;
	*base = value;
	return true;
}

int dir_each(int dirfd, int (*visit)(void *arg, const char *name), void *arg)
{
	struct dirent *entry;
	int ret = 0;
	DIR *dir;
	int fd;

	/* A descriptor of its own: reading moves the position. */
	ret = io_open_dir(dirfd, ".", &fd);
	if (ret)
		return ret;
	dir = fdopendir(fd);
	if (!dir) {
		ret = -errno;
		close(fd);
		return ret;
	}
	while (!ret) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			ret = -errno;
			break;
		}
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			ret = visit(arg, entry->d_name);
	}
	closedir(dir);
	return ret;
}

static int collect(void *arg, const char *name)
{
	struct bases *bases = arg;
	uint64_t *grown;
	uint64_t base;

	assert(bases->count <= bases->room);

	if ((!dir_parse(name, DIR_LOG, &base) &&
	     !dir_parse(name, DIR_END, &base)) ||
	    base > DIR_BASE_MAX)
		return 0;
	if (bases->count == bases->room) {
		size_t room = bases->room ? bases->room * 2 : 16;

		grown = reallocarray(bases->base, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		bases->base = grown;
		bases->room = room;
	}
	bases->base[bases->count++] = base;
	return 0;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Some are there by two names. */
static size_t drop_twins(uint64_t *base, size_t count)
{
	size_t kept = 0;

	assert(base || !count);

	for (size_t i = 0; i < count; i++) {
		if (!kept || base[kept - 1] != base[i])
			base[kept++] = base[i];
	}
	return kept;
}

int dir_segments(int dirfd, uint64_t **base, size_t *count)
{
	struct bases bases = { NULL, 0, 0 };
	int ret;

	ret = dir_each(dirfd, collect, &bases);
	if (ret) {
		free(bases.base);
		return ret;
	}
	if (bases.count)
		qsort(bases.base, bases.count, sizeof(*bases.base), ascending);
	assert(bases.base || !bases.count);
	*base = bases.base;
	*count = drop_twins(bases.base, bases.count);
	return 0;
}

static int try_open(int dirfd, uint64_t base, const char *suffix)
{
	char name[DIR_NAME_SIZE];
	int ret;
	int fd;

	dir_name(name, base, suffix);
	ret = io_open(dirfd, name, O_RDONLY, 0, &fd, NULL);
	if (!ret)
		close(fd);
	return ret;
}

int dir_exists(int dirfd, uint64_t base, const char *suffix, bool *found)
{
	int ret = try_open(dirfd, base, suffix);

	*found = !ret;
	return io_is_no_file(ret) ? 0 : ret;
}

int dir_is_named(int dirfd, uint64_t base, const char *suffix, bool *is)
{
	int ret = try_open(dirfd, base, suffix);

	*is = ret != -ENOENT;
	return io_is_no_file(ret) ? 0 : ret;
}

static bool is_directory(int dirfd, const char *name)
{
	struct stat st;

	return !fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) &&
	       S_ISDIR(st.st_mode);
}

int dir_make_way(int dirfd, const char *name)
{
	char aside[DIR_NAME_SIZE + 16];
	int ret = -EEXIST;

	if (!is_directory(dirfd, name))
		return 0;
	for (int n = 0; n < TRIES && ret == -EEXIST; n++) {
		snprintf(aside, sizeof(aside), n ? "%s.aside.%d" : "%s.aside",
			 name, n);
		ret = renameat2(dirfd, name, dirfd, aside, RENAME_NOREPLACE)
			      ? -errno
			      : 0;
	}
	return ret;
}

static int unlink_file(int dirfd, uint64_t base, const char *suffix, bool *was)
{
	char name[DIR_NAME_SIZE];

	dir_name(name, base, suffix);
	*was = true;
	if (!unlinkat(dirfd, name, 0))
		return 0;
	*was = errno != ENOENT;
	if (!*was)
		return 0;
	return errno == EISDIR ? dir_make_way(dirfd, name) : -errno;
}

int dir_unlink(int dirfd, uint64_t base, const char *suffix)
{
	bool was;

	return unlink_file(dirfd, base, suffix, &was);
}

int dir_clear(int dirfd, uint64_t base, const char *suffix)
{
	bool was;
	int ret = unlink_file(dirfd, base, suffix, &was);

	return ret || !was ? ret : io_sync_dir(dirfd);
}

int dir_unlink_segment(int dirfd, uint64_t base)
{
	/* The .log last: without it there is no segment. */
	int ret = dir_unlink(dirfd, base, DIR_INDEX);

	if (ret)
		return ret;
	return dir_unlink(dirfd, base, DIR_LOG);
}

int dir_mark_end(int dirfd, uint64_t base, mode_t mode)
{
	char name[DIR_NAME_SIZE];
	int ret;
	int fd;

	dir_name(name, base, DIR_END);
	ret = io_open(dirfd, name, O_WRONLY | O_CREAT | O_EXCL, mode, &fd,
		      NULL);
	if (!ret)
		close(fd);
	return ret == -EEXIST ? 0 : ret;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

bool dir_is_reader_name(const char *name, size_t n)
{
	if (!n || n > MAPLOG_READER_NAME_MAX || !is_letter(*name))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_letter(name[i]) && !strchr("._-", name[i]))
			return false;
	}
	return true;
}

bool dir_is_reader(const char *name)
{
	static const char suffix[] = "." DIR_READER;
	size_t n = strlen(name);

	if (n < sizeof(suffix))
		return false;
	n -= sizeof(suffix) - 1;
	return !strcmp(name + n, suffix) && dir_is_reader_name(name, n);
}
