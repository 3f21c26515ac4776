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

#ifdef __x86_64__
#include <nmmintrin.h>

/* What is summed up is what is stored, even if somebody changes the source
 * meanwhile: the compiler may not load it twice. */
#define LOADED(value) __asm__("" : "+r"(value))

__attribute__((target("sse4.2"))) static uint32_t add_tail(uint32_t crc,
							   uint8_t *to,
							   const uint8_t *from,
							   size_t bytes)
{
	uint32_t part;

	if (bytes & 4) {
		memcpy(&part, from, 4);
		LOADED(part);
		if (to)
			to = mempcpy(to, &part, 4);
		crc = _mm_crc32_u32(crc, part);
		from += 4;
	}
	for (bytes &= 3; bytes; bytes--) {
		part = *from++;
		LOADED(part);
		if (to)
			*to++ = (uint8_t)part;
		crc = _mm_crc32_u8(crc, (uint8_t)part);
	}
	return crc;
}

/* Without the inversions. Also copies what it adds, unless @to is NULL. */
__attribute__((target("sse4.2"))) static inline uint32_t add_short(
	uint32_t crc, uint8_t *to, const uint8_t *from, size_t bytes)
{
	uint64_t wide = crc;

	for (; bytes >= 8; bytes -= 8, from += 8) {
		uint64_t word;

		memcpy(&word, from, 8);
		LOADED(word);
		if (to)
			to = mempcpy(to, &word, 8);
		wide = _mm_crc32_u64(wide, word);
	}
	return add_tail((uint32_t)wide, to, from, bytes);
}

static bool is_short(size_t bytes)
{
	return bytes < SHORT && __builtin_cpu_supports("sse4.2");
}

#else

static bool is_short(size_t bytes)
{
	return false;
}

static uint32_t add_short(uint32_t crc, uint8_t *to, const uint8_t *from,
			  size_t bytes)
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

uint32_t crc_extend(uint32_t crc, const void *data, size_t bytes)
{
	return is_short(bytes) ? ~add_short(~crc, NULL, data, bytes)
			       : ~add_long(~crc, data, bytes);
}

/* Copies and extends in one go. */
static uint32_t crc_copy(uint32_t crc, void *to, const void *from, size_t bytes)
{
	if (is_short(bytes))
		return ~add_short(~crc, to, from, bytes);
	memcpy(to, from, bytes);
	/* Over what was stored: the source may change under us. */
	return ~add_long(~crc, to, bytes);
}

uint32_t crc_seed(const uint8_t uuid[16])
{
	return crc_extend(0, uuid, 16);
}

static uint32_t crc_head(uint32_t seed, uint64_t index,
			 const struct maplog_record *record)
{
	unsigned char head[28];

	memcpy(head, &index, 8);
	memcpy(head + 8, &record->time, 8);
	memcpy(head + 16, &record->tag, 8);
	memcpy(head + 24, &record->end, 4);
	return crc_extend(seed, head, sizeof(head));
}

uint32_t crc_record(uint32_t seed, uint64_t index,
		    const struct maplog_record *record, const void *data,
		    size_t bytes)
{
	return crc_extend(crc_head(seed, index, record), data, bytes);
}

uint32_t crc_put(uint32_t seed, uint64_t index,
		 const struct maplog_record *record, void *to, const void *from,
		 size_t bytes)
{
	return crc_copy(crc_head(seed, index, record), to, from, bytes);
}

uint32_t maplog_crc32c(uint32_t crc, const void *data, size_t bytes)
{
	return crc_extend(crc, data, bytes);
}
