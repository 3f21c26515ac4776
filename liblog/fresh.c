/* SPDX-License-Identifier: MIT */
/* Fresh space: what is reserved on disk and was never written. */
#include "fresh.h"

#include <assert.h>

#include "io.h"
#include "segment.h"

/* So much is written ahead of small batches, or a part of what is there
 * already, so that small logs stay small. */
#define STEP ((uint64_t)64 << 10)
#define PART 4

/* With so much in a batch many blocks share that second write anyway. Only its
 * own pages are made, by calls that are quicker than faults. */
#define LARGE ((uint64_t)16 << 10)

/* Large writes leave large pages in memory, and each small sync would then
 * write all of one. The .idx is not synced with each batch. */
#define SMALL_PIECE ((uint64_t)4 << 10)
#define LARGE_PIECE ((uint64_t)64 << 10)

static void write_zeros(int fd, uint64_t from, uint64_t to, uint64_t piece)
{
	static const char zeros[LARGE_PIECE];
	int ret = 0;

	assert(piece <= sizeof(zeros));

	for (; from < to && !ret; from += piece) {
		if (piece > to - from)
			piece = to - from;
		ret = io_write(fd, zeros, piece, from);
	}
}

/* From the first page on that was never written to, as far as there is space
 * for whole ones. */
static void write_until(struct segment *segment, enum region region,
			uint64_t now, uint64_t to, uint64_t piece)
{
	uint64_t page = io_page();
	uint64_t start =
		region == REGION_COPY ? segment->trailer.payload_size : 0;
	uint64_t from = (now + page - 1) & ~(page - 1);

	if (from < segment->fresh[region])
		from = segment->fresh[region];
	to = (to + page - 1) & ~(page - 1);
	if (to > segment->allocated[region])
		to = segment->allocated[region];
	if (from >= to)
		return;
	write_zeros(segment->fd[region == REGION_INDEX ? MAPLOG_INDEX
						       : MAPLOG_DATA],
		    start + from, start + to, piece);
	segment->fresh[region] = to;
}

static void use(struct segment *segment, enum region region, uint64_t now,
		uint64_t batch)
{
	bool small = batch < LARGE;
	uint64_t step = now / PART < STEP ? now / PART : STEP;

	if (now + batch <= segment->fresh[region])
		return;
	if (!small)
		step = 0;
	else if (step < io_page())
		return;
	write_until(segment, region, now, now + batch + step,
		    small && region != REGION_INDEX ? SMALL_PIECE
						    : LARGE_PIECE);
}

void fresh_use(struct segment *segment, uint64_t bytes, uint64_t n)
{
	const uint64_t record = sizeof(struct maplog_record);

	/* Elsewhere such a write takes new space. */
	if (!segment->in_place)
		return;
	use(segment, REGION_PAYLOAD, segment->used, bytes);
	use(segment, REGION_COPY, segment->count * record, n * record);
	use(segment, REGION_INDEX, segment->count * record, n * record);
}
