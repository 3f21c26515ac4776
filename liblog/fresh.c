/* SPDX-License-Identifier: MIT */
/* Fresh space: what is reserved on disk and was never written. */
#include "fresh.h"

#include <assert.h>

#include "io.h"
#include "segment.h"

/* So much is written at once: as many batches like this one. Time is what a
 * batch takes then, the bytes of the device are what it costs. */
#define BATCHES	 20
#define STEP_MIN ((uint64_t)64 << 10)
#define STEP_MAX ((uint64_t)1 << 20)

/* A part of what is there already, so that small logs stay small. */
#define PART 4

/* With so much in a batch there is one fresh block for many that are written,
 * and writing them twice would cost more than it saves. */
#define LARGE ((uint64_t)128 << 10)

static_assert(LARGE <= STEP_MAX, "a step holds a batch");

static uint64_t step_for(uint64_t now, uint64_t batch)
{
	uint64_t step = batch * BATCHES;

	assert(batch < LARGE);

	step = step < STEP_MIN ? STEP_MIN : step;
	step = step > STEP_MAX ? STEP_MAX : step;
	return step < now / PART ? step : now / PART;
}

/* Page by page: large writes leave large pages in memory, and each small sync
 * would then write all of one. */
static int write_zeros(int fd, uint64_t from, uint64_t to)
{
	static const char zeros[4096];
	int ret = 0;

	for (; from < to && !ret; from += sizeof(zeros))
		ret = io_write(fd, zeros, sizeof(zeros), from);
	return ret;
}

/* From the first page on that was never written to, as far as there is space
 * for whole ones. */
static void write_until(struct segment *segment, enum region region,
			uint64_t now, uint64_t to)
{
	uint64_t page = io_page();
	uint64_t start =
		region == REGION_COPY ? segment->trailer.payload_size : 0;
	uint64_t from = (now + page - 1) & ~(page - 1);

	if (from < segment->fresh[region])
		from = segment->fresh[region];
	to &= ~(page - 1);
	if (to > segment->allocated[region])
		to = segment->allocated[region];
	if (from >= to)
		return;
	(void)write_zeros(segment->fd[MAPLOG_DATA], start + from, start + to);
	segment->fresh[region] = to;
}

static void use(struct segment *segment, enum region region, uint64_t now,
		uint64_t batch)
{
	uint64_t step;

	if (batch >= LARGE || now + batch <= segment->fresh[region])
		return;
	step = step_for(now, batch);
	if (step >= io_page())
		write_until(segment, region, now, now + batch + step);
}

void fresh_use(struct segment *segment, uint64_t bytes, uint64_t n)
{
	const uint64_t record = sizeof(struct maplog_record);

	/* Elsewhere such a write takes new space. */
	if (!segment->in_place)
		return;
	use(segment, REGION_PAYLOAD, segment->used, bytes);
	use(segment, REGION_COPY, segment->count * record, n * record);
}
