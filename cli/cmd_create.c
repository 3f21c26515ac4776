/* SPDX-License-Identifier: MIT */
/* maplog create: make an empty log, and its store if asked to. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "error.h"
#include "explain.h"
#include "log.h"
#include "mounted.h"
#include "settings.h"
#include "store.h"

/* Before the umask, as for mkdir(1). */
#define MODE 0777

struct create {
	char *path;
	bool parents;
	struct settings settings;
};

static void sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Where that cannot be done, the log is durable, its store not yet. */
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

static int make_directory(const char *path)
{
	char *parent;
	int ret = 0;

	/* What it is, if it is there, will be seen when it is used. */
	if (!mkdir(path, MODE) || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return -errno;
	parent = store_parent(path);
	if (strcmp(parent, path) != 0)
		ret = make_directory(parent);
	if (!ret && mkdir(path, MODE) && errno != EEXIST)
		ret = -errno;
	sync_directory(parent);
	free(parent);
	return ret;
}

static int make_store(const char *path)
{
	char *store = store_parent(path);
	char *above = store_parent(store);
	int ret = make_directory(store);

	sync_directory(above);
	free(above);
	free(store);
	return ret;
}

/* With --parents a log that is there is as good as a new one, if it has the
 * options that were asked for. */
static int compare(const struct create *create,
		   const struct maplog_options *options)
{
	const char *key = settings_differ(&create->settings, options);

	if (!key)
		return STATUS_OK;
	return error_print("%s: is there already, with another %s: 'maplog set "
			   "%s %s VALUE' changes it",
			   create->path, key, create->path, key);
}

static int accept(const struct create *create)
{
	struct maplog_options options;
	struct maplog *log;

	if (store_is_mount(create->path)) {
		mounted_options(create->path, &options);
		return compare(create, &options);
	}
	log = store_open(create->path, MAPLOG_READ);
	if (!log)
		return STATUS_FAILED;
	maplog_options(log, &options);
	maplog_close(log);
	return compare(create, &options);
}

static int explain(const struct create *create, int ret)
{
	const char *path = create->path;

	if (ret == -EEXIST && !store_is_log(path))
		return error_print("%s: is there already, and is no log", path);
	if (ret == -EEXIST && create->parents)
		return accept(create);
	if (ret == -EEXIST)
		return error_print("%s: is there already ('maplog status %s' "
				   "shows it)",
				   path, path);
	if (ret == -ENOENT)
		return error_print("%s: its store is not there: 'maplog create "
				   "-p %s' makes both",
				   path, path);
	if (ret == -ENOTDIR)
		return error_print("%s: its store is not a directory", path);
	return error_system(path, ret);
}

/* What the mount does not show, and a terminal would choke on. */
static bool is_name(const char *name)
{
	if (*name == '.')
		return false;
	for (; *name; name++) {
		if ((unsigned char)*name < ' ' || *name == 0x7f)
			return false;
	}
	return true;
}

/* Places where a log would not be found again. */
static int check_place(const struct create *create)
{
	const char *slash = strrchr(create->path, '/');
	char *store = store_parent(create->path);
	int status = STATUS_OK;

	if (!is_name(slash ? slash + 1 : create->path))
		status = error_print("%s: the name of a log does not begin "
				     "with a dot, and has no control "
				     "characters in it",
				     create->path);
	else if (store_is_log(store))
		status = error_print("%s: %s is a log, not a store",
				     create->path, store);
	free(store);
	return status;
}

/* There a directory is a log; its options are set afterwards. */
static int create_mounted(const struct create *create)
{
	const char *path = create->path;
	char reply[256];
	int ret = 0;

	if (mkdir(path, MODE))
		return errno == EEXIST ? explain(create, -EEXIST)
				       : error_system(path, -errno);
	for (size_t i = 0; !ret && i < create->settings.count; i++) {
		const struct setting *setting = &create->settings.list[i];
		char command[256];

		snprintf(command, sizeof(command), "set %s %s", setting->key,
			 setting->value);
		ret = mounted_command(path, command, reply, sizeof(reply));
	}
	return ret ? error_system(path, ret) : STATUS_OK;
}

static int create_log(const struct create *create)
{
	struct maplog_options options;
	int ret = 0;

	if (check_place(create))
		return STATUS_FAILED;
	if (store_is_mount(create->path))
		return create_mounted(create);
	maplog_options_init(&options);
	settings_apply(&create->settings, &options);
	if (create->parents)
		ret = make_store(create->path);
	if (!ret)
		ret = maplog_create(AT_FDCWD, create->path, MODE, &options);
	return ret ? explain(create, ret) : STATUS_OK;
}

static int run(struct args *args)
{
	struct create create = { .parents = false };
	int status;
	int c;

	while ((c = args_next(args)) != ARGS_END) {
		if (c == 'p')
			create.parents = true;
		else
			settings_add(&create.settings, args, optarg);
	}
	create.path = args->operands[0];
	store_clean_path(create.path);
	status = create_log(&create);
	settings_free(&create.settings);
	return status;
}

static const struct option options[] = {
	{ "option", required_argument, NULL, 'o' },
	{ "parents", no_argument, NULL, 'p' },
	{ NULL, 0, NULL, 0 },
};

const struct command command_create = {
	.name = "create",
	.operands = "STORE/LOG",
	.summary = "Make an empty log",
	.help = "  -o, --option=KEY=VALUE  set an option of the log; may be "
		"repeated\n"
		"  -p, --parents           make STORE if it is missing; a log "
		"that is there\n"
		"                          already is no error\n",
	.letters = "o:p",
	.options = options,
	.least = 1,
	.most = 1,
	.run = run,
};
