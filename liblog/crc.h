/* SPDX-License-Identifier: MIT */
/* Checksums: CRC-32C, by the processor for what is short, else by ISA-L. */
#ifndef MAPLOG_CRC_H
#define MAPLOG_CRC_H

#include <stddef.h>
#include <stdint.h>

#include "format.h"

/**
 * crc_seed() - the checksum of a log's identity, to begin all others with
 *
 * Return: CRC-32C of the 16 bytes of @uuid.
 */
uint32_t crc_seed(const uint8_t uuid[16]);

/** crc_extend() - CRC-32C of what @crc covers, followed by @data */
uint32_t crc_extend(uint32_t crc, const void *data, size_t bytes);

/**
 * crc_record() - the checksum that belongs into a record
 * @seed:   crc_seed() of the log
 * @index:  of the entry
 * @record: its end, time and tag; its crc is not looked at
 * @data:   the entry's payload
 */
uint32_t crc_record(uint32_t seed, uint64_t index,
		    const struct maplog_record *record, const void *data,
		    size_t bytes);

/** crc_record_of() - likewise, by the CRC-32C of a payload of so many bytes */
uint32_t crc_record_of(uint32_t seed, uint64_t index,
		       const struct maplog_record *record, uint32_t payload,
		       uint64_t bytes);

/* By how much a checksum is off when the very last bit it covers is wrong. */
#define CRC_LAST_BIT 0x82f63b78U

/**
 * crc_shift() - by how much a checksum is off with so many bytes behind that by
 * which it is off by @crc
 *
 * So with A followed by B it is crc_shift(that of A, bytes of B) ^ that of B.
 */
uint32_t crc_shift(uint32_t crc, uint64_t bytes);

/**
 * crc_put() - likewise, and copy the payload to where it is kept
 * @to:   where; the checksum is that of the bytes stored here
 * @from: what; it may change meanwhile
 */
uint32_t crc_put(uint32_t seed, uint64_t index,
		 const struct maplog_record *record, void *to, const void *from,
		 size_t bytes);

#endif
