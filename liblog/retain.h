/* SPDX-License-Identifier: MIT */
/* Retention: dropping old segments, and why those that are there are kept. */
#ifndef MAPLOG_RETAIN_H
#define MAPLOG_RETAIN_H

#include <stdint.h>

#include "log.h"
#include "reader.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * maplog_retain() - drop the segments that the log's options let go
 * @first: out: the log's first entry by now; may be NULL
 *
 * From the oldest on, whole segments: by retain-bytes as long as at least so
 * many bytes are left; by retain-age those whose entries all are older. The
 * active segment stays; but it is ended when its first entry is older, so that
 * it can go when the last one is. What a named reader has not read stays, too,
 * unless retain-unread is `drop`.
 *
 * The library does not do this by itself: the writer calls it now and then.
 * It looks at every segment once.
 *
 * Return: as maplog_trim() and maplog_seal().
 */
int maplog_retain(struct maplog *log, uint64_t *first);

/* What is known of a log's retention. */
struct maplog_retention {
	uint64_t disk;	/* bytes that all files of the log take on disk */
	uint64_t limit; /* the options let all entries below this go */
	bool limited;	/* there are such options */
	/* The named reader that is behind the others, if one is to be waited
	 * for: else its name is "". */
	struct maplog_reader_info reader;
};

/**
 * maplog_retention() - what is known of a log's retention; may open files
 *
 * Return: 0; -ENOMEM without memory; else an -errno of reading the directory.
 */
int maplog_retention(struct maplog *log, struct maplog_retention *retention);

/**
 * maplog_retention_reason() - why a segment is kept, for people to read
 * @text: out: cut off where it does not fit into @size bytes
 */
void maplog_retention_reason(const struct maplog_retention *retention,
			     const struct maplog_segment *segment, char *text,
			     size_t size);

#ifdef __cplusplus
}
#endif

#endif
