/* SPDX-License-Identifier: MIT */
/* Views: finding the bytes of entries in windows. */
#include "view.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "crc.h"
#include "follow.h"
#include "io.h"
#include "part.h"
#include "record.h"

/* A window is at most so large, whatever map-limit allows. */
#define SHIFT_MIN 20
#define SHIFT_MAX 30

/* Windows of .idx files hold so many times fewer records than those of .log
 * files hold bytes: that keeps them smaller, and page-aligned. */
#define RECORDS_SHIFT 5

/* Records that are copied at a time, at most. */
#define COPIED_MAX ((uint64_t)4096)

#define VIEWS_AHEAD 4
#define RECORD	    sizeof(struct maplog_record)

/* Windows of one size are numbered; the number says which size that is. */
#define NUMBER_BITS 16

static_assert(((SHIFT_MAX + 1) << NUMBER_BITS) <= 1 << 23, "a key has room");

static_assert((UINT32_MAX >> SHIFT_MIN) >> NUMBER_BITS == 0,
	      "all have a number");

static_assert((RECORD << (SHIFT_MIN - RECORDS_SHIFT)) % 65536 == 0,
	      "page-aligned");

/* More than a segment can have, and so many that windows can be numbered. */
#define RECORDS_MAX ((uint64_t)1 << 31)

static_assert(RECORDS_MAX >> (SHIFT_MIN - RECORDS_SHIFT) <= 1 << NUMBER_BITS,
	      "windows of the smallest size are enough of them");

/* The key of window @n of records or of payload. */
static uint64_t key_of(const struct place *place, enum maplog_file what,
		       uint64_t n)
{
	uint64_t size = place->row.whole ? 0 : place->shift;

	assert(n >> NUMBER_BITS == 0);
	return window_key(place->row.id, what, size << NUMBER_BITS | n);
}

void view_set_limit(struct maplog *log, uint64_t map_limit)
{
	assert(map_limit);

	__atomic_store_n(&log->shift, view_shift(map_limit), __ATOMIC_RELAXED);
	windows_limit(&log->windows, map_limit);
}

unsigned view_shift(uint64_t map_limit)
{
	/* Eight of them below the limit, so that a few can be held. */
	unsigned shift = SHIFT_MIN;

	while (shift < SHIFT_MAX && (uint64_t)2 << shift <= map_limit / 8)
		shift++;
	assert(shift >= SHIFT_MIN && shift <= SHIFT_MAX);
	return shift;
}

/* Where the record of an entry is in its file. */
static uint64_t record_at(const struct place *place, uint64_t rel)
{
	return place->row.copy + rel * RECORD;
}

/* Maps window @n of records, or copies those of entries and the one before. */
static int map_records(struct maplog *log, const struct place *place,
		       uint64_t n, uint64_t rel, uint64_t count,
		       struct maplog_window **window)
{
	unsigned shift = place->shift - RECORDS_SHIFT;
	/* From the second on they begin a page early, for that record. */
	uint64_t early = n ? io_page() : 0;
	size_t before = rel ? RECORD : 0;
	bool copied = place->row.copy;
	bool peek = copied || (count == 1 && !place->row.whole);
	const struct part part = {
		.file = copied ? MAPLOG_DATA : MAPLOG_INDEX,
		.key = key_of(place, MAPLOG_INDEX, n),
		.offset = record_at(place, n << shift) - early,
		.size = ((uint64_t)1 << shift) * RECORD + early,
		.peek = record_at(place, rel) - before,
		.bytes = peek ? before + count * RECORD : 0,
		.copied = copied,
	};

	return part_hold(log, place, &part, window);
}

/* Holds the window with the record of an entry and the one before it, and with
 * as many of the @count that are asked for as may be. */
static int get_records(struct maplog *log, const struct place *place,
		       uint64_t rel, uint64_t count,
		       struct maplog_window **window)
{
	unsigned shift = place->shift - RECORDS_SHIFT;
	uint64_t n = place->row.whole ? 0 : rel >> shift;
	int ret = 0;

	assert(shift >= SHIFT_MIN - RECORDS_SHIFT);
	assert(rel < place->next - place->row.base);

	*window = windows_find(&log->windows, key_of(place, MAPLOG_INDEX, n));
	if (!*window)
		ret = map_records(log, place, n, rel,
				  count < COPIED_MAX ? count : COPIED_MAX,
				  window);
	if (ret)
		return ret;
	if (record_at(place, rel + 1) <= window_end(*window))
		return 0;
	window_put(*window);
	return -EUCLEAN;
}

/* Takes entries from the end until the last one ends at @end or before. */
static uint32_t clip(const struct maplog_record *records, uint32_t count,
		     uint64_t end)
{
	uint32_t low = 0;

	assert(count);

	if (records[count - 1].end <= end)
		return count;
	while (low < count) {
		uint32_t middle = low + (count - low) / 2;

		if (records[middle].end <= end)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

/* Maps window @n of payload, or copies an entry, or maps one that lies across
 * the end of its window for itself. */
static int map_data(struct maplog *log, const struct place *place, uint64_t n,
		    bool across, const struct maplog_view *view,
		    struct maplog_window **window)
{
	uint64_t start = view->offset;
	uint64_t end = view->records[0].end;
	struct part part = {
		.file = MAPLOG_DATA,
		.key = across ? 0 : key_of(place, MAPLOG_DATA, n),
		.offset = n << place->shift,
		.size = (uint64_t)1 << place->shift,
		.peek = start,
	};

	if (across) {
		part.offset = start & ~(uint64_t)(io_page() - 1);
		part.size = end - part.offset;
	}
	if (view->count == 1 && !place->row.whole && end - start <= PEEK_MAX)
		part.bytes = end - start;
	return part_hold(log, place, &part, window);
}

/* Holds a window with the bytes of view->records, or of some of them. */
static int get_data(struct maplog *log, const struct place *place,
		    struct maplog_view *view, struct maplog_window **window)
{
	uint32_t start = view->offset;
	uint64_t n = place->row.whole ? 0 : start >> place->shift;
	/* An entry across the end of a window gets one of its own. */
	bool across = !place->row.whole &&
		      view->records[0].end > (n + 1) << place->shift;
	int ret = 0;

	assert(view->count);

	if (across)
		view->count = 1;
	*window = across ? NULL
			 : windows_find(&log->windows,
					key_of(place, MAPLOG_DATA, n));
	if (!*window)
		ret = map_data(log, place, n, across, view, window);
	if (ret)
		return ret;
	view->count = clip(view->records, view->count, window_end(*window));
	if (view->count)
		return 0;
	window_put(*window);
	return -EUCLEAN;
}

/* Fills in data and bytes of a view that has its records. */
static int add_data(struct maplog *log, const struct place *place,
		    struct maplog_view *view)
{
	struct maplog_window *window = NULL;
	uint32_t end = view->records[view->count - 1].end;
	int ret;

	assert(view->count);

	if (view->records[0].end < view->offset || end < view->offset)
		return -EUCLEAN;
	view->data = "";
	view->bytes = 0;
	if (end == view->offset)
		return 0;
	ret = get_data(log, place, view, &window);
	if (ret)
		return ret;
	/* Read again: the count may be lower, the file another's. */
	end = view->records[view->count - 1].end;
	if (end < view->offset || end > window_end(window)) {
		window_put(window);
		return -EUCLEAN;
	}
	view->window[MAPLOG_DATA] = window;
	view->data = window->data + (view->offset - window->offset);
	view->bytes = end - view->offset;
	return 0;
}

/* Most go on behind what they look at: by then it is to have come from memory,
 * which takes as long as a few views. An address that is no good is no harm. */
static void expect_more(const struct maplog_view *view)
{
	assert(view->count);
	__builtin_prefetch(&view->records[(VIEWS_AHEAD + 1) * view->count - 1]);
	__builtin_prefetch((const char *)view->data +
			   VIEWS_AHEAD * view->bytes);
}

int view_at(struct maplog *log, const struct place *place, uint64_t index,
	    uint32_t max, struct maplog_view *view)
{
	uint64_t rel = index - place->row.base;
	uint64_t count = place->next - index;
	struct maplog_window *window;
	uint64_t held;
	int ret;

	assert(max);
	assert(place->row.base <= index && index < place->next);

	/* Where segments are lost, the one before looks larger than any is. */
	if (rel >= RECORDS_MAX)
		return -EUCLEAN;
	count = count < max ? count : max;
	ret = get_records(log, place, rel, count, &window);
	if (ret)
		return ret;
	held = (window_end(window) - record_at(place, rel)) / RECORD;
	count = count < held ? count : held;
	*view = (struct maplog_view){
		.index = index,
		.count = (uint32_t)count,
		.records = (const void *)(window->data + record_at(place, rel) -
					  window->offset),
		.window = { [MAPLOG_INDEX] = window },
	};
	view->offset = rel ? view->records[-1].end : 0;
	ret = add_data(log, place, view);
	if (ret == -EUCLEAN && view->count > 1) {
		/* Damage further on must not hide the first entry. */
		view->count = 1;
		ret = add_data(log, place, view);
	}
	if (ret)
		window_put(window);
	else
		expect_more(view);
	return ret;
}

/* Where an entry is, by the table; -EAGAIN if that has changed meanwhile. */
static int find_in_table(struct maplog *log, uint64_t index,
			 struct place *place)
{
	uint64_t bound;
	uint64_t next;
	bool found;

	place->version = table_version(&log->table);
	place->shift = __atomic_load_n(&log->shift, __ATOMIC_RELAXED);
	place->fd = NULL;
	/* After the version: a truncation changes next, then the table. */
	next = head_load(&log_page(log)->next);
	if (index >= next)
		return -ENODATA;
	found = table_find(&log->table, index, &place->row, &bound);
	if (table_changed(&log->table, place->version))
		return -EAGAIN;
	place->next = bound < next ? bound : next;
	return found && index < place->next ? 0 : -EUCLEAN;
}

static bool is_trimmed(const struct maplog *log, uint64_t index)
{
	return index < head_load(&log_page(log)->first);
}

int view_find(struct maplog *log, uint64_t index, struct place *place)
{
	for (;;) {
		int ret;

		if (follow_is_behind(log)) {
			ret = follow_refresh(log);
			if (ret)
				return ret;
			continue;
		}
		ret = find_in_table(log, index, place);
		/* Trimmed first, gone from the table then: look last. */
		if (is_trimmed(log, index))
			return -ENOENT;
		if (ret != -EAGAIN)
			return ret;
	}
}

int maplog_view(struct maplog *log, uint64_t index, uint32_t max,
		struct maplog_view *view)
{
	for (;;) {
		struct place place;
		int ret;

		ret = view_find(log, index, &place);
		if (ret)
			return ret;
		ret = view_at(log, &place, index, max, view);
		if (!table_changed(&log->table, place.version) &&
		    !follow_is_behind(log) && ret != -EAGAIN)
			return ret && is_trimmed(log, index) ? -ENOENT : ret;
		if (!ret)
			maplog_view_release(view);
	}
}

void maplog_view_release(struct maplog_view *view)
{
	for (int file = 0; file < 2; file++) {
		if (view->window[file])
			window_put(view->window[file]);
		view->window[file] = NULL;
	}
}

int maplog_view_entry(const struct maplog_view *view, uint32_t n,
		      const void **data, struct maplog_info *info)
{
	struct maplog_record record;
	uint32_t start;

	assert(n < view->count);

	memcpy(&record, &view->records[n], sizeof(record));
	start = n ? view->records[n - 1].end : view->offset;
	if (start < view->offset || record.end < start ||
	    record.end - view->offset > view->bytes)
		return -EUCLEAN;
	*data = (const char *)view->data + (start - view->offset);
	*info = (struct maplog_info){
		.index = view->index + n,
		.time = record_time(&record),
		.tag = record.tag,
		.bytes = record.end - start,
	};
	return 0;
}

/* One entry of a view against its checksum; -EBADMSG if they differ. */
static int check_entry(struct maplog *log, const struct maplog_view *view,
		       uint32_t n)
{
	struct maplog_record record;
	struct maplog_info info;
	const void *data;

	memcpy(&record, &view->records[n], sizeof(record));
	if (maplog_view_entry(view, n, &data, &info) || !record_time(&record))
		return -EBADMSG;
	return crc_record(log->seed, info.index, &record, data, info.bytes) ==
			       record.crc
		       ? 0
		       : -EBADMSG;
}

int maplog_view_check(struct maplog *log, const struct maplog_view *view,
		      uint32_t *good)
{
	uint32_t n;
	int ret;

	ret = io_populate(view->data, view->bytes, false);
	if (!ret)
		ret = io_populate(view->records, view->count * RECORD, false);
	for (n = 0; !ret && n < view->count; n++)
		ret = check_entry(log, view, n);
	assert(n <= view->count);
	if (good)
		*good = ret && n ? n - 1 : n;
	return ret;
}

int maplog_read(struct maplog *log, uint64_t index, void *buffer, size_t size,
		struct maplog_info *info)
{
	struct maplog_info found = { .bytes = 0 };
	struct maplog_view view;
	const void *data;
	int ret;

	ret = maplog_view(log, index, 1, &view);
	if (ret)
		return ret;
	ret = maplog_view_check(log, &view, NULL);
	if (!ret)
		ret = maplog_view_entry(&view, 0, &data, &found);
	if (size > found.bytes)
		size = found.bytes;
	/* Without a buffer it is the size that is asked for. */
	if (!ret && size)
		memcpy(buffer, data, size);
	if (!ret && info)
		*info = found;
	maplog_view_release(&view);
	return ret;
}
