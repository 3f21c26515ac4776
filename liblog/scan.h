/* SPDX-License-Identifier: MIT */
/* Scanning records past the durable mark: which of them are true. */
#ifndef MAPLOG_SCAN_H
#define MAPLOG_SCAN_H

#include <stdint.h>

#include "format.h"

/* What is scanned: mapped memory of a segment. */
struct scan_source {
	uint32_t seed; /* crc_seed() of the log */
	uint64_t base;
	const struct maplog_record *records;
	const uint8_t *payload;
	uint64_t payload_size;
};

struct scan {
	uint64_t good;	  /* one past the last whole good batch */
	uint64_t damaged; /* bad entries before that */
};

/**
 * scan_records() - check the records from <= i < to, counted from the base
 * @from: must be the first of a batch
 *
 * A batch is good if every one of its entries is. good is @from if none is.
 *
 * Return: 0; -EIO if the bytes cannot be read.
 */
int scan_records(const struct scan_source *source, uint64_t from, uint64_t to,
		 struct scan *scan);

/**
 * scan_extent() - where the data in a part of a file ends
 * @map:    the file, mapped from its beginning
 * @from:   offset of the part, with its end @to
 * @extent: out: the offset behind its last byte that is not zero; @from if
 *          there is none
 *
 * Return: 0; -EIO if the bytes cannot be read.
 */
int scan_extent(int fd, const uint8_t *map, uint64_t from, uint64_t to,
		uint64_t *extent);

#endif
