/* SPDX-License-Identifier: MIT */
/* maplog repair: bring a log back to all of it that can be proven good. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "args.h"
#include "error.h"
#include "explain.h"
#include "holder.h"
#include "log.h"
#include "store.h"

struct repair {
	const char *path;
	bool apply;
	uint64_t mended;
	uint64_t lost;
	bool head;

	/* Lost entries that follow one another are told together. */
	uint64_t first;
	uint64_t count;
	uint64_t base;
};

static void print_lost(struct repair *repair)
{
	if (repair->count == 1)
		printf("%s: entry %" PRIu64 " is lost", repair->path,
		       repair->first);
	else if (repair->count)
		printf("%s: entries %" PRIu64 "-%" PRIu64 " are lost",
		       repair->path, repair->first,
		       repair->first + repair->count - 1);
	if (repair->count)
		printf(": %020" PRIu64 ".log\n", repair->base);
	repair->count = 0;
}

static void lose(struct repair *repair, const struct maplog_finding *finding)
{
	repair->lost += finding->count;
	if (repair->count && repair->base == finding->base &&
	    repair->first + repair->count == finding->index) {
		repair->count += finding->count;
		return;
	}
	print_lost(repair);
	repair->first = finding->index;
	repair->count = finding->count;
	repair->base = finding->base;
}

static void mend(struct repair *repair, const struct maplog_finding *finding)
{
	bool bit = finding->remedy == MAPLOG_REMEDY_BIT;

	print_lost(repair);
	repair->mended++;
	printf("%s: entry %" PRIu64 ": %s %s: %020" PRIu64 ".%s offset %" PRIu64
	       "\n",
	       repair->path, finding->index,
	       bit ? "one bit is wrong," : "one of two records is wrong,",
	       repair->apply ? "repaired" : "can be repaired", finding->base,
	       finding->file == MAPLOG_DATA ? "log" : "idx", finding->offset);
}

static void on_finding(void *arg, const struct maplog_finding *finding)
{
	struct repair *repair = arg;

	switch (finding->remedy) {
	case MAPLOG_REMEDY_NONE:
		lose(repair, finding);
		break;
	case MAPLOG_REMEDY_COPY:
	case MAPLOG_REMEDY_BIT:
		mend(repair, finding);
		break;
	case MAPLOG_REMEDY_HEAD:
		repair->head = true;
		printf("%s: the file head is damaged or missing, %s\n",
		       repair->path,
		       repair->apply ? "being made anew"
				     : "--apply tries to make it anew");
		break;
	}
}

static int finish(struct repair *repair)
{
	bool open = !repair->apply && (repair->mended || repair->head);

	print_lost(repair);
	printf("%s: %s=%" PRIu64 " lost=%" PRIu64 "\n", repair->path,
	       repair->apply ? "repaired" : "repairable", repair->mended,
	       repair->lost);
	if (open)
		error_print("%s: nothing was changed: --apply does what is "
			    "listed%s",
			    repair->path,
			    repair->head ? ", and looks at the entries then"
					 : "");
	return open || repair->lost ? STATUS_FAILED : STATUS_OK;
}

static int repair_log(char *path, bool apply)
{
	struct repair repair = { .path = path, .apply = apply };
	uint64_t since = 0;
	int ret;

	store_clean_path(path);
	if (store_is_mount(path))
		return error_print("%s: is in a mount: end its daemon, and "
				   "give the path in the store",
				   path);
	do
		ret = maplog_repair(AT_FDCWD, path, apply, on_finding, &repair);
	while (ret == -EBUSY && holder_wait(path, &since));
	if (ret) {
		print_lost(&repair);
		return explain_open(path, MAPLOG_WRITE, ret);
	}
	return finish(&repair);
}

static int run(struct args *args)
{
	bool apply = false;
	int status = STATUS_OK;

	while (args_next(args) != ARGS_END)
		apply = true;
	for (int i = 0; i < args->count; i++) {
		if (repair_log(args->operands[i], apply))
			status = STATUS_FAILED;
	}
	return status;
}

static const struct option options[] = {
	{ "apply", no_argument, NULL, 'a' },
	{ NULL, 0, NULL, 0 },
};

const struct command command_repair = {
	.name = "repair",
	.operands = "STORE/LOG...",
	.summary = "Bring back what can be proven good",
	.help = "  -a, --apply             do it; else only say what would be "
		"done\n",
	.letters = "a",
	.options = options,
	.least = 1,
	.most = OPERANDS_ANY,
	.run = run,
};
