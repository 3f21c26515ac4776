/* SPDX-License-Identifier: MIT */
/* The last page of an active segment's .log file: where its parts are. */
#include "trailer.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "crc.h"
#include "io.h"
#include "options.h"

/* Room for one record each so many bytes of payload: a segment of smaller
 * entries than this ends when its index is full. */
#define BYTES_A_RECORD 16

/* The largest segment-size, rounded up as trailer_init() does. */
#define PAYLOAD_MAX (((uint64_t)4 << 30) - OPTIONS_ALIGN)

#define COVERED offsetof(struct maplog_trailer, crc)

static_assert(sizeof(struct maplog_trailer) <= MAPLOG_TRAILER_COPY, "twice");

static_assert(2 * MAPLOG_TRAILER_COPY == MAPLOG_TRAILER_SIZE,
	      "halves of a page");

static_assert(OPTIONS_ALIGN % BYTES_A_RECORD == 0, "a whole number of records");

static uint64_t align(uint64_t size)
{
	return (size + OPTIONS_ALIGN - 1) & ~(OPTIONS_ALIGN - 1);
}

struct room trailer_room(uint64_t segment_size)
{
	uint64_t payload = align(segment_size);

	return (struct room){ payload, payload / BYTES_A_RECORD };
}

void trailer_init(struct maplog_trailer *trailer, const uint8_t uuid[16],
		  uint64_t base, uint64_t generation, uint64_t segment_size)
{
	const struct room room = trailer_room(segment_size);

	memset(trailer, 0, sizeof(*trailer));
	memcpy(trailer->magic, MAPLOG_TRAILER_MAGIC, sizeof(trailer->magic));
	trailer->version = MAPLOG_FORMAT_VERSION;
	trailer->size = MAPLOG_TRAILER_SIZE;
	memcpy(trailer->uuid, uuid, sizeof(trailer->uuid));
	trailer->base = base;
	trailer->generation = generation;
	trailer->payload_size = room.payload;
	trailer->records = room.records;
	assert(trailer->payload_size <= PAYLOAD_MAX);
	assert(trailer->records);
	trailer->crc = crc_extend(0, trailer, COVERED);
}

uint64_t trailer_file_size(const struct maplog_trailer *trailer)
{
	return trailer->payload_size +
	       trailer->records * sizeof(struct maplog_record) +
	       MAPLOG_TRAILER_SIZE;
}

int trailer_write(int fd, const struct maplog_trailer *trailer)
{
	uint64_t at = trailer_file_size(trailer) - MAPLOG_TRAILER_SIZE;
	char page[MAPLOG_TRAILER_SIZE] = { 0 };

	assert(trailer->crc == crc_extend(0, trailer, COVERED));

	memcpy(page, trailer, sizeof(*trailer));
	memcpy(page + MAPLOG_TRAILER_COPY, trailer, sizeof(*trailer));
	return io_write(fd, page, sizeof(page), at);
}

static bool valid(const struct maplog_trailer *trailer, uint64_t file_size)
{
	const uint64_t max_records = PAYLOAD_MAX;

	if (memcmp(trailer->magic, MAPLOG_TRAILER_MAGIC,
		   sizeof(trailer->magic)) != 0)
		return false;
	if (trailer->crc != crc_extend(0, trailer, COVERED))
		return false;
	if (trailer->version != MAPLOG_FORMAT_VERSION ||
	    trailer->size != MAPLOG_TRAILER_SIZE)
		return false;
	if (!trailer->payload_size || trailer->payload_size > PAYLOAD_MAX ||
	    trailer->payload_size % OPTIONS_ALIGN)
		return false;
	if (!trailer->records || trailer->records > max_records)
		return false;
	return trailer_file_size(trailer) == file_size;
}

int trailer_read(int fd, uint64_t size, struct maplog_trailer *trailer)
{
	char page[MAPLOG_TRAILER_SIZE];
	int ret;

	if (size < sizeof(page))
		return -ENODATA;
	ret = io_read(fd, page, sizeof(page), size - sizeof(page));
	if (ret)
		return ret;
	for (int at = 0; at <= MAPLOG_TRAILER_COPY; at += MAPLOG_TRAILER_COPY) {
		memcpy(trailer, page + at, sizeof(*trailer));
		if (valid(trailer, size))
			return 0;
	}
	return -ENODATA;
}
