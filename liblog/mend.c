/* SPDX-License-Identifier: MIT */
/* Mending: finding the one bit that is wrong in a record or its payload. */
#include "mend.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "crc.h"
#include "record.h"

/* ... and when the bit before that one is, and so on. */
static uint32_t bit_before(uint32_t off)
{
	return off >> 1 ^ (off & 1 ? CRC_LAST_BIT : 0);
}

/* Which bit is wrong, counted from the end, of those after which @bytes come,
 * and fewer than @bits, too; @bits: none is. */
static uint64_t find_bit(uint32_t off, uint32_t bytes, uint64_t bits)
{
	uint32_t by = crc_shift(CRC_LAST_BIT, bytes);
	uint64_t n = (uint64_t)bytes * 8;

	while (n < bits && by != off) {
		by = bit_before(by);
		n++;
	}
	return n;
}

/* What the checksum of a record should be. */
static bool sum_up(uint32_t seed, uint64_t index,
		   const struct maplog_record *record, uint32_t start,
		   struct sums *sums, uint32_t *crc)
{
	uint32_t payload;

	if (!sums_range(sums, start, record->end, &payload))
		return false;
	*crc = crc_record_of(seed, index, record, payload, record->end - start);
	return true;
}

bool mend_is_true(uint32_t seed, uint64_t index,
		  const struct maplog_record *record, uint32_t start,
		  struct sums *sums)
{
	uint32_t crc;

	return record_time(record) &&
	       sum_up(seed, index, record, start, sums, &crc) &&
	       crc == record->crc;
}

/* An `end` that is wrong also says wrongly what is covered: all are tried. */
static bool mend_end(uint32_t seed, uint64_t index, uint32_t start,
		     struct sums *sums, struct mend *found)
{
	uint32_t end = found->record.end;

	for (int bit = 0; bit < 32; bit++) {
		found->record.end = end ^ UINT32_C(1) << bit;
		if (mend_is_true(seed, index, &found->record, start, sums))
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

static void mend_payload(uint32_t start, uint32_t bytes, const uint8_t *file,
			 uint64_t at, struct mend *found)
{
	assert(bytes <= MEND_PAYLOAD_MAX);

	found->in_payload = true;
	found->offset = start + bytes - 1 - at / 8;
	found->byte = file[found->offset];
	found->byte ^= (uint8_t)(0x80 >> at % 8);
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
	at = find_bit(off, bytes > MEND_PAYLOAD_MAX ? bytes : 0,
		      payload + end_bits + 128);
	if (at < payload) {
		mend_payload(start, bytes, file, at, found);
		return true;
	}
	at -= payload;
	if (at < end_bits || at >= end_bits + 128)
		return false;
	flip_record(&found->record, at - end_bits);
	return true;
}

bool mend(uint32_t seed, uint64_t index, const struct maplog_record *record,
	  uint32_t start, struct sums *sums, struct mend *found)
{
	uint32_t crc;

	*found = (struct mend){ .record = *record };
	if (mend_end(seed, index, start, sums, found))
		return true;
	if (!sum_up(seed, index, record, start, sums, &crc) ||
	    crc == record->crc ||
	    !mend_bit(crc ^ record->crc, start, sums->bytes, found))
		return false;
	if (found->in_payload)
		return is_true_then(seed, index, start, sums->bytes, found);
	return mend_is_true(seed, index, &found->record, start, sums);
}
