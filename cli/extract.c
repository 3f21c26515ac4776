/* SPDX-License-Identifier: MIT */
/* Entries of ranges, written out: what read, dump and export have in common. */
#include "extract.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "explain.h"
#include "moment.h"
#include "output.h"
#include "progress.h"
#include "store.h"
#include "walk.h"

/* The rest of the range is not what it was when the command began. */
static int changed(struct extract *extract, const struct walk *walk)
{
	extract->again = !extract->begun;
	if (extract->again)
		return STATUS_FAILED;
	return error_print("%s: its writer truncated or trimmed it meanwhile: "
			   "the entries from %" PRIu64 " on were not read",
			   extract->path, walk->index);
}

/* What there was instead of entries; STATUS_OK to go on behind it. */
static int skip(struct extract *extract, struct walk *walk, int ret)
{
	if (!walk_is_damage(ret))
		return ret == -ESTALE
			       ? changed(extract, walk)
			       : explain_open(extract->path, MAPLOG_READ, ret);
	extract->begun = true;
	damage_add(&extract->damage, walk->index, ret);
	walk->index++;
	return extract->keep_going ? STATUS_OK : STATUS_FAILED;
}

static int explain(const struct extract *extract, uint64_t index, int ret)
{
	if (ret == -EILSEQ)
		return error_print("%s: entry %" PRIu64 " is not one line: "
				   "--as=json and --as=frames take any",
				   extract->path, index);
	if (ret == -EBADMSG)
		return error_print("%s: the file that is there is not the "
				   "beginning of this export: it differs at "
				   "entry %" PRIu64 " or before",
				   extract->path, index);
	if (extract->emit.write)
		return error_print("%s: the export cannot be written: %s",
				   extract->path, strerror(-ret));
	return output_failed(ret);
}

static int emit(struct extract *extract, struct maplog_view *view, bool *done)
{
	uint32_t written;
	int ret;

	extract->begun = true;
	damage_flush(&extract->damage);
	ret = emit_view(&extract->emit, view, &written);
	maplog_view_release(view);
	extract->passed += written;
	if (extract->progress)
		progress_at(extract->passed, extract->emit.bytes,
			    extract->passed);
	*done = ret;
	return ret ? explain(extract, view->index + written, ret) : STATUS_OK;
}

static int walk_entries(struct extract *extract, struct walk *walk, bool *done)
{
	int status = STATUS_OK;

	while (!status && !*done) {
		struct maplog_view view;
		int ret = walk_next(walk, &view);

		if (ret == -ENODATA)
			break;
		status = ret ? skip(extract, walk, ret)
			     : emit(extract, &view, done);
	}
	damage_flush(&extract->damage);
	return status;
}

static int write_span(struct extract *extract, const struct span *span,
		      bool *done)
{
	struct walk walk = {
		.log = extract->log,
		.index = span->from,
		.end = span->end,
		.max = 1,
	};
	int status;
	int ret;

	ret = maplog_snapshot_take(extract->log, span->from, span->end,
				   &walk.snapshot);
	if (ret == -ENODATA || ret == -ENOENT)
		return changed(extract, &walk);
	if (ret)
		return explain_open(extract->path, MAPLOG_READ, ret);
	status = walk_entries(extract, &walk, done);
	maplog_snapshot_release(walk.snapshot);
	return status;
}

static int write_spans(struct extract *extract)
{
	int status = STATUS_OK;
	bool done = false;

	for (int i = 0; !status && !done && i < extract->count; i++)
		status = write_span(extract, &extract->spans[i], &done);
	return extract->damage.total ? STATUS_FAILED : status;
}

/* One span: what is not older, to the end. */
static int resolve_since(struct extract *extract)
{
	struct maplog_counters counters;
	uint64_t from;
	int ret;

	ret = maplog_moment_find(extract->log, extract->moment, &from);
	if (ret)
		return explain_open(extract->path, MAPLOG_READ, ret);
	maplog_counters(extract->log, &counters);
	extract->spans[0].from = from;
	extract->spans[0].end = counters.next > from ? counters.next : from;
	extract->total = extract->spans[0].end - from;
	return STATUS_OK;
}

/* All of them before anything is written. */
static int resolve(struct extract *extract)
{
	struct maplog_counters counters;

	if (extract->since)
		return resolve_since(extract);
	extract->total = 0;
	maplog_counters(extract->log, &counters);
	for (int i = 0; i < extract->count; i++) {
		uint64_t bad;
		int ret;

		ret = range_resolve(&extract->ranges[i], &counters,
				    &extract->spans[i].from,
				    &extract->spans[i].end, &bad);
		if (ret)
			return explain_index(extract->path, &counters, bad,
					     ret);
		extract->total +=
			extract->spans[i].end - extract->spans[i].from;
	}
	return STATUS_OK;
}

int extract_run(struct extract *extract)
{
	int status;

	extract->log = store_open(extract->path, MAPLOG_READ);
	if (!extract->log)
		return STATUS_FAILED;
	extract->damage = (struct damage){
		.path = extract->path,
		.log = extract->log,
		.out = stderr,
	};
	do {
		extract->again = false;
		status = resolve(extract);
		if (!status && extract->progress)
			progress_begin("export", extract->total);
		if (!status)
			status = write_spans(extract);
	} while (extract->again);
	progress_clear();
	maplog_close(extract->log);
	return status;
}

void extract_option(struct extract *extract, const struct args *args, int c)
{
	switch (c) {
	case 'i':
		emit_set(&extract->emit, args, EMIT_INFO);
		break;
	case 'j':
		emit_set(&extract->emit, args, EMIT_JSON);
		break;
	case 'F':
		emit_set_pattern(&extract->emit, args, optarg);
		break;
	case 'k':
		extract->keep_going = true;
		break;
	case 's':
		extract->since = true;
		extract->moment = args_moment(args, "--since", optarg);
		break;
	default:
		break;
	}
}

static void parse_ranges(struct extract *extract, const struct args *args)
{
	for (int i = 0; i < args->count - 1; i++) {
		if (!range_parse(args->operands[i + 1], &extract->ranges[i]))
			args_fail(args, "not INDEX, A-B, A- or -N: '%s'",
				  args->operands[i + 1]);
	}
}

void extract_operands(struct extract *extract, const struct args *args,
		      bool all)
{
	int count = args->count - 1;

	extract->path = args->operands[0];
	store_clean_path(extract->path);
	if (extract->since && count)
		args_fail(args, "either --since or a range: '%s'",
			  args->operands[1]);
	if (!extract->since && !count && !all)
		args_fail(args, "which entries: a range, or --since?");
	extract->count = count ? count : 1;
	extract->ranges =
		calloc((size_t)extract->count, sizeof(*extract->ranges));
	extract->spans =
		calloc((size_t)extract->count, sizeof(*extract->spans));
	if (!extract->ranges || !extract->spans)
		error_no_memory();
	/* All there is, unless it is said otherwise. */
	extract->ranges[0] = (struct range){
		.kind = RANGE_LAST,
		.a = UINT64_MAX,
	};
	parse_ranges(extract, args);
}

void extract_free(struct extract *extract)
{
	emit_free(&extract->emit);
	free(extract->spans);
	free(extract->ranges);
}
