/* SPDX-License-Identifier: MIT */
/* The daemon as a whole: what every request handler can get at. */
#ifndef MAPLOG_FS_SERVER_H
#define MAPLOG_FS_SERVER_H

#include <limits.h>
#include <stdbool.h>
#include <time.h>

#include "config.h"
#include "fuse.h"
#include "node.h"
#include "store.h"

struct handle;
struct notifier;
struct retainer;

struct server {
	const struct config *config;
	char mountpoint[PATH_MAX]; /* without links in it */
	struct fuse_session *session;
	struct store store;
	struct tree tree;
	struct notifier *notifier;
	struct retainer *retainer; /* NULL: there is none */
	/* Whether the kernel reads the store's files itself, and if it does
	 * not, why: said in .maplog/status. */
	bool passthrough;
	const char *no_passthrough;
	/* Likewise, whether libfuse is to take requests by io_uring, and
	 * whether (atomic) one came that way. */
	bool io_uring;
	bool io_uring_works;
	const char *no_io_uring;
	/* Whether a file that is read from here each time can be mapped, too.
	 */
	bool direct_mmap;
	/* Whether names that the kernel knows can be made too old; else it
	 * keeps none of what may be truncated. */
	bool names_age;
	unsigned max_write;
	bool greeted; /* the kernel and we have agreed on what we can */
	pthread_mutex_t handles_lock;
	struct handle *handles; /* that are open */
	struct timespec started;
};

/** server_of() - the server that a request is for */
static inline struct server *server_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

#endif
