/* SPDX-License-Identifier: MIT */
/* maplog status: everything that is known of a log. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "error.h"
#include "jsonline.h"
#include "log.h"
#include "retain.h"
#include "state.h"
#include "store.h"
#include "table.h"
#include "text.h"

/* "key: value", a line each. */
static struct text lines;

static void print_counters(const struct maplog_status *status)
{
	text_print(&lines, "first: %" PRIu64 "\n", status->counters.first);
	text_print(&lines, "next: %" PRIu64 "\n", status->counters.next);
	text_print(&lines, "durable: %" PRIu64 "\n", status->counters.durable);
	text_print(&lines, "generation: %" PRIu64 "\n",
		   status->counters.generation);
	text_print(&lines, "segments: %" PRIu64 "\n", status->segments);
	text_print(&lines, "bytes: %" PRIu64 "\n", status->bytes);
}

static void print_options(struct maplog *log)
{
	struct maplog_options options;
	const char *key;

	maplog_options(log, &options);
	for (size_t n = 0; (key = maplog_options_key(n)); n++) {
		char value[64];

		if (!maplog_options_get(&options, key, value, sizeof(value)))
			text_print(&lines, "%s: %s\n", key, value);
	}
}

static void print_identity(const struct maplog_status *status)
{
	char time[TEXT_TIME_SIZE];

	text_print(&lines, "uuid: ");
	for (int i = 0; i < 16; i++)
		text_print(&lines, "%s%02x",
			   i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			   status->uuid[i]);
	text_print(&lines, "\ncreated: %s\n", text_time(status->created, time));
}

static void print_writer(struct maplog *log, const struct maplog_status *status,
			 int ret)
{
	if (status->live)
		text_print(&lines, "writer: %d\n", (int)status->holder);
	else
		text_print(&lines, "writer: none\n");
	text_print(&lines, "state: %s\n", state_name(log, status));
	text_print(&lines, "error: %s\n", ret ? strerror(-ret) : "none");
	if (status->recovery.options)
		text_print(&lines, "damaged: log.ini\n");
}

static void print_readers(struct maplog *log, uint64_t next)
{
	struct maplog_reader_info *list;
	size_t count;

	if (maplog_reader_list(log, &list, &count))
		return;
	for (size_t i = 0; i < count; i++)
		text_print(&lines,
			   "reader: %s next=%" PRIu64 " lag=%" PRIu64 "\n",
			   list[i].name, list[i].next,
			   list[i].next < next ? next - list[i].next : 0);
	free(list);
}

/* What it takes, and why the oldest segment is still there. */
static void print_retention(struct maplog *log)
{
	struct maplog_retention retention;
	struct maplog_segment oldest;
	char reason[128];

	oldest.id = 0;
	(void)maplog_segment(log, 0, &oldest);
	if (maplog_retention(log, &retention) || !oldest.id)
		return;
	maplog_retention_reason(&retention, &oldest, reason, sizeof(reason));
	text_print(&lines, "disk: %" PRIu64 "\nkept: %020" PRIu64 ", %s\n",
		   retention.disk, oldest.base, reason);
}

static bool is_torn(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && !strcmp(dot, ".torn");
}

/* What recoveries have cut off, and kept: "torn: FILE BYTES". */
static void print_torn(struct maplog *log)
{
	int fd = openat(maplog_dirfd(log), ".", O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (is_torn(entry->d_name) &&
		    !fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			text_print(&lines, "torn: %s %jd\n", entry->d_name,
				   (intmax_t)st.st_size);
	}
	closedir(dir);
}

/* ---- As JSON ---- */

static bool is_option(const char *key, size_t n)
{
	const char *option;

	for (size_t i = 0; (option = maplog_options_key(i)); i++) {
		if (strlen(option) == n && !strncmp(option, key, n))
			return true;
	}
	return false;
}

/* "key: value" of so many bytes. What is a number for people is one for
 * programs, unless it is an option: 0, or 10G. */
static void add_pair(struct text *json, const char *line, size_t bytes)
{
	size_t key = strcspn(line, ":");
	const char *value = line + key + 2;
	size_t n = bytes - key - 2;

	jsonline_string(json, line, key);
	text_add(json, ":", 1);
	if (n && n < 20 && strspn(value, "0123456789") == n &&
	    !is_option(line, key))
		text_add(json, value, n);
	else
		jsonline_string(json, value, n);
}

static void add_reader(struct text *json, const char *value, size_t bytes)
{
	char name[MAPLOG_READER_NAME_MAX + 1];
	uint64_t next;
	uint64_t lag;

	(void)bytes;
	if (sscanf(value, "%64s next=%" SCNu64 " lag=%" SCNu64, name, &next,
		   &lag) == 3)
		text_print(json,
			   "{\"name\":\"%s\",\"next\":%" PRIu64
			   ",\"lag\":%" PRIu64 "}",
			   name, next, lag);
}

static void add_text(struct text *json, const char *value, size_t bytes)
{
	jsonline_string(json, value, bytes);
}

/* All lines with one key, which there may be many of. */
static void add_list(struct text *json, const char *key,
		     void (*add)(struct text *json, const char *value,
				 size_t bytes))
{
	const char *line = lines.data;
	const char *end = lines.data + lines.used;
	size_t n = strlen(key);
	bool any = false;

	text_print(json, ",\"%ss\":[", key);
	while (line < end) {
		size_t bytes = strcspn(line, "\n");

		if (bytes > n + 2 && !strncmp(line, key, n) && line[n] == ':') {
			text_print(json, "%s", any ? "," : "");
			add(json, line + n + 2, bytes - n - 2);
			any = true;
		}
		line += bytes + 1;
	}
	text_add(json, "]", 1);
}

static void print_json(void)
{
	struct text json = { .data = NULL };
	const char *line = lines.data;
	const char *end = lines.data + lines.used;

	for (; line < end; line += strcspn(line, "\n") + 1) {
		size_t key = strcspn(line, ":");

		if (!strncmp(line, "reader:", key + 1) ||
		    !strncmp(line, "torn:", key + 1))
			continue;
		text_print(&json, "%s", json.used ? "," : "{");
		add_pair(&json, line, strcspn(line, "\n"));
	}
	add_list(&json, "reader", add_reader);
	add_list(&json, "torn", add_text);
	text_add(&json, "}\n", 2);
	fwrite(json.data, 1, json.used, stdout);
	text_free(&json);
}

static void print(bool json)
{
	/* An end for strcspn(3). */
	text_add(&lines, "", 1);
	lines.used--;
	if (json)
		print_json();
	else
		fwrite(lines.data, 1, lines.used, stdout);
	text_free(&lines);
}

static int run(struct args *args)
{
	struct maplog_status status;
	struct maplog *log;
	bool json = false;
	char *path;
	int ret;

	while (args_next(args) != ARGS_END)
		json = true;
	path = args->operands[0];
	store_clean_path(path);
	log = store_open(path, MAPLOG_READ);
	if (!log)
		return STATUS_FAILED;
	ret = maplog_status(log, &status);
	print_counters(&status);
	print_retention(log);
	print_options(log);
	print_readers(log, status.counters.next);
	print_identity(&status);
	print_writer(log, &status, ret);
	print_torn(log);
	print(json);
	maplog_close(log);
	if (!ret)
		return STATUS_OK;
	return error_print("%s: not all of its segments can be used: 'maplog "
			   "ls %s' lists them",
			   path, path);
}

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ NULL, 0, NULL, 0 },
};

const struct command command_status = {
	.name = "status",
	.operands = "STORE/LOG",
	.summary = "Show all that is known of a log",
	.help = "  -j, --json              as a JSON object, with lists of "
		"readers and torns\n",
	.letters = "j",
	.options = options,
	.least = 1,
	.most = 1,
	.run = run,
};
