/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: a log whose files are arbitrary bytes, opened for reading,
 * repaired, opened for writing, and for writing again. What was served once
 * stays what it is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Entries looked at: from the first on, and up to the end. */
#define LOOK 12

/* More than an entry of a small file can have. That of a large one is holes,
 * gigabytes of them, which take memory on a tmpfs and show nothing. */
#define BYTES_MAX ((uint64_t)64 << 20)

struct seen {
	uint64_t index;
	uint64_t bytes;
	uint32_t crc;
	int ret;
};

struct look {
	uint64_t first;
	uint64_t next;
	struct seen seen[2 * LOOK];
	size_t count;
};

static struct seen look_at(struct maplog *log, uint64_t index)
{
	struct seen seen = { .index = index };
	struct maplog_view view;

	seen.ret = maplog_view(log, index, 3, &view);
	if (seen.ret)
		return seen;
	require(view.count && view.index == index);
	view.count = 1;
	seen.ret = view.bytes > BYTES_MAX ? -EFBIG
					  : maplog_view_check(log, &view, NULL);
	if (!seen.ret) {
		struct maplog_info info;
		const void *bytes;

		require(!maplog_view_entry(&view, 0, &bytes, &info));
		require(info.bytes <= view.bytes);
		seen.bytes = info.bytes;
		for (uint64_t i = 0; i < info.bytes; i++)
			seen.crc = seen.crc * 31 + ((const uint8_t *)bytes)[i];
	}
	maplog_view_release(&view);
	require(seen.ret != -ENODATA && seen.ret != -ENOENT);
	return seen;
}

static void look(struct maplog *log, struct look *look)
{
	struct maplog_counters now;
	uint64_t index;

	maplog_counters(log, &now);
	require(now.first <= now.next && now.durable <= now.next);
	*look = (struct look){ .first = now.first, .next = now.next };
	for (index = now.first; index < now.next && look->count < LOOK; index++)
		look->seen[look->count++] = look_at(log, index);
	if (now.next - index > LOOK)
		index = now.next - LOOK;
	for (; index < now.next; index++)
		look->seen[look->count++] = look_at(log, index);
}

static void look_around(struct maplog *log)
{
	struct maplog_segment segment = { .active = false };
	struct maplog_snapshot *snapshot;
	struct maplog_status status;
	struct maplog_counters now;
	uint64_t index = 0;

	(void)maplog_status(log, &status);
	for (int n = 0; n < 16 && !segment.active; n++) {
		segment.id = 0;
		if (maplog_segment(log, index, &segment) && !segment.id)
			break;
		require(segment.base + segment.entries >= index);
		index = segment.base + segment.entries;
	}
	maplog_counters(log, &now);
	if (!maplog_snapshot_take(log, now.first, now.next, &snapshot))
		maplog_snapshot_release(snapshot);
}

/* Where checksums are always right, both records of an entry are, whatever they
 * say, and one may end where the other does not: then nothing is known. */
static bool can_tell(void)
{
	return maplog_crc32c(0, "a", 1) != 0;
}

/* What was served is served again, and is the same. A reader goes by one of
 * two records and a writer by the other: if only one of them is damaged, the
 * entry may be served to one of them. */
static void compare(const struct look *before, const struct look *after,
		    bool same_mode)
{
	if (!can_tell())
		return;
	for (size_t i = 0; i < before->count; i++) {
		const struct seen *was = &before->seen[i];

		for (size_t k = 0; k < after->count && !was->ret; k++) {
			const struct seen *is = &after->seen[k];

			if (is->index != was->index || (!same_mode && is->ret))
				continue;
			require(!is->ret && is->bytes == was->bytes &&
				is->crc == was->crc);
		}
	}
}

static bool open_for(enum maplog_mode mode, struct look *found)
{
	struct maplog *log;

	if (maplog_open(store_fd(), LOG, mode, &log))
		return false;
	look(log, found);
	look_around(log);
	require(!maplog_close(log) || mode == MAPLOG_WRITE);
	return true;
}

static void change(const struct look *before)
{
	const struct maplog_entry entry = { "next", 4, 7 };
	struct look after;
	struct maplog *log;
	uint64_t index;

	if (maplog_open(store_fd(), LOG, MAPLOG_WRITE, &log))
		return;
	if (!maplog_append(log, &entry, 1, &index)) {
		require(index == before->next);
		require(!look_at(log, index).ret || !can_tell());
		look(log, &after);
		compare(before, &after, true);
		if (!maplog_truncate(log, before->first))
			(void)maplog_append(log, &entry, 1, &index);
	}
	(void)maplog_trim(log, before->next);
	(void)maplog_close(log);
}

/* A repair takes nothing away, and a dry run changes nothing. */
static void repair(const struct look *before)
{
	struct look after;

	if (maplog_repair(store_fd(), LOG, false, NULL, NULL))
		return;
	require(open_for(MAPLOG_READ, &after));
	require(!memcmp(before, &after, sizeof(after)));
	(void)maplog_repair(store_fd(), LOG, true, NULL, NULL);
	require(open_for(MAPLOG_READ, &after));
	compare(before, &after, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct look reader;
	struct look writer;
	struct look again;
	bool readable;

	store_unpack(data, size);
	readable = open_for(MAPLOG_READ, &reader);
	/* Every other one, so that recovery sees what is damaged, too. */
	if (readable && size % 2)
		repair(&reader);
	if (!open_for(MAPLOG_WRITE, &writer))
		return 0;
	if (readable)
		compare(&reader, &writer, false);
	require(open_for(MAPLOG_WRITE, &again));
	compare(&writer, &again, true);
	require(open_for(MAPLOG_READ, &again));
	compare(&writer, &again, false);
	change(&writer);
	return 0;
}
