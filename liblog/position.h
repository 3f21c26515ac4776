/* SPDX-License-Identifier: MIT */
/* Positions: how far a reader has got, whatever becomes of the log. */
#ifndef MAPLOG_POSITION_H
#define MAPLOG_POSITION_H

#include <stdint.h>

#include "log.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Where a reader is. Plain data, which may be kept and come back later, also
 * in another process. One thread at a time uses one.
 */
struct maplog_position {
	uint64_t next;	     /* the entry to be read next */
	uint64_t generation; /* of the log when it was looked at */
	uint64_t time;	     /* of the entry before; 0: it is not known */
	uint32_t crc;	     /* likewise */
};

/** maplog_position_set() - as if everything below @index had been read */
void maplog_position_set(struct maplog *log, uint64_t index,
			 struct maplog_position *position);

/**
 * maplog_position_take() - the entries of a view were read
 * @view: begins with the position's next entry
 */
void maplog_position_take(struct maplog_position *position,
			  const struct maplog_view *view);

/**
 * maplog_position_check() - how far the log still is what was read
 * @now: out: where to go on. If its next is lower, the entries from there on
 *       were truncated, and what is there by now has not been read
 *
 * Cheap while the generation is as it was. Entries that were trimmed count as
 * being there: compare next with the log's first. Goes by the times of
 * entries: those that replace others have later ones, unless the clock was set
 * back while the log had no writer.
 *
 * Return: 0; -ENOBUFS if map-limit is reached by views that are in use; else an
 * -errno of open(2) or mmap(2).
 */
int maplog_position_check(struct maplog *log,
			  const struct maplog_position *position,
			  struct maplog_position *now);

#ifdef __cplusplus
}
#endif

#endif
