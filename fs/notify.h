/* SPDX-License-Identifier: MIT */
/*
 * The notifier: the one thread that tells the kernel what has changed.
 *
 * The kernel may wait, in a notification, for requests to be answered: so it
 * never comes from a request handler, and its thread holds no lock that one
 * needs.
 */
#ifndef MAPLOG_FS_NOTIFY_H
#define MAPLOG_FS_NOTIFY_H

#include "attr.h"
#include "server.h"

int notify_start(struct server *server);

/**
 * notify_stop() - forget what is queued, and what will be, and end the thread
 *
 * As long as requests are answered: it may be the kernel that waits for one.
 */
void notify_stop(struct server *server);

/** notify_free() - when nobody can call any of these any more */
void notify_free(struct server *server);

/** notify_stale() - what a file holds has changed; told soon, and once */
void notify_stale(struct server *server, struct node *node);

/**
 * notify_gone() - entries from <= i < to of a log are gone, or are other ones
 *
 * When this returns, nodes that stood for them are unhashed, and the kernel
 * looks up their names anew. It waits for nothing.
 */
void notify_gone(struct server *server, struct book *book, uint64_t from,
		 uint64_t to);

/** notify_owner() - a log's owner or mode changed: all its files show it */
void notify_owner(struct server *server, struct book *book);

/**
 * notify_then_reply_attr() - answer a request for attributes when the kernel
 * knows all that was queued before, and the size that they tell
 *
 * The request may hold up its inode in the kernel: not for a directory that
 * has names in it which may be queued to be forgotten.
 */
void notify_then_reply_attr(struct server *server, fuse_req_t req,
			    struct node *node, const struct attr *attr);

#endif
