/* SPDX-License-Identifier: MIT */
/* Fresh space: what is reserved on disk and was never written. */
#include "fresh.h"

#include <assert.h>

#include "io.h"
#include "segment.h"

/* So much is written ahead, or a part of what is there already, so that small
 * logs stay small. */
#define STEP_SYNCED ((uint64_t)64 << 10)
#define STEP	    ((uint64_t)256 << 10)
#define PART	    4

/* With so much in a batch that is synced many blocks share that second write
 * anyway, and only its own pages are made. */
#define LARGE ((uint64_t)16 << 10)

/* A write of so much makes a page that is as large at the most. */
#define PIECE_SYNCED ((uint64_t)4 << 10)
#define PIECE_LARGE  ((uint64_t)64 << 10)
#define PIECE	     ((uint64_t)256 << 10)

static_assert(PIECE_SYNCED < PIECE_LARGE && PIECE_LARGE < PIECE,
	      "the zeros are enough for all");

struct plan {
	uint64_t step;	/* so much more than is needed now */
	uint64_t piece; /* in writes of so much */
};

static uint64_t page_up(uint64_t bytes)
{
	return (bytes + io_page() - 1) & ~(uint64_t)(io_page() - 1);
}

static struct plan plan_for(uint64_t now, uint64_t batch, bool synced)
{
	uint64_t part = now / PART;

	if (!synced)
		return (struct plan){ part < STEP ? part : STEP, PIECE };
	if (batch >= LARGE)
		return (struct plan){ 0, PIECE_LARGE };
	return (struct plan){ part < STEP_SYNCED ? part : STEP_SYNCED,
			      PIECE_SYNCED };
}

static void write_zeros(int fd, uint64_t from, uint64_t to, uint64_t piece)
{
	static const char zeros[PIECE];
	int ret = 0;

	for (; from < to && !ret; from += piece) {
		if (piece > to - from)
			piece = to - from;
		ret = io_write(fd, zeros, piece, from);
	}
}

/* From the first page on that was never written to, as far as there is space.
 */
static void write_until(struct segment *segment, enum region region,
			uint64_t now, uint64_t to, uint64_t piece)
{
	uint64_t start = segment_region_start(segment, region);
	uint64_t from = page_up(now);

	/* Never where something is: the page of the last entry is written. */
	if (from < segment->fresh[region])
		from = segment->fresh[region];
	to = page_up(to);
	if (to > segment->allocated[region])
		to = segment->allocated[region];
	assert(from >= now);

	write_zeros(segment_region_fd(segment, region), start + from,
		    start + to, piece);
	segment->fresh[region] = to;
}

static void use(struct segment *segment, enum region region, uint64_t now,
		uint64_t batch, bool synced)
{
	const struct plan plan = plan_for(now, batch, synced);

	if (plan.step >= io_page() || batch >= LARGE)
		write_until(segment, region, now, now + batch + plan.step,
			    plan.piece);
}

/* Whether a batch comes to where a region is fresh. */
static bool is_fresh(const struct segment *segment, enum region region,
		     uint64_t end)
{
	return end > segment->fresh[region];
}

void fresh_use(struct segment *segment, uint64_t bytes, uint64_t n, bool synced)
{
	const uint64_t record = sizeof(struct maplog_record);
	const uint64_t records = segment->count * record;

	/* Elsewhere such a write takes new space. */
	if (!segment->in_place)
		return;
	if (is_fresh(segment, REGION_PAYLOAD, segment->used + bytes))
		use(segment, REGION_PAYLOAD, segment->used, bytes, synced);
	if (is_fresh(segment, REGION_COPY, records + n * record))
		use(segment, REGION_COPY, records, n * record, synced);
	/* That is not synced with them. */
	if (is_fresh(segment, REGION_INDEX, records + n * record))
		use(segment, REGION_INDEX, records, n * record, false);
}
