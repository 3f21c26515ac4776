/* SPDX-License-Identifier: MIT */
/* Moments: points in time as people write them, and the entry found there. */
#ifndef MAPLOG_MOMENT_H
#define MAPLOG_MOMENT_H

#include <stdint.h>

#include "log.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * maplog_moment_parse() - a point in time from text
 * @text:   as in RFC 3339, `2026-11-20T10:00:00Z`, perhaps with a fraction or
 *          an offset like `+01:00`; or how long before @now, `10m`, with one
 *          of the units ns, us, ms, s, m, h and d
 * @now:    nanoseconds since 1970
 * @moment: out: likewise; 0 for what is longer ago than that
 *
 * Any thread.
 *
 * Return: 0; -EINVAL if the text cannot be read; -ERANGE if there
 * is no such day, hour or minute, or a log cannot hold it.
 */
int maplog_moment_parse(const char *text, uint64_t now, uint64_t *moment);

/**
 * maplog_moment_find() - the first entry that is not older
 * @moment: nanoseconds since 1970
 * @index:  out: its index; the log's next one if all entries are older
 *
 * Looks at few entries, near the end of the log first. Times are those of the
 * index, whose checksums are not looked at. An entry whose time cannot be read
 * counts as being as old as one before it.
 *
 * Return: 0; -ENOBUFS if map-limit is reached by views that are in use; else an
 * -errno of open(2) or mmap(2).
 */
int maplog_moment_find(struct maplog *log, uint64_t moment, uint64_t *index);

#ifdef __cplusplus
}
#endif

#endif
