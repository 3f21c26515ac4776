/* SPDX-License-Identifier: MIT */
/* The store of the fuzz targets. */
#include "store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Sizes are those that can be mapped soon, or those that never can. */
#define SIZE_SMALL ((uint64_t)64 << 20)
#define SIZE_LARGE ((uint64_t)1 << 41)

static const char *const names[] = {
	"head",
	"log.ini",
	"00000000000000000000.log",
	"00000000000000000000.idx",
	"00000000000000000003.log",
	"00000000000000000003.idx",
	"00000000000000000006.log",
	"00000000000000000006.idx",
	"00000000000000000003.log.new",
	"00000000000000000003.idx.new",
	"00000000000000000006.torn",
	"18446744073709551615.log",
	"18446744073709551614.idx",
	"00000000000000000003.end",
};

#define NAMES (sizeof(names) / sizeof(*names))

enum order { ORDER_WRITE, ORDER_SIZE, ORDER_NO_FILE, ORDER_MISSING };

static char root[64];
static int root_fd = -1;

const char *store_name(size_t n)
{
	return n < NAMES ? names[n] : NULL;
}

static void leave(void)
{
	store_clear();
	rmdir(root);
}

int store_fd(void)
{
	if (root_fd >= 0)
		return root_fd;
	snprintf(root, sizeof(root), "%s/maplog-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	require(mkdtemp(root));
	root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(root_fd >= 0);
	atexit(leave);
	return root_fd;
}

void store_clear(void)
{
	int fd = openat(store_fd(), LOG, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return;
	dir = fdopendir(fd);
	require(dir);
	while ((entry = readdir(dir))) {
		if (unlinkat(fd, entry->d_name, 0))
			(void)unlinkat(fd, entry->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
	require(!unlinkat(store_fd(), LOG, AT_REMOVEDIR));
}

void *exact(const void *data, size_t size)
{
	void *copy = malloc(size);

	require(copy || !size);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

/* What is left of an input. */
struct input {
	const uint8_t *at;
	size_t left;
};

static bool take(struct input *input, void *to, size_t n)
{
	if (input->left < n)
		return false;
	memcpy(to, input->at, n);
	input->at += n;
	input->left -= n;
	return true;
}

static bool write_order(struct input *input, int fd)
{
	uint32_t offset;
	uint16_t length;

	if (!take(input, &offset, 4) || !take(input, &length, 2))
		return false;
	if (length > input->left)
		length = (uint16_t)input->left;
	(void)!pwrite(fd, input->at, length, (off_t)(offset % SIZE_SMALL));
	input->at += length;
	input->left -= length;
	return true;
}

static bool size_order(struct input *input, int fd)
{
	uint64_t size;

	if (!take(input, &size, 8))
		return false;
	if (size < SIZE_LARGE)
		size %= SIZE_SMALL;
	(void)!ftruncate(fd, (off_t)(size & INT64_MAX));
	return true;
}

static bool no_file_order(struct input *input, int dirfd, const char *name)
{
	uint8_t kind;

	if (!take(input, &kind, 1))
		return false;
	(void)unlinkat(dirfd, name, 0);
	if (kind % 3 == 0)
		(void)mkfifoat(dirfd, name, 0600);
	else if (kind % 3 == 1)
		(void)!symlinkat("log.ini", dirfd, name);
	else
		(void)mkdirat(dirfd, name, 0700);
	return true;
}

static bool obey(struct input *input, int dirfd, uint8_t order)
{
	const char *name = names[(order & 15) % NAMES];
	enum order kind = order >> 4 & 3;
	bool more = true;
	int fd;

	if (kind == ORDER_NO_FILE)
		return no_file_order(input, dirfd, name);
	if (kind == ORDER_MISSING) {
		(void)unlinkat(dirfd, name, 0);
		return true;
	}
	fd = openat(dirfd, name,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return true;
	more = kind == ORDER_WRITE ? write_order(input, fd)
				   : size_order(input, fd);
	close(fd);
	return more;
}

void store_unpack(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	uint8_t order;
	int dirfd;

	store_clear();
	require(!mkdirat(store_fd(), LOG, 0700));
	dirfd = openat(store_fd(), LOG, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(dirfd >= 0);
	while (take(&input, &order, 1) && obey(&input, dirfd, order))
		;
	close(dirfd);
}

static struct maplog *small_log;

static void make_log(void)
{
	struct maplog_options options;

	(void)maplog_close(small_log);
	store_clear();
	maplog_options_init(&options);
	options.segment_size = (uint64_t)1 << 20;
	options.max_entry = 4096;
	options.sync = MAPLOG_SYNC_MANUAL;
	require(!maplog_create(store_fd(), LOG, 0700, &options));
	require(!maplog_open(store_fd(), LOG, MAPLOG_WRITE, &small_log));
}

/* What `set` has changed would make the next input another one. */
static bool is_changed(struct maplog *log)
{
	struct maplog_options options;

	maplog_options(log, &options);
	return options.segment_size != (uint64_t)1 << 20 ||
	       options.max_entry != 4096 ||
	       options.sync != MAPLOG_SYNC_MANUAL || options.retain_bytes ||
	       options.retain_age;
}

struct maplog *store_log(void)
{
	struct maplog_counters now;

	if (small_log) {
		maplog_counters(small_log, &now);
		if (now.first || is_changed(small_log) ||
		    (now.next && maplog_truncate(small_log, 0)))
			make_log();
	} else {
		make_log();
	}
	return small_log;
}
