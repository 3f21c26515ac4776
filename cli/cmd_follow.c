/* SPDX-License-Identifier: MIT */
/* maplog follow: entries as they come. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "args.h"
#include "damage.h"
#include "emit.h"
#include "error.h"
#include "explain.h"
#include "history.h"
#include "log.h"
#include "moment.h"
#include "output.h"
#include "stop.h"
#include "store.h"
#include "walk.h"

/* Milliseconds after which it is looked whether the log is still there, and
 * somebody who reads. */
#define LOOK_EVERY 2000

enum start {
	START_END,
	START_INDEX,
	START_SINCE,
};

struct follow {
	const char *path;
	enum start start;
	uint64_t from; /* an index, or a moment */
	bool info;
	bool keep_going;
	struct maplog *log;
	struct maplog_counters seen;
	struct damage damage;
	struct walk walk;
	bool done; /* nobody reads any more */
};

static struct history history;

/* The generation went up: finds out whether that concerns what was read. */
static int take_truncation(struct follow *follow)
{
	uint64_t position = follow->walk.index;
	uint64_t same;
	int ret;

	ret = history_compare(&history, follow->log, &same);
	if (ret)
		return explain_open(follow->path, MAPLOG_READ, ret);
	if (same > follow->seen.next)
		same = follow->seen.next;
	if (same >= position)
		return STATUS_OK;
	history.next = same;
	follow->walk.index = same;
	error_print("%s: was truncated: the entries %" PRIu64 "-%" PRIu64
		    " are gone; going on with %" PRIu64,
		    follow->path, same, position - 1, same);
	return STATUS_OK;
}

static void take_trim(struct follow *follow)
{
	uint64_t position = follow->walk.index;

	if (follow->seen.first <= position)
		return;
	follow->walk.index = follow->seen.first;
	error_print("%s: the entries %" PRIu64 "-%" PRIu64 " were trimmed "
		    "before they were read; going on with %" PRIu64,
		    follow->path, position, follow->seen.first - 1,
		    follow->seen.first);
}

/* Looks at how far the log is now. */
static int look(struct follow *follow)
{
	uint64_t generation = follow->seen.generation;
	int status = STATUS_OK;

	maplog_counters(follow->log, &follow->seen);
	if (follow->seen.generation != generation)
		status = take_truncation(follow);
	take_trim(follow);
	follow->walk.end = follow->seen.next;
	return status;
}

static bool was_truncated(const struct follow *follow)
{
	struct maplog_counters now;

	maplog_counters(follow->log, &now);
	return now.generation != follow->seen.generation;
}

static int emit(struct follow *follow, struct maplog_view *view)
{
	int ret;

	damage_flush(&follow->damage);
	ret = emit_view(view, follow->info);
	if (!ret)
		history_add(&history, view);
	maplog_view_release(view);
	follow->done = ret;
	return ret ? output_failed(ret) : STATUS_OK;
}

static int skip(struct follow *follow, int ret)
{
	/* Truncated or trimmed meanwhile: look again. */
	if (ret == -ENODATA || ret == -ENOENT || ret == -EAGAIN)
		return look(follow);
	if (!walk_is_damage(ret))
		return explain_open(follow->path, MAPLOG_READ, ret);
	damage_add(&follow->damage, follow->walk.index, ret);
	follow->walk.index++;
	if (follow->keep_going)
		return STATUS_OK;
	damage_flush(&follow->damage);
	return STATUS_FAILED;
}

/* Writes what is there by now. */
static int catch_up(struct follow *follow)
{
	int status = look(follow);

	while (!status && !follow->done &&
	       follow->walk.index < follow->walk.end) {
		uint64_t before = follow->walk.index;
		struct maplog_view view;
		int ret = walk_next(&follow->walk, &view);

		/* What was found may be of the new generation: then it is to
		 * be told first that it takes the place of something. */
		if (was_truncated(follow)) {
			if (!ret)
				maplog_view_release(&view);
			follow->walk.index = before;
			status = look(follow);
			continue;
		}
		status = ret ? skip(follow, ret) : emit(follow, &view);
	}
	damage_flush(&follow->damage);
	return status;
}

static int wait(struct follow *follow)
{
	struct stat st;
	int ret;

	ret = maplog_wait(follow->log, follow->walk.index,
			  follow->seen.generation, LOOK_EVERY);
	/* -EAGAIN: its writer is in the middle of a truncation. */
	if (!ret || ret == -EINTR || ret == -EAGAIN)
		return STATUS_OK;
	if (ret != -ETIMEDOUT)
		return explain_open(follow->path, MAPLOG_READ, ret);
	follow->done = !output_is_read();
	if (!fstat(maplog_dirfd(follow->log), &st) && st.st_nlink)
		return STATUS_OK;
	return error_print("%s: was removed", follow->path);
}

/* The entry to begin with. */
static int find_start(struct follow *follow, uint64_t *from)
{
	int ret = 0;

	maplog_counters(follow->log, &follow->seen);
	*from = follow->from;
	if (follow->start == START_END)
		*from = follow->seen.next;
	if (follow->start == START_SINCE)
		ret = maplog_moment_find(follow->log, follow->from, from);
	if (ret)
		return explain_open(follow->path, MAPLOG_READ, ret);
	if (follow->start == START_SINCE)
		maplog_counters(follow->log, &follow->seen);
	return STATUS_OK;
}

static int follow_log(struct follow *follow)
{
	uint64_t from;
	int status = find_start(follow, &from);

	if (status)
		return status;
	if (from < follow->seen.first || from > follow->seen.next)
		return explain_index(follow->path, &follow->seen, from,
				     from < follow->seen.first ? -ENOENT
							       : -ENODATA);
	follow->damage = (struct damage){
		.path = follow->path,
		.log = follow->log,
		.out = stderr,
	};
	history_fill(&history, follow->log, follow->seen.first, from);
	follow->walk = (struct walk){
		.log = follow->log,
		.index = from,
		.max = 1,
	};
	while (!status && !follow->done) {
		status = catch_up(follow);
		if (!status && !follow->done)
			status = wait(follow);
	}
	return status;
}

static void take_start(struct follow *follow, const struct args *args,
		       enum start start)
{
	if (follow->start)
		args_fail(args, "one beginning is enough: --from, or --since");
	follow->start = start;
	follow->from = start == START_SINCE
			       ? args_moment(args, "--since", optarg)
			       : args_number(args, "--from", optarg);
}

static int run(struct args *args)
{
	struct follow follow = { .start = START_END };
	char *path;
	int status;
	int c;

	while ((c = args_next(args)) != ARGS_END) {
		if (c == 'f' || c == 's')
			take_start(&follow, args,
				   c == 's' ? START_SINCE : START_INDEX);
		else if (c == 'i')
			follow.info = true;
		else
			follow.keep_going = true;
	}
	path = args->operands[0];
	store_clean_path(path);
	follow.path = path;
	follow.log = store_open(path, MAPLOG_READ);
	if (!follow.log)
		return STATUS_FAILED;
	stop_at_once();
	status = follow_log(&follow);
	maplog_close(follow.log);
	return status;
}

static const struct option options[] = {
	{ "from", required_argument, NULL, 'f' },
	{ "info", no_argument, NULL, 'i' },
	{ "keep-going", no_argument, NULL, 'k' },
	{ "since", required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

const struct command command_follow = {
	.name = "follow",
	.operands = "STORE/LOG",
	.summary = "Write entries as they are appended",
	.help = "It begins at the end of the log, and ends with SIGINT or "
		"SIGTERM.\n\n"
		"  -f, --from=INDEX        begin with this entry\n"
		"  -i, --info              a line about each entry instead: "
		"index, time, tag,\n"
		"                          length\n"
		"  -k, --keep-going        leave damaged entries out and go "
		"on\n"
		"  -s, --since=TIME        begin with the first entry not "
		"older than\n"
		"                          2026-11-20T10:00:00Z, or than 10m\n",
	.letters = "f:iks:",
	.options = options,
	.least = 1,
	.most = 1,
	.run = run,
};
