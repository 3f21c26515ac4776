/* SPDX-License-Identifier: MIT */
/* maplog status: everything that is known of a log, as "key: value" lines. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "error.h"
#include "log.h"
#include "retain.h"
#include "state.h"
#include "store.h"
#include "table.h"

static void print_counters(const struct maplog_status *status)
{
	printf("first: %" PRIu64 "\n", status->counters.first);
	printf("next: %" PRIu64 "\n", status->counters.next);
	printf("durable: %" PRIu64 "\n", status->counters.durable);
	printf("generation: %" PRIu64 "\n", status->counters.generation);
	printf("segments: %" PRIu64 "\n", status->segments);
	printf("bytes: %" PRIu64 "\n", status->bytes);
}

static void print_options(struct maplog *log)
{
	struct maplog_options options;
	const char *key;

	maplog_options(log, &options);
	for (size_t n = 0; (key = maplog_options_key(n)); n++) {
		char value[64];

		if (!maplog_options_get(&options, key, value, sizeof(value)))
			printf("%s: %s\n", key, value);
	}
}

static void print_identity(const struct maplog_status *status)
{
	char time[TEXT_TIME_SIZE];

	fputs("uuid: ", stdout);
	for (int i = 0; i < 16; i++)
		printf("%s%02x",
		       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
		       status->uuid[i]);
	printf("\ncreated: %s\n", text_time(status->created, time));
}

static void print_writer(struct maplog *log, const struct maplog_status *status,
			 int ret)
{
	if (status->live)
		printf("writer: %d\n", (int)status->holder);
	else
		puts("writer: none");
	printf("state: %s\n", state_name(log, status));
	printf("error: %s\n", ret ? strerror(-ret) : "none");
}

static void print_readers(struct maplog *log, uint64_t next)
{
	struct maplog_reader_info *list;
	size_t count;

	if (maplog_reader_list(log, &list, &count))
		return;
	for (size_t i = 0; i < count; i++)
		printf("reader: %s next=%" PRIu64 " lag=%" PRIu64 "\n",
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
	printf("disk: %" PRIu64 "\nkept: %020" PRIu64 ", %s\n", retention.disk,
	       oldest.base, reason);
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
			printf("torn: %s %jd\n", entry->d_name,
			       (intmax_t)st.st_size);
	}
	closedir(dir);
}

static int run(struct args *args)
{
	struct maplog_status status;
	struct maplog *log;
	char *path;
	int ret;

	(void)args_next(args);
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
	maplog_close(log);
	if (!ret)
		return STATUS_OK;
	return error_print("%s: not all of its segments can be used: 'maplog "
			   "ls %s' lists them",
			   path, path);
}

const struct command command_status = {
	.name = "status",
	.operands = "STORE/LOG",
	.summary = "Show all that is known of a log",
	.help = "",
	.letters = "",
	.least = 1,
	.most = 1,
	.run = run,
};
