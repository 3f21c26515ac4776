/* SPDX-License-Identifier: MIT */
/* A pair: the .log and .idx of one segment, as a repair looks at them. */
#include "pair.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crc.h"
#include "dir.h"
#include "io.h"
#include "record.h"
#include "suspect.h"

#define RECORD sizeof(struct maplog_record)

/* More than any file of a store has: a sparse one is not to be mapped. */
#define FILE_MAX ((uint64_t)1 << 40)

/* Longer entries are summed up by what is known of their segment: their record
 * may be wrong, and so may very many others. */
#define LONG ((uint32_t)16 << 10)

static const char *const suffix[2] = { DIR_LOG, DIR_INDEX };

/* A file that is not there, or is none, has no bytes. */
static int map_file(struct pair *pair, int dirfd, enum maplog_file file)
{
	char name[DIR_NAME_SIZE];
	void *at;
	int ret;

	dir_name(name, pair->base, suffix[file]);
	ret = io_open(dirfd, name, O_RDONLY, 0, &pair->fd[file],
		      &pair->size[file]);
	if (io_is_no_file(ret))
		return 0;
	if (!ret && pair->size[file] > FILE_MAX)
		pair->size[file] = 0;
	if (ret || !pair->size[file])
		return ret;
	ret = io_map(pair->fd[file], 0, pair->size[file], false, &at);
	if (!ret)
		pair->map[file] = at;
	return ret;
}

static int map_files(int dirfd, const struct maplog_head *page,
		     struct pair *pair)
{
	bool has;
	int ret;

	ret = map_file(pair, dirfd, MAPLOG_DATA);
	if (!ret)
		ret = map_file(pair, dirfd, MAPLOG_INDEX);
	if (!ret)
		ret = suspect_is(dirfd, page, pair->base, &pair->has_copy);
	if (!ret && pair->has_copy)
		ret = suspect_trailer(dirfd, page, pair->base, &pair->trailer,
				      &has);
	return ret;
}

static void measure(struct pair *pair, uint64_t synced)
{
	pair->payload_size =
		pair->map[MAPLOG_DATA] ? pair->size[MAPLOG_DATA] : 0;
	pair->room =
		pair->map[MAPLOG_INDEX] ? pair->size[MAPLOG_INDEX] / RECORD : 0;
	pair->trusted = UINT64_MAX;
	if (!pair->has_copy)
		return;
	pair->payload_size = pair->trailer.payload_size;
	pair->room = pair->trailer.records;
	pair->trusted = synced > pair->base ? synced - pair->base : 0;
}

/* Payload there is always, if none of its bytes are. */
static const uint8_t *payload(const struct pair *pair)
{
	static const uint8_t nothing[1];

	return pair->map[MAPLOG_DATA] ? pair->map[MAPLOG_DATA] : nothing;
}

int pair_open(int dirfd, const struct maplog_head *page, uint64_t base,
	      uint64_t synced, struct pair *pair)
{
	int ret;

	*pair = (struct pair){
		.base = base,
		.seed = crc_seed(page->uuid),
		.fd = { -1, -1 },
	};
	ret = map_files(dirfd, page, pair);
	if (!ret)
		measure(pair, synced);
	if (!ret && !pair->room)
		ret = -EUCLEAN;
	if (!ret)
		ret = sums_init(&pair->sums, payload(pair), pair->payload_size);
	if (ret)
		(void)pair_close(pair);
	return ret;
}

int pair_close(struct pair *pair)
{
	int ret = 0;

	sums_free(&pair->sums);
	for (int file = 0; file < 2; file++) {
		if (pair->writable[file] && !ret)
			ret = io_sync(pair->fd[file]);
		if (pair->map[file])
			munmap(pair->map[file], pair->size[file]);
		if (pair->fd[file] >= 0)
			close(pair->fd[file]);
	}
	return ret;
}

/* Where in its file a record is; false if there is no room for it. */
static bool find_place(const struct pair *pair, enum pair_place place,
		       uint64_t rel, struct pair_record *record)
{
	if (rel >= pair->room)
		return false;
	record->file = place == PAIR_COPY ? MAPLOG_DATA : MAPLOG_INDEX;
	record->offset = rel * RECORD;
	if (place == PAIR_COPY) {
		record->offset += pair->trailer.payload_size;
		return pair->has_copy;
	}
	return pair->map[MAPLOG_INDEX] &&
	       record->offset + RECORD <= pair->size[MAPLOG_INDEX];
}

bool pair_record(const struct pair *pair, enum pair_place place, uint64_t rel,
		 struct pair_record *record)
{
	const uint8_t *at;

	assert(place < PAIR_PLACES);

	if (!find_place(pair, place, rel, record))
		return false;
	at = pair->map[record->file] + record->offset;
	if (io_populate(at, RECORD, false))
		return false;
	memcpy(&record->record, at, RECORD);
	/* Not yet written, if a crash came before: recovery does that. */
	return place == PAIR_COPY || rel < pair->trusted ||
	       !record_empty(&record->record);
}

bool pair_is_true(struct pair *pair, uint64_t rel,
		  const struct maplog_record *record, uint32_t start)
{
	if (record->end < start || record->end > pair->payload_size)
		return false;
	if (record->end - start > LONG)
		return mend_is_true(pair->seed, pair->base + rel, record, start,
				    &pair->sums);
	if (io_populate(payload(pair) + start, record->end - start, false))
		return false;
	return record_check(pair->seed, pair->base + rel, record, start,
			    payload(pair), pair->payload_size);
}

bool pair_mend(struct pair *pair, uint64_t rel,
	       const struct maplog_record *record, uint32_t start,
	       struct mend *found)
{
	return mend(pair->seed, pair->base + rel, record, start, &pair->sums,
		    found);
}

static int open_for_writing(struct pair *pair, int dirfd, enum maplog_file file)
{
	char name[DIR_NAME_SIZE];
	int ret;
	int fd;

	if (pair->writable[file])
		return 0;
	dir_name(name, pair->base, suffix[file]);
	ret = io_open(dirfd, name, O_RDWR, 0, &fd, NULL);
	if (ret)
		return ret;
	close(pair->fd[file]);
	pair->fd[file] = fd;
	pair->writable[file] = true;
	return 0;
}

int pair_write(struct pair *pair, int dirfd, enum maplog_file file,
	       const void *bytes, uint32_t n, uint64_t offset)
{
	int ret;

	assert(offset + n <= pair->size[file]);

	ret = open_for_writing(pair, dirfd, file);
	return ret ? ret : io_write(pair->fd[file], bytes, n, offset);
}
