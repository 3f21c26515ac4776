/* SPDX-License-Identifier: MIT */
/*
 * The active segment: its two files, mapped for writing.
 *
 * One thread at a time calls these functions, except that segment_sync() may
 * run beside segment_put().
 */
#ifndef MAPLOG_SEGMENT_H
#define MAPLOG_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "log.h"
#include "window.h"

/* What disk space is reserved for, step by step. */
enum region {
	REGION_PAYLOAD,
	REGION_COPY,  /* of the index, behind the payload */
	REGION_INDEX, /* the .idx file */
};

struct segment {
	struct segment *next; /* in the list of those that wait to be sealed */
	struct maplog_trailer trailer;
	uint64_t id;
	int fd[2]; /* by enum maplog_file; open from before the first store:
		    * only then a failed write-back is surely reported */
	uint8_t *data;
	struct maplog_record *copy;
	struct maplog_record *index;
	struct maplog_window *window[2]; /* how readers hold the mappings */
	uint64_t allocated[3];		 /* by enum region: bytes from 0 */
	uint64_t fresh[3];		 /* from there on, see fresh.h */
	uint64_t used;			 /* payload bytes written */
	uint64_t count;			 /* entries written */
	uint64_t found;			 /* of these by recovery, see idx.h */
	uint64_t found_used;		 /* payload bytes of these */
	bool overstated;		 /* its .log is not cut, see idx.h */
	bool named;			 /* its directory entries are durable */
	bool in_place;			 /* stores never need new disk space */
};

/**
 * segment_create() - make both files of an empty segment
 * @trailer: what it is
 * @suffix:  of the files, by enum maplog_file
 * @begun:   out: whether they were this call's to make, even if it has failed
 *
 * Nothing is durable yet. Return: 0; -EEXIST; -ENOSPC; else an -errno; then
 * what was begun is removed, as far as it can be, and not for good.
 */
int segment_create(int dirfd, const struct maplog_trailer *trailer, mode_t mode,
		   const char *const suffix[2], bool *begun,
		   struct segment **segment);

/**
 * segment_open() - open the files of a segment that has a trailer
 *
 * An .idx file that is missing or too short is extended by zeros. used and
 * count are left at 0: only recovery can tell.
 */
int segment_open(int dirfd, const struct maplog_trailer *trailer, mode_t mode,
		 struct segment **segment);

/** segment_close() - unmap what no window has taken over, and free */
void segment_close(struct segment *segment);

/**
 * segment_begin() - entries will be put from now on
 *
 * A fault then makes the one page that it is about. What the kernel reads
 * around it otherwise may be 8 MiB, in pages that each sync writes as a whole.
 */
void segment_begin(struct segment *segment);

/** segment_region_fd() - the file that a region lies in */
int segment_region_fd(const struct segment *segment, enum region region);

/** segment_region_start() - the offset in that file where it begins */
uint64_t segment_region_start(const struct segment *segment,
			      enum region region);

/** segment_fits() - whether @n entries of together @bytes fit in what is left
 */
bool segment_fits(const struct segment *segment, uint64_t bytes, uint64_t n);

/**
 * segment_reserve() - make sure that @n entries can be put
 *
 * Return: 0; -ENOSPC and the like, and nothing has changed.
 */
int segment_reserve(struct segment *segment, uint64_t bytes, uint64_t n);

/**
 * segment_put() - write one entry behind the last
 * @seed: crc_seed() of the log
 * @time: with MAPLOG_TIME_MORE if the batch goes on
 *
 * There must be room reserved.
 */
void segment_put(struct segment *segment, uint32_t seed, uint64_t time,
		 const struct maplog_entry *entry);

/**
 * segment_give_back() - let go of disk space that was reserved and not used
 *
 * Whole pages. What is appended later has to reserve them again.
 * Return: whether there was any.
 */
bool segment_give_back(struct segment *segment);

/** segment_sync() - make all entries durable that were put before */
int segment_sync(struct segment *segment, int dirfd);

/**
 * segment_finish() - make the .idx durable, so that the segment can be cut
 *
 * To be called after the last segment_sync().
 */
int segment_finish(struct segment *segment);

/**
 * segment_cut() - free the space behind @bytes and @records
 *
 * Never below what readers were shown. What fails here only costs space.
 */
void segment_cut(struct segment *segment, uint64_t bytes, uint64_t records);

#endif
