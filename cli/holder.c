/* SPDX-License-Identifier: MIT */
/* The process that has a log open for writing, and whether it is about to end.
 */
#include "holder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "stop.h"
#include "store.h"

#define DAEMON "maplogfs"

#define SECOND	   UINT64_C(1000000000)
#define PAUSE_NSEC 20000000

static FILE *open_proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return fopen(path, "re");
}

/* As far as this process may see it. */
static void find_name(struct holder *holder)
{
	FILE *file = open_proc(holder->pid, "comm");

	if (file && fgets(holder->name, sizeof(holder->name), file))
		holder->name[strcspn(holder->name, "\n")] = 0;
	if (file)
		fclose(file);
}

/* A name that is no path, as of the option fsname, may stand for any store. */
static bool is_of(const struct mntent *mount, const char *store)
{
	char path[PATH_MAX];

	return !strcmp(mount->mnt_type, "fuse." DAEMON) &&
	       (!realpath(mount->mnt_fsname, path) || !strcmp(path, store));
}

/* Whether a process sees a mount of the store. */
static bool is_mounted(pid_t pid, const char *store)
{
	FILE *file = open_proc(pid, "mounts");
	struct mntent *mount;
	bool found = !file;

	while (!found && (mount = getmntent(file)))
		found = is_of(mount, store);
	if (file)
		fclose(file);
	return found;
}

void holder_find(const char *path, struct holder *holder)
{
	char *parent = store_join(path, "..");
	char *store = realpath(parent, NULL);
	int ret;

	*holder = (struct holder){ .pid = 0 };
	ret = maplog_holder(AT_FDCWD, path, &holder->pid);
	holder->gone = ret == -ESRCH;
	if (holder->pid)
		find_name(holder);
	if (store && !strcmp(holder->name, DAEMON))
		holder->serves = is_mounted(holder->pid, store);
	/* It takes its number out of the log just before the log is free. */
	holder->ends = !ret && !holder->serves &&
		       (!holder->pid || !strcmp(holder->name, DAEMON));
	free(store);
	free(parent);
}

static uint64_t patience(const char *path)
{
	struct holder holder;

	holder_find(path, &holder);
	if (holder.serves)
		return 0;
	/* Since the last try: the next one will tell. */
	return holder.ends || holder.gone ? 30 * SECOND : SECOND;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

bool holder_wait(const char *path, uint64_t *since)
{
	const struct timespec pause = { 0, PAUSE_NSEC };

	if (!*since)
		*since = now();
	if (stop_asked() || now() - *since >= patience(path))
		return false;
	(void)nanosleep(&pause, NULL);
	return true;
}
