/* SPDX-License-Identifier: MIT */
/* Records: what an index says of one entry, and whether it is true. */
#ifndef MAPLOG_RECORD_H
#define MAPLOG_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "format.h"

/* The time of an entry, without the bit that belongs to its batch. */
static inline uint64_t record_time(const struct maplog_record *record)
{
	return record->time & ~MAPLOG_TIME_MORE;
}

/* Whether the entry's batch goes on with the next one. */
static inline bool record_more(const struct maplog_record *record)
{
	return record->time & MAPLOG_TIME_MORE;
}

/* Whether the entry behind this one may be of the same batch: it goes on, or
 * this record is not there. */
static inline bool record_joins(const struct maplog_record *record)
{
	return record_more(record) || !record_time(record);
}

/* A record of zeros: room for an entry, but none in it. */
static inline bool record_empty(const struct maplog_record *record)
{
	return !record->end && !record->crc && !record->time && !record->tag;
}

/**
 * record_check() - whether a record and its entry's payload belong together
 * @seed:   crc_seed() of the log
 * @index:  of the entry
 * @record: a private copy: it is looked at more than once
 * @start:  where the payload begins in its file
 * @file:   the payload of the whole segment
 * @size:   readable bytes at @file
 */
bool record_check(uint32_t seed, uint64_t index,
		  const struct maplog_record *record, uint32_t start,
		  const void *file, uint64_t size);

#endif
