/* SPDX-License-Identifier: MIT */
/* Positions: how far a reader has got, whatever becomes of the log. */
#include "position.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "io.h"
#include "moment.h"
#include "record.h"

static uint64_t generation_of(struct maplog *log)
{
	struct maplog_counters counters;

	maplog_counters(log, &counters);
	return counters.generation;
}

/* The record of an entry. */
static int look_at(struct maplog *log, uint64_t index,
		   struct maplog_record *record)
{
	struct maplog_view view;
	int ret;

	ret = maplog_view(log, index, 1, &view);
	if (ret)
		return ret;
	ret = io_populate(view.records, sizeof(*view.records), false);
	if (!ret)
		memcpy(record, view.records, sizeof(*record));
	maplog_view_release(&view);
	return ret;
}

static void set(struct maplog *log, uint64_t index,
		struct maplog_position *position)
{
	struct maplog_record record;

	*position = (struct maplog_position){ .next = index };
	if (!index || look_at(log, index - 1, &record))
		return;
	position->time = record_time(&record);
	position->crc = record.crc;
}

void maplog_position_set(struct maplog *log, uint64_t index,
			 struct maplog_position *position)
{
	uint64_t generation;

	do {
		generation = generation_of(log);
		set(log, index, position);
		position->generation = generation;
	} while (generation_of(log) != generation);
}

void maplog_position_take(struct maplog_position *position,
			  const struct maplog_view *view)
{
	struct maplog_record record;

	assert(view->index == position->next);
	assert(view->count);

	memcpy(&record, &view->records[view->count - 1], sizeof(record));
	position->next = view->index + view->count;
	position->time = record_time(&record);
	position->crc = record.crc;
}

/* Whether the entry before is the one that was read, as far as can be told. One
 * that is trimmed or damaged may be; what cannot be looked at now may be
 * anything. */
static int find_out(struct maplog *log, const struct maplog_position *position,
		    bool *is_there)
{
	struct maplog_record record;
	int ret;

	*is_there = true;
	if (!position->time || !position->next)
		return 0;
	ret = look_at(log, position->next - 1, &record);
	if (ret == -ENOENT || ret == -EUCLEAN || ret == -EIO)
		return 0;
	if (ret && ret != -ENODATA)
		return ret;
	*is_there = !ret && record_time(&record) == position->time &&
		    record.crc == position->crc;
	return 0;
}

static int check(struct maplog *log, const struct maplog_position *position,
		 struct maplog_position *now)
{
	struct maplog_counters counters;
	bool is_there = false;
	uint64_t index;
	int ret = 0;

	maplog_counters(log, &counters);
	if (position->next <= counters.next)
		ret = find_out(log, position, &is_there);
	if (ret)
		return ret;
	if (is_there) {
		*now = *position;
		return 0;
	}
	index = counters.next;
	if (position->time && position->next) {
		/* What took the place of entries that were read came later. */
		ret = maplog_moment_find(log, position->time + 1, &index);
		if (ret)
			return ret;
	}
	if (index >= position->next)
		index = position->next - 1;
	set(log, index, now);
	return 0;
}

int maplog_position_check(struct maplog *log,
			  const struct maplog_position *position,
			  struct maplog_position *now)
{
	struct maplog_position found = *position;
	uint64_t generation = generation_of(log);
	int ret = 0;

	while (found.generation != generation) {
		ret = check(log, position, &found);
		if (ret)
			return ret;
		found.generation = generation;
		generation = generation_of(log);
	}
	*now = found;
	return 0;
}
