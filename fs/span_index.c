/* SPDX-License-Identifier: MIT */
/* The boundaries of the entries of a span. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "span_private.h"

static const struct piece *piece_of(const struct span *span, uint64_t index)
{
	size_t low = 0;
	size_t high = span->n_pieces;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (span->pieces[middle].first <= index)
			low = middle;
		else
			high = middle;
	}
	return &span->pieces[low];
}

/* Where in the span's file an entry begins. */
static int where_begins(struct span *span, const struct piece *piece,
			uint64_t index, uint64_t *at)
{
	struct maplog_view first;
	struct maplog_view view;
	int ret;

	ret = span_view(span, piece->first, 1, &first);
	if (ret)
		return ret;
	ret = span_view(span, index, 1, &view);
	if (!ret) {
		*at = piece->at + (view.offset - first.offset);
		maplog_view_release(&view);
	}
	maplog_view_release(&first);
	return ret;
}

/* Fills in boundaries from an entry on; returns how many, or an errno. */
static ssize_t fill(struct span *span, uint64_t index, uint64_t max,
		    struct maplog_boundary *to)
{
	const struct piece *piece = piece_of(span, index);
	struct maplog_view view;
	uint64_t at;
	int ret;

	if (max > piece->next - index)
		max = piece->next - index;
	ret = where_begins(span, piece, index, &at);
	if (!ret)
		ret = span_view(span, index, max, &view);
	if (ret)
		return ret;
	ret = span_check(span, &view);
	for (uint32_t i = 0; !ret && i < view.count; i++) {
		const struct maplog_record *record = &view.records[i];

		to[i] = (struct maplog_boundary){
			.end = at + (record->end - view.offset),
			.time = record->time & ~MAPLOG_TIME_MORE,
			.tag = record->tag,
		};
	}
	maplog_view_release(&view);
	return ret ? ret : (ssize_t)view.count;
}

static int fill_all(struct span *span, uint64_t index, uint64_t count,
		    struct maplog_boundary *to)
{
	while (count) {
		ssize_t n = fill(span, index, count, to);

		if (n < 0)
			return book_reading_error((int)n);
		index += (uint64_t)n;
		count -= (uint64_t)n;
		to += n;
	}
	return 0;
}

/* Bytes of the file of boundaries, inside of it. */
static int copy_bytes(struct span *span, uint64_t offset, void *buffer,
		      size_t size)
{
	const size_t unit = sizeof(struct maplog_boundary);
	uint64_t first = offset / unit;
	uint64_t count = (offset + size + unit - 1) / unit - first;
	struct maplog_boundary *boundaries = calloc(count, unit);
	int ret;

	if (!boundaries)
		return -ENOMEM;
	ret = fill_all(span, span->first + first, count, boundaries);
	if (!ret)
		memcpy(buffer, (char *)boundaries + offset % unit, size);
	free(boundaries);
	return ret;
}

ssize_t span_copy_index(struct span *span, uint64_t offset, void *buffer,
			size_t size)
{
	uint64_t end =
		(span->next - span->first) * sizeof(struct maplog_boundary);
	int ret;

	if (offset >= end)
		return 0;
	if (size > end - offset)
		size = end - offset;
	ret = copy_bytes(span, offset, buffer, size);
	return ret ? ret : (ssize_t)size;
}

void span_read_index(struct span *span, fuse_req_t req, uint64_t offset,
		     size_t size)
{
	void *buffer = malloc(size);
	ssize_t n =
		buffer ? span_copy_index(span, offset, buffer, size) : -ENOMEM;

	if (n < 0)
		fuse_reply_err(req, (int)-n);
	else
		fuse_reply_buf(req, buffer, (size_t)n);
	free(buffer);
}
