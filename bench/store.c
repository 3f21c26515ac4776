/* SPDX-License-Identifier: MIT */
/*
 * Builds a store: logs of so many segments of so many entries each.
 *
 *	bench-store dir=DIR [logs=] [segments=] [entries=] [size=] [name=]
 *
 * Logs are called name-0, name-1, ... and hold payload. All segments but the
 * last, which is empty and active, are sealed.
 */
#include <fcntl.h>
#include <stdio.h>

#include <log.h>

#include "harness.h"

#define BATCH 1000

static uint64_t segments, entries, size;

static void fill_segment(struct maplog *log, uint64_t first)
{
	struct maplog_entry batch[BATCH];

	for (uint64_t i = 0; i < entries; i += BATCH) {
		uint64_t n = entries - i < BATCH ? entries - i : BATCH;

		for (uint64_t k = 0; k < n; k++)
			batch[k] = (struct maplog_entry){
				.data = payload(first + i + k),
				.bytes = size,
			};
		must(maplog_append(log, batch, n, NULL), "maplog_append");
	}
}

static void build(int dir, const char *name)
{
	struct maplog_options options;
	struct maplog *log;

	maplog_options_init(&options);
	options.sync = MAPLOG_SYNC_MANUAL;
	/* Room for all of it, and for its records; as usual if nothing is put
	 * in there, but by others. */
	if (segments &&
	    entries * (size + sizeof(struct maplog_record)) < 1 << 20)
		options.segment_size = 1 << 20;
	must(maplog_create(dir, name, 0755, &options), "maplog_create");
	must(maplog_open(dir, name, MAPLOG_WRITE, &log), "maplog_open");
	for (uint64_t i = 0; i < segments; i++) {
		fill_segment(log, i * entries);
		must(maplog_seal(log, NULL), "maplog_seal");
	}
	must(maplog_close(log), "maplog_close");
}

int main(int argc, char **argv)
{
	const char *name;
	uint64_t logs, begin;
	char full[80];
	int dir;

	args_init(argc, argv);
	dir = (int)must_call(
		open(arg_text("dir", NULL), O_DIRECTORY | O_RDONLY), "open");
	logs = arg_number("logs", 1);
	segments = arg_number("segments", 1);
	entries = arg_number("entries", 1000);
	size = arg_number("size", 51);
	name = arg_text("name", "log");
	args_done();

	payload_init(size);
	begin = clock_ns();
	for (uint64_t i = 0; i < logs; i++) {
		snprintf(full, sizeof(full), "%s-%lu", name, i);
		build(dir, full);
	}
	emit("built", "s", (double)(clock_ns() - begin) / 1e9);
	return 0;
}
