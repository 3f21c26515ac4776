/* SPDX-License-Identifier: MIT */
/* Going through the entries of a log in order, every one of them checked. */
#include "walk.h"

#include <errno.h>

#define BYTES_WANTED ((size_t)1 << 20)
#define COUNT_MAX    65536

bool walk_is_damage(int ret)
{
	return ret == -EBADMSG || ret == -EUCLEAN || ret == -EIO;
}

static int look(const struct walk *walk, uint32_t max, struct maplog_view *view)
{
	if (walk->snapshot)
		return maplog_snapshot_view(walk->snapshot, walk->index, max,
					    view);
	return maplog_view(walk->log, walk->index, max, view);
}

/* Leaves only the first @count entries in a view. */
static int cut(struct maplog_view *view, uint32_t count)
{
	struct maplog_info info;
	const void *data;
	int ret;

	ret = maplog_view_entry(view, count - 1, &data, &info);
	if (ret)
		return ret;
	view->count = count;
	view->bytes = (size_t)((const char *)data - (const char *)view->data) +
		      info.bytes;
	return 0;
}

/* A view of good entries only, or the damage of the first one. */
static int check(const struct walk *walk, struct maplog_view *view)
{
	uint32_t good;
	int ret;

	ret = maplog_view_check(walk->log, view, &good);
	if (ret && good && walk_is_damage(ret))
		ret = cut(view, good);
	if (ret)
		maplog_view_release(view);
	return ret;
}

/* More next time, as long as entries are small. */
static void adapt(struct walk *walk, const struct maplog_view *view)
{
	size_t average = view->bytes / view->count + 1;
	size_t fitting = BYTES_WANTED / average + 1;
	uint32_t most = walk->max < COUNT_MAX / 2 ? walk->max * 2 : COUNT_MAX;

	walk->max = fitting < most ? (uint32_t)fitting : most;
}

static int next(struct walk *walk, uint32_t max, struct maplog_view *view)
{
	uint64_t left = walk->end - walk->index;
	int ret;

	ret = look(walk, left < max ? (uint32_t)left : max, view);
	return ret ? ret : check(walk, view);
}

int walk_next(struct walk *walk, struct maplog_view *view)
{
	int ret;

	if (walk->index >= walk->end)
		return -ENODATA;
	ret = next(walk, walk->max, view);
	/* One page that cannot be read fails all of a view. */
	if (walk_is_damage(ret) && walk->max > 1) {
		walk->max = 1;
		ret = next(walk, 1, view);
	}
	if (ret)
		return ret;
	walk->index += view->count;
	adapt(walk, view);
	return 0;
}
