/* SPDX-License-Identifier: MIT */
/*
 * The .idx file of a segment that was not sealed: derived from the copy of the
 * records behind the payload.
 */
#ifndef MAPLOG_IDX_H
#define MAPLOG_IDX_H

#include "segment.h"

/**
 * idx_rebuild() - write again the records of the entries that a segment has
 * @seed: crc_seed() of the log
 * @from: those of the entries before that are durable, unless the file is new
 *
 * Also records that are as they should be: a sync that failed may have left
 * them in the page cache only. Where the copy is damaged and the .idx is not,
 * or leads to the next entry, its record stays.
 */
int idx_rebuild(const struct segment *segment, uint32_t seed, uint64_t from);

/**
 * idx_finish() - as segment_finish(), for a segment that is to be read by its
 * .idx alone from now on
 *
 * Where the record of an entry that recovery has found is damaged there, and
 * the copy's is not, or leads to the next entry, it is that one. This may run
 * beside readers. One of them may have been shown more payload than there is by
 * a damaged record, and still look at that: @segment is overstated then.
 */
int idx_finish(struct segment *segment, uint32_t seed);

/** idx_clear() - write zeros behind them */
int idx_clear(const struct segment *segment);

#endif
