/* SPDX-License-Identifier: MIT */
/*
 * The page `head`: identity of a log, live counters, and the checkpoints that
 * recovery begins with.
 */
#ifndef MAPLOG_HEAD_FILE_H
#define MAPLOG_HEAD_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "format.h"

#define HEAD_NAME "head"

/* While a truncation replaces the active segment there is none. */
#define HEAD_NO_ACTIVE UINT64_MAX

struct head {
	struct maplog_head *page; /* mapped shared */
	int fd;
	bool writable;
	bool in_place; /* stores never need new disk space */
};

/* Loads and stores of live counters: what a store covers comes before it. */
#define head_load(counter) __atomic_load_n((counter), __ATOMIC_ACQUIRE)
#define head_store(counter, value)                                             \
	__atomic_store_n((counter), (value), __ATOMIC_RELEASE)

/** head_write_new() - make the head of a new log, durable, closed and empty */
int head_write_new(int dirfd, mode_t mode);

/**
 * head_rebuild() - make a new head for a log that lost its own
 * @uuid:  as a trailer has kept it
 * @state: what is known: its counters become the first checkpoint
 */
int head_rebuild(int dirfd, mode_t mode, const uint8_t uuid[16],
		 const struct maplog_checkpoint *state);

/**
 * head_open() - map the page
 *
 * Return: 0; -ENOENT; -ENOTSUP if it is of another version or byte order;
 * -EUCLEAN if it is damaged; else an -errno of open(2) or mmap(2).
 */
int head_open(int dirfd, bool writable, struct head *head);

/** head_make_writable() - map the page again, now for writing
 *
 * Return: as head_open(); -EUCLEAN also if it is of another log.
 */
int head_make_writable(struct head *head, int dirfd);

void head_close(struct head *head);

/**
 * head_checkpoint() - the newest checkpoint
 *
 * Return: whether there is a valid one; else @checkpoint is all zeros.
 */
bool head_checkpoint(const struct maplog_head *page,
		     struct maplog_checkpoint *checkpoint);

/**
 * head_set_checkpoint() - write the next checkpoint, durably
 * @checkpoint: what it says; sequence and crc are filled in
 *
 * One caller at a time. Return: 0; -ENOSPC, and nothing was written; else the
 * -errno of fdatasync(2).
 */
int head_set_checkpoint(struct head *head,
			struct maplog_checkpoint *checkpoint);

/** head_set_durable() - store the live durable mark, with its checksum */
void head_set_durable(struct head *head, uint64_t durable);

/**
 * head_durable() - the durable mark: from @checkpoint, or the live one where
 * that is higher, intact and of the same generation
 */
uint64_t head_durable(const struct maplog_head *page,
		      const struct maplog_checkpoint *checkpoint);

/** head_prepare() - make sure that storing into the page cannot fail */
int head_prepare(const struct head *head);

/**
 * head_reach() - likewise, after something has failed: then a file system that
 * otherwise rewrites in place may not let anybody store into its pages either
 */
int head_reach(const struct head *head);

#endif
