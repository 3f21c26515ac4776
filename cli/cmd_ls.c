/* SPDX-License-Identifier: MIT */
/* maplog ls: the logs of a store, or the segments of a log. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "error.h"
#include "explain.h"
#include "log.h"
#include "mounted.h"
#include "retain.h"
#include "state.h"
#include "store.h"
#include "table.h"

/* A log that cannot be opened or looked at whole has its error in the table,
 * and in full on stderr. */
static int add_log(struct table *table, const char *name, const char *path)
{
	struct maplog *log = store_open(path, MAPLOG_READ);
	struct maplog_status status;
	char writer[16] = "-";
	int ret;

	if (!log) {
		table_add(table, "%s\t-\t-\t-\t-\t-\t-\terror", name);
		return STATUS_FAILED;
	}
	ret = maplog_status(log, &status);
	if (status.live)
		snprintf(writer, sizeof(writer), "%d", (int)status.holder);
	table_add(table,
		  "%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
		  "\t%" PRIu64 "\t%s\t%s",
		  name, status.counters.first, status.counters.next,
		  status.counters.durable, status.segments, status.bytes,
		  writer, ret ? "damaged" : state_name(log, &status));
	maplog_close(log);
	if (!ret)
		return STATUS_OK;
	return error_print("%s: not all of its segments can be used: 'maplog "
			   "ls %s' lists them, 'maplog verify %s' checks them",
			   path, path, path);
}

static int list_logs(const char *store)
{
	struct table table = { .count = 0 };
	int status = STATUS_OK;
	char **names;
	size_t count;
	int ret;

	ret = store_logs(store, &names, &count);
	if (ret)
		return explain_store(store, ret);
	table_add(&table, "NAME\t>FIRST\t>NEXT\t>DURABLE\t>SEGMENTS\t>BYTES\t"
			  ">WRITER\tSTATE");
	for (size_t i = 0; i < count; i++) {
		char *path = store_join(store, names[i]);

		text_name(names[i]);
		if (add_log(&table, names[i], path))
			status = STATUS_FAILED;
		free(path);
	}
	store_free(names, count);
	table_print(&table);
	return status;
}

static void add_segment(struct table *table,
			const struct maplog_segment *segment,
			const struct maplog_retention *retention, int ret)
{
	const char *state = segment->active ? "active" : "sealed";
	char time[TEXT_TIME_SIZE] = "-";
	char reason[128];

	if (segment->time)
		text_time(segment->time, time);
	maplog_retention_reason(retention, segment, reason, sizeof(reason));
	table_add(table, "%020" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%s\t%s\t%s",
		  segment->base, segment->entries, segment->bytes, time,
		  ret ? strerror(-ret) : state, reason);
}

static int list_segments(const char *path)
{
	struct maplog *log = store_open(path, MAPLOG_READ);
	struct maplog_segment segment = { .active = false };
	struct maplog_retention retention = { .limited = false };
	struct table table = { .count = 0 };
	int status = STATUS_OK;
	uint64_t index = 0;

	if (!log)
		return STATUS_FAILED;
	(void)maplog_retention(log, &retention);
	table_add(&table, "SEGMENT\t>ENTRIES\t>BYTES\tLAST APPEND\tSTATE\t"
			  "KEPT BECAUSE");
	while (!segment.active) {
		int ret;

		segment.id = 0;
		ret = maplog_segment(log, index, &segment);
		if (!segment.id)
			break;
		if (ret)
			status = STATUS_FAILED;
		add_segment(&table, &segment, &retention, ret);
		/* One without entries that is not the last would be damage. */
		if (segment.base + segment.entries <= index)
			break;
		index = segment.base + segment.entries;
	}
	maplog_close(log);
	table_print(&table);
	return status;
}

static int run(struct args *args)
{
	char *path;
	int status;

	(void)args_next(args);
	store_clean_path(args->operands[0]);
	path = mounted_path(args->operands[0]);
	if (store_is_mount(path) && access(path, F_OK))
		status = error_print("%s: there is no such log in the mount",
				     path);
	else if (store_is_mount(path))
		status = error_print("%s: is in a mount of maplogfs, whose "
				     "store is not to be found here: use ls(1)",
				     path);
	else if (store_is_log(path))
		status = list_segments(path);
	else
		status = list_logs(path);
	free(path);
	return status;
}

const struct command command_ls = {
	.name = "ls",
	.operands = "STORE[/LOG]",
	.summary = "List logs, or the segments of one",
	.help = "",
	.letters = "",
	.least = 1,
	.most = 1,
	.run = run,
};
