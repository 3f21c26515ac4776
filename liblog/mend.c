/* SPDX-License-Identifier: MIT */
/* Mending: finding the one bit that is wrong in a record or its payload. */
#include "mend.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "crc.h"
#include "record.h"

/* By how much CRC-32C is off when the very last bit that it covers is. */
#define LAST_BIT 0x82f63b78U

/* ... and when the bit before that one is, and so on. */
static uint32_t bit_before(uint32_t off)
{
	return off >> 1 ^ (off & 1 ? LAST_BIT : 0);
}

/* Which of the last @bits is wrong, counted from the end; @bits: none is. */
static uint64_t find_bit(uint32_t off, uint64_t bits)
{
	uint32_t by = LAST_BIT;
	uint64_t n = 0;

	while (n < bits && by != off) {
		by = bit_before(by);
		n++;
	}
	return n;
}

static bool is_true(uint32_t seed, uint64_t index,
		    const struct maplog_record *record, uint32_t start,
		    const uint8_t *file, uint64_t size)
{
	return record_check(seed, index, record, start, file, size);
}

/* An `end` that is wrong also says wrongly what is covered: all are tried. */
static bool mend_end(uint32_t seed, uint64_t index, uint32_t start,
		     const uint8_t *file, uint64_t size, struct mend *found)
{
	uint32_t end = found->record.end;

	for (int bit = 0; bit < 32; bit++) {
		found->record.end = end ^ UINT32_C(1) << bit;
		if (is_true(seed, index, &found->record, start, file, size))
			return true;
	}
	found->record.end = end;
	return false;
}

/* The bit of the record at @at, counted from the end of the bytes that its
 * checksum covers before `end`: tag, then time before it. */
static void flip_record(struct maplog_record *record, uint64_t at)
{
	uint64_t *word = at < 64 ? &record->tag : &record->time;

	assert(at < 128);

	*word ^= UINT64_C(1) << (63 - at % 64);
}

static bool mend_payload(uint32_t start, uint32_t bytes, const uint8_t *file,
			 uint64_t at, struct mend *found)
{
	if (bytes > MEND_PAYLOAD_MAX)
		return false;
	found->in_payload = true;
	found->offset = start + bytes - 1 - at / 8;
	found->byte = file[found->offset];
	found->byte ^= (uint8_t)(0x80 >> at % 8);
	return true;
}

/* The whole, with that byte as it is to be. */
static bool is_true_then(uint32_t seed, uint64_t index, uint32_t start,
			 const uint8_t *file, const struct mend *found)
{
	uint32_t bytes = found->record.end - start;
	uint8_t payload[MEND_PAYLOAD_MAX];

	assert(bytes <= sizeof(payload));

	memcpy(payload, file + start, bytes);
	payload[found->offset - start] = found->byte;
	return record_time(&found->record) &&
	       crc_record(seed, index, &found->record, payload, bytes) ==
		       found->record.crc;
}

/* Any bit but one of `end`: where it is, is counted from the payload's end. */
static bool mend_bit(uint32_t off, uint32_t start, const uint8_t *file,
		     struct mend *found)
{
	const uint64_t end_bits = 32;
	uint32_t bytes = found->record.end - start;
	uint64_t payload = (uint64_t)bytes * 8;
	uint64_t at;

	if (!(off & (off - 1))) {
		found->record.crc ^= off;
		return true;
	}
	at = find_bit(off, payload + end_bits + 128);
	if (at < payload)
		return mend_payload(start, bytes, file, at, found);
	at -= payload;
	if (at < end_bits || at >= end_bits + 128)
		return false;
	flip_record(&found->record, at - end_bits);
	return true;
}

bool mend(uint32_t seed, uint64_t index, const struct maplog_record *record,
	  uint32_t start, const uint8_t *file, uint64_t size,
	  struct mend *found)
{
	uint32_t crc;

	*found = (struct mend){ .record = *record };
	if (start > size)
		return false;
	if (mend_end(seed, index, start, file, size, found))
		return true;
	if (record->end < start || record->end > size)
		return false;
	crc = crc_record(seed, index, record, file + start,
			 record->end - start);
	if (crc == record->crc ||
	    !mend_bit(crc ^ record->crc, start, file, found))
		return false;
	if (found->in_payload)
		return is_true_then(seed, index, start, file, found);
	return is_true(seed, index, &found->record, start, file, size);
}
