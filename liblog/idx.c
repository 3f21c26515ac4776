/* SPDX-License-Identifier: MIT */
/* The .idx file of a segment that was not sealed. */
#include "idx.h"

#include <assert.h>
#include <string.h>

#include "io.h"
#include "record.h"
#include "scan.h"

#define RECORD sizeof(struct maplog_record)

/* Records written at a time: large writes leave large folios behind. */
#define PIECE ((uint64_t)512)

static int is_true(const struct segment *segment, uint32_t seed, uint64_t n,
		   uint32_t start, const struct maplog_record *record, bool *is)
{
	uint64_t room = segment->trailer.payload_size;
	int ret;

	*is = false;
	if (record->end < start || record->end > room)
		return 0;
	ret = io_populate(segment->data + start, record->end - start, false);
	if (!ret)
		*is = record_check(seed, segment->trailer.base + n, record,
				   start, segment->data, room);
	return ret;
}

/* Whether the entry behind the one whose record this is begins where that says
 * that it does. */
static int leads_on(const struct segment *segment, uint32_t seed, uint64_t n,
		    const struct maplog_record *record, bool *does)
{
	const uint64_t next = n + 1;
	struct maplog_record other;
	int ret;

	*does = false;
	if (next >= segment->count)
		return 0;
	ret = io_populate(&segment->copy[next], RECORD, false);
	if (!ret)
		ret = io_populate(&segment->index[next], RECORD, false);
	if (ret)
		return ret;
	other = segment->copy[next];
	ret = is_true(segment, seed, next, record->end, &other, does);
	if (ret || *does)
		return ret;
	other = segment->index[next];
	return is_true(segment, seed, next, record->end, &other, does);
}

/* Which of two records that differ is to be believed: if both are damaged, the
 * one that the next entry is found by. @record stays what it is if there is
 * none. */
static int choose(const struct segment *segment, uint32_t seed, uint64_t n,
		  uint32_t start, struct maplog_record *record)
{
	const struct maplog_record copy = segment->copy[n];
	const struct maplog_record index = segment->index[n];
	bool copy_is = false;
	bool index_is = false;
	int ret;

	ret = is_true(segment, seed, n, start, &copy, &copy_is);
	if (!ret && !copy_is)
		ret = is_true(segment, seed, n, start, &index, &index_is);
	if (!ret && !copy_is && !index_is)
		ret = leads_on(segment, seed, n, &index, &index_is);
	if (!ret && !copy_is && !index_is)
		ret = leads_on(segment, seed, n, &copy, &copy_is);
	if (copy_is)
		*record = copy;
	else if (index_is)
		*record = index;
	return ret;
}

static int write_piece(const struct segment *segment, uint32_t seed,
		       uint64_t from, uint64_t n)
{
	struct maplog_record records[PIECE];
	uint32_t start = from ? segment->index[from - 1].end : 0;
	int ret;

	assert(n && from + n <= segment->count);
	assert(n <= PIECE);

	ret = io_populate(&segment->copy[from], n * RECORD, false);
	if (!ret)
		ret = io_populate(&segment->index[from], n * RECORD, false);
	if (ret)
		return ret;
	memcpy(records, &segment->copy[from], n * RECORD);
	for (uint64_t i = 0; !ret && i < n; i++) {
		if (memcmp(&records[i], &segment->index[from + i], RECORD) != 0)
			ret = choose(segment, seed, from + i, start,
				     &records[i]);
		start = records[i].end;
	}
	if (ret)
		return ret;
	return io_write(segment->fd[MAPLOG_INDEX], records, n * RECORD,
			from * RECORD);
}

/* Whether the record before @from is there, as in all that follow it. */
static int is_new(const struct segment *segment, uint64_t from, bool *is)
{
	const struct maplog_record *index = &segment->index[from - 1];
	const struct maplog_record *copy = &segment->copy[from - 1];
	int ret;

	assert(from && from <= segment->count);

	ret = io_populate(index, RECORD, false);
	if (!ret)
		ret = io_populate(copy, RECORD, false);
	if (!ret)
		*is = record_empty(index) || memcmp(index, copy, RECORD) != 0;
	return ret;
}

int idx_rebuild(const struct segment *segment, uint32_t seed, uint64_t from)
{
	uint64_t first;
	bool new = false;
	int ret = 0;

	if (from > segment->count)
		from = segment->count;
	if (from)
		ret = is_new(segment, from, &new);
	if (new)
		from = 0;
	first = from;
	while (!ret && from < segment->count) {
		uint64_t n = segment->count - from;

		n = n < PIECE ? n : PIECE;
		ret = write_piece(segment, seed, from, n);
		from += n;
	}
	return ret ? ret
		   : io_rewrite(segment->fd[MAPLOG_INDEX], first * RECORD,
				segment->count * RECORD);
}

/* Brings the record of an entry into the .idx where the copy's is the one to be
 * believed. */
static int settle(const struct segment *segment, uint32_t seed, uint64_t n)
{
	uint32_t start = n ? segment->index[n - 1].end : 0;
	struct maplog_record record = segment->index[n];

	if (choose(segment, seed, n, start, &record) ||
	    !memcmp(&record, &segment->index[n], RECORD))
		return 0;
	return io_write(segment->fd[MAPLOG_INDEX], &record, RECORD, n * RECORD);
}

/* Notes whether one of the records says that there is more than there is. */
static void check_ends(struct segment *segment,
		       const struct maplog_record *records, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		segment->overstated |= records[i].end > segment->found_used;
}

static int settle_piece(struct segment *segment, uint32_t seed, uint64_t from,
			uint64_t n)
{
	int ret = 0;

	assert(n && from + n <= segment->count);

	/* What cannot be read proves nothing. */
	if (io_populate(&segment->copy[from], n * RECORD, false) ||
	    io_populate(&segment->index[from], n * RECORD, false)) {
		segment->overstated = true;
		return 0;
	}
	check_ends(segment, &segment->copy[from], n);
	check_ends(segment, &segment->index[from], n);
	for (uint64_t i = from; !ret && i < from + n; i++) {
		if (memcmp(&segment->copy[i], &segment->index[i], RECORD) != 0)
			ret = settle(segment, seed, i);
	}
	return ret;
}

int idx_finish(struct segment *segment, uint32_t seed)
{
	uint64_t from = 0;
	int ret = 0;

	assert(segment->found <= segment->count);

	while (!ret && from < segment->found) {
		uint64_t n = segment->found - from;

		n = n < PIECE ? n : PIECE;
		ret = settle_piece(segment, seed, from, n);
		from += n;
	}
	if (ret)
		return ret;
	segment->found = 0;
	return segment_finish(segment);
}

int idx_clear(const struct segment *segment)
{
	static const struct maplog_record zeros[PIECE];
	int fd = segment->fd[MAPLOG_INDEX];
	uint64_t at = segment->count * RECORD;
	uint64_t end = segment->trailer.records * RECORD;
	int ret;

	ret = scan_extent(fd, (const void *)segment->index, at, end, &end);
	while (!ret && at < end) {
		uint64_t n =
			end - at < sizeof(zeros) ? end - at : sizeof(zeros);

		ret = io_write(fd, zeros, n, at);
		at += n;
	}
	return ret;
}
