/* SPDX-License-Identifier: MIT */
/* Torn tails: cutting off what a crash left half-written, and keeping it. */
#include "torn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dir.h"
#include "io.h"
#include "scan.h"
#include "trailer.h"

#define RECORD sizeof(struct maplog_record)

/* Names tried: 42.torn, 42.torn.1, 42.torn.2 and so on. */
#define TRIES 1000

/* Where in the .log file the torn records and the torn payload lie. */
struct torn {
	uint64_t records;
	uint64_t records_end;
	uint64_t payload;
	uint64_t payload_end;
};

static void torn_name(char name[DIR_NAME_SIZE], uint64_t index, int n)
{
	char suffix[20] = DIR_TORN;

	assert(n >= 0 && n < TRIES);

	if (n)
		snprintf(suffix, sizeof(suffix), DIR_TORN ".%d", n);
	dir_name(name, index, suffix);
}

static int create(int dirfd, uint64_t index, mode_t mode,
		  char name[DIR_NAME_SIZE], int *fd)
{
	int ret = -EEXIST;

	for (int n = 0; n < TRIES && ret == -EEXIST; n++) {
		torn_name(name, index, n);
		ret = io_open(dirfd, name, O_WRONLY | O_CREAT | O_EXCL, mode,
			      fd, NULL);
	}
	return ret;
}

static int write_parts(int fd, const struct segment *segment,
		       const struct torn *torn)
{
	uint64_t records = torn->records_end - torn->records;
	uint64_t payload = torn->payload_end - torn->payload;
	char line[160];
	int n;
	int ret;

	assert(torn->records <= torn->records_end);
	assert(torn->payload <= torn->payload_end);

	n = snprintf(line, sizeof(line),
		     "maplog torn tail: index %" PRIu64 ", offset %" PRIu64
		     ", then %" PRIu64 " bytes of records, %" PRIu64
		     " bytes of payload\n",
		     segment->trailer.base + segment->count, torn->payload,
		     records, payload);
	assert(n > 0 && (size_t)n < sizeof(line));
	ret = io_write(fd, line, (size_t)n, 0);
	if (!ret)
		ret = io_write(fd, segment->data + torn->records, records,
			       (uint64_t)n);
	if (!ret)
		ret = io_write(fd, segment->data + torn->payload, payload,
			       (uint64_t)n + records);
	return ret ? ret : io_sync(fd);
}

static int keep(int dirfd, mode_t mode, const struct segment *segment,
		const struct torn *torn)
{
	uint64_t index = segment->trailer.base + segment->count;
	char name[DIR_NAME_SIZE];
	int ret;
	int fd;

	ret = create(dirfd, index, mode, name, &fd);
	if (ret)
		return ret;
	ret = write_parts(fd, segment, torn);
	close(fd);
	if (ret) {
		unlinkat(dirfd, name, 0);
		return ret;
	}
	return io_sync_dir(dirfd);
}

/* By pages: large writes would leave large folios in the page cache. */
static int write_zeros(int fd, uint64_t from, uint64_t to)
{
	static const char zeros[4096];

	assert(from <= to);

	while (from < to) {
		uint64_t n = sizeof(zeros) - from % sizeof(zeros);
		int ret;

		if (n > to - from)
			n = to - from;
		ret = io_write(fd, zeros, n, from);
		if (ret)
			return ret;
		from += n;
	}
	return 0;
}

static int find(const struct segment *segment, struct torn *torn)
{
	const struct maplog_trailer *trailer = &segment->trailer;
	int fd = segment->fd[MAPLOG_DATA];
	uint64_t records_limit =
		trailer->payload_size + trailer->records * RECORD;
	int ret;

	torn->payload = segment->used;
	torn->records = trailer->payload_size + segment->count * RECORD;
	ret = scan_extent(fd, segment->data, torn->payload,
			  trailer->payload_size, &torn->payload_end);
	if (!ret)
		ret = scan_extent(fd, segment->data, torn->records,
				  records_limit, &torn->records_end);
	return ret;
}

static int wipe(const struct segment *segment, const struct torn *torn)
{
	int fd = segment->fd[MAPLOG_DATA];
	int ret;

	assert(torn->records_end <= trailer_file_size(&segment->trailer));

	/* Records first: payload without records is nothing. */
	ret = write_zeros(fd, torn->records, torn->records_end);
	if (!ret)
		ret = write_zeros(fd, torn->payload, torn->payload_end);
	return ret;
}

int torn_cut(int dirfd, mode_t mode, struct segment *segment, uint64_t *bytes)
{
	struct torn torn;
	uint64_t size;
	int ret;

	*bytes = 0;
	ret = find(segment, &torn);
	if (ret)
		return ret;
	size = torn.records_end - torn.records + torn.payload_end -
	       torn.payload;
	if (!size)
		return 0;
	ret = keep(dirfd, mode, segment, &torn);
	if (ret && ret != -ENOSPC && ret != -EDQUOT)
		return ret;
	if (!ret)
		*bytes = size;
	return wipe(segment, &torn);
}

/* Whether a .log file has nothing in it, but perhaps a trailer. */
static bool is_blank(int dirfd, const char *name, uint64_t *size)
{
	struct maplog_trailer trailer;
	uint64_t end;
	uint64_t extent;
	bool blank = false;
	void *map;
	int fd;

	*size = 0;
	if (io_open(dirfd, name, O_RDONLY, 0, &fd, size))
		return false;
	end = *size;
	if (!trailer_read(fd, *size, &trailer))
		end -= MAPLOG_TRAILER_SIZE;
	if (!end) {
		blank = true;
	} else if (!io_map(fd, 0, end, false, &map)) {
		blank = !scan_extent(fd, map, 0, end, &extent) && !extent;
		munmap(map, end);
	}
	close(fd);
	return blank;
}

int torn_set_aside(int dirfd, uint64_t base, uint64_t *bytes)
{
	char name[DIR_NAME_SIZE];
	char aside[DIR_NAME_SIZE];
	int ret = -EEXIST;

	dir_name(name, base, DIR_LOG);
	if (is_blank(dirfd, name, bytes)) {
		*bytes = 0;
		ret = dir_unlink_segment(dirfd, base);
		return ret ? ret : io_sync_dir(dirfd);
	}
	for (int n = 0; n < TRIES && ret == -EEXIST; n++) {
		torn_name(aside, base, n);
		ret = renameat2(dirfd, name, dirfd, aside, RENAME_NOREPLACE)
			      ? -errno
			      : 0;
	}
	/* It may have no .log. */
	if (!ret || ret == -ENOENT)
		ret = dir_unlink(dirfd, base, DIR_INDEX);
	return ret ? ret : io_sync_dir(dirfd);
}
