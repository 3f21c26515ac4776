/* SPDX-License-Identifier: MIT */
/* maplog append: lines, or whole files, as entries. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "error.h"
#include "intake.h"
#include "progress.h"
#include "stop.h"
#include "store.h"

static bool is_stdin(const char *name)
{
	return !strcmp(name, "-");
}

static int take_file(struct intake *intake, const char *name)
{
	int status;
	int fd;

	intake->name = name;
	if (is_stdin(name)) {
		intake->name = "standard input";
		return intake_take(intake, STDIN_FILENO);
	}
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return intake_failed(intake, -errno);
	status = intake_take(intake, fd);
	close(fd);
	return status;
}

/* A name that is wrong is found before anything is appended. */
static int check_input(const char *name, uint64_t *total, bool *known)
{
	struct stat st;
	int ret;

	ret = is_stdin(name) ? fstat(STDIN_FILENO, &st) : stat(name, &st);
	if (!ret && S_ISDIR(st.st_mode)) {
		ret = -1;
		errno = EISDIR;
	}
	if (!ret && !is_stdin(name))
		ret = access(name, R_OK);
	if (ret)
		return error_print("%s: %s: nothing was appended", name,
				   strerror(errno));
	if (S_ISREG(st.st_mode))
		*total += (uint64_t)st.st_size;
	else
		*known = false;
	return STATUS_OK;
}

static int check_inputs(char *const *names, int count)
{
	bool known = true;
	uint64_t total = 0;

	for (int i = 0; i < count; i++) {
		if (check_input(names[i], &total, &known))
			return STATUS_FAILED;
	}
	progress_begin("append", known ? total : 0);
	return STATUS_OK;
}

static int take_all(struct intake *intake, char *const *names, int count)
{
	int status = STATUS_OK;

	for (int i = 0; !status && i < count; i++)
		status = take_file(intake, names[i]);
	if (!status)
		status = intake_flush(intake);
	progress_clear();
	return status;
}

static int report(const struct intake *intake, int status)
{
	const struct target *target = &intake->target;

	if (!status)
		target_print(target, target->first);
	else if (target->count)
		error_print("%s: before that, first=%" PRIu64 " next=%" PRIu64
			    " were appended",
			    target->path, target->first, target_next(target));
	else
		error_print("%s: nothing was appended", target->path);
	return status;
}

static int append_all(struct intake *intake, const char *path,
		      char *const *names, int count)
{
	int status;

	if (target_open(&intake->target, path))
		return STATUS_FAILED;
	status = take_all(intake, names, count);
	status = target_close(&intake->target, status);
	return report(intake, status);
}

static void read_options(struct args *args, struct intake *intake)
{
	int c;

	while ((c = args_next(args)) != ARGS_END) {
		if (c == 'b')
			intake->exact = args_number(args, "--batch", optarg);
		if (c == 'b' && !intake->exact)
			args_fail(args, "--batch: 0 is too few");
		if (c == 't')
			intake->tag = args_number(args, "--tag", optarg);
		if (c == 'v')
			intake->verbose = true;
		if (c == 'w')
			intake->whole = true;
	}
}

static int run(struct args *args)
{
	char dash[] = "-";
	char *const standard_input[] = { dash };
	struct intake intake = { .exact = 0 };
	char *path;
	char *const *names;
	int status;
	int count;

	read_options(args, &intake);
	path = args->operands[0];
	store_clean_path(path);
	names = args->count > 1 ? args->operands + 1 : standard_input;
	count = args->count > 1 ? args->count - 1 : 1;
	if (check_inputs(names, count))
		return STATUS_FAILED;
	stop_catch();
	status = append_all(&intake, path, names, count);
	batch_free(&intake.batch);
	return status;
}

static const struct option options[] = {
	{ "batch", required_argument, NULL, 'b' },
	{ "tag", required_argument, NULL, 't' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "whole", no_argument, NULL, 'w' },
	{ NULL, 0, NULL, 0 },
};

const struct command command_append = {
	.name = "append",
	.operands = "STORE/LOG [FILE...]",
	.summary = "Append lines, or whole files",
	.help = "Without FILE, or where it is -, standard input is taken. A "
		"line keeps its\n"
		"newline.\n\n"
		"  -b, --batch=N           append N lines at a time: after a "
		"crash all of them\n"
		"                          are there, or none\n"
		"  -t, --tag=N             give each entry this tag\n"
		"  -v, --verbose           print a line for each batch once it "
		"is appended\n"
		"  -w, --whole             every file is one entry, not every "
		"line\n",
	.letters = "b:t:vw",
	.options = options,
	.least = 1,
	.most = OPERANDS_ANY,
	.run = run,
};
