/* SPDX-License-Identifier: MIT */
/* maplog export: entries in a form that import, and others, can read. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "error.h"
#include "extract.h"
#include "feed.h"

/* Where it goes, if not to standard output. Emitters take a function only. */
static struct {
	const char *name;
	int fd;
	uint64_t at;   /* so much of the export was written, or is there */
	uint64_t size; /* of what an earlier one has left: to be compared */
} file = { .fd = -1 };

/* How many of the bytes are there already; -EBADMSG if they are others. */
static ssize_t compare(const char *data, size_t bytes)
{
	static char there[65536];
	uint64_t left = file.size - file.at;
	ssize_t n;

	if (bytes > left)
		bytes = left;
	if (bytes > sizeof(there))
		bytes = sizeof(there);
	n = pread(file.fd, there, bytes, (off_t)file.at);
	if (n <= 0)
		return n ? -errno : -EBADMSG;
	return memcmp(data, there, (size_t)n) ? -EBADMSG : n;
}

static ssize_t write_behind(const char *data, size_t bytes)
{
	ssize_t n = pwrite(file.fd, data, bytes, (off_t)file.at);

	return n < 0 ? -errno : n;
}

static int write_file(const void *data, size_t bytes, size_t *written)
{
	const char *from = data;
	size_t at = 0;

	while (at < bytes) {
		ssize_t n = file.at < file.size
				    ? compare(from + at, bytes - at)
				    : write_behind(from + at, bytes - at);

		if (n < 0)
			return (int)n;
		at += (size_t)n;
		file.at += (uint64_t)n;
	}
	if (written)
		*written = at;
	return 0;
}

static int open_file(const char *name, bool resume)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | (resume ? 0 : O_EXCL);
	struct stat st;

	file.name = name;
	file.fd = open(name, flags, 0666);
	if (file.fd < 0 && errno == EEXIST)
		return error_print("%s: is there already: --resume goes on "
				   "where it ends",
				   name);
	if (file.fd < 0 || fstat(file.fd, &st))
		return error_print("%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_print("%s: is not a regular file", name);
	file.size = (uint64_t)st.st_size;
	return STATUS_OK;
}

/* More than there was to be exported is of something else. */
static int close_file(int status)
{
	if (file.fd < 0)
		return status;
	if (!status && file.at < file.size)
		status = error_print("%s: holds more than is to be exported: "
				     "%" PRIu64 " bytes, not %" PRIu64,
				     file.name, file.size, file.at);
	if (!status && (fdatasync(file.fd) || close(file.fd)))
		status = error_print("%s: %s", file.name, strerror(errno));
	return status;
}

static enum emit_form form_of(enum feed_form form)
{
	switch (form) {
	case FEED_FRAMES:
		return EMIT_FRAMES;
	case FEED_JSON:
		return EMIT_JSON;
	case FEED_LINES:
		break;
	}
	return EMIT_LINES;
}

static int run(struct args *args)
{
	struct extract extract = { .progress = true };
	enum feed_form form = FEED_LINES;
	const char *name = NULL;
	bool resume = false;
	int status = STATUS_OK;
	int c;

	while ((c = args_next(args)) != ARGS_END) {
		if (c == 'a')
			form = feed_form(args, optarg);
		else if (c == 'o')
			name = optarg;
		else if (c == 'r')
			resume = true;
		else
			extract_option(&extract, args, c);
	}
	if (resume && !name)
		args_fail(args, "--resume: needs --output");
	extract_operands(&extract, args, true);
	emit_set(&extract.emit, args, form_of(form));
	if (name) {
		extract.emit.write = write_file;
		status = open_file(name, resume);
	}
	if (!status)
		status = close_file(extract_run(&extract));
	extract_free(&extract);
	return status;
}

static const struct option options[] = {
	{ "as", required_argument, NULL, 'a' },
	{ "keep-going", no_argument, NULL, 'k' },
	{ "output", required_argument, NULL, 'o' },
	{ "resume", no_argument, NULL, 'r' },
	{ "since", required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

const struct command command_export = {
	.name = "export",
	.operands = "STORE/LOG [INDEX|A-B|A-|-N...]",
	.summary = "Write entries for import to read",
	.help = "All entries if no range is given.\n\n"
		"  -a, --as=lines|json|frames\n"
		"                          one line each, if all of them are; "
		"JSON, one object a\n"
		"                          line; length, zero, tag (4, 4, 8 "
		"bytes) and bytes\n"
		"  -k, --keep-going        leave damaged entries out and go "
		"on\n"
		"  -o, --output=FILE       write to a new file, durably\n"
		"  -r, --resume            FILE is there: check that it is the "
		"beginning of this\n"
		"                          export, and write the rest\n"
		"  -s, --since=TIME        as for read\n",
	.letters = "a:ko:rs:",
	.options = options,
	.least = 1,
	.most = OPERANDS_ANY,
	.run = run,
};
