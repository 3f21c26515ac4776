/* SPDX-License-Identifier: MIT */
/* Records: what an index says of one entry, and whether it is true. */
#include "record.h"

#include "crc.h"

bool record_check(uint32_t seed, uint64_t index,
		  const struct maplog_record *record, uint32_t start,
		  const void *file, uint64_t size)
{
	if (!record_time(record))
		return false;
	if (record->end < start || record->end > size)
		return false;
	return crc_record(seed, index, record, (const char *)file + start,
			  record->end - start) == record->crc;
}
