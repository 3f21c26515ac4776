/* SPDX-License-Identifier: MIT */
/*
 * Stands in for liblog/crc.c: every checksum is 0. So what a checksum keeps
 * from the code behind it gets there.
 */
#include "crc.h"

#include <string.h>

#include "log.h"

uint32_t crc_extend(uint32_t crc, const void *data, size_t bytes)
{
	const volatile uint8_t *at = data;

	/* Read all the same: that must be allowed. */
	for (size_t i = 0; i < bytes; i++)
		(void)at[i];
	return crc & 0;
}

uint32_t crc_seed(const uint8_t uuid[16])
{
	return crc_extend(0, uuid, 16);
}

uint32_t crc_record(uint32_t seed, uint64_t index,
		    const struct maplog_record *record, const void *data,
		    size_t bytes)
{
	(void)index;
	(void)record;
	return crc_extend(seed, data, bytes);
}

uint32_t crc_record_of(uint32_t seed, uint64_t index,
		       const struct maplog_record *record, uint32_t payload,
		       uint64_t bytes)
{
	(void)bytes;
	return crc_record(seed, index, record, NULL, payload & 0);
}

uint32_t crc_shift(uint32_t crc, uint64_t bytes)
{
	(void)bytes;
	return crc & 0;
}

uint32_t crc_put(uint32_t seed, uint64_t index,
		 const struct maplog_record *record, void *to, const void *from,
		 size_t bytes)
{
	if (bytes)
		memcpy(to, from, bytes);
	return crc_record(seed, index, record, to, bytes);
}

uint32_t maplog_crc32c(uint32_t crc, const void *data, size_t bytes)
{
	return crc_extend(crc, data, bytes);
}
