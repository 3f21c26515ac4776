/* SPDX-License-Identifier: MIT */
/*
 * Mending: finding the one bit that is wrong in a record or its payload.
 *
 * Bits that differ change the checksum each in its own way, so what the
 * checksum is off by says which bit it is, if it is one. Of 2^32 ways to be
 * wrong that many look like one bit as there are bits: so payload is only
 * mended where it is short, and garbage is not taken for it.
 */
#ifndef MAPLOG_MEND_H
#define MAPLOG_MEND_H

#include <stdbool.h>
#include <stdint.h>

#include "format.h"
#include "sums.h"

/* Of longer entries only the record is mended. */
#define MEND_PAYLOAD_MAX 4096

struct mend {
	struct maplog_record record; /* as it is right */
	bool in_payload;	     /* a bit of the payload is wrong instead */
	uint64_t offset;	     /* of the byte, in the payload's file */
	uint8_t byte;		     /* as it is right */
};

/**
 * mend_is_true() - as record_check(), and as quick for a long entry
 * @sums: of the payload of the whole segment
 */
bool mend_is_true(uint32_t seed, uint64_t index,
		  const struct maplog_record *record, uint32_t start,
		  struct sums *sums);

/**
 * mend() - look for one bit that makes a record and its payload true
 * @record: what is not true as it is
 * @start:  where the entry begins
 * @sums:   of the payload of the whole segment
 *
 * Return: whether there is one; checked by the checksum as a whole.
 */
bool mend(uint32_t seed, uint64_t index, const struct maplog_record *record,
	  uint32_t start, struct sums *sums, struct mend *found);

#endif
