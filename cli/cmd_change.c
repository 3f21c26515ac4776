/* SPDX-License-Identifier: MIT */
/*
 * maplog truncate, trim, sync, seal, retain and set: each changes a log and
 * prints what the control file of the mount would reply.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "args.h"
#include "explain.h"
#include "log.h"
#include "mounted.h"
#include "retain.h"
#include "settings.h"
#include "store.h"

/* One change: prints its reply if it could be done. */
struct change {
	const char *command; /* as a control file takes it */
	int (*apply)(struct maplog *log, const struct change *change);
	uint64_t index;
	const char *key;
	const char *value;
};

static int explain(const char *path, struct maplog *log,
		   const struct change *change, int ret)
{
	struct maplog_counters counters;

	maplog_counters(log, &counters);
	if (ret == -ENODATA || ret == -ENOENT)
		return explain_index(path, &counters, change->index, ret);
	return explain_change(path, log, ret);
}

static int change_log(struct args *args, const struct change *change)
{
	char *path = args->operands[0];
	struct maplog *log;
	int status = STATUS_OK;
	int ret;

	store_clean_path(path);
	if (store_is_mount(path))
		return mounted_tell(path, change->command);
	log = store_open(path, MAPLOG_WRITE);
	if (!log)
		return STATUS_FAILED;
	ret = change->apply(log, change);
	if (ret)
		status = explain(path, log, change, ret);
	ret = maplog_close(log);
	if (ret && !status)
		status = explain_close(path, ret);
	return status;
}

static int apply_truncate(struct maplog *log, const struct change *change)
{
	struct maplog_counters now;
	int ret = maplog_truncate(log, change->index);

	if (ret)
		return ret;
	maplog_counters(log, &now);
	printf("ok next=%" PRIu64 " generation=%" PRIu64 "\n", now.next,
	       now.generation);
	return 0;
}

static int apply_trim(struct maplog *log, const struct change *change)
{
	struct maplog_counters now;
	int ret = maplog_trim(log, change->index);

	if (ret)
		return ret;
	maplog_counters(log, &now);
	printf("ok first=%" PRIu64 "\n", now.first);
	return 0;
}

static int apply_sync(struct maplog *log, const struct change *change)
{
	uint64_t durable;
	int ret = maplog_sync(log, &durable);

	(void)change;
	if (!ret)
		printf("ok durable=%" PRIu64 "\n", durable);
	return ret;
}

static int apply_seal(struct maplog *log, const struct change *change)
{
	uint64_t base;
	int ret = maplog_seal(log, &base);

	(void)change;
	if (!ret)
		printf("ok base=%" PRIu64 "\n", base);
	return ret;
}

static int apply_set(struct maplog *log, const struct change *change)
{
	int ret = maplog_set(log, change->key, change->value);

	if (!ret)
		puts("ok");
	return ret;
}

static int apply_retain(struct maplog *log, const struct change *change)
{
	uint64_t first;
	int ret = maplog_retain(log, &first);

	(void)change;
	if (!ret)
		printf("ok first=%" PRIu64 "\n", first);
	return ret;
}

static int run_index(struct args *args,
		     int (*apply)(struct maplog *, const struct change *))
{
	struct change change = { .apply = apply };
	char command[64];

	(void)args_next(args);
	change.index = args_number(args, "INDEX", args->operands[1]);
	snprintf(command, sizeof(command), "%s %" PRIu64, args->command->name,
		 change.index);
	change.command = command;
	return change_log(args, &change);
}

static int run_plain(struct args *args,
		     int (*apply)(struct maplog *, const struct change *))
{
	const struct change change = {
		.command = args->command->name,
		.apply = apply,
	};

	(void)args_next(args);
	return change_log(args, &change);
}

static int run_truncate(struct args *args)
{
	return run_index(args, apply_truncate);
}

static int run_trim(struct args *args)
{
	return run_index(args, apply_trim);
}

static int run_sync(struct args *args)
{
	return run_plain(args, apply_sync);
}

static int run_seal(struct args *args)
{
	return run_plain(args, apply_seal);
}

static int run_retain(struct args *args)
{
	return run_plain(args, apply_retain);
}

static int run_set(struct args *args)
{
	struct change change = { .apply = apply_set };
	char command[256];

	(void)args_next(args);
	change.key = args->operands[1];
	change.value = args->operands[2];
	settings_check(args, change.key, change.value);
	snprintf(command, sizeof(command), "set %s %s", change.key,
		 change.value);
	change.command = command;
	return change_log(args, &change);
}

const struct command command_truncate = {
	.name = "truncate",
	.operands = "STORE/LOG INDEX",
	.summary = "Drop the entries from INDEX on",
	.help = "",
	.letters = "",
	.least = 2,
	.most = 2,
	.run = run_truncate,
};

const struct command command_trim = {
	.name = "trim",
	.operands = "STORE/LOG INDEX",
	.summary = "Drop the entries before INDEX",
	.help = "",
	.letters = "",
	.least = 2,
	.most = 2,
	.run = run_trim,
};

const struct command command_sync = {
	.name = "sync",
	.operands = "STORE/LOG",
	.summary = "Make it durable; recover it first",
	.help = "",
	.letters = "",
	.least = 1,
	.most = 1,
	.run = run_sync,
};

const struct command command_seal = {
	.name = "seal",
	.operands = "STORE/LOG",
	.summary = "End the active segment",
	.help = "",
	.letters = "",
	.least = 1,
	.most = 1,
	.run = run_seal,
};

const struct command command_retain = {
	.name = "retain",
	.operands = "STORE/LOG",
	.summary = "Drop what its limits let go",
	.help = "Its options retain-bytes, retain-age and retain-unread are "
		"the limits. A mount\ndoes this by itself.\n\n",
	.letters = "",
	.least = 1,
	.most = 1,
	.run = run_retain,
};

const struct command command_set = {
	.name = "set",
	.operands = "STORE/LOG KEY VALUE",
	.summary = "Change an option of a log for good",
	.help = "",
	.letters = "",
	.least = 3,
	.most = 3,
	.run = run_set,
};
