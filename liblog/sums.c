/* SPDX-License-Identifier: MIT */
/* Sums: the checksum of any part of a mapped file. */
#include "sums.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "crc.h"
#include "io.h"

/* Of so many bytes, two times at most, a sum is made anew each time. */
#define BLOCK ((uint64_t)1024)

/* Blocks that are made readable at a time. */
#define PIECE 64

int sums_init(struct sums *sums, const uint8_t *bytes, uint64_t size)
{
	if (size > UINT32_MAX)
		size = UINT32_MAX;
	*sums = (struct sums){ .bytes = bytes, .size = size };
	/* Zeros: what is not asked for takes no memory. */
	sums->sum = calloc(size / BLOCK + 1, sizeof(*sums->sum));
	return sums->sum ? 0 : -ENOMEM;
}

void sums_free(struct sums *sums)
{
	free(sums->sum);
	sums->sum = NULL;
}

static bool reach(const struct sums *sums, uint64_t from, uint64_t bytes)
{
	assert(from <= sums->size);

	if (bytes > sums->size - from)
		bytes = sums->size - from;
	return !io_populate(sums->bytes + from, bytes, false);
}

/* Sums up to the beginning of a block. */
static void reach_block(struct sums *sums, uint64_t block)
{
	assert(block <= sums->size / BLOCK);

	for (uint64_t n = sums->known; n < block; n++) {
		const uint64_t at = n * BLOCK;
		struct sum sum = sums->sum[n];

		if (n % PIECE == 0)
			sums->readable = reach(sums, at, PIECE * BLOCK);
		if (sums->readable || reach(sums, at, BLOCK))
			sum.crc = crc_extend(sum.crc, sums->bytes + at, BLOCK);
		else
			sum.lost++;
		sums->sum[n + 1] = sum;
	}
	if (block > sums->known)
		sums->known = block;
}

/* Adds the bytes from <= i < to, of less than a block. */
static bool extend(const struct sums *sums, uint64_t from, uint64_t to,
		   uint32_t *crc)
{
	if (!reach(sums, from, to - from))
		return false;
	*crc = crc_extend(*crc, sums->bytes + from, to - from);
	return true;
}

/* Adds whole blocks, which have been reached. */
static bool add_blocks(const struct sums *sums, uint64_t from, uint64_t to,
		       uint32_t *crc)
{
	const struct sum *begin = &sums->sum[from];
	const struct sum *end = &sums->sum[to];

	assert(from <= to && to <= sums->known);

	if (begin->lost != end->lost)
		return false;
	*crc = crc_shift(*crc ^ begin->crc, (to - from) * BLOCK) ^ end->crc;
	return true;
}

bool sums_range(struct sums *sums, uint64_t from, uint64_t to, uint32_t *crc)
{
	uint64_t first = (from + BLOCK - 1) / BLOCK;
	uint64_t last = to / BLOCK;

	*crc = 0;
	if (from > to || to > sums->size)
		return false;
	if (first > last)
		return extend(sums, from, to, crc);
	reach_block(sums, last);
	/* Of bytes before the first there is no need: a repair may have changed
	 * them since they were summed up. */
	return extend(sums, from, first * BLOCK, crc) &&
	       add_blocks(sums, first, last, crc) &&
	       extend(sums, last * BLOCK, to, crc);
}
