/* SPDX-License-Identifier: MIT */
/* maplog follow: entries as they come. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "args.h"
#include "damage.h"
#include "emit.h"
#include "error.h"
#include "explain.h"
#include "log.h"
#include "moment.h"
#include "output.h"
#include "reader.h"
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
	const char *name; /* of the reader, or NULL */
	enum start start;
	uint64_t from; /* an index, or a moment */
	struct emit emit;
	bool keep_going;
	struct maplog *log;
	struct maplog_reader *reader;
	struct maplog_position position;
	struct damage damage;
	struct walk walk;
	bool done; /* nobody reads any more, or it is to stop */
};

/* Remembers where it is, if it has a name. */
static int remember(struct follow *follow)
{
	int ret;

	if (!follow->reader)
		return STATUS_OK;
	ret = maplog_reader_store(follow->reader, &follow->position);
	return ret ? error_system(follow->path, ret) : STATUS_OK;
}

/* Goes on with another entry. */
static void move_to(struct follow *follow, uint64_t index)
{
	maplog_position_set(follow->log, index, &follow->position);
	follow->walk.index = index;
}

/* Finds out whether a truncation has taken what was read. */
static int take_truncation(struct follow *follow)
{
	uint64_t before = follow->position.next;
	struct maplog_position now;
	int ret;

	ret = maplog_position_check(follow->log, &follow->position, &now);
	if (ret)
		return explain_open(follow->path, MAPLOG_READ, ret);
	follow->position = now;
	follow->walk.index = now.next;
	if (now.next < before)
		error_print("%s: was truncated: the entries %" PRIu64
			    "-%" PRIu64 " are gone; going on with %" PRIu64,
			    follow->path, now.next, before - 1, now.next);
	return STATUS_OK;
}

static void take_trim(struct follow *follow, uint64_t first)
{
	uint64_t position = follow->walk.index;

	if (first <= position)
		return;
	move_to(follow, first);
	error_print("%s: the entries %" PRIu64 "-%" PRIu64 " were trimmed "
		    "before they were read; going on with %" PRIu64,
		    follow->path, position, first - 1, first);
}

/* Looks at how far the log is now. */
static int look(struct follow *follow)
{
	struct maplog_counters now;
	int status = take_truncation(follow);

	if (status)
		return status;
	maplog_counters(follow->log, &now);
	if (now.generation == follow->position.generation)
		take_trim(follow, now.first);
	follow->walk.end = now.next;
	return remember(follow);
}

static bool was_truncated(const struct follow *follow)
{
	struct maplog_counters now;

	maplog_counters(follow->log, &now);
	return now.generation != follow->position.generation;
}

static int emit(struct follow *follow, struct maplog_view *view)
{
	uint32_t done;
	int status;
	int ret;

	damage_flush(&follow->damage);
	ret = emit_view(&follow->emit, view, &done);
	view->count = done;
	if (done)
		maplog_position_take(&follow->position, view);
	maplog_view_release(view);
	follow->done = ret;
	status = remember(follow);
	return ret ? output_failed(ret) : status;
}

/* Leaves a damaged entry out. */
static int pass_over(struct follow *follow, int ret)
{
	struct maplog_position next;

	damage_add(&follow->damage, follow->walk.index, ret);
	maplog_position_set(follow->log, follow->walk.index + 1, &next);
	/* Or else it is looked at what became of the log first. */
	if (next.generation == follow->position.generation) {
		follow->position = next;
		follow->walk.index = next.next;
	}
	if (follow->keep_going)
		return remember(follow);
	damage_flush(&follow->damage);
	return STATUS_FAILED;
}

static int skip(struct follow *follow, int ret)
{
	/* Truncated or trimmed meanwhile: look again. */
	if (ret == -ENODATA || ret == -ENOENT || ret == -EAGAIN)
		return look(follow);
	if (!walk_is_damage(ret))
		return explain_open(follow->path, MAPLOG_READ, ret);
	return pass_over(follow, ret);
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
			  follow->position.generation, LOOK_EVERY);
	/* -EAGAIN: its writer is in the middle of a truncation. */
	if (!ret || ret == -EINTR || ret == -EAGAIN)
		return STATUS_OK;
	if (ret != -ETIMEDOUT)
		return explain_open(follow->path, MAPLOG_READ, ret);
	if (follow->reader)
		(void)maplog_reader_sync(follow->reader);
	follow->done = !output_is_read();
	if (!fstat(maplog_dirfd(follow->log), &st) && st.st_nlink)
		return STATUS_OK;
	return error_print("%s: was removed", follow->path);
}

/* The entry to begin with. */
static int find_start(struct follow *follow, uint64_t *from)
{
	struct maplog_counters now;
	int ret = 0;

	if (follow->start == START_SINCE)
		ret = maplog_moment_find(follow->log, follow->from, from);
	if (ret)
		return explain_open(follow->path, MAPLOG_READ, ret);
	maplog_counters(follow->log, &now);
	if (follow->start == START_END)
		*from = now.next;
	if (follow->start == START_INDEX)
		*from = follow->from;
	if (*from < now.first || *from > now.next)
		return explain_index(follow->path, &now, *from,
				     *from < now.first ? -ENOENT : -ENODATA);
	return STATUS_OK;
}

static int explain_reader(const struct follow *follow, int ret)
{
	if (ret == -EACCES || ret == -EROFS)
		return error_print("%s: the position of '%s' cannot be kept "
				   "there: %s",
				   follow->path, follow->name, strerror(-ret));
	if (ret == -EBUSY)
		return error_print("%s: '%s' is reading already", follow->path,
				   follow->name);
	if (ret == -EUCLEAN)
		return error_print("%s: what is kept of '%s' is damaged, or of "
				   "another log: 'maplog forget %s %s' lets it "
				   "begin anew",
				   follow->path, follow->name, follow->path,
				   follow->name);
	return error_system(follow->path, ret);
}

/* Whether the reader has a position already. */
static bool is_known(struct follow *follow)
{
	struct maplog_reader_info *list = NULL;
	size_t count = 0;
	bool known = false;

	if (!follow->name || maplog_reader_list(follow->log, &list, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		known = known || !strcmp(list[i].name, follow->name);
	free(list);
	return known;
}

/* Where it begins: a reader that is known, where it has got to. */
static int begin(struct follow *follow)
{
	uint64_t from = 0;
	int ret = 0;

	if (!is_known(follow) && find_start(follow, &from))
		return STATUS_FAILED;
	if (follow->name)
		ret = maplog_reader_open(follow->log, follow->name, from,
					 &follow->reader);
	if (ret)
		return explain_reader(follow, ret);
	if (follow->reader)
		maplog_reader_position(follow->reader, &follow->position);
	else
		maplog_position_set(follow->log, from, &follow->position);
	follow->walk = (struct walk){
		.log = follow->log,
		.index = follow->position.next,
		.max = 1,
	};
	return STATUS_OK;
}

static int follow_log(struct follow *follow)
{
	int status = begin(follow);

	follow->damage = (struct damage){
		.path = follow->path,
		.log = follow->log,
		.out = stderr,
	};
	while (!status && !follow->done) {
		status = catch_up(follow);
		if (!status && !follow->done)
			status = wait(follow);
		follow->done = follow->done || stop_asked();
	}
	maplog_reader_close(follow->reader);
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

static void take_option(struct follow *follow, const struct args *args, int c)
{
	switch (c) {
	case 'f':
		take_start(follow, args, START_INDEX);
		break;
	case 's':
		take_start(follow, args, START_SINCE);
		break;
	case 'n':
		if (!maplog_reader_is_name(optarg))
			args_fail(args,
				  "--name: not letters, digits and ._-, 64 "
				  "at most: '%s'",
				  optarg);
		follow->name = optarg;
		break;
	case 'i':
		emit_set(&follow->emit, args, EMIT_INFO);
		break;
	case 'j':
		emit_set(&follow->emit, args, EMIT_JSON);
		break;
	case 'F':
		emit_set_pattern(&follow->emit, args, optarg);
		break;
	default:
		follow->keep_going = true;
	}
}

static int run(struct args *args)
{
	struct follow follow = { .start = START_END };
	char *path;
	int status;
	int c;

	while ((c = args_next(args)) != ARGS_END)
		take_option(&follow, args, c);
	path = args->operands[0];
	store_clean_path(path);
	follow.path = path;
	follow.log = store_open(path, MAPLOG_READ);
	if (!follow.log)
		return STATUS_FAILED;
	if (follow.name)
		stop_interrupt();
	else
		stop_at_once();
	status = follow_log(&follow);
	emit_free(&follow.emit);
	maplog_close(follow.log);
	return status;
}

static const struct option options[] = {
	{ "format", required_argument, NULL, 'F' },
	{ "from", required_argument, NULL, 'f' },
	{ "info", no_argument, NULL, 'i' },
	{ "json", no_argument, NULL, 'j' },
	{ "keep-going", no_argument, NULL, 'k' },
	{ "name", required_argument, NULL, 'n' },
	{ "since", required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

const struct command command_follow = {
	.name = "follow",
	.operands = "STORE/LOG",
	.summary = "Write entries as they are appended",
	.help = "It begins at the end of the log, and ends with SIGINT or "
		"SIGTERM.\n\n"
		"  -F, --format=FORMAT     write each entry so; see maplog "
		"read --help\n"
		"  -f, --from=INDEX        begin with this entry\n"
		"  -i, --info              a line about each entry instead: "
		"index, time, tag,\n"
		"                          length\n"
		"  -j, --json              a line of JSON for each entry "
		"instead\n"
		"  -k, --keep-going        leave damaged entries out and go "
		"on\n"
		"  -n, --name=NAME         remember in the store what was "
		"written, and\n"
		"                          go on there next time; --from and "
		"--since are for\n"
		"                          the first time\n"
		"  -s, --since=TIME        begin with the first entry not "
		"older than\n"
		"                          2026-11-20T10:00:00Z, or than 10m\n",
	.letters = "F:f:ijkn:s:",
	.options = options,
	.least = 1,
	.most = 1,
	.run = run,
};
