/* SPDX-License-Identifier: MIT */
/* maplog verify: check every checksum of logs, or of all logs of a store. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "damage.h"
#include "error.h"
#include "explain.h"
#include "log.h"
#include "mounted.h"
#include "progress.h"
#include "store.h"
#include "walk.h"

struct verify {
	const char *path;
	struct damage damage;
	struct walk walk;
	uint64_t good;
	uint64_t bytes;
};

/* Another process trimmed or truncated what was to be checked. */
static void look_again(struct verify *verify)
{
	struct maplog_counters counters;

	maplog_counters(verify->walk.log, &counters);
	if (verify->walk.index < counters.first)
		verify->walk.index = counters.first;
	if (verify->walk.end > counters.next)
		verify->walk.end = counters.next;
}

static int take(struct verify *verify, int ret, struct maplog_view *view)
{
	if (!ret) {
		verify->good += view->count;
		verify->bytes += view->bytes;
		maplog_view_release(view);
	} else if (ret == -ENODATA || ret == -ENOENT) {
		look_again(verify);
	} else if (walk_is_damage(ret)) {
		damage_add(&verify->damage, verify->walk.index++, ret);
	} else {
		return explain_open(verify->path, MAPLOG_READ, ret);
	}
	progress_at(verify->bytes, verify->bytes, verify->good);
	return STATUS_OK;
}

static int check_entries(struct verify *verify)
{
	int status = STATUS_OK;

	while (!status && verify->walk.index < verify->walk.end) {
		struct maplog_view view;
		int ret = walk_next(&verify->walk, &view);

		status = take(verify, ret, &view);
	}
	damage_flush(&verify->damage);
	progress_clear();
	return status;
}

static int report(const struct verify *verify, bool options)
{
	uint64_t damaged = verify->damage.total;

	if (options)
		printf("%s: its log.ini is damaged: all options are at their "
		       "defaults\n",
		       verify->path);
	printf("%s: %s entries=%" PRIu64 " bytes=%" PRIu64 " damaged=%" PRIu64
	       "\n",
	       verify->path, damaged || options ? "DAMAGED" : "ok",
	       verify->good + damaged, verify->bytes, damaged);
	return damaged || options ? STATUS_FAILED : STATUS_OK;
}

static int verify_open(const char *path, struct maplog *log)
{
	struct maplog_status status;
	struct verify verify = {
		.path = path,
		.damage = { .path = path, .log = log, .out = stdout },
		.walk = { .log = log, .max = 1 },
	};

	(void)maplog_status(log, &status);
	verify.walk.index = status.counters.first;
	verify.walk.end = status.counters.next;
	progress_begin("verify", status.bytes);
	if (check_entries(&verify))
		return STATUS_FAILED;
	return report(&verify, status.recovery.options);
}

static int verify_log(const char *path)
{
	struct maplog *log = store_open(path, MAPLOG_READ);
	int status;

	if (!log)
		return STATUS_FAILED;
	status = verify_open(path, log);
	maplog_close(log);
	return status;
}

static int verify_store(const char *store)
{
	int status = STATUS_OK;
	char **names;
	size_t count;
	int ret;

	ret = store_logs(store, &names, &count);
	if (ret)
		return explain_store(store, ret);
	/* A store that was not mounted must not be found to be all good. */
	if (!count)
		status = error_print("%s: there is no log in it", store);
	for (size_t i = 0; i < count; i++) {
		char *path = store_join(store, names[i]);

		if (verify_log(path))
			status = STATUS_FAILED;
		free(path);
	}
	store_free(names, count);
	return status;
}

static int run(struct args *args)
{
	int status = STATUS_OK;

	(void)args_next(args);
	for (int i = 0; i < args->count; i++) {
		char *path;
		int one;

		store_clean_path(args->operands[i]);
		path = mounted_path(args->operands[i]);
		if (store_is_log(path) || store_is_mount(path))
			one = verify_log(path);
		else
			one = verify_store(path);
		free(path);
		if (one)
			status = STATUS_FAILED;
	}
	return status;
}

const struct command command_verify = {
	.name = "verify",
	.operands = "STORE[/LOG]...",
	.summary = "Check every checksum",
	.help = "",
	.letters = "",
	.least = 1,
	.most = OPERANDS_ANY,
	.run = run,
};
