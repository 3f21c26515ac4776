/* SPDX-License-Identifier: MIT */
/* A suspect: a segment that may not have been sealed, mapped for scanning. */
#include "suspect.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crc.h"
#include "dir.h"
#include "io.h"
#include "log.h"
#include "record.h"
#include "trailer.h"

#define RECORD sizeof(struct maplog_record)

/* More than any file of a store has: a sparse one is not to be mapped. */
#define FILE_MAX ((uint64_t)1 << 40)

static int open_file(int dirfd, uint64_t base, const char *suffix, int *fd,
		     uint64_t *size)
{
	char name[DIR_NAME_SIZE];

	dir_name(name, base, suffix);
	return io_open(dirfd, name, O_RDONLY, 0, fd, size);
}

/* Reads the trailer of an open .log. What cannot be read is not what is not
 * there: by the .idx alone, entries might be missing. */
static int read_trailer(const struct maplog_head *page, uint64_t base, int fd,
			uint64_t size, struct maplog_trailer *trailer,
			bool *has)
{
	int ret = trailer_read(fd, size, trailer);

	*has = !ret && trailer->base == base &&
	       !memcmp(trailer->uuid, page->uuid, sizeof(page->uuid));
	return ret == -ENODATA ? 0 : ret;
}

int suspect_trailer(int dirfd, const struct maplog_head *page, uint64_t base,
		    struct maplog_trailer *trailer, bool *has)
{
	uint64_t size;
	int ret;
	int fd;

	*has = false;
	ret = open_file(dirfd, base, DIR_LOG, &fd, &size);
	if (ret)
		return io_is_no_file(ret) ? 0 : ret;
	ret = read_trailer(page, base, fd, size, trailer, has);
	close(fd);
	return ret;
}

/* None is sealed that has no entries. */
static bool is_uncut(uint64_t index_size, const struct maplog_trailer *trailer)
{
	return index_size < RECORD || index_size >= trailer->records * RECORD;
}

int suspect_is(int dirfd, const struct maplog_head *page, uint64_t base,
	       bool *is)
{
	struct maplog_trailer trailer;
	uint64_t size;
	int ret;
	int fd;

	ret = suspect_trailer(dirfd, page, base, &trailer, is);
	if (ret || !*is)
		return ret;
	/* Who can append can make a payload look like a trailer, but not keep
	 * the .idx of a sealed segment from being cut. */
	ret = open_file(dirfd, base, DIR_INDEX, &fd, &size);
	if (ret)
		return io_is_no_file(ret) ? 0 : ret;
	close(fd);
	*is = is_uncut(size, &trailer);
	return 0;
}

/* Whether the copy agrees with the last record of an .idx that is cut. */
static int agrees(int log, int index, uint64_t index_size,
		  const struct maplog_trailer *trailer, bool *does)
{
	uint64_t at = (index_size / RECORD - 1) * RECORD;
	struct maplog_record copy;
	struct maplog_record last;
	int ret;

	assert(index_size >= RECORD);

	ret = io_read(index, &last, sizeof(last), at);
	if (!ret)
		ret = io_read(log, &copy, sizeof(copy),
			      trailer->payload_size + at);
	*does = !ret && !memcmp(&copy, &last, sizeof(last));
	return ret == -ENODATA ? 0 : ret;
}

/* A power cut may have left the size of a .log that was cut, but not the copy
 * in it. */
static int has_copy(const struct suspect *suspect, int dirfd, uint64_t base,
		    bool *has)
{
	uint64_t size;
	int ret;
	int fd;

	assert(suspect->has_trailer);

	*has = true;
	ret = open_file(dirfd, base, DIR_INDEX, &fd, &size);
	if (ret)
		return io_is_no_file(ret) ? 0 : ret;
	if (!is_uncut(size, &suspect->trailer))
		ret = agrees(suspect->fd[MAPLOG_DATA], fd, size,
			     &suspect->trailer, has);
	close(fd);
	return ret;
}

static int map_file(struct suspect *suspect, int dirfd, uint64_t base,
		    enum maplog_file file)
{
	void *map;
	int ret;

	assert(!suspect->map[file] && suspect->fd[file] < 0);

	ret = open_file(dirfd, base, file == MAPLOG_DATA ? DIR_LOG : DIR_INDEX,
			&suspect->fd[file], &suspect->size[file]);
	if (ret)
		return ret;
	if (!suspect->size[file] || suspect->size[file] > FILE_MAX)
		return -EUCLEAN;
	ret = io_map(suspect->fd[file], 0, suspect->size[file], false, &map);
	if (!ret)
		suspect->map[file] = map;
	return ret;
}

void suspect_close(struct suspect *suspect)
{
	for (int file = 0; file < 2; file++) {
		if (suspect->map[file])
			munmap(suspect->map[file], suspect->size[file]);
		if (suspect->fd[file] >= 0)
			close(suspect->fd[file]);
	}
}

static int map_files(int dirfd, const struct maplog_head *page, uint64_t base,
		     struct suspect *suspect)
{
	const struct maplog_trailer *trailer = &suspect->trailer;
	int ret;

	ret = map_file(suspect, dirfd, base, MAPLOG_DATA);
	if (ret)
		return ret;
	ret = read_trailer(page, base, suspect->fd[MAPLOG_DATA],
			   suspect->size[MAPLOG_DATA], &suspect->trailer,
			   &suspect->has_trailer);
	if (!ret && suspect->has_trailer)
		ret = has_copy(suspect, dirfd, base, &suspect->has_trailer);
	if (ret)
		return ret;
	suspect->source.payload = suspect->map[MAPLOG_DATA];
	if (suspect->has_trailer) {
		suspect->source.payload_size = trailer->payload_size;
		suspect->source.records =
			(const void *)(suspect->map[0] + trailer->payload_size);
		suspect->room = trailer->records;
		return 0;
	}
	ret = map_file(suspect, dirfd, base, MAPLOG_INDEX);
	suspect->source.payload_size = suspect->size[MAPLOG_DATA];
	suspect->source.records = (const void *)suspect->map[MAPLOG_INDEX];
	suspect->room = suspect->size[MAPLOG_INDEX] / RECORD;
	return ret;
}

int suspect_open(int dirfd, const struct maplog_head *page, uint64_t base,
		 struct suspect *suspect)
{
	int ret;

	*suspect = (struct suspect){
		.source = { .seed = crc_seed(page->uuid), .base = base },
		.fd = { -1, -1 },
	};
	ret = map_files(dirfd, page, base, suspect);
	if (ret)
		suspect_close(suspect);
	return io_is_no_file(ret) ? -EUCLEAN : ret;
}

int suspect_scan(const struct suspect *suspect, uint64_t from, uint64_t bound,
		 struct scan *scan)
{
	enum maplog_file file =
		suspect->has_trailer ? MAPLOG_DATA : MAPLOG_INDEX;
	uint64_t start =
		suspect->has_trailer ? suspect->trailer.payload_size : 0;
	uint64_t extent;
	int ret;

	bound = bound < suspect->room ? bound : suspect->room;
	*scan = (struct scan){ .good = from };
	if (from >= bound)
		return 0;
	ret = scan_extent(suspect->fd[file], suspect->map[file],
			  start + from * RECORD, start + bound * RECORD,
			  &extent);
	if (ret)
		return ret;
	assert(extent >= start + from * RECORD);
	return scan_records(&suspect->source, from,
			    (extent - start + RECORD - 1) / RECORD, scan);
}

/* Makes readable the record of an entry and that of the one before it. */
static int reach_record(const struct scan_source *source, uint64_t n)
{
	uint64_t from = n ? n - 1 : 0;

	assert(source->records);

	return io_populate(&source->records[from], (n + 1 - from) * RECORD,
			   false);
}

int suspect_last(const struct suspect *suspect, uint64_t entries,
		 struct maplog_record *last)
{
	const struct scan_source *source = &suspect->source;
	uint64_t n = entries - 1;
	uint32_t start;

	memset(last, 0, sizeof(*last));
	if (!entries)
		return 0;
	if (entries > suspect->room)
		return -EUCLEAN;
	if (reach_record(source, n))
		return -EIO;
	*last = source->records[n];
	start = n ? source->records[n - 1].end : 0;
	if (last->end < start || last->end > source->payload_size)
		return -EUCLEAN;
	if (io_populate(source->payload + start, last->end - start, false))
		return -EIO;
	return record_check(source->seed, source->base + n, last, start,
			    source->payload, source->payload_size)
		       ? 0
		       : -EUCLEAN;
}

int suspect_ends(const struct suspect *suspect, uint64_t entries, bool *does)
{
	struct maplog_record last;
	int ret;

	assert(entries);

	/* That of the last one may say that its batch goes on, where a
	 * truncation has ended it there. */
	do {
		ret = suspect_last(suspect, entries, &last);
	} while (!ret && --entries &&
		 record_joins(&suspect->source.records[entries - 1]));
	*does = !ret;
	return ret == -EUCLEAN ? 0 : ret;
}
