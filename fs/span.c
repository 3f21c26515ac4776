/* SPDX-License-Identifier: MIT */
/* Spans: consecutive entries as the bytes of one file, across segments. */
#include "span.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "span_private.h"

/* Entries that are looked at together, at most. */
#define LOOK 65536

/* The record of an entry, and the offset in its file at which that begins. */
static int look_at(struct maplog *log, uint64_t index, uint64_t *start,
		   struct maplog_record *record)
{
	struct maplog_view view;
	int ret;

	ret = maplog_view(log, index, 1, &view);
	if (ret)
		return ret;
	*start = view.offset;
	*record = view.records[0];
	maplog_view_release(&view);
	return 0;
}

/* Where the segment ends that an entry is in, if that is before @next. */
static int clip_to_segment(struct maplog *log, uint64_t index, uint64_t *next)
{
	struct maplog_segment segment;
	uint64_t end;
	int ret;

	ret = maplog_segment(log, index, &segment);
	if (ret)
		return ret;
	end = segment.base + segment.entries;
	if (index < segment.base || index >= end)
		return -ENOENT;
	if (*next > end)
		*next = end;
	return 0;
}

/* The piece that begins with an entry, up to @next at most. */
static int look_at_piece(struct maplog *log, uint64_t index, uint64_t next,
			 struct piece *piece, struct maplog_record *last)
{
	uint64_t start;
	uint64_t ignored;
	int ret = 0;

	/* To ask for a segment is to open its files: an entry is in one. */
	if (next - index > 1)
		ret = clip_to_segment(log, index, &next);
	if (!ret)
		ret = look_at(log, index, &start, last);
	if (!ret && next - index > 1)
		ret = look_at(log, next - 1, &ignored, last);
	if (ret)
		return ret;
	if (last->end < start)
		return -EUCLEAN;
	*piece = (struct piece){
		.first = index,
		.next = next,
		.bytes = last->end - start,
	};
	return 0;
}

/* What of a range there is. -ENOENT if it is not all of it. */
static int clip(struct maplog *log, uint64_t first, uint64_t *next)
{
	struct maplog_counters counters;

	maplog_counters(log, &counters);
	if (*next == NODE_TO_THE_END)
		*next = counters.next;
	return first < counters.first || first > *next || *next > counters.next
		       ? -ENOENT
		       : 0;
}

static int measure(struct maplog *log, uint64_t first, uint64_t next,
		   struct span_size *size)
{
	int ret;

	memset(size, 0, sizeof(*size));
	ret = clip(log, first, &next);
	if (ret)
		return ret;
	size->entries = next - first;
	while (first < next) {
		struct maplog_record last;
		struct piece piece;

		ret = look_at_piece(log, first, next, &piece, &last);
		if (ret)
			return ret;
		size->bytes += piece.bytes;
		size->time = last.time & ~MAPLOG_TIME_MORE;
		size->crc = last.crc;
		first = piece.next;
	}
	return 0;
}

static uint64_t generation(struct maplog *log)
{
	struct maplog_counters counters;

	maplog_counters(log, &counters);
	return counters.generation;
}

int span_measure(struct maplog *log, uint64_t first, uint64_t next,
		 struct span_size *size)
{
	uint64_t before;
	int ret;

	/* Not half of it before a truncation, and half of it after. */
	do {
		before = generation(log);
		ret = measure(log, first, next, size);
	} while (generation(log) != before);
	return book_reading_error(ret);
}

static bool is_marked(const struct maplog_view *view,
		      const struct node_mark *mark)
{
	const struct maplog_record *record = &view->records[0];

	return (record->time & ~MAPLOG_TIME_MORE) == mark->time &&
	       record->crc == mark->crc;
}

bool span_is_there(struct maplog *log, const struct node_mark *mark)
{
	struct maplog_view view;
	bool same;

	if (!mark->next)
		return true;
	if (maplog_view(log, mark->next - 1, 1, &view))
		return false;
	same = is_marked(&view, mark);
	maplog_view_release(&view);
	return same;
}

bool span_has(struct span *span, const struct node_mark *mark)
{
	struct maplog_view view;
	bool same;

	if (!mark->next)
		return true;
	if (mark->next <= span->first || mark->next > span->next ||
	    span_view(span, mark->next - 1, 1, &view))
		return false;
	same = is_marked(&view, mark);
	maplog_view_release(&view);
	return same;
}

void span_mark(uint64_t first, const struct span_size *size,
	       struct node_mark *mark)
{
	if (!size->entries)
		return;
	mark->next = first + size->entries;
	mark->time = size->time;
	mark->crc = size->crc;
}

static int add_part(struct span *span, uint64_t first, uint64_t next)
{
	struct part *parts;
	int ret;

	parts = reallocarray(span->parts, span->n_parts + 1, sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	span->parts = parts;
	parts[span->n_parts].first = first;
	parts[span->n_parts].next = next;
	ret = maplog_snapshot_take(span->log, first, next,
				   &parts[span->n_parts].snapshot);
	if (!ret)
		span->n_parts++;
	return ret == -ENODATA ? -ENOENT : ret;
}

static int add_piece(struct span *span, const struct piece *piece)
{
	struct piece *pieces;

	pieces =
		reallocarray(span->pieces, span->n_pieces + 1, sizeof(*pieces));
	if (!pieces)
		return -ENOMEM;
	span->pieces = pieces;
	pieces[span->n_pieces] = *piece;
	pieces[span->n_pieces++].at = span->bytes;
	span->bytes += piece->bytes;
	return 0;
}

static int add_pieces(struct span *span, uint64_t first, uint64_t next)
{
	while (first < next) {
		struct maplog_record last;
		struct piece piece;
		int ret;

		ret = look_at_piece(span->log, first, next, &piece, &last);
		if (!ret)
			ret = add_piece(span, &piece);
		if (ret)
			return ret;
		first = piece.next;
		span->next = first;
		span->time = last.time & ~MAPLOG_TIME_MORE;
		span->crc = last.crc;
	}
	return 0;
}

/* Takes in entries; -EAGAIN if a truncation came between. */
static int add_entries(struct span *span, uint64_t first, uint64_t next)
{
	const struct span before = *span;
	int ret;

	ret = add_part(span, first, next);
	if (!ret)
		ret = add_pieces(span, first, next);
	if (generation(span->log) != span->generation)
		ret = -EAGAIN;
	if (!ret)
		return 0;
	/* As it was: what was added may be of both times. */
	span->next = before.next;
	span->bytes = before.bytes;
	span->time = before.time;
	span->crc = before.crc;
	span->n_pieces = before.n_pieces;
	if (span->n_parts > before.n_parts)
		maplog_snapshot_release(span->parts[--span->n_parts].snapshot);
	return ret;
}

static int try_open(struct maplog *log, uint64_t first, uint64_t next,
		    struct span **span)
{
	struct span *opened = calloc(1, sizeof(*opened));
	int ret;

	if (!opened)
		return -ENOMEM;
	*opened = (struct span){
		.log = log,
		.first = first,
		.next = first,
		.open_end = next == NODE_TO_THE_END,
		.hint_index = first,
	};
	opened->generation = generation(log);
	ret = clip(log, first, &next);
	if (!ret)
		ret = add_entries(opened, first, next);
	if (ret)
		span_close(opened);
	else
		*span = opened;
	return ret;
}

int span_open(struct maplog *log, uint64_t first, uint64_t next,
	      struct span **span)
{
	int ret;

	do {
		ret = try_open(log, first, next, span);
	} while (ret == -EAGAIN);
	return book_reading_error(ret);
}

/* A truncation behind its last entry is nothing to a span, any other is the
 * end of it. */
static int take_truncation(struct span *span)
{
	const struct node_mark mark = {
		.next = span->next > span->first ? span->next : 0,
		.time = span->time,
		.crc = span->crc,
	};
	uint64_t now = generation(span->log);

	if (now == span->generation)
		return 0;
	if (!span_is_there(span->log, &mark))
		return -ESTALE;
	span->generation = now;
	return 0;
}

int span_grow(struct span *span)
{
	struct maplog_counters counters;
	int ret;

	if (!span->open_end)
		return 0;
	ret = take_truncation(span);
	if (ret)
		return ret;
	maplog_counters(span->log, &counters);
	if (counters.next <= span->next)
		return 0;
	return book_reading_error(add_entries(span, span->next, counters.next));
}

void span_close(struct span *span)
{
	if (!span)
		return;
	for (size_t i = 0; i < span->n_parts; i++)
		maplog_snapshot_release(span->parts[i].snapshot);
	free(span->parts);
	free(span->pieces);
	free(span);
}

void span_size(const struct span *span, struct span_size *size)
{
	*size = (struct span_size){
		.entries = span->next - span->first,
		.bytes = span->bytes,
		.time = span->time,
		.crc = span->crc,
	};
}

int span_view(struct span *span, uint64_t index, uint64_t max,
	      struct maplog_view *view)
{
	size_t n = span->n_parts;

	while (n && span->parts[n - 1].first > index)
		n--;
	assert(n);
	return maplog_snapshot_view(span->parts[n - 1].snapshot, index,
				    max < LOOK ? (uint32_t)max : LOOK, view);
}

int span_check(struct span *span, const struct maplog_view *view)
{
	uint64_t end = view->index + view->count;
	int ret;

	if (span->good_from <= view->index && end <= span->good_to)
		return 0;
	ret = maplog_view_check(span->log, view, NULL);
	if (ret)
		return ret;
	if (view->index < span->good_from || view->index > span->good_to)
		span->good_from = view->index;
	span->good_to = end;
	return 0;
}
