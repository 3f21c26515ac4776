/* SPDX-License-Identifier: MIT */
/* The daemon that had the store before. */
#include "predecessor.h"

#include <errno.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "report.h"

#define DAEMON "maplogfs"

static FILE *open_proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return fopen(path, "re");
}

static bool is_daemon(pid_t pid)
{
	FILE *file = open_proc(pid, "comm");
	char name[64] = "";

	if (file && !fgets(name, sizeof(name), file))
		*name = 0;
	if (file)
		fclose(file);
	return !strcmp(name, DAEMON "\n");
}

/* A name that is no path, as of the option fsname, may stand for any store. */
static bool is_of(const struct mntent *mount, const char *store)
{
	char path[PATH_MAX];

	return !strcmp(mount->mnt_type, "fuse." DAEMON) &&
	       (!realpath(mount->mnt_fsname, path) || !strcmp(path, store));
}

/* Whether a process sees a mount of the store that is not ours. */
static bool is_served(pid_t pid, const char *store, const char *ours)
{
	FILE *file = open_proc(pid, "mounts");
	struct mntent *mount;
	bool found = !file;

	while (!found && (mount = getmntent(file)))
		found = is_of(mount, store) && strcmp(mount->mnt_dir, ours);
	if (file)
		fclose(file);
	return found;
}

static bool store_of(int dirfd, char path[PATH_MAX])
{
	char parent[64];

	snprintf(parent, sizeof(parent), "/proc/self/fd/%d/..", dirfd);
	return realpath(parent, path);
}

static bool ends(int dirfd, pid_t pid, const char *ours)
{
	char store[PATH_MAX];

	return is_daemon(pid) && store_of(dirfd, store) &&
	       !is_served(pid, store, ours);
}

bool predecessor_keeps(int dirfd, const char *ours, unsigned *patience)
{
	pid_t pid = 0;
	int ret = maplog_holder(dirfd, ".", &pid);

	if (!*patience || (ret && ret != -ESRCH))
		return false;
	/* A writer takes its number out of the log just before it is free. */
	if (pid && !ends(dirfd, pid, ours))
		return false;
	if (pid && *patience == PREDECESSOR_PATIENCE)
		report(LOG_NOTICE, "waiting for process %d to close its logs",
		       (int)pid);
	--*patience;
	return true;
}
