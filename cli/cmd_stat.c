/* SPDX-License-Identifier: MIT */
/* maplog stat: all logs of a store, once or as they go. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "args.h"
#include "error.h"
#include "explain.h"
#include "jsonline.h"
#include "moment.h"
#include "mounted.h"
#include "output.h"
#include "sample.h"
#include "stop.h"
#include "store.h"
#include "table.h"

/* Lines that are too long are cut by the terminal, for the time being. */
#define BEGIN_SCREEN "\033[H\033[J\033[?7l"
#define END_SCREEN   "\033[?7h"

struct watched {
	char *name;
	char *path;
	struct maplog *log;
	struct sample sample;
	bool sampled; /* before, and could be */
	int error;
};

struct stat_view {
	const char *store; /* as it was given */
	char *metrics;	   /* path of the mount's file, or NULL */
	bool json;
	bool terminal;
	struct watched *logs;
	size_t count;
};

static char *read_metrics(const char *name)
{
	FILE *file = name ? fopen(name, "re") : NULL;
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	/* All of it, for it has no zero byte. */
	if (getdelim(&text, &size, 0, file) < 0) {
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

/* ---- Which logs there are ---- */

static void forget(struct watched *log)
{
	maplog_close(log->log);
	free(log->name);
	free(log->path);
}

static void add(struct stat_view *view, const char *path, const char *name)
{
	struct watched *grown =
		reallocarray(view->logs, view->count + 1, sizeof(*grown));

	if (!grown)
		error_no_memory();
	view->logs = grown;
	grown[view->count] = (struct watched){
		.name = strdup(name),
		.path = strdup(path),
	};
	if (!grown[view->count].name || !grown[view->count].path)
		error_no_memory();
	view->count++;
}

static bool is_known(const struct stat_view *view, const char *path)
{
	for (size_t i = 0; i < view->count; i++) {
		if (!strcmp(view->logs[i].path, path))
			return true;
	}
	return false;
}

/* Those that are gone go, those that are new come. */
static int find_logs(struct stat_view *view, const char *path)
{
	char **names;
	size_t count;
	size_t kept = 0;
	int ret;

	if (store_is_log(path)) {
		if (!view->count)
			add(view, path,
			    strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
		return 0;
	}
	ret = store_logs(path, &names, &count);
	if (ret)
		return ret;
	for (size_t i = 0; i < view->count; i++) {
		if (store_is_log(view->logs[i].path))
			view->logs[kept++] = view->logs[i];
		else
			forget(&view->logs[i]);
	}
	view->count = kept;
	for (size_t i = 0; i < count; i++) {
		char *log = store_join(path, names[i]);

		if (!is_known(view, log))
			add(view, log, names[i]);
		free(log);
	}
	store_free(names, count);
	return 0;
}

/* ---- Showing them ---- */

static const char *scaled(double value, char *text, size_t size)
{
	static const char units[] = " KMGTPE";
	size_t n = 0;

	while (value >= 1000 && units[n + 1]) {
		value /= 1000;
		n++;
	}
	snprintf(text, size, n ? "%.1f%c" : "%.0f", value, units[n]);
	return text;
}

static const char *sync_time(const struct rate *rate, char *text, size_t size)
{
	if (rate->sync < 0)
		snprintf(text, size, "-");
	else if (rate->sync < 0.01)
		snprintf(text, size, "%.0fus", rate->sync * 1e6);
	else
		snprintf(text, size, "%.0fms", rate->sync * 1e3);
	return text;
}

/* The last column, whose width does not matter: in colour on a terminal. */
static const char *coloured(const struct stat_view *view, const char *state,
			    char *text, size_t size)
{
	const char *colour = "31";

	if (!strcmp(state, "live"))
		colour = "32";
	else if (!strcmp(state, "closed"))
		colour = "0";
	if (!view->terminal)
		return state;
	snprintf(text, size, "\033[%sm%s\033[0m", colour, state);
	return text;
}

static void add_row(const struct stat_view *view, struct table *table,
		    const struct watched *log, const struct rate *rate)
{
	const struct sample *now = &log->sample;
	const struct maplog_counters *counters = &now->status.counters;
	char text[5][32];
	char state[128];

	if (log->error) {
		table_add(table, "%s\t-\t-\t-\t-\t-\t-\t-\t%s", log->name,
			  coloured(view, strerror(-log->error), state,
				   sizeof(state)));
		return;
	}
	table_add(table,
		  "%s\t%" PRIu64 "\t%s\t%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64
		  "\t%s",
		  log->name, counters->next,
		  rate ? scaled(rate->entries, text[0], sizeof(*text)) : "-",
		  rate ? scaled(rate->bytes, text[1], sizeof(*text)) : "-",
		  rate ? sync_time(rate, text[2], sizeof(*text)) : "-",
		  scaled((double)now->disk, text[3], sizeof(*text)),
		  counters->next - counters->durable, now->lag,
		  coloured(view, now->state, state, sizeof(state)));
}

static void print_json(const struct watched *log, const struct rate *rate)
{
	const struct sample *now = &log->sample;
	const struct maplog_status *status = &now->status;
	struct text text = { .data = NULL };

	text_print(&text, "{\"log\":");
	jsonline_string(&text, log->name, strlen(log->name));
	if (log->error)
		text_print(&text, ",\"error\":\"%s\"", strerror(-log->error));
	else
		text_print(&text,
			   ",\"first\":%" PRIu64 ",\"next\":%" PRIu64
			   ",\"durable\":%" PRIu64 ",\"segments\":%" PRIu64
			   ",\"bytes\":%" PRIu64 ",\"disk\":%" PRIu64
			   ",\"lag\":%" PRIu64 ",\"state\":\"%s\"",
			   status->counters.first, status->counters.next,
			   status->counters.durable, status->segments,
			   status->bytes, now->disk, now->lag, now->state);
	if (rate)
		text_print(&text,
			   ",\"entries_per_second\":%.1f"
			   ",\"bytes_per_second\":%.1f",
			   rate->entries, rate->bytes);
	if (rate && rate->sync >= 0)
		text_print(&text, ",\"sync_seconds\":%.6f", rate->sync);
	text_add(&text, "}\n", 2);
	fwrite(text.data, 1, text.used, stdout);
	text_free(&text);
}

/* Looks at one log; its rate, if it was looked at before. */
static bool look(struct watched *log, const char *metrics, struct rate *rate)
{
	struct sample now;
	bool known = log->sampled;

	log->error =
		sample_take(log->path, &log->log, metrics, log->name, &now);
	log->sampled = !log->error;
	if (log->error)
		return false;
	if (known)
		sample_rate(&log->sample, &now, rate);
	log->sample = now;
	return known;
}

/* How many logs there is room for: the table stays in its place. */
static size_t room(const struct stat_view *view)
{
	struct winsize size;

	if (!view->terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ||
	    !view->count || !size.ws_row || view->count + 2 <= size.ws_row)
		return view->count;
	/* Beside the head, how many are left out, and where the cursor is. */
	return size.ws_row > 4 ? size.ws_row - 3U : 1;
}

static void show_table(const struct stat_view *view, struct table *table,
		       size_t hidden)
{
	if (view->terminal)
		fputs(BEGIN_SCREEN, stdout);
	table_print(table);
	if (hidden)
		printf("and %zu more\n", hidden);
	if (view->terminal)
		fputs(END_SCREEN, stdout);
}

static void show(struct stat_view *view)
{
	struct table table = { .count = 0 };
	char *metrics = read_metrics(view->metrics);
	size_t shown = room(view);

	if (!view->json)
		table_add(&table,
			  "LOG\t>NEXT\t>ENTRIES/S\t>BYTES/S\t>SYNC\t>DISK\t"
			  ">NOT DURABLE\t>LAG\tSTATE");
	for (size_t i = 0; i < view->count; i++) {
		struct rate rate;
		bool known = look(&view->logs[i], metrics, &rate);

		if (view->json)
			print_json(&view->logs[i], known ? &rate : NULL);
		else if (i < shown)
			add_row(view, &table, &view->logs[i],
				known ? &rate : NULL);
	}
	if (!view->json)
		show_table(view, &table, view->count - shown);
	fflush(stdout);
	free(metrics);
}

static int look_once(struct stat_view *view, const char *path)
{
	int ret = find_logs(view, path);

	if (ret)
		return explain_store(view->store, ret);
	show(view);
	return STATUS_OK;
}

static int watch(struct stat_view *view, const char *path, uint64_t every,
		 uint64_t turns)
{
	const struct timespec pause = {
		(time_t)(every / 1000000000),
		(long)(every % 1000000000),
	};
	int status = look_once(view, path);

	while (!status && every && --turns && output_is_read()) {
		(void)nanosleep(&pause, NULL);
		/* Or while it looked. */
		if (stop_asked())
			break;
		status = look_once(view, path);
	}
	return status;
}

/* "2s", or only "2". */
static uint64_t parse_every(const struct args *args, const char *text)
{
	uint64_t now = UINT64_C(1) << 62;
	uint64_t moment = now;
	char *end;
	double seconds = strtod(text, &end);

	if (end > text && !*end && seconds >= 0.1 && seconds <= 86400)
		return (uint64_t)(seconds * 1e9);
	if (maplog_moment_parse(text, now, &moment) || moment == now ||
	    now - moment < 100000000)
		args_fail(args, "--watch: not a time of 100ms or more: '%s'",
			  text);
	return now - moment;
}

static int run(struct args *args)
{
	struct stat_view view = { .terminal = isatty(STDOUT_FILENO) };
	uint64_t every = 0;
	uint64_t turns = 0;
	char *root;
	char *path;
	int status;
	int c;

	while ((c = args_next(args)) != ARGS_END) {
		if (c == 'j')
			view.json = true;
		if (c == 'n')
			turns = args_number(args, "--count", optarg);
		if (c == 'w')
			every = optarg ? parse_every(args, optarg) : 1000000000;
	}
	store_clean_path(args->operands[0]);
	view.store = args->operands[0];
	view.terminal = view.terminal && every && !view.json;
	root = store_mount(view.store);
	if (root)
		view.metrics = store_join(root, ".maplog/metrics");
	path = mounted_path(view.store);
	stop_interrupt();
	status = watch(&view, path, every, turns);
	for (size_t i = 0; i < view.count; i++)
		forget(&view.logs[i]);
	free(view.logs);
	free(view.metrics);
	free(path);
	free(root);
	return status;
}

static const struct option options[] = {
	{ "count", required_argument, NULL, 'n' },
	{ "json", no_argument, NULL, 'j' },
	{ "watch", optional_argument, NULL, 'w' },
	{ NULL, 0, NULL, 0 },
};

const struct command command_stat = {
	.name = "stat",
	.operands = "STORE[/LOG]",
	.summary = "Show how logs are getting on",
	.help = "For each log: the next index, entries and bytes a second, the "
		"time of a sync,\n"
		"disk use, entries that are not durable, how far the slowest "
		"named reader is\n"
		"behind, and its state.\n\n"
		"  -j, --json              a line of JSON for each log\n"
		"  -n, --count=N           with --watch: look so many times\n"
		"  -w, --watch[=TIME]      look again and again, each second "
		"or "
		"so often\n",
	.letters = "jn:w::",
	.options = options,
	.least = 1,
	.most = 1,
	.run = run,
};
