/* SPDX-License-Identifier: MIT */
/* Replaying a trail: what a power cut at any moment may leave of a disk. */
#include "replay.h"

#include <string.h>
#include <sys/mman.h>

#include "rig.h"

#define BLOCK ((uint64_t)4096)

const char *const cut_name[CUTS] = { "none", "all", "prefix", "subset",
				     "torn" };

static void *zeros(uint64_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	require(at != MAP_FAILED);
	return at;
}

void replay_init(struct replay *replay, uint8_t *image, uint64_t size)
{
	*replay = (struct replay){
		.image = image,
		.flushed = zeros(size),
		.stale = zeros(size / BLOCK),
		.used = zeros(size / BLOCK),
		.size = size,
	};
	require(size % BLOCK == 0);
}

void replay_begin(struct replay *replay, struct replay *under)
{
	for (uint64_t n = 0; n < replay->size / BLOCK; n++) {
		if (!under->used[n] && !replay->used[n])
			continue;
		memcpy(replay->flushed + n * BLOCK, replay->image + n * BLOCK,
		       BLOCK);
		replay->used[n] = 1;
	}
	memset(replay->stale, 0, replay->size / BLOCK);
	replay->at = 0;
	replay->under = under;
}

static void touch(struct replay *replay, uint64_t offset, uint64_t bytes)
{
	uint64_t first = offset / BLOCK;
	uint64_t end = (offset + bytes + BLOCK - 1) / BLOCK;

	for (; replay; replay = replay->under) {
		memset(replay->stale + first, 1, end - first);
		memset(replay->used + first, 1, end - first);
	}
}

static bool changes(const struct trail_step *step)
{
	return step->record.what == TRAIL_WRITE ||
	       step->record.what == TRAIL_ZERO;
}

void replay_touched(struct replay *replay, const struct trail *trail)
{
	for (size_t n = 0; n < trail->steps; n++) {
		const struct trail_step *step = &trail->step[n];

		if (changes(step))
			touch(replay, step->record.offset, step->record.bytes);
	}
}

static void put(uint8_t *disk, const struct trail_step *step, uint64_t from,
		uint64_t bytes)
{
	uint8_t *to = disk + step->record.offset + from;

	if (step->record.what == TRAIL_WRITE)
		memcpy(to, step->data + from, bytes);
	else
		memset(to, 0, bytes);
}

static void go_on_to(struct replay *replay, const struct trail *trail,
		     size_t moment)
{
	size_t flush = moment;

	while (flush > replay->at &&
	       trail->step[flush - 1].record.what != TRAIL_FLUSH)
		flush--;
	for (; replay->at < flush; replay->at++) {
		const struct trail_step *step = &trail->step[replay->at];

		if (!changes(step))
			continue;
		put(replay->flushed, step, 0, step->record.bytes);
		touch(replay, step->record.offset, step->record.bytes);
	}
}

static void restore(struct replay *replay)
{
	for (uint64_t n = 0; n < replay->size / BLOCK; n++) {
		if (replay->stale[n])
			memcpy(replay->image + n * BLOCK,
			       replay->flushed + n * BLOCK, BLOCK);
	}
	memset(replay->stale, 0, replay->size / BLOCK);
}

/* Not smaller: file systems do not survive a torn block of their own. */
static void tear(struct replay *replay, const struct trail_step *step,
		 uint64_t *chance)
{
	uint64_t end = step->record.offset + step->record.bytes;

	for (uint64_t at = step->record.offset; at < end;) {
		uint64_t next = (at / BLOCK + 1) * BLOCK;

		next = next < end ? next : end;
		if (rig_dice(chance) % 2)
			put(replay->image, step, at - step->record.offset,
			    next - at);
		at = next;
	}
}

void replay_cut(struct replay *replay, const struct trail *trail, size_t moment,
		enum cut cut, uint64_t seed)
{
	uint64_t chance = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

	go_on_to(replay, trail, moment);
	restore(replay);
	if (cut == CUT_PREFIX)
		moment = replay->at +
			 rig_dice(&chance) % (moment - replay->at + 1);
	for (size_t n = replay->at; n < moment && cut != CUT_NONE; n++) {
		const struct trail_step *step = &trail->step[n];

		if (!changes(step))
			continue;
		if (cut == CUT_SUBSET && rig_dice(&chance) % 2)
			continue;
		touch(replay, step->record.offset, step->record.bytes);
		if (cut == CUT_TORN)
			tear(replay, step, &chance);
		else
			put(replay->image, step, 0, step->record.bytes);
	}
}
