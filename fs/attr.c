/* SPDX-License-Identifier: MIT */
/* Attributes of nodes. */
#include "attr.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "span.h"

/* Programs that copy with buffers of the size that a file asks for make few
 * large writes of a whole input. */
#define APPEND_BLOCK (1 << 20)

#define BLOCK 512

mode_t attr_mode(enum node_kind kind, mode_t directory)
{
	switch (kind) {
	case NODE_ROOT:
	case NODE_LOG:
		return S_IFDIR | (directory & 0777);
	case NODE_META:
	case NODE_SEGMENTS:
	case NODE_ENTRIES:
	case NODE_RANGES:
	case NODE_SINCE:
		return S_IFDIR | (directory & 0555);
	case NODE_APPEND:
	case NODE_BATCH:
		return S_IFREG | (directory & 0222);
	case NODE_CONTROL:
		return S_IFREG | (directory & 0666);
	default:
		return S_IFREG | (directory & 0444);
	}
}

int attr_of_book(const struct book *book, struct stat *st)
{
	return fstat(book->dirfd, st) ? -errno : 0;
}

static void set_times(struct stat *st, uint64_t time)
{
	/* Without an entry it has the time of the log's directory. */
	if (!time)
		return;
	st->st_mtim.tv_sec = (time_t)(time / 1000000000);
	st->st_mtim.tv_nsec = (long)(time % 1000000000);
	st->st_atim = st->st_ctim = st->st_mtim;
}

static void set_size(struct stat *st, uint64_t size)
{
	st->st_size = (off_t)size;
	st->st_blocks = (blkcnt_t)((size + BLOCK - 1) / BLOCK);
}

bool attr_segment_is_current(const struct node_key *key)
{
	struct maplog_segment segment;
	int ret = maplog_segment(key->book->log, key->first, &segment);

	/* Damaged or not, its id is known. */
	return ret != -ENODATA && segment.id == key->next;
}

int attr_segment(const struct node_key *key, struct maplog_segment *segment)
{
	int ret;

	ret = maplog_segment(key->book->log, key->first, segment);
	if (ret == -ENODATA)
		return -ESTALE;
	if (segment->base != key->first || segment->id != key->next)
		return -ESTALE;
	return book_reading_error(ret);
}

bool attr_is_current(struct node *node)
{
	struct node_mark mark;

	switch (node->key.kind) {
	case NODE_SEGMENT_DATA:
	case NODE_SEGMENT_INDEX:
		return attr_segment_is_current(&node->key);
	case NODE_ENTRY:
	case NODE_RANGE:
	case NODE_RANGE_INDEX:
		pthread_mutex_lock(&node->lock);
		mark = node->mark;
		pthread_mutex_unlock(&node->lock);
		return span_is_there(node->key.book->log, &mark);
	default:
		return true;
	}
}

static uint64_t segment_size(enum node_kind kind,
			     const struct maplog_segment *segment)
{
	if (kind == NODE_SEGMENT_DATA)
		return segment->bytes;
	return segment->entries * sizeof(struct maplog_record);
}

/* With the node's lock: what was shown never gets smaller. */
static uint64_t not_less(struct node *node, uint64_t size)
{
	if (size > node->shown)
		node->shown = size;
	return node->shown;
}

/* What another process does to its log, nobody tells us. */
static double lasting(const struct node *node)
{
	return book_is_ours(node->key.book) ? ATTR_LONG : 0;
}

static int get_segment(struct node *node, struct attr *attr)
{
	struct maplog_segment segment;
	int ret;

	ret = attr_segment(&node->key, &segment);
	if (ret == -ESTALE && node->opens) {
		/* For those who have it open it stays as it was. */
		set_size(&attr->st, node->shown);
		return 0;
	}
	if (ret)
		return ret;
	set_size(&attr->st,
		 not_less(node, segment_size(node->key.kind, &segment)));
	set_times(&attr->st, segment.time);
	attr->timeout = segment.active ? 0 : lasting(node);
	return 0;
}

static int measure(struct node *node, struct span_size *size)
{
	const struct node_key *key = &node->key;
	int ret;

	if (node->span) {
		(void)span_grow(node->span);
		span_size(node->span, size);
		return 0;
	}
	ret = span_measure(key->book->log, key->first, key->next, size);
	if (!ret && !span_is_there(key->book->log, &node->mark))
		ret = -ESTALE;
	return ret;
}

static int get_span(struct node *node, struct attr *attr)
{
	struct span_size size;
	uint64_t bytes;
	int ret;

	ret = measure(node, &size);
	if (ret)
		return ret;
	span_mark(node->key.first, &size, &node->mark);
	bytes = node->key.kind == NODE_RANGE_INDEX
			? size.entries * sizeof(struct maplog_boundary)
			: size.bytes;
	set_size(&attr->st, not_less(node, bytes));
	set_times(&attr->st, size.time);
	attr->timeout = node->key.next == NODE_TO_THE_END ? 0 : lasting(node);
	return 0;
}

/* A new time makes the kernel drop the pages that it has. */
static void set_time_to_now(struct stat *st)
{
	clock_gettime(CLOCK_REALTIME, &st->st_mtim);
	st->st_ctim = st->st_mtim;
}

static void get_head(const struct node *node, struct attr *attr)
{
	set_size(&attr->st, MAPLOG_HEAD_SIZE);
	if (node->backing_id <= 0)
		set_time_to_now(&attr->st);
}

/* Whoever opened it is told how much there is for him to read: a text is made
 * for each open. */
static void get_text(const struct node *node, struct attr *attr)
{
	set_size(&attr->st, node->shown);
	set_time_to_now(&attr->st);
}

static int get_owner(struct server *server, const struct node *node,
		     struct stat *st)
{
	enum node_kind kind = node->key.kind;

	if (node->key.book) {
		int ret = attr_of_book(node->key.book, st);

		if (ret)
			return ret;
	} else if (fstat(server->store.dirfd, st)) {
		return -errno;
	}
	st->st_mode = attr_mode(kind, st->st_mode);
	st->st_nlink = S_ISDIR(st->st_mode) ? 2 : 1;
	st->st_rdev = 0;
	st->st_blksize =
		kind == NODE_APPEND || kind == NODE_BATCH ? APPEND_BLOCK : 0;
	set_size(st, 0);
	return 0;
}

/* One to one, so that neighbours do not meet: neither do their directories'
 * numbers with kinds of files, nor entries of a log with each other. */
static uint64_t mix(uint64_t hash, uint64_t with)
{
	hash = (hash ^ with) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

ino_t attr_number(const struct node_key *key, ino_t directory)
{
	uint64_t hash = mix(mix(mix(0, directory), key->kind), key->first);

	if (key->kind == NODE_RANGE || key->kind == NODE_RANGE_INDEX)
		hash = mix(hash, key->next);
	return hash ? hash : 1;
}

static int get_rest(struct server *server, struct node *node, struct attr *attr)
{
	switch (node->key.kind) {
	case NODE_SEGMENT_DATA:
	case NODE_SEGMENT_INDEX:
		return get_segment(node, attr);
	case NODE_ENTRY:
	case NODE_RANGE:
	case NODE_RANGE_INDEX:
		return get_span(node, attr);
	case NODE_HEAD:
		get_head(node, attr);
		return 0;
	case NODE_STATUS:
	case NODE_META_STATUS:
	case NODE_META_METRICS:
		get_text(node, attr);
		return 0;
	default:
		/* The owner may be changed in the store, behind our back. */
		attr->timeout = 1;
		return 0;
	}
}

int attr_get(struct server *server, struct node *node, struct attr *attr)
{
	int ret;

	memset(attr, 0, sizeof(*attr));
	ret = get_owner(server, node, &attr->st);
	if (ret)
		return ret;
	attr->st.st_ino = attr_number(&node->key, attr->st.st_ino);
	pthread_mutex_lock(&node->lock);
	ret = get_rest(server, node, attr);
	pthread_mutex_unlock(&node->lock);
	return ret;
}
