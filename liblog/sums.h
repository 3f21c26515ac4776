/* SPDX-License-Identifier: MIT */
/*
 * Sums: the checksum of any part of a mapped file, without going through all
 * of it each time. A damaged record may say that its entry is gigabytes long,
 * and there may be as many of them as there are records.
 */
#ifndef MAPLOG_SUMS_H
#define MAPLOG_SUMS_H

#include <stdbool.h>
#include <stdint.h>

/* Of the file up to a block's beginning. */
struct sum {
	uint32_t crc;
	uint32_t lost; /* blocks that cannot be read, and are left out */
};

struct sums {
	const uint8_t *bytes;
	uint64_t size;
	struct sum *sum;
	uint64_t known; /* of blocks below this one */
	bool readable;	/* the piece that was asked for last */
};

/**
 * sums_init() - nothing is read yet
 * @bytes: mapped, or readable otherwise
 * @size:  how many there are; those behind 4 GiB are none of an entry
 *
 * Return: 0; -ENOMEM.
 */
int sums_init(struct sums *sums, const uint8_t *bytes, uint64_t size);

void sums_free(struct sums *sums);

/**
 * sums_range() - CRC-32C of the bytes from <= i < to
 *
 * Return: whether they are there and can be read.
 */
bool sums_range(struct sums *sums, uint64_t from, uint64_t to, uint32_t *crc);

#endif
