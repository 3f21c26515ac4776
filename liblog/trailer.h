/* SPDX-License-Identifier: MIT */
/* The last page of an active segment's .log file: where its parts are. */
#ifndef MAPLOG_TRAILER_H
#define MAPLOG_TRAILER_H

#include <stdint.h>

#include "format.h"

/* What a segment has room for. */
struct room {
	uint64_t payload; /* bytes */
	uint64_t records;
};

/** trailer_room() - of a new segment, by the option segment-size */
struct room trailer_room(uint64_t segment_size);

/** trailer_init() - the geometry of a new segment */
void trailer_init(struct maplog_trailer *trailer, const uint8_t uuid[16],
		  uint64_t base, uint64_t generation, uint64_t segment_size);

/** trailer_file_size() - how long a file with this trailer is */
uint64_t trailer_file_size(const struct maplog_trailer *trailer);

/** trailer_write() - both copies, at the end of a file of the right size */
int trailer_write(int fd, const struct maplog_trailer *trailer);

/**
 * trailer_read() - find and check the trailer of a file
 * @size: of the file
 *
 * Return: 0; -ENODATA if the file has none, or none that fits its size; else
 * the -errno of reading.
 */
int trailer_read(int fd, uint64_t size, struct maplog_trailer *trailer);

#endif
