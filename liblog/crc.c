/* SPDX-License-Identifier: MIT */
/* Checksums: CRC-32C, as ISA-L computes it. */
#include "crc.h"

#include <isa-l/crc.h>
#include <string.h>

#include "log.h"

/* The length of ISA-L's call is an int: longer input goes in pieces. */
#define PIECE ((size_t)1 << 30)

uint32_t crc_extend(uint32_t crc, const void *data, size_t bytes)
{
	unsigned char *at = (unsigned char *)data;

	crc = ~crc;
	while (bytes) {
		size_t n = bytes < PIECE ? bytes : PIECE;

		crc = crc32_iscsi(at, (int)n, crc);
		at += n;
		bytes -= n;
	}
	return ~crc;
}

uint32_t crc_seed(const uint8_t uuid[16])
{
	return crc_extend(0, uuid, 16);
}

uint32_t crc_record(uint32_t seed, uint64_t index,
		    const struct maplog_record *record, const void *data,
		    size_t bytes)
{
	unsigned char head[28];

	memcpy(head, &index, 8);
	memcpy(head + 8, &record->time, 8);
	memcpy(head + 16, &record->tag, 8);
	memcpy(head + 24, &record->end, 4);
	return crc_extend(crc_extend(seed, head, sizeof(head)), data, bytes);
}

uint32_t maplog_crc32c(uint32_t crc, const void *data, size_t bytes)
{
	return crc_extend(crc, data, bytes);
}
