/* SPDX-License-Identifier: MIT */
/*
 * Spans: consecutive entries as the bytes of one file, across segments.
 *
 * One thread at a time uses a span. An open one keeps its entries readable
 * when they are truncated or trimmed.
 */
#ifndef MAPLOG_FS_SPAN_H
#define MAPLOG_FS_SPAN_H

#include <stdint.h>

#include "fuse.h"
#include "log.h"
#include "node.h"

struct span;

/* How large it is, without opening it. */
struct span_size {
	uint64_t entries;
	uint64_t bytes;
	/* Of the last entry, 0 if there is none. */
	uint64_t time;
	uint32_t crc;
};

/**
 * span_measure() - look at entries first <= i < next
 * @next: NODE_TO_THE_END: all there are
 *
 * Return: 0; -ENOENT if the log does not hold all of them; -EIO for damage.
 */
int span_measure(struct maplog *log, uint64_t first, uint64_t next,
		 struct span_size *size);

/** span_is_there() - whether a log has the entry of a mark, if it has one */
bool span_is_there(struct maplog *log, const struct node_mark *mark);

/** span_has() - likewise, a span that is open */
bool span_has(struct span *span, const struct node_mark *mark);

/** span_mark() - the mark of what was measured */
void span_mark(uint64_t first, const struct span_size *size,
	       struct node_mark *mark);

/** span_open() - likewise, and keep them */
int span_open(struct maplog *log, uint64_t first, uint64_t next,
	      struct span **span);

/**
 * span_grow() - take in entries that are new, if it is open at its end
 *
 * Return: 0; -ESTALE if entries of it were truncated: it stays as it is; else
 * as span_open().
 */
int span_grow(struct span *span);

void span_close(struct span *span);

void span_size(const struct span *span, struct span_size *size);

/**
 * span_read() - answer a read request with checked bytes, from where they lie
 *
 * A damaged entry in it makes it fail with EIO: a short answer would look like
 * the end of the file.
 */
void span_read(struct span *span, fuse_req_t req, uint64_t offset, size_t size);

/**
 * span_push() - give the kernel all of a small one before it asks
 *
 * Only while no file is open on it: else the kernel may wait for our answer to
 * a read, with the page locked that this is to fill. What is damaged, and what
 * does not lie in one piece, is left to reads.
 */
void span_push(struct span *span, struct fuse_session *session, fuse_ino_t ino);

/** span_read_index() - likewise, from struct maplog_boundary of each entry */
void span_read_index(struct span *span, fuse_req_t req, uint64_t offset,
		     size_t size);

/** span_copy() - copy checked bytes; returns how many, or a negative errno */
ssize_t span_copy(struct span *span, uint64_t offset, void *buffer,
		  size_t size);

/** span_copy_index() - likewise, bytes of the boundaries */
ssize_t span_copy_index(struct span *span, uint64_t offset, void *buffer,
			size_t size);

#endif
