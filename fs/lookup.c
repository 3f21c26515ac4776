/* SPDX-License-Identifier: MIT */
/* Looking up names. */
#include "lookup.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "attr.h"
#include "growth.h"
#include "moment.h"
#include "name.h"

/* A node and for how long its name means it. */
struct found {
	struct node_key key;
	double timeout;
};

static int in_root(struct server *server, const char *name, struct found *found)
{
	if (!strcmp(name, ".maplog")) {
		found->key.kind = NODE_META;
		return 0;
	}
	/* Logs may be made and removed in the store, too. */
	found->timeout = 1;
	found->key.kind = NODE_LOG;
	return store_get(&server->store, name, &found->key.book);
}

static int in_meta(const char *name, struct found *found)
{
	if (!strcmp(name, "status"))
		found->key.kind = NODE_META_STATUS;
	else if (!strcmp(name, "metrics"))
		found->key.kind = NODE_META_METRICS;
	else
		return -ENOENT;
	return 0;
}

static int in_log(const char *name, struct found *found)
{
	if (!name_in_log(name, &found->key.kind, &found->key.first))
		return -ENOENT;
	if (!found->key.book->log && found->key.kind != NODE_STATUS)
		return -EIO;
	return 0;
}

static int in_segments(const char *name, struct found *found)
{
	struct maplog_segment segment;
	uint64_t base;
	int ret;

	if (!name_segment(name, &found->key.kind, &base))
		return -ENOENT;
	ret = maplog_segment(found->key.book->log, base, &segment);
	if (ret == -ENODATA || (!ret && segment.base != base))
		return -ENOENT;
	if (ret)
		return -EIO;
	found->key.first = base;
	found->key.next = segment.id;
	return 0;
}

static int in_entries(const char *name, struct found *found)
{
	struct maplog_counters now;
	uint64_t index;

	maplog_counters(found->key.book->log, &now);
	if (!name_number(name, &index) || index < now.first ||
	    index >= now.next)
		return -ENOENT;
	found->key.kind = NODE_ENTRY;
	found->key.first = index;
	found->key.next = index + 1;
	return 0;
}

static int in_ranges(const char *name, struct found *found)
{
	struct maplog_counters now;
	struct name_range range;

	maplog_counters(found->key.book->log, &now);
	if (!name_range(name, &range))
		return -ENOENT;
	found->key.kind = range.index ? NODE_RANGE_INDEX : NODE_RANGE;
	if (range.last) {
		/* Another range each time. */
		uint64_t count = now.next - now.first;

		if (range.first < count)
			count = range.first;
		found->timeout = 0;
		found->key.first = now.next - count;
		found->key.next = now.next;
		return 0;
	}
	found->key.first = range.first;
	found->key.next = range.open ? NODE_TO_THE_END : range.end + 1;
	if (range.first < now.first || range.first > now.next)
		return -ENOENT;
	return range.open || range.end < now.next ? 0 : -ENOENT;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int in_since(const char *name, struct found *found)
{
	uint64_t moment;
	bool index;

	if (!name_moment(name, now(), &moment, &index))
		return -ENOENT;
	/* Another range each time. */
	found->timeout = 0;
	found->key.kind = index ? NODE_RANGE_INDEX : NODE_RANGE;
	found->key.next = NODE_TO_THE_END;
	return maplog_moment_find(found->key.book->log, moment,
				  &found->key.first)
		       ? -EIO
		       : 0;
}

/* For how long the kernel may keep names of a directory. What another process
 * does to its log, nobody tells us. */
static double keep_names(const struct server *server, const struct node *parent)
{
	const struct node_key *key = &parent->key;

	if (!key->book)
		return ATTR_LONG;
	if (!book_is_ours(key->book))
		return 0;
	return key->kind == NODE_LOG || server->names_age ? ATTR_LONG : 0;
}

/* With a reference to found->key.book, if there is one, that is due. */
static int find(struct server *server, struct node *parent, const char *name,
		struct found *found)
{
	struct book *book = parent->key.book;

	*found = (struct found){
		.key = { .book = book },
		.timeout = keep_names(server, parent),
	};
	if (book)
		book_hold(book);
	switch (parent->key.kind) {
	case NODE_ROOT:
		return in_root(server, name, found);
	case NODE_META:
		return in_meta(name, found);
	case NODE_LOG:
		return in_log(name, found);
	case NODE_SEGMENTS:
		return in_segments(name, found);
	case NODE_ENTRIES:
		return in_entries(name, found);
	case NODE_RANGES:
		return in_ranges(name, found);
	case NODE_SINCE:
		return in_since(name, found);
	default:
		return -ENOTDIR;
	}
}

/* -ESTALE if a node of this name stood for what is gone by now. */
static int fill(struct server *server, const struct found *found,
		struct fuse_entry_param *entry)
{
	struct node *node = node_look_up(&server->tree, &found->key);
	struct attr attr;
	int ret;

	if (!node)
		return -ENOMEM;
	ret = attr_is_current(node) ? attr_get(server, node, &attr) : -ESTALE;
	if (ret) {
		if (ret == -ESTALE)
			node_unhash(&server->tree, node);
		node_forget(&server->tree, node, 1);
		return ret;
	}
	growth_look_up(node, &attr);
	*entry = (struct fuse_entry_param){
		.ino = node_number(&server->tree, node),
		.attr = attr.st,
		.attr_timeout = attr.timeout,
		.entry_timeout = found->timeout,
	};
	return 0;
}

int lookup(struct server *server, struct node *parent, const char *name,
	   struct fuse_entry_param *entry)
{
	struct found found;
	int ret;

	/* The kernel does not see to it. */
	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	do {
		ret = find(server, parent, name, &found);
		if (!ret)
			ret = fill(server, &found, entry);
		if (found.key.book)
			book_put(found.key.book);
	} while (ret == -ESTALE);
	return ret;
}
