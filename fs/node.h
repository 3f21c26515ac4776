/* SPDX-License-Identifier: MIT */
/*
 * Nodes: what the kernel knows of the tree.
 *
 * A node is made when a name is looked up, and lives until the kernel forgets
 * it and the last open file on it is closed. Its number, for FUSE, is its
 * address. A node never changes what it stands for: where a truncation puts
 * something else behind a name, the old node is unhashed, keeps what it served,
 * and the next lookup makes a new one.
 */
#ifndef MAPLOG_FS_NODE_H
#define MAPLOG_FS_NODE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "fuse.h"
#include "log.h"

struct book;
struct span;

enum node_kind {
	NODE_ROOT,
	NODE_META,	   /* .maplog */
	NODE_META_STATUS,  /* .maplog/status */
	NODE_META_METRICS, /* .maplog/metrics */
	NODE_LOG,	   /* a directory a log */
	NODE_APPEND,
	NODE_BATCH,
	NODE_CONTROL,
	NODE_STATUS,
	NODE_HEAD,
	NODE_FOLLOW, /* from first on; NODE_FOLLOW_END: what is new */
	NODE_SEGMENTS,
	NODE_SEGMENT_DATA,
	NODE_SEGMENT_INDEX,
	NODE_ENTRIES,
	NODE_ENTRY,
	NODE_RANGES,
	NODE_RANGE,
	NODE_RANGE_INDEX,
	NODE_SINCE, /* what it holds are ranges */
};

/* In the place of an index: the end of the log, whatever that is. */
#define NODE_TO_THE_END UINT64_MAX

struct node_key {
	enum node_kind kind;
	struct book *book; /* NULL above the logs */
	/* A segment: its base and id. An entry or range: first <= i < next. */
	uint64_t first;
	uint64_t next;
};

/*
 * The last entry that a range was seen to have. What replaces an entry replaces
 * all behind it: so while this one is there, the range is what it was.
 */
struct node_mark {
	uint64_t next; /* one past its index; 0: none was seen */
	uint64_t time;
	uint32_t crc;
};

struct node {
	struct node_key key;
	struct node *chain;	 /* of its bucket */
	struct node *next_loose; /* of those that are in no bucket */
	struct node **loose_link;
	uint64_t lookups; /* that the kernel has not forgotten */
	uint32_t holders; /* open files, and whoever works on it now */
	bool hashed;
	bool stale;		 /* atomic: the kernel's copy of it is */
	struct node *next_stale; /* of those that the notifier is to tell */

	pthread_mutex_t lock; /* for all below */
	/* The largest size that it was seen to have; of a text, the last. */
	uint64_t shown;
	/* See growth.h. The size that was told last, and one that the kernel
	 * certainly does not go below. */
	bool was_told;
	uint64_t told;
	uint64_t sure;
	struct node_mark mark; /* of a range, or an entry */
	uint32_t opens;
	bool pushed;	   /* to the kernel, all of it */
	int backing_id;	   /* of FUSE passthrough; 0: cached, while there are
			    * opens */
	int fd;		   /* while there are opens: the segment's file */
	struct span *span; /* while there are opens: the range's entries */
};

struct tree {
	pthread_mutex_t lock;
	struct node **buckets;
	size_t size; /* a power of two */
	size_t count;
	struct node *loose; /* unhashed, and still known to the kernel */
	struct node root;
};

int tree_init(struct tree *tree);

/** tree_destroy() - free all nodes; nobody uses one any more */
void tree_destroy(struct tree *tree);

/** node_number() - what FUSE calls the node */
fuse_ino_t node_number(const struct tree *tree, const struct node *node);

/** node_of() - the reverse; the kernel only asks for nodes it was told of */
struct node *node_of(struct tree *tree, fuse_ino_t number);

/**
 * node_look_up() - the node of a key, made if there is none
 *
 * Counts as a lookup: node_forget() is due. Return: NULL without memory.
 */
struct node *node_look_up(struct tree *tree, const struct node_key *key);

/** node_find() - the node of a key, held, or NULL: node_put() is due */
struct node *node_find(struct tree *tree, const struct node_key *key);

void node_forget(struct tree *tree, struct node *node, uint64_t lookups);

void node_hold(struct tree *tree, struct node *node);
void node_put(struct tree *tree, struct node *node);

/** node_unhash() - its name, if it is looked up, gets another node */
void node_unhash(struct tree *tree, struct node *node);

/**
 * node_cut() - unhash nodes, so that their names are looked up anew
 * @select: which ones; called with the tree's lock held
 *
 * Return: whether there were any.
 */
bool node_cut(struct tree *tree,
	      bool (*select)(const struct node *node, const void *arg),
	      const void *arg);

/** node_collect() - likewise, but they stay hashed; an array, NULL-terminated,
 * to be freed by the caller; NULL without memory
 */
struct node **node_collect(struct tree *tree,
			   bool (*select)(const struct node *node,
					  const void *arg),
			   const void *arg);

#endif
