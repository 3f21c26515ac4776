/* SPDX-License-Identifier: MIT */
/* Cursors: going through entries in place, one after another. */
#ifndef MAPLOG_CURSOR_H
#define MAPLOG_CURSOR_H

#include <stdint.h>

#include "log.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where a cursor is. One thread at a time uses one; its fields are its own. */
struct maplog_cursor {
	struct maplog *log;
	uint64_t start; /* where the next one starts in its .log file */
	struct maplog_view view;
	uint64_t n; /* entries of the view that were handed out */
};

/** maplog_cursor_init() - begin at @index; there need not be such an entry */
void maplog_cursor_init(struct maplog_cursor *cursor, struct maplog *log,
			uint64_t index);

/**
 * maplog_cursor_next() - the next entry
 * @entry: out: its bytes, valid until the next call, and its tag
 *
 * Checksums are not looked at. Entries that the cursor has in view are handed
 * out even if a truncation drops them meanwhile.
 *
 * Return: 0; -ENODATA at the end: the same call goes on when there is more;
 * else as maplog_view() and maplog_view_entry(), and the cursor stays.
 */
static inline int maplog_cursor_next(struct maplog_cursor *cursor,
				     struct maplog_entry *entry);

/**
 * maplog_cursor_more() - what maplog_cursor_next() does once in a while
 * @entry: as there
 *
 * Not to be called by itself.
 *
 * Return: as maplog_cursor_next().
 */
int maplog_cursor_more(struct maplog_cursor *cursor,
		       struct maplog_entry *entry);

/**
 * maplog_cursor_index() - where a cursor is
 *
 * Return: the index that maplog_cursor_next() comes to.
 */
uint64_t maplog_cursor_index(const struct maplog_cursor *cursor);

/** maplog_cursor_release() - give back what it holds, before the log is closed
 */
void maplog_cursor_release(struct maplog_cursor *cursor);

static inline int maplog_cursor_next(struct maplog_cursor *cursor,
				     struct maplog_entry *entry)
{
	const struct maplog_view *view = &cursor->view;
	uint64_t start = cursor->start;
	uint64_t end;

	if (cursor->n == view->count)
		return maplog_cursor_more(cursor, entry);
	end = view->records[cursor->n].end;
	if (end < start || end - view->offset > view->bytes)
		return maplog_cursor_more(cursor, entry);
	entry->data = (const char *)view->data + (start - view->offset);
	entry->bytes = end - start;
	entry->tag = view->records[cursor->n].tag;
	cursor->start = end;
	cursor->n++;
	return 0;
}

#ifdef __cplusplus
}
#endif

#endif
