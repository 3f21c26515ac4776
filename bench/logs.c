/* SPDX-License-Identifier: MIT */
/*
 * Many logs open in one process, appended to in turn, ten entries at a time.
 *
 *	bench-logs dir=DIR logs= [n=] [size=] [segment=]
 *
 * n is of all logs together. Then each is read back and compared.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include <log.h>

#include "harness.h"

#define BATCH 10

static struct maplog **logs;
static uint64_t count, size;

static void open_logs(const char *path, const char *segment)
{
	struct maplog_options options;
	int dir = (int)must_call(open(path, O_DIRECTORY | O_RDONLY), "open");
	char name[32];

	maplog_options_init(&options);
	options.sync = MAPLOG_SYNC_MANUAL;
	must(maplog_options_set(&options, "segment-size", segment), segment);
	for (uint64_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "log-%lu", i);
		must(maplog_create(dir, name, 0755, &options), "create");
		must(maplog_open(dir, name, MAPLOG_WRITE, &logs[i]), "open");
	}
}

static void append(uint64_t log, uint64_t index)
{
	struct maplog_entry batch[BATCH];

	for (unsigned i = 0; i < BATCH; i++)
		batch[i] = (struct maplog_entry){ .data = payload(index + i),
						  .bytes = size };
	must(maplog_append(logs[log], batch, BATCH, NULL), "maplog_append");
}

static void check(struct maplog *log, uint64_t n)
{
	struct maplog_view view;
	struct maplog_info info;
	const void *data;

	for (uint64_t index = 0; index < n; index += view.count) {
		must(maplog_view(log, index, UINT32_MAX, &view), "view");
		for (uint32_t i = 0; i < view.count; i++) {
			must(maplog_view_entry(&view, i, &data, &info),
			     "maplog_view_entry");
			payload_check(info.index, data, size);
		}
		maplog_view_release(&view);
	}
}

/* Anonymous memory of this process, from /proc/self/status. */
static double anonymous(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[200];
	double kib = 0;

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "RssAnon: %lf", &kib);
	if (file)
		fclose(file);
	return kib / 1024;
}

int main(int argc, char **argv)
{
	const char *dir, *segment;
	uint64_t n, each, begin;
	double before;

	args_init(argc, argv);
	dir = arg_text("dir", NULL);
	count = arg_number("logs", 1);
	n = arg_number("n", 1000000);
	size = arg_number("size", 51);
	segment = arg_text("segment", "16M");
	args_done();
	each = n / count / BATCH * BATCH;
	if (!each)
		die("that is no batch for each log", 0);

	payload_init(size);
	before = anonymous();
	logs = calloc(count, sizeof(*logs));
	begin = clock_ns();
	open_logs(dir, segment);
	emit("create and open a log", "us",
	     (double)(clock_ns() - begin) / 1000 / (double)count);
	begin = clock_ns();
	for (uint64_t index = 0; index < each; index += BATCH)
		for (uint64_t i = 0; i < count; i++)
			append(i, index);
	emit("append", "ns/entry",
	     (double)(clock_ns() - begin) / (double)(each * count));
	emit("anonymous memory", "MiB", anonymous() - before);
	for (uint64_t i = 0; i < count; i++) {
		check(logs[i], each);
		must(maplog_close(logs[i]), "maplog_close");
	}
	return 0;
}
