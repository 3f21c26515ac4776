/* SPDX-License-Identifier: MIT */
/* The active segment: its two files, mapped for writing. */
#include "segment.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crc.h"
#include "dir.h"
#include "io.h"
#include "record.h"
#include "trailer.h"

/* Space is reserved in steps that double: small logs stay small. */
#define STEP_MIN ((uint64_t)64 << 10)
#define STEP_MAX ((uint64_t)16 << 20)

static_assert(STEP_MIN % 65536 == 0, "steps are whole pages of any size");

static_assert(STEP_MIN < STEP_MAX, "steps grow");

static uint64_t data_size(const struct segment *segment)
{
	return trailer_file_size(&segment->trailer);
}

static uint64_t index_size(const struct segment *segment)
{
	return segment->trailer.records * sizeof(struct maplog_record);
}

static int map_files(struct segment *segment)
{
	void *at;
	int ret;

	assert(!segment->data && !segment->index);

	ret = io_map(segment->fd[MAPLOG_DATA], 0, data_size(segment), true,
		     &at);
	if (ret)
		return ret;
	segment->data = at;
	segment->copy = (void *)(segment->data + segment->trailer.payload_size);
	ret = io_map(segment->fd[MAPLOG_INDEX], 0, index_size(segment), true,
		     &at);
	if (ret)
		return ret;
	segment->index = at;
	return 0;
}

static struct segment *new_segment(const struct maplog_trailer *trailer)
{
	struct segment *segment = calloc(1, sizeof(*segment));

	assert(trailer->payload_size && trailer->payload_size <= UINT32_MAX);
	assert(trailer->records);

	if (!segment)
		return NULL;
	segment->trailer = *trailer;
	segment->fd[MAPLOG_DATA] = -1;
	segment->fd[MAPLOG_INDEX] = -1;
	return segment;
}

void segment_close(struct segment *segment)
{
	if (!segment)
		return;
	if (segment->data && !segment->window[MAPLOG_DATA])
		munmap(segment->data, data_size(segment));
	if (segment->index && !segment->window[MAPLOG_INDEX])
		munmap(segment->index, index_size(segment));
	for (int file = 0; file < 2; file++) {
		if (segment->fd[file] >= 0)
			close(segment->fd[file]);
	}
	free(segment);
}

static int make_file(int dirfd, uint64_t base, const char *suffix, mode_t mode,
		     uint64_t size, int *fd)
{
	char name[DIR_NAME_SIZE];
	int ret;

	dir_name(name, base, suffix);
	ret = io_open(dirfd, name, O_RDWR | O_CREAT | O_EXCL, mode, fd, NULL);
	if (ret)
		return ret;
	io_disable_cow(*fd);
	ret = io_resize(*fd, size);
	if (ret)
		unlinkat(dirfd, name, 0);
	return ret;
}

static int make_files(int dirfd, struct segment *segment, mode_t mode,
		      const char *const suffix[2])
{
	uint64_t base = segment->trailer.base;
	int ret;

	/* An index without a segment is left over from an unlink: records of
	 * what was truncated, which are true again of a file full of zeros. */
	ret = dir_clear(dirfd, base, suffix[MAPLOG_INDEX]);
	if (ret)
		return ret;
	ret = make_file(dirfd, base, suffix[MAPLOG_DATA], mode,
			data_size(segment), &segment->fd[MAPLOG_DATA]);
	if (ret)
		return ret;
	ret = make_file(dirfd, base, suffix[MAPLOG_INDEX], mode,
			index_size(segment), &segment->fd[MAPLOG_INDEX]);
	if (!ret)
		ret = trailer_write(segment->fd[MAPLOG_DATA],
				    &segment->trailer);
	if (!ret)
		ret = map_files(segment);
	if (ret) {
		dir_unlink(dirfd, base, suffix[MAPLOG_INDEX]);
		dir_unlink(dirfd, base, suffix[MAPLOG_DATA]);
	}
	return ret;
}

int segment_create(int dirfd, const struct maplog_trailer *trailer, mode_t mode,
		   const char *const suffix[2], bool *begun,
		   struct segment **segment)
{
	struct segment *made = new_segment(trailer);
	int ret;

	*begun = false;
	if (!made)
		return -ENOMEM;
	ret = make_files(dirfd, made, mode, suffix);
	*begun = made->fd[MAPLOG_DATA] >= 0;
	if (ret) {
		segment_close(made);
		return ret;
	}
	made->in_place = io_rewrites_in_place(made->fd[MAPLOG_DATA]);
	*segment = made;
	return 0;
}

/* It is derived: what is no file, or not there, is made anew. */
static int open_index(int dirfd, struct segment *segment, mode_t mode,
		      uint64_t *size)
{
	int *fd = &segment->fd[MAPLOG_INDEX];
	char name[DIR_NAME_SIZE];
	int ret;

	dir_name(name, segment->trailer.base, DIR_INDEX);
	ret = io_open(dirfd, name, O_RDWR | O_CREAT, mode, fd, size);
	if (ret != -EUCLEAN && ret != -ELOOP)
		return ret;
	ret = dir_unlink(dirfd, segment->trailer.base, DIR_INDEX);
	if (ret)
		return ret;
	return io_open(dirfd, name, O_RDWR | O_CREAT | O_EXCL, mode, fd, size);
}

static int open_files(int dirfd, struct segment *segment, mode_t mode)
{
	char name[DIR_NAME_SIZE];
	uint64_t size;
	int ret;

	dir_name(name, segment->trailer.base, DIR_LOG);
	ret = io_open(dirfd, name, O_RDWR, 0, &segment->fd[MAPLOG_DATA], &size);
	if (ret)
		return ret;
	if (size != data_size(segment))
		return -EUCLEAN;
	ret = open_index(dirfd, segment, mode, &size);
	if (ret)
		return ret;
	if (size < index_size(segment)) {
		ret = io_resize(segment->fd[MAPLOG_INDEX], index_size(segment));
		if (ret)
			return ret;
	}
	return map_files(segment);
}

int segment_open(int dirfd, const struct maplog_trailer *trailer, mode_t mode,
		 struct segment **segment)
{
	struct segment *opened = new_segment(trailer);
	int ret;

	if (!opened)
		return -ENOMEM;
	ret = open_files(dirfd, opened, mode);
	if (ret) {
		segment_close(opened);
		return ret;
	}
	opened->in_place = io_rewrites_in_place(opened->fd[MAPLOG_DATA]);
	*segment = opened;
	return 0;
}

/* Advice is about whole pages. */
static void advise_from(uint8_t *map, uint64_t from, uint64_t size)
{
	uint64_t page = io_page();

	from = (from + page - 1) & ~(page - 1);
	if (from < size)
		io_advise(map + from, size - from, MADV_RANDOM);
}

void segment_begin(struct segment *segment)
{
	uint64_t records = segment->count * sizeof(struct maplog_record);

	advise_from(segment->data, segment->used,
		    segment->trailer.payload_size);
	advise_from((uint8_t *)segment->copy, records, index_size(segment));
	advise_from((uint8_t *)segment->index, records, index_size(segment));
}

bool segment_fits(const struct segment *segment, uint64_t bytes, uint64_t n)
{
	assert(segment->used <= segment->trailer.payload_size);
	assert(segment->count <= segment->trailer.records);

	return bytes <= segment->trailer.payload_size - segment->used &&
	       n <= segment->trailer.records - segment->count;
}

static uint64_t region_size(const struct segment *segment, enum region region)
{
	return region == REGION_PAYLOAD ? segment->trailer.payload_size
					: index_size(segment);
}

int segment_region_fd(const struct segment *segment, enum region region)
{
	return segment->fd[region == REGION_INDEX ? MAPLOG_INDEX : MAPLOG_DATA];
}

uint64_t segment_region_start(const struct segment *segment, enum region region)
{
	return region == REGION_COPY ? segment->trailer.payload_size : 0;
}

static uint64_t next_step(const struct segment *segment, enum region region)
{
	uint64_t have = segment->allocated[region];
	uint64_t size = region_size(segment, region);
	uint64_t step = have;

	step = step < STEP_MIN ? STEP_MIN : step;
	step = step > STEP_MAX ? STEP_MAX : step;
	return step < size - have ? have + step : size;
}

static int extend_to(struct segment *segment, enum region region, uint64_t to)
{
	uint64_t start = segment_region_start(segment, region);
	uint64_t have = segment->allocated[region];
	int ret;

	assert(have < to && to <= region_size(segment, region));

	ret = io_allocate(segment_region_fd(segment, region), start + have,
			  to - have);
	if (!ret)
		segment->allocated[region] = to;
	return ret;
}

static int extend(struct segment *segment, enum region region, uint64_t need)
{
	uint64_t size = region_size(segment, region);
	uint64_t page = io_page();
	uint64_t want = next_step(segment, region);
	int ret;

	need = (need + page - 1) & ~(page - 1);
	need = need > size ? size : need;
	want = need > want ? need : want;

	ret = extend_to(segment, region, want);
	/* A nearly full disk may still have what is needed now. */
	if ((ret == -ENOSPC || ret == -EDQUOT) && need < want)
		ret = extend_to(segment, region, need);
	return ret;
}

/* Where stores may need new disk space, take it now, while it is an error and
 * not a signal. */
static int preflight(struct segment *segment, uint64_t bytes, uint64_t n)
{
	const size_t records = n * sizeof(struct maplog_record);
	int ret;

	assert(!segment->in_place);

	ret = io_keep_headroom(segment->fd[MAPLOG_DATA], bytes);
	if (ret)
		return ret;
	ret = io_populate(segment->data + segment->used, bytes, true);
	if (!ret)
		ret = io_populate(&segment->copy[segment->count], records,
				  true);
	if (!ret)
		ret = io_populate(&segment->index[segment->count], records,
				  true);
	return ret == -ENOSPC
		       ? io_refusal(segment->fd[MAPLOG_DATA], segment->used)
		       : ret;
}

int segment_reserve(struct segment *segment, uint64_t bytes, uint64_t n)
{
	uint64_t records = (segment->count + n) * sizeof(struct maplog_record);
	const uint64_t need[3] = { segment->used + bytes, records, records };

	assert(segment_fits(segment, bytes, n));

	for (int region = 0; region < 3; region++) {
		int ret;

		if (need[region] <= segment->allocated[region])
			continue;
		ret = extend(segment, (enum region)region, need[region]);
		if (ret)
			return ret;
	}
	return segment->in_place ? 0 : preflight(segment, bytes, n);
}

/* What of a region is reserved and holds nothing. */
static bool give_back(struct segment *segment, enum region region,
		      uint64_t used)
{
	uint64_t start = segment_region_start(segment, region);
	uint64_t page = io_page();
	uint64_t from = (used + page - 1) & ~(page - 1);
	uint64_t to = segment->allocated[region];

	if (from >= to || io_release(segment_region_fd(segment, region),
				     start + from, to - from))
		return false;
	segment->allocated[region] = from;
	return true;
}

bool segment_give_back(struct segment *segment)
{
	uint64_t records = segment->count * sizeof(struct maplog_record);
	bool any;

	assert(!segment->in_place);

	any = give_back(segment, REGION_PAYLOAD, segment->used);
	any |= give_back(segment, REGION_COPY, records);
	any |= give_back(segment, REGION_INDEX, records);
	return any;
}

/* Field by field: a copy of the whole would have to wait for its last store. */
static void store_record(struct maplog_record *to,
			 const struct maplog_record *record)
{
	to->end = record->end;
	to->crc = record->crc;
	to->time = record->time;
	to->tag = record->tag;
}

void segment_put(struct segment *segment, uint32_t seed, uint64_t time,
		 const struct maplog_entry *entry)
{
	uint64_t index = segment->trailer.base + segment->count;
	struct maplog_record record = {
		.end = (uint32_t)(segment->used + entry->bytes),
		.time = time,
		.tag = entry->tag,
	};

	assert(segment->count < segment->trailer.records);
	assert(record.end >= segment->used);
	assert(segment->used + entry->bytes <=
	       segment->allocated[REGION_PAYLOAD]);
	assert((segment->count + 1) * sizeof(record) <=
	       segment->allocated[REGION_INDEX]);
	assert(record_time(&record));

	record.crc =
		crc_put(seed, index, &record, segment->data + segment->used,
			entry->data, entry->bytes);
	store_record(&segment->copy[segment->count], &record);
	store_record(&segment->index[segment->count], &record);
	segment->used = record.end;
	segment->count++;
}

int segment_sync(struct segment *segment, int dirfd)
{
	int ret = io_sync(segment->fd[MAPLOG_DATA]);

	assert(segment->fd[MAPLOG_DATA] >= 0);

	if (ret || segment->named)
		return ret;
	ret = io_sync_dir(dirfd);
	if (!ret)
		segment->named = true;
	return ret;
}

int segment_finish(struct segment *segment)
{
	assert(segment->fd[MAPLOG_INDEX] >= 0);

	return io_sync(segment->fd[MAPLOG_INDEX]);
}

void segment_cut(struct segment *segment, uint64_t bytes, uint64_t records)
{
	assert(bytes <= segment->trailer.payload_size);
	assert(records <= segment->trailer.records);
	assert(bytes >= segment->used);
	assert(records >= segment->count);

	if (!segment->overstated)
		(void)io_resize(segment->fd[MAPLOG_DATA], bytes);
	(void)io_resize(segment->fd[MAPLOG_INDEX],
			records * sizeof(struct maplog_record));
}
