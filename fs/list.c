/* SPDX-License-Identifier: MIT */
/* Listing directories. */
#include "list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "name.h"

/* What is put into an answer. Positions 1 and 2 are behind "." and "..". */
struct list {
	struct server *server;
	fuse_req_t req;
	struct node *directory;
	ino_t number; /* of the directory in the store */
	char *buffer;
	size_t size;
	size_t used;
	uint64_t position; /* where to begin */
	uint64_t at;	   /* for counting what is before that */
};

#define FIRST 2

/* In the root, behind .maplog: from here on positions are the store's. */
#define FIRST_LOG 3

/* Adds a name; false if it does not fit any more. @next: the position behind
 * it. */
static bool add(struct list *list, const char *name, enum node_kind kind,
		ino_t number, uint64_t next)
{
	const struct stat st = {
		.st_ino = number,
		.st_mode = attr_mode(kind, 0777),
	};
	size_t size;

	size = fuse_add_direntry(list->req, list->buffer + list->used,
				 list->size - list->used, name, &st,
				 (off_t)next);
	if (size > list->size - list->used)
		return false;
	list->used += size;
	return true;
}

/* Likewise, a file or directory of a log. */
static bool add_key(struct list *list, const char *name,
		    const struct node_key *key, uint64_t next)
{
	return add(list, name, key->kind, attr_number(key, list->number), next);
}

static bool add_dots(struct list *list)
{
	const struct node_key *key = &list->directory->key;
	const bool in_log = key->book && key->kind != NODE_LOG;
	const struct node_key parent = { .kind = in_log ? NODE_LOG
							: NODE_ROOT };

	if (list->position < 1 && !add_key(list, ".", key, 1))
		return false;
	if (list->position < 2 && !add_key(list, "..", &parent, 2))
		return false;
	return true;
}

/* Names that stand in one order: the position is their number. */
static bool add_counted(struct list *list, const char *name,
			const struct node_key *key)
{
	uint64_t next = FIRST + ++list->at;

	return next <= list->position || add_key(list, name, key, next);
}

static int add_log(void *arg, const struct store_entry *entry)
{
	const struct node_key key = { .kind = NODE_LOG };
	uint64_t next = FIRST_LOG + entry->next;

	/* Some file systems have the largest number for the end. */
	if (next > INT64_MAX)
		next = INT64_MAX;
	return add(arg, entry->name, NODE_LOG, attr_number(&key, entry->number),
		   next)
		       ? 0
		       : 1;
}

static int list_root(struct list *list)
{
	const struct node_key meta = { .kind = NODE_META };
	uint64_t from = 0;
	int ret;

	if (!add_counted(list, ".maplog", &meta))
		return 0;
	if (list->position > FIRST_LOG)
		from = list->position - FIRST_LOG;
	ret = store_each(&list->server->store, from, add_log, list);
	return ret < 0 ? ret : 0;
}

static int list_log(struct list *list)
{
	const char *name;

	for (size_t n = 0; (name = name_fixed(n)); n++) {
		struct node_key key = { .next = 0 };

		name_in_log(name, &key.kind, &key.first);
		/* Of a log that cannot be opened there is only this. */
		if (!list->directory->key.book->log && key.kind != NODE_STATUS)
			continue;
		if (!add_counted(list, name, &key))
			break;
	}
	return 0;
}

/* Two files a segment: the position of the .idx is twice its base, that of the
 * next .log one more. */
static bool add_segment(struct list *list, uint64_t base, uint64_t from)
{
	struct node_key key = { .kind = NODE_SEGMENT_DATA, .first = base };
	struct node_key parent;
	char name[NAME_SIZE];

	name_of(&key, name, &parent);
	if (from <= 2 * base &&
	    !add_key(list, name, &key, FIRST + 2 * base + 1))
		return false;
	key.kind = NODE_SEGMENT_INDEX;
	name_of(&key, name, &parent);
	return add_key(list, name, &key, FIRST + 2 * base + 2);
}

static int list_segments(struct list *list)
{
	struct maplog *log = list->directory->key.book->log;
	uint64_t from = list->position > FIRST ? list->position - FIRST : 0;
	uint64_t index = from / 2;
	struct maplog_segment segment;

	do {
		if (maplog_segment(log, index, &segment) == -ENODATA)
			break;
		if (segment.base >= from / 2 &&
		    !add_segment(list, segment.base, from))
			break;
		index = segment.base + segment.entries;
	} while (!segment.active);
	return 0;
}

static int list_entries(struct list *list)
{
	uint64_t from = list->position > FIRST ? list->position - FIRST : 0;
	struct node_key key = { .kind = NODE_ENTRY };
	struct maplog_counters now;
	struct node_key parent;
	char name[NAME_SIZE];

	if (list->server->config->hide_entries)
		return 0;
	maplog_counters(list->directory->key.book->log, &now);
	for (key.first = from > now.first ? from : now.first;
	     key.first < now.next; key.first++) {
		name_of(&key, name, &parent);
		if (!add_key(list, name, &key, FIRST + key.first + 1))
			break;
	}
	return 0;
}

static int list_names(struct list *list)
{
	const struct node_key status = { .kind = NODE_META_STATUS };
	const struct node_key metrics = { .kind = NODE_META_METRICS };

	switch (list->directory->key.kind) {
	case NODE_ROOT:
		return list_root(list);
	case NODE_META:
		if (add_counted(list, "status", &status))
			add_counted(list, "metrics", &metrics);
		return 0;
	case NODE_LOG:
		return list_log(list);
	case NODE_SEGMENTS:
		return list_segments(list);
	case NODE_ENTRIES:
		return list_entries(list);
	default:
		/* ranges, since: there are more than could be listed. */
		return 0;
	}
}

static int number_of(struct server *server, const struct node *directory,
		     ino_t *number)
{
	const struct book *book = directory->key.book;
	struct stat st;

	if (fstat(book ? book->dirfd : server->store.dirfd, &st))
		return -errno;
	*number = st.st_ino;
	return 0;
}

void list_read(struct server *server, fuse_req_t req, struct node *directory,
	       size_t size, off_t position)
{
	struct list list = {
		.server = server,
		.req = req,
		.directory = directory,
		.buffer = malloc(size),
		.size = size,
		.position = (uint64_t)position,
	};
	int ret = list.buffer ? 0 : -ENOMEM;

	if (!ret)
		ret = number_of(server, directory, &list.number);
	if (!ret && add_dots(&list))
		ret = list_names(&list);
	if (ret)
		fuse_reply_err(req, -ret);
	else
		fuse_reply_buf(req, list.buffer, list.used);
	free(list.buffer);
}
