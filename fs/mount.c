/* SPDX-License-Identifier: MIT */
/* Mounting: the mount point, what a crash left on it, and the session. */
#include "mount.h"

#include <errno.h>
#include <limits.h>
#include <mntent.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ops.h"
#include "privilege.h"
#include "report.h"

extern char **environ;

/* A write(2) of so many bytes is to be one request, wherever in a page its
 * buffer begins. */
#define WRITE_SIZE (1 << 20)

/* As much as a request can have, where the kernel would ask for 128 KiB. */
#define READ_AHEAD_KIB 1024

/* Where somebody with more rights has mounted for us, and passed the file. */
static bool is_passed(const char *mountpoint)
{
	return !strncmp(mountpoint, "/dev/fd/", 8);
}

static int run_fusermount(const char *mountpoint)
{
	const char *const argv[] = { "fusermount3", "-u",	"-z",
				     "--",	    mountpoint, NULL };
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv,
			 environ))
		return -errno;
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return status ? -EPERM : 0;
}

/* Without a daemon everything on a FUSE mount fails with ENOTCONN, but for what
 * the kernel remembers: it does not remember this. */
static bool is_stale(const char *mountpoint)
{
	struct statvfs st;

	return statvfs(mountpoint, &st) && errno == ENOTCONN;
}

static int detach(const char *mountpoint)
{
	int ret = 0;

	if (umount2(mountpoint, MNT_DETACH))
		ret = run_fusermount(mountpoint);
	if (ret)
		report(LOG_ERR,
		       "%s: a mount without a daemon is in the way; "
		       "`fusermount3 -uz %s` detaches it",
		       mountpoint, mountpoint);
	else
		report(LOG_NOTICE, "%s: detached a mount without a daemon",
		       mountpoint);
	return ret;
}

/* Daemons may have been killed one after the other. */
static int detach_stale(const char *mountpoint)
{
	int ret = 0;

	while (!ret && is_stale(mountpoint))
		ret = detach(mountpoint);
	return ret;
}

static bool is_inside(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	return !strncmp(path, directory, n) &&
	       (!path[n] || path[n] == '/' || n == 1);
}

/* Whether the uppermost mount at a path is one of this store. */
static bool is_mounted(const char *store, const char *mountpoint)
{
	FILE *file = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	char path[PATH_MAX];
	bool found = false;

	while (file && (entry = getmntent(file))) {
		if (!strcmp(entry->mnt_dir, mountpoint))
			found = !strcmp(entry->mnt_type, "fuse.maplogfs") &&
				realpath(entry->mnt_fsname, path) &&
				!strcmp(path, store);
	}
	if (file)
		endmntent(file);
	return found;
}

/* The daemon must never use its own mount. */
static int check_places(const char *store, const char *mountpoint)
{
	char path[PATH_MAX];

	if (!realpath(store, path)) {
		report(LOG_ERR, "%s: %s", store, strerror(errno));
		return -errno;
	}
	if (is_inside(mountpoint, path) || is_inside(path, mountpoint)) {
		report(LOG_ERR,
		       "%s: the store and the mount point must not be in each "
		       "other",
		       mountpoint);
		return -EINVAL;
	}
	/* A second daemon would cover the first, and could only read. */
	if (is_mounted(path, mountpoint)) {
		report(LOG_ERR, "%s: %s is mounted there already", mountpoint,
		       path);
		return -EBUSY;
	}
	return 0;
}

static int check_mountpoint(const struct config *config, char path[PATH_MAX])
{
	struct stat st;
	int ret;

	ret = detach_stale(config->mountpoint);
	if (ret)
		return ret;
	if (!realpath(config->mountpoint, path) || stat(path, &st)) {
		report(LOG_ERR, "%s: %s", config->mountpoint, strerror(errno));
		return -errno;
	}
	if (!S_ISDIR(st.st_mode)) {
		report(LOG_ERR, "%s: %s", config->mountpoint,
		       strerror(ENOTDIR));
		return -ENOTDIR;
	}
	return check_places(config->store, path);
}

/* Commas in a path would end an option. */
static void escape(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from && n + 2 < size; from++) {
		if (*from == ',' || *from == '\\')
			to[n++] = '\\';
		to[n++] = *from;
	}
	to[n] = 0;
}

/* What mount(8) shows is to be found from everywhere. */
static void name_store(const char *store, char *name, size_t size)
{
	char path[PATH_MAX];

	if (*store != '/' && realpath(store, path))
		store = path;
	escape(store, name, size);
}

static struct fuse_session *new_session(struct server *server)
{
	const struct config *config = server->config;
	char options[CONFIG_MOUNT_OPTIONS + 2 * PATH_MAX + 128];
	char name[2 * PATH_MAX];
	const char *argv[] = { "maplogfs", "-o", options, "-d", NULL };
	struct fuse_args args =
		FUSE_ARGS_INIT(config->debug ? 4 : 3, (char **)argv);
	struct fuse_session *session;

	name_store(config->store, name, sizeof(name));
	/* Later ones win: fsname can be given. */
	snprintf(options, sizeof(options),
		 "subtype=maplogfs,fsname=%s,default_permissions%s%s%s%s", name,
		 config->read_only ? ",ro" : "",
		 server->io_uring ? ",io_uring" : "",
		 *config->mount_options ? "," : "", config->mount_options);
	session = fuse_session_new(&args, &ops, sizeof(ops), server);
	fuse_opt_free_args(&args);
	return session;
}

/* libfuse can make room for larger requests than usual only in its own loop,
 * which op_init() ends after the first one. */
static int greet(struct server *server)
{
	int ret = fuse_session_loop(server->session);

	if (ret)
		return ret < 0 ? ret : -EIO;
	if (!server->greeted)
		return -ENOTCONN;
	fuse_session_reset(server->session);
	return 0;
}

static int mount_session(struct server *server, const char *mountpoint)
{
	unsigned page = (unsigned)sysconf(_SC_PAGESIZE);
	unsigned pages = WRITE_SIZE / page + 1;
	unsigned limit = privilege_large_writes(pages);
	unsigned allowed = privilege_max_pages();
	int ret;

	if (pages > allowed)
		pages = allowed;
	server->max_write = pages * page;
	ret = fuse_session_mount(server->session, mountpoint);
	/* Threads that take requests by io_uring end with the loop that they
	 * were started in: then it is that of libfuse for good. */
	if (!ret && !server->io_uring)
		ret = greet(server);
	privilege_restore(limit);
	if (ret)
		report(LOG_ERR, "%s: cannot be mounted", mountpoint);
	return ret;
}

int mount_start(struct server *server)
{
	const struct config *config = server->config;
	int ret;

	snprintf(server->mountpoint, sizeof(server->mountpoint), "%s",
		 config->mountpoint);
	if (!is_passed(config->mountpoint)) {
		ret = check_mountpoint(config, server->mountpoint);
		if (ret)
			return ret;
	}
	server->session = new_session(server);
	if (!server->session)
		return -EINVAL;
	ret = mount_session(server, server->mountpoint);
	if (ret)
		fuse_session_destroy(server->session);
	return ret;
}

void mount_read_ahead(const struct server *server)
{
	if (!is_passed(server->mountpoint))
		privilege_read_ahead(server->mountpoint, READ_AHEAD_KIB);
}

void mount_end(struct server *server)
{
	fuse_session_unmount(server->session);
	fuse_session_destroy(server->session);
}
