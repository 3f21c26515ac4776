/* SPDX-License-Identifier: MIT */
/* Checksums: CRC-32C, by the processor for what is short, else by ISA-L. */
#include "crc.h"

#include <assert.h>
#include <isa-l/crc.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "log.h"

/* The length of ISA-L's call is an int: longer input goes in pieces. */
#define PIECE ((size_t)1 << 30)

static_assert(PIECE <= INT_MAX, "that is no longer");

/* From here on ISA-L, which works on several streams at once, is faster. */
#define SHORT 256

/* Functions whose names begin with add_ leave out the inversions that a sum
 * begins and ends with. */

#ifdef __x86_64__
#include <nmmintrin.h>

#define HARDWARE __attribute__((target("sse4.2")))

/* What is summed up is what is stored, even if somebody changes the source
 * meanwhile: the compiler may not load it twice. */
#define LOADED(part) __asm__("" : "+r"(part))

static bool is_short(size_t bytes)
{
	return bytes < SHORT && __builtin_cpu_supports("sse4.2");
}

/* Fewer than eight bytes. */
HARDWARE static uint32_t add_rest(uint32_t crc, uint8_t *to,
				  const uint8_t *from, size_t bytes)
{
	uint32_t part;

	if (bytes & 4) {
		memcpy(&part, from, 4);
		LOADED(part);
		memcpy(to, &part, 4);
		crc = _mm_crc32_u32(crc, part);
		from += 4;
		to += 4;
	}
	for (bytes &= 3; bytes; bytes--) {
		part = *from++;
		LOADED(part);
		*to++ = (uint8_t)part;
		crc = _mm_crc32_u8(crc, (uint8_t)part);
	}
	return crc;
}

/* Word by word, while it is on its way: to sum up what was just stored would
 * have to wait for it. */
HARDWARE static uint32_t add_copy(uint32_t crc, uint8_t *to,
				  const uint8_t *from, size_t bytes)
{
	uint64_t sum = crc;
	uint64_t word;

	for (; bytes >= 8; bytes -= 8, from += 8, to += 8) {
		memcpy(&word, from, 8);
		LOADED(word);
		memcpy(to, &word, 8);
		sum = _mm_crc32_u64(sum, word);
	}
	return add_rest((uint32_t)sum, to, from, bytes);
}

HARDWARE static uint32_t add_short(uint32_t crc, const uint8_t *at,
				   size_t bytes)
{
	uint64_t sum = crc;
	uint64_t word;
	uint8_t unused[8];

	for (; bytes >= 8; bytes -= 8, at += 8) {
		memcpy(&word, at, 8);
		sum = _mm_crc32_u64(sum, word);
	}
	return add_rest((uint32_t)sum, unused, at, bytes);
}

HARDWARE static uint32_t put_short(uint32_t crc, uint64_t index,
				   const struct maplog_record *record, void *to,
				   const void *from, size_t bytes)
{
	uint64_t sum = _mm_crc32_u64(crc, index);

	assert(bytes < SHORT);

	sum = _mm_crc32_u64(sum, record->time);
	sum = _mm_crc32_u64(sum, record->tag);
	crc = _mm_crc32_u32((uint32_t)sum, record->end);
	return add_copy(crc, to, from, bytes);
}

#else

static bool is_short(size_t bytes)
{
	return false;
}

static uint32_t add_short(uint32_t crc, const uint8_t *at, size_t bytes)
{
	return crc;
}

static uint32_t put_short(uint32_t crc, uint64_t index,
			  const struct maplog_record *record, void *to,
			  const void *from, size_t bytes)
{
	return crc;
}

#endif

static uint32_t add_long(uint32_t crc, const void *data, size_t bytes)
{
	unsigned char *at = (unsigned char *)data;

	while (bytes) {
		size_t n = bytes < PIECE ? bytes : PIECE;

		crc = crc32_iscsi(at, (int)n, crc);
		at += n;
		bytes -= n;
	}
	return crc;
}

static uint32_t add(uint32_t crc, const void *data, size_t bytes)
{
	return is_short(bytes) ? add_short(crc, data, bytes)
			       : add_long(crc, data, bytes);
}

/* The fields that come before the payload. */
static uint32_t add_head(uint32_t crc, uint64_t index,
			 const struct maplog_record *record)
{
	unsigned char head[28];

	memcpy(head, &index, 8);
	memcpy(head + 8, &record->time, 8);
	memcpy(head + 16, &record->tag, 8);
	memcpy(head + 24, &record->end, 4);
	return add(crc, head, sizeof(head));
}

uint32_t crc_extend(uint32_t crc, const void *data, size_t bytes)
{
	return ~add(~crc, data, bytes);
}

uint32_t crc_seed(const uint8_t uuid[16])
{
	return crc_extend(0, uuid, 16);
}

uint32_t crc_record(uint32_t seed, uint64_t index,
		    const struct maplog_record *record, const void *data,
		    size_t bytes)
{
	return ~add(add_head(~seed, index, record), data, bytes);
}

/* Polynomials modulo that of CRC-32C: the highest bit is x^0, the next one x.
 */
static uint32_t times_x(uint32_t a)
{
	return a >> 1 ^ (a & 1 ? CRC_LAST_BIT : 0);
}

static uint32_t product(uint32_t a, uint32_t b)
{
	uint32_t sum = 0;

	for (; a; a <<= 1) {
		if (a & UINT32_C(1) << 31)
			sum ^= b;
		b = times_x(b);
	}
	return sum;
}

uint32_t crc_shift(uint32_t crc, uint64_t bytes)
{
	uint32_t power = UINT32_C(1) << (31 - 8);

	for (; bytes; bytes >>= 1) {
		if (bytes & 1)
			crc = product(crc, power);
		power = product(power, power);
	}
	return crc;
}

uint32_t crc_record_of(uint32_t seed, uint64_t index,
		       const struct maplog_record *record, uint32_t payload,
		       uint64_t bytes)
{
	uint32_t head = ~add_head(~seed, index, record);

	return crc_shift(head, bytes) ^ payload;
}

uint32_t crc_put(uint32_t seed, uint64_t index,
		 const struct maplog_record *record, void *to, const void *from,
		 size_t bytes)
{
	if (is_short(bytes))
		return ~put_short(~seed, index, record, to, from, bytes);
	memcpy(to, from, bytes);
	/* Over what was stored: the source may change under us. */
	return ~add_long(add_head(~seed, index, record), to, bytes);
}

uint32_t maplog_crc32c(uint32_t crc, const void *data, size_t bytes)
{
	return crc_extend(crc, data, bytes);
}
