/* SPDX-License-Identifier: MIT */
/* maplog import: entries from lines, JSON or frames. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "error.h"
#include "explain.h"
#include "feed.h"
#include "gather.h"
#include "log.h"
#include "progress.h"
#include "stop.h"
#include "store.h"
#include "target.h"

struct import {
	char *path;
	bool resume;
	enum feed_form form;
	uint64_t index; /* of the next entry of the input */
	uint64_t have;	/* what is below is in the log already */
	uint64_t bytes; /* of all inputs before this one */
	struct target target;
	struct maplog *log; /* to compare with */
	struct gather gather;
};

static int flush(struct import *import)
{
	struct gather *gather = &import->gather;
	int ret;

	if (!gather->count)
		return STATUS_OK;
	ret = target_append(&import->target, gather_entries(gather),
			    gather->count, false);
	if (ret)
		return target_explain(&import->target, ret);
	gather_clear(gather);
	return STATUS_OK;
}

/* Whether an entry of the log is what the input has; damage is not. */
static bool is_same(struct maplog *log, uint64_t index,
		    const struct feed_entry *entry)
{
	struct maplog_info info;
	struct maplog_view view;
	const void *data;
	bool same;

	if (maplog_view(log, index, 1, &view))
		return false;
	same = !maplog_view_check(log, &view, NULL) &&
	       !maplog_view_entry(&view, 0, &data, &info) &&
	       info.bytes == entry->bytes && info.tag == entry->tag &&
	       !memcmp(data, entry->data, entry->bytes);
	maplog_view_release(&view);
	return same;
}

static int take(struct import *import, const struct feed *feed,
		const struct feed_entry *entry)
{
	struct maplog_counters now;

	if (import->index >= import->have) {
		if (gather_is_full(&import->gather, entry->bytes,
				   import->target.options.segment_size) &&
		    flush(import))
			return STATUS_FAILED;
		gather_add(&import->gather, entry->data, entry->bytes,
			   entry->tag);
		import->index++;
		return STATUS_OK;
	}
	/* What was trimmed cannot be compared any more. */
	maplog_counters(import->log, &now);
	if (import->index >= now.first &&
	    !is_same(import->log, import->index, entry))
		return error_print("%s: entry %" PRIu64 " of the log is not "
				   "entry %" PRIu64 " of %s: not resumed",
				   import->path, import->index, feed->count,
				   feed->name);
	import->index++;
	return STATUS_OK;
}

static int failed(const struct feed *feed, int ret)
{
	return error_print("%s: %s", feed->name,
			   ret == -EINTR ? "interrupted" : strerror(-ret));
}

/* Reads more; what has been gathered need not wait for it. */
static int read_more(struct import *import, struct feed *feed)
{
	int ret = stop_poll(feed->fd, false);

	if (!ret) {
		if (flush(import))
			return STATUS_FAILED;
		ret = stop_poll(feed->fd, true);
	}
	if (ret >= 0)
		ret = feed_read(feed);
	progress_at(import->bytes + feed->bytes, import->bytes + feed->bytes,
		    import->target.count);
	return ret < 0 ? failed(feed, ret) : STATUS_OK;
}

static int take_feed(struct import *import, struct feed *feed)
{
	int status = STATUS_OK;

	while (!status) {
		struct feed_entry entry = { .tag = 0 };
		int ret = feed_cut(feed, &entry);

		if (ret < 0)
			return STATUS_FAILED;
		if (!ret && feed->ended)
			break;
		status = ret ? take(import, feed, &entry)
			     : read_more(import, feed);
	}
	return status;
}

static int take_input(struct import *import, const char *name)
{
	const bool standard = !strcmp(name, "-");
	struct feed feed = {
		.form = import->form,
		.name = standard ? "standard input" : name,
		.fd = standard ? STDIN_FILENO
			       : open(name, O_RDONLY | O_CLOEXEC),
		.limit = import->target.options.max_entry,
	};
	int status;

	if (feed.fd < 0)
		return failed(&feed, -errno);
	if (import->target.options.segment_size < feed.limit)
		feed.limit = import->target.options.segment_size;
	status = take_feed(import, &feed);
	import->bytes += feed.bytes;
	feed_free(&feed);
	if (!standard)
		close(feed.fd);
	return status;
}

/* What all inputs have together, 0 if that is not known. */
static uint64_t measure(char *const *names, int count)
{
	uint64_t total = 0;

	for (int i = 0; i < count; i++) {
		struct stat st;
		int ret = strcmp(names[i], "-") != 0 ? stat(names[i], &st)
						     : fstat(0, &st);

		if (ret || !S_ISREG(st.st_mode))
			return 0;
		total += (uint64_t)st.st_size;
	}
	return total;
}

static int take_all(struct import *import, char *const *names, int count)
{
	int status = STATUS_OK;
	int last;

	progress_begin("import", measure(names, count));
	for (int i = 0; !status && i < count; i++)
		status = take_input(import, names[i]);
	/* What came before a mistake is appended: then it can be resumed. */
	last = flush(import);
	progress_clear();
	return status ? status : last;
}

/* What is to be compared is read through a mount, too. */
static int begin_to_resume(struct import *import)
{
	struct maplog_counters now;

	import->log = import->target.log;
	if (!import->log)
		import->log = store_open(import->path, MAPLOG_READ);
	if (!import->log)
		return STATUS_FAILED;
	import->have = import->target.first;
	if (import->index <= import->have)
		return STATUS_OK;
	maplog_counters(import->log, &now);
	return explain_index(import->path, &now, import->index, -ENODATA);
}

static int begin(struct import *import)
{
	if (import->resume)
		return begin_to_resume(import);
	import->index = import->have = import->target.first;
	return STATUS_OK;
}

static int import_all(struct import *import, char *const *names, int count)
{
	struct target *target = &import->target;
	int status;

	if (target_open(target, import->path))
		return STATUS_FAILED;
	status = begin(import);
	if (!status)
		status = take_all(import, names, count);
	if (import->log != target->log)
		maplog_close(import->log);
	status = target_close(target, status);
	if (!status)
		target_print(target, target->first);
	else if (!target->count)
		error_print("%s: nothing was appended", import->path);
	else
		error_print("%s: before that, %" PRIu64 " entries were "
			    "appended: --resume goes on behind them",
			    import->path, target->count);
	return status;
}

static void read_options(struct args *args, struct import *import)
{
	int c;

	while ((c = args_next(args)) != ARGS_END) {
		if (c == 'a')
			import->form = feed_form(args, optarg);
		if (c == 'r')
			import->resume = true;
		if (c == 'r' && optarg)
			import->index = args_number(args, "--resume", optarg);
	}
}

static int run(struct args *args)
{
	char dash[] = "-";
	char *const standard_input[] = { dash };
	struct import import = { .form = FEED_LINES };
	int status;

	read_options(args, &import);
	import.path = args->operands[0];
	store_clean_path(import.path);
	stop_catch();
	if (args->count > 1)
		status = import_all(&import, args->operands + 1,
				    args->count - 1);
	else
		status = import_all(&import, standard_input, 1);
	gather_free(&import.gather);
	return status;
}

static const struct option options[] = {
	{ "as", required_argument, NULL, 'a' },
	{ "resume", optional_argument, NULL, 'r' },
	{ NULL, 0, NULL, 0 },
};

const struct command command_import = {
	.name = "import",
	.operands = "STORE/LOG [FILE...]",
	.summary = "Append what export has written",
	.help = "Without FILE, or where it is -, standard input is taken.\n\n"
		"  -a, --as=lines|json|frames\n"
		"                          as for export; of JSON, data or "
		"base64, and tag\n"
		"  -r, --resume[=INDEX]    the log begins with what an import "
		"of the same input\n"
		"                          has appended, or does from INDEX "
		"on: check that, and\n"
		"                          append the rest\n",
	.letters = "a:r::",
	.options = options,
	.least = 1,
	.most = OPERANDS_ANY,
	.run = run,
};
