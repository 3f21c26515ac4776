/* SPDX-License-Identifier: MIT */
/*
 * A pair: the .log and .idx of one segment, as a repair looks at them. The
 * records of a segment that was not sealed exist twice.
 */
#ifndef MAPLOG_PAIR_H
#define MAPLOG_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "mend.h"
#include "status.h"

enum pair_place {
	PAIR_COPY, /* behind the payload */
	PAIR_INDEX,
	PAIR_PLACES
};

struct pair {
	uint64_t base;
	uint32_t seed;
	bool has_copy;
	struct maplog_trailer trailer; /* if it has */
	uint64_t trusted; /* entries whose .idx was synced, if it has */
	uint64_t room;	  /* entries there can be */
	uint64_t payload_size;
	int fd[2]; /* by enum maplog_file */
	bool writable[2];
	uint8_t *map[2];
	uint64_t size[2];
	struct sums sums; /* of the payload */
};

/* A record of a segment, and where it stands. */
struct pair_record {
	struct maplog_record record;
	enum maplog_file file;
	uint64_t offset;
};

/**
 * pair_open() - map the files of a segment for reading
 * @synced: entries below have their record in the .idx, crash or not
 *
 * Return: 0; -EUCLEAN if there is nothing in which an entry could be; else an
 * -errno of open(2) or mmap(2), or -ENOMEM.
 */
int pair_open(int dirfd, const struct maplog_head *page, uint64_t base,
	      uint64_t synced, struct pair *pair);

/**
 * pair_record() - one of the records of an entry
 *
 * Return: whether there is one that can be read.
 */
bool pair_record(const struct pair *pair, enum pair_place place, uint64_t rel,
		 struct pair_record *record);

/** pair_is_true() - whether a record and the payload from @start are true */
bool pair_is_true(struct pair *pair, uint64_t rel,
		  const struct maplog_record *record, uint32_t start);

/** pair_mend() - as mend() */
bool pair_mend(struct pair *pair, uint64_t rel,
	       const struct maplog_record *record, uint32_t start,
	       struct mend *found);

/** pair_write() - change bytes of a file; durable after pair_close() */
int pair_write(struct pair *pair, int dirfd, enum maplog_file file,
	       const void *bytes, uint32_t n, uint64_t offset);

/** pair_close() - make durable what was written, and close
 *
 * Return: 0, or the -errno of fdatasync(2).
 */
int pair_close(struct pair *pair);

#endif
