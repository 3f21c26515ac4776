/* SPDX-License-Identifier: MIT */
/*
 * Handles: open files. What a file does depends on its kind, by a table of
 * functions; what is not in the table is done in the same way for all.
 */
#ifndef MAPLOG_FS_HANDLE_H
#define MAPLOG_FS_HANDLE_H

#include <pthread.h>
#include <stdbool.h>

#include "server.h"

struct handle;

struct handle_ops {
	/** open() - the kind's own part; sets flags in @fi. Return: 0, errno */
	int (*open)(struct handle *handle, fuse_req_t req,
		    struct fuse_file_info *fi);
	/** read() - answers the request itself, now or later. The client may
	 * close the file as soon as it has an answer: what is used after that,
	 * or is what the answer is made of, is used with the handle's lock. */
	void (*read)(struct handle *handle, fuse_req_t req, size_t size,
		     uint64_t offset, bool nonblocking);
	/** write() - Return: how much was taken, or an errno */
	ssize_t (*write)(struct handle *handle, fuse_req_t req,
			 const char *data, size_t size);
	/** flush() - a descriptor was closed, perhaps not the last one */
	int (*flush)(struct handle *handle);
	/** poll() - what is ready now; keeps @ph to say so later, or not */
	unsigned (*poll)(struct handle *handle, struct fuse_pollhandle *ph);
	/** release() - the last descriptor was closed, or there is no request
	 * for the daemon ends */
	void (*release)(struct handle *handle, fuse_req_t req);
	size_t size; /* of the kind's own structure, struct handle first */
};

struct handle {
	struct handle *next; /* of the server's */
	struct handle **link;
	const struct handle_ops *ops;
	struct server *server;
	struct node *node;    /* held */
	struct book *book;    /* the node's, or NULL */
	pthread_mutex_t lock; /* for the kind's own part */
};

/** handle_open() - open a node: fills in fi->fh. Return: 0 or an errno. */
int handle_open(struct server *server, struct node *node, fuse_req_t req,
		struct fuse_file_info *fi);

/** handle_of() - the handle of an open file */
static inline struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

/** handle_release() - close it, for the request @req */
void handle_release(struct handle *handle, fuse_req_t req);

/** handle_release_all() - close all that are open: the daemon ends */
void handle_release_all(struct server *server);

/* The kinds. */
extern const struct handle_ops segment_ops; /* segments and head */
extern const struct handle_ops span_ops;    /* entries and ranges */
extern const struct handle_ops text_ops;    /* status files */
extern const struct handle_ops lines_ops;   /* append */
extern const struct handle_ops batch_ops;
extern const struct handle_ops control_ops;
extern const struct handle_ops follow_ops;

#endif
