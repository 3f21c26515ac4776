/* SPDX-License-Identifier: MIT */
/* maplog status: everything that is known of a log, as "key: value" lines. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "error.h"
#include "log.h"
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
	print_options(log);
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
