/* SPDX-License-Identifier: MIT */
/* maplog read: entries, checked, on standard output. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "damage.h"
#include "emit.h"
#include "error.h"
#include "explain.h"
#include "log.h"
#include "moment.h"
#include "output.h"
#include "range.h"
#include "store.h"
#include "walk.h"

struct span {
	uint64_t from;
	uint64_t end;
};

struct read {
	char *path;
	bool info;
	bool keep_going;
	bool since; /* all entries from a moment on */
	uint64_t moment;
	struct maplog *log;
	struct damage damage;
	struct span *spans;
	int count;
	bool begun; /* something was written, or found to be damaged */
	bool again; /* look at the log anew */
};

/* The rest of the range is not what it was when the command began. */
static int changed(struct read *read, const struct walk *walk)
{
	read->again = !read->begun;
	if (read->again)
		return STATUS_FAILED;
	return error_print("%s: its writer truncated or trimmed it meanwhile: "
			   "the entries from %" PRIu64 " on were not read",
			   read->path, walk->index);
}

/* What there was instead of entries; STATUS_OK to go on behind it. */
static int skip(struct read *read, struct walk *walk, int ret)
{
	if (!walk_is_damage(ret))
		return ret == -ESTALE
			       ? changed(read, walk)
			       : explain_open(read->path, MAPLOG_READ, ret);
	read->begun = true;
	damage_add(&read->damage, walk->index, ret);
	walk->index++;
	return read->keep_going ? STATUS_OK : STATUS_FAILED;
}

static int emit(struct read *read, struct maplog_view *view, bool *done)
{
	int ret;

	read->begun = true;
	damage_flush(&read->damage);
	ret = emit_view(view, read->info);
	maplog_view_release(view);
	*done = ret;
	return ret ? output_failed(ret) : STATUS_OK;
}

static int read_entries(struct read *read, struct walk *walk, bool *done)
{
	int status = STATUS_OK;

	while (!status && !*done) {
		struct maplog_view view;
		int ret = walk_next(walk, &view);

		if (ret == -ENODATA)
			break;
		status = ret ? skip(read, walk, ret) : emit(read, &view, done);
	}
	damage_flush(&read->damage);
	return status;
}

static int read_span(struct read *read, const struct span *span, bool *done)
{
	struct walk walk = {
		.log = read->log,
		.index = span->from,
		.end = span->end,
		.max = 1,
	};
	int status;
	int ret;

	ret = maplog_snapshot_take(read->log, span->from, span->end,
				   &walk.snapshot);
	if (ret == -ENODATA || ret == -ENOENT)
		return changed(read, &walk);
	if (ret)
		return explain_open(read->path, MAPLOG_READ, ret);
	status = read_entries(read, &walk, done);
	maplog_snapshot_release(walk.snapshot);
	return status;
}

static int read_spans(struct read *read)
{
	int status = STATUS_OK;
	bool done = false;

	for (int i = 0; !status && !done && i < read->count; i++)
		status = read_span(read, &read->spans[i], &done);
	return read->damage.total ? STATUS_FAILED : status;
}

/* One span: what is not older, to the end. */
static int resolve_since(struct read *read)
{
	struct maplog_counters counters;
	uint64_t from;
	int ret;

	ret = maplog_moment_find(read->log, read->moment, &from);
	if (ret)
		return explain_open(read->path, MAPLOG_READ, ret);
	maplog_counters(read->log, &counters);
	read->spans[0].from = from;
	read->spans[0].end = counters.next > from ? counters.next : from;
	return STATUS_OK;
}

/* All of them before anything is written. */
static int resolve(struct read *read, const struct range *ranges)
{
	struct maplog_counters counters;

	if (read->since)
		return resolve_since(read);
	maplog_counters(read->log, &counters);
	for (int i = 0; i < read->count; i++) {
		uint64_t bad;
		int ret;

		ret = range_resolve(&ranges[i], &counters, &read->spans[i].from,
				    &read->spans[i].end, &bad);
		if (ret)
			return explain_index(read->path, &counters, bad, ret);
	}
	return STATUS_OK;
}

static int read_log(struct read *read, const struct range *ranges)
{
	int status;

	read->log = store_open(read->path, MAPLOG_READ);
	if (!read->log)
		return STATUS_FAILED;
	read->damage = (struct damage){
		.path = read->path,
		.log = read->log,
		.out = stderr,
	};
	do {
		read->again = false;
		status = resolve(read, ranges);
		if (!status)
			status = read_spans(read);
	} while (read->again);
	maplog_close(read->log);
	return status;
}

static struct range *parse_ranges(const struct args *args, int count)
{
	struct range *ranges = calloc((size_t)count, sizeof(*ranges));

	if (!ranges)
		error_no_memory();
	for (int i = 0; i < args->count - 1; i++) {
		if (!range_parse(args->operands[i + 1], &ranges[i]))
			args_fail(args, "not INDEX, A-B, A- or -N: '%s'",
				  args->operands[i + 1]);
	}
	return ranges;
}

static void take_option(struct read *read, const struct args *args, int c)
{
	if (c == 'i')
		read->info = true;
	if (c == 'k')
		read->keep_going = true;
	if (c != 's')
		return;
	read->since = true;
	read->moment = args_moment(args, "--since", optarg);
}

static int run(struct args *args)
{
	struct read read = { .info = false };
	struct range *ranges;
	int status;
	int c;

	while ((c = args_next(args)) != ARGS_END)
		take_option(&read, args, c);
	read.path = args->operands[0];
	store_clean_path(read.path);
	read.count = args->count - 1;
	if (read.since && read.count)
		args_fail(args, "either --since or a range: '%s'",
			  args->operands[1]);
	if (!read.since && !read.count)
		args_fail(args, "which entries: a range, or --since?");
	read.count += read.since;
	ranges = parse_ranges(args, read.count);
	read.spans = calloc((size_t)read.count, sizeof(*read.spans));
	if (!read.spans)
		error_no_memory();
	status = read_log(&read, ranges);
	free(read.spans);
	free(ranges);
	return status;
}

static const struct option options[] = {
	{ "info", no_argument, NULL, 'i' },
	{ "keep-going", no_argument, NULL, 'k' },
	{ "since", required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

const struct command command_read = {
	.name = "read",
	.operands = "STORE/LOG [INDEX|A-B|A-|-N...]",
	.summary = "Write entries to standard output",
	.help = "INDEX is one entry, A-B are those from A to B, both included, "
		"A- those from A\n"
		"to the end, -N the last N.\n\n"
		"  -i, --info              a line about each entry instead: "
		"index, time, tag,\n"
		"                          length\n"
		"  -k, --keep-going        leave damaged entries out and go "
		"on\n"
		"  -s, --since=TIME        instead of a range: entries that "
		"are not older than\n"
		"                          2026-11-20T10:00:00Z, or than 10m "
		"(ns, us, ms, s, m,\n"
		"                          h, d)\n",
	.letters = "iks:",
	.options = options,
	.least = 1,
	.most = OPERANDS_ANY,
	.run = run,
};
