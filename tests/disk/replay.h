/* SPDX-License-Identifier: MIT */
/*
 * Replaying a trail: what a power cut at any moment may leave of a disk. What
 * came before the last flush is there; of what came after it, some.
 */
#ifndef DISK_REPLAY_H
#define DISK_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trail.h"

/* What a power cut leaves of what was not flushed. */
enum cut {
	CUT_NONE,
	CUT_ALL,
	CUT_PREFIX, /* up to some write */
	CUT_SUBSET, /* any of the writes */
	CUT_TORN,   /* any of their blocks of 4096 bytes */
	CUTS
};

extern const char *const cut_name[CUTS];

struct replay {
	uint8_t *image;	  /* what the disk has now, shared with logdisk */
	uint8_t *flushed; /* what it has at least, at the moment it is at */
	uint8_t *stale;	  /* blocks in which these may differ, a byte each */
	uint8_t *used;	  /* blocks that are not only zeros, likewise */
	uint64_t size;
	size_t at;	      /* how many steps of the trail are in flushed */
	struct replay *under; /* whose image is changed, too */
};

/** replay_init() - with a disk of zeros at the beginning of a trail */
void replay_init(struct replay *replay, uint8_t *image, uint64_t size);

/** replay_begin() - with the image of another replay as it is */
void replay_begin(struct replay *replay, struct replay *under);

/** replay_touched() - take note of what the steps of a trail did to the image
 */
void replay_touched(struct replay *replay, const struct trail *trail);

/** replay_cut() - let the image be what a power cut leaves
 * @moment: how many steps of the trail were done; never less than before
 */
void replay_cut(struct replay *replay, const struct trail *trail, size_t moment,
		enum cut cut, uint64_t seed);

#endif
