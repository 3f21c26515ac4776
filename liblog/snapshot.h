/* SPDX-License-Identifier: MIT */
/* Snapshots: ranges of entries that outlive truncation and trim. */
#ifndef MAPLOG_SNAPSHOT_H
#define MAPLOG_SNAPSHOT_H

#include "private.h"

/**
 * snapshot_keep() - entries from <= i < to are about to go
 *
 * Opens their files for those snapshots that need them. With the lock on
 * segments held, before the table or the files change.
 */
void snapshot_keep(struct maplog *log, uint64_t from, uint64_t to);

/** snapshot_expire() - this handle is about to be the writer
 *
 * Snapshots of before a truncation by another process hold nothing any more.
 */
void snapshot_expire(struct maplog *log);

#endif
