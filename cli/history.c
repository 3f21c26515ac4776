/* SPDX-License-Identifier: MIT */
/* What was there before, to tell which of it a truncation has taken away. */
#include "history.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* The checksum covers all that an entry is; with the time of its append even
 * the same bytes, appended again, are seen to be another entry. */
static uint64_t fingerprint(const struct maplog_record *shown)
{
	struct maplog_record record;

	memcpy(&record, shown, sizeof(record));
	return (record.time & ~MAPLOG_TIME_MORE) ^ (uint64_t)record.crc << 31;
}

void history_add(struct history *history, const struct maplog_view *view)
{
	if (view->index != history->next)
		history->first = view->index;
	history->next = view->index + view->count;
	if (history->next - history->first > HISTORY_SIZE)
		history->first = history->next - HISTORY_SIZE;
	for (uint32_t n = 0; n < view->count; n++)
		history->print[(view->index + n) % HISTORY_SIZE] =
			fingerprint(&view->records[n]);
}

void history_fill(struct history *history, struct maplog *log, uint64_t first,
		  uint64_t next)
{
	uint64_t index =
		next - first > HISTORY_SIZE ? next - HISTORY_SIZE : first;

	history->first = history->next = index;
	while (index < next) {
		struct maplog_view view;

		if (maplog_view(log, index, (uint32_t)(next - index), &view)) {
			history->first = history->next = ++index;
			continue;
		}
		history_add(history, &view);
		index = history->next;
		maplog_view_release(&view);
	}
}

static int is_same(const struct history *history, struct maplog *log,
		   uint64_t index, bool *same)
{
	struct maplog_view view;
	int ret;

	ret = maplog_view(log, index, 1, &view);
	if (ret)
		return ret;
	*same = fingerprint(view.records) ==
		history->print[index % HISTORY_SIZE];
	maplog_view_release(&view);
	return 0;
}

int history_compare(const struct history *history, struct maplog *log,
		    uint64_t *same)
{
	uint64_t low = history->first;
	uint64_t high = history->next;

	/* What is below a truncation stays, and nothing from there on. */
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		bool found = false;
		int ret;

		ret = is_same(history, log, middle, &found);
		if (ret && ret != -ENODATA && ret != -ENOENT)
			return ret;
		/* Trimmed, it has not been truncated. */
		if (found || ret == -ENOENT)
			low = middle + 1;
		else
			high = middle;
	}
	*same = low;
	return 0;
}
