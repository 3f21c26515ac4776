/* SPDX-License-Identifier: MIT */
/* Cursors: going through entries one after another. */
#include "cursor.h"

#include <assert.h>
#include <errno.h>

/* Entries of one view: what it holds cannot be unmapped meanwhile. */
#define VIEW_MAX 65536

void maplog_cursor_init(struct maplog_cursor *cursor, struct maplog *log,
			uint64_t index)
{
	*cursor = (struct maplog_cursor){
		.log = log,
		.view = { .index = index },
	};
}

int maplog_cursor_more(struct maplog_cursor *cursor, struct maplog_entry *entry)
{
	struct maplog_view view;
	int ret;

	assert(cursor->n <= cursor->view.count);

	/* A record that makes no sense: what is behind it does not, either. */
	if (cursor->n < cursor->view.count)
		return -EUCLEAN;
	ret = maplog_view(cursor->log, maplog_cursor_index(cursor), VIEW_MAX,
			  &view);
	if (ret)
		return ret;
	assert(view.index == maplog_cursor_index(cursor) && view.count);
	maplog_view_release(&cursor->view);
	cursor->view = view;
	cursor->n = 0;
	cursor->start = view.offset;
	return maplog_cursor_next(cursor, entry);
}

uint64_t maplog_cursor_index(const struct maplog_cursor *cursor)
{
	return cursor->view.index + cursor->n;
}

void maplog_cursor_release(struct maplog_cursor *cursor)
{
	maplog_view_release(&cursor->view);
}
