/* SPDX-License-Identifier: MIT */
/* maplog forget: a named reader is none any more. */
#include <errno.h>

#include "args.h"
#include "error.h"
#include "explain.h"
#include "log.h"
#include "reader.h"
#include "store.h"

static int explain(const char *path, const char *name, int ret)
{
	if (ret == -ENOENT)
		return error_print("%s: there is no reader '%s' ('maplog "
				   "status %s' lists them)",
				   path, name, path);
	if (ret == -EBUSY)
		return error_print("%s: '%s' is reading now: stop it first",
				   path, name);
	return error_system(path, ret);
}

static int run(struct args *args)
{
	struct maplog *log;
	int status = STATUS_OK;
	char *path;

	(void)args_next(args);
	for (int i = 1; i < args->count; i++) {
		if (!maplog_reader_is_name(args->operands[i]))
			args_fail(args, "not the name of a reader: '%s'",
				  args->operands[i]);
	}
	path = args->operands[0];
	store_clean_path(path);
	log = store_open(path, MAPLOG_READ);
	if (!log)
		return STATUS_FAILED;
	for (int i = 1; !status && i < args->count; i++) {
		int ret = maplog_reader_forget(log, args->operands[i]);

		if (ret)
			status = explain(path, args->operands[i], ret);
	}
	maplog_close(log);
	return status;
}

const struct command command_forget = {
	.name = "forget",
	.operands = "STORE/LOG NAME...",
	.summary = "Forget named readers",
	.help = "",
	.letters = "",
	.least = 2,
	.most = OPERANDS_ANY,
	.run = run,
};
