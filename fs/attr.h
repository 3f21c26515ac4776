/* SPDX-License-Identifier: MIT */
/* Attributes of nodes: sizes, times, owners, and how long they can be kept. */
#ifndef MAPLOG_FS_ATTR_H
#define MAPLOG_FS_ATTR_H

#include <sys/stat.h>

#include "server.h"

/* What cannot change, or is notified when it does, is kept for a day. */
#define ATTR_LONG 86400.0

struct attr {
	struct stat st;
	double timeout; /* seconds */
};

/**
 * attr_get() - the attributes of a node
 *
 * Return: 0; -ENOENT or -ESTALE if what it stood for is gone; -EIO if it is
 * damaged.
 */
int attr_get(struct server *server, struct node *node, struct attr *attr);

/**
 * attr_number() - the number that tools tell files apart by
 * @directory: that of the log's directory in the store, or of the store's
 *
 * It is the same after a restart.
 */
ino_t attr_number(const struct node_key *key, ino_t directory);

/** attr_mode() - type bits of a kind of node, and the bits it takes from the
 * mode of the log's directory
 */
mode_t attr_mode(enum node_kind kind, mode_t directory);

/** attr_is_current() - whether the log still has what a node stands for */
bool attr_is_current(struct node *node);

/** attr_segment() - the segment of a node, as it is now
 *
 * Return: 0; -ESTALE if it was cut short or replaced; -EIO.
 */
int attr_segment(const struct node_key *key, struct maplog_segment *segment);

/** attr_segment_is_current() - whether it is, without looking at its files */
bool attr_segment_is_current(const struct node_key *key);

/** attr_of_book() - owner, group and mode of a log are its directory's */
int attr_of_book(const struct book *book, struct stat *st);

#endif
