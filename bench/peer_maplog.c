/* SPDX-License-Identifier: MIT */
/* maplog itself, by way of its library. */
#include <cursor.h>
#include <errno.h>
#include <fcntl.h>

#include "harness.h"
#include "peer.h"

static struct maplog *log_;
/* What was handed out last. A view ends with its segment or mapping, so it may
 * take a few to look up what was asked for. */
static struct maplog_view views[READ_MAX];
static unsigned held;

static void open_log(const struct peer *self, const struct setup *setup)
{
	struct maplog_options options;
	int dir =
		(int)must_call(open(setup->dir, O_DIRECTORY | O_PATH), "open");

	maplog_options_init(&options);
	options.sync = (enum maplog_sync)self->flags;
	must(maplog_options_set(&options, "segment-size", setup->segment),
	     setup->segment);
	must(maplog_create(dir, "log", 0755, &options), "maplog_create");
	must(maplog_open(dir, "log", MAPLOG_WRITE, &log_), "maplog_open");
}

static void append(const struct maplog_entry *entries, unsigned n)
{
	must(maplog_append(log_, entries, n, NULL), "maplog_append");
}

static void sync_log(void)
{
	must(maplog_sync(log_, NULL), "maplog_sync");
}

static void give_back(void)
{
	while (held)
		maplog_view_release(&views[--held]);
}

static void read_log(uint64_t index, unsigned n, struct maplog_entry *out)
{
	struct maplog_info info;

	give_back();
	for (unsigned done = 0; done < n;) {
		struct maplog_view *view = &views[held];

		must(maplog_view(log_, index + done, n - done, view),
		     "maplog_view");
		held++;
		for (unsigned i = 0; i < view->count; i++, done++) {
			must(maplog_view_entry(view, i, &out[done].data, &info),
			     "maplog_view_entry");
			out[done].bytes = info.bytes;
		}
	}
}

static const void *span(uint64_t index, unsigned n, size_t *bytes)
{
	give_back();
	must(maplog_view(log_, index, n, &views[held++]), "maplog_view");
	*bytes = views[0].bytes;
	return views[0].data;
}

static uint64_t walk(void)
{
	struct maplog_cursor cursor;
	struct maplog_entry entry;
	uint64_t sum = 0;
	int ret;

	maplog_cursor_init(&cursor, log_, 0);
	while (!(ret = maplog_cursor_next(&cursor, &entry)))
		sum += *(const unsigned char *)entry.data + entry.bytes;
	if (ret != -ENODATA)
		die("maplog_cursor_next", -ret);
	maplog_cursor_release(&cursor);
	return sum;
}

static void close_log(void)
{
	give_back();
	must(maplog_close(log_), "maplog_close");
}

#define PEER(text, policy)                                                     \
	{                                                                      \
		.name = text, .flags = policy, .open = open_log,               \
		.append = append, .sync = sync_log, .read = read_log,          \
		.span = span, .walk = walk, .close = close_log                 \
	}

const struct peer peers[] = {
	PEER("manual", MAPLOG_SYNC_MANUAL),
	PEER("always", MAPLOG_SYNC_ALWAYS),
	{ 0 },
};
