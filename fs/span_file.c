/* SPDX-License-Identifier: MIT */
/*
 * Files made of entries: entries/ and ranges/.
 *
 * They are cached by the kernel, for what they hold does not change. A range
 * that grows is not: see segment_file.c. While one is open, or mapped, its
 * entries are kept, whatever becomes of the log.
 */
#include <errno.h>

#include "handle.h"
#include "loop.h"
#include "span.h"

/* What is behind the name may be other entries since it was looked up: the
 * kernel would mix their bytes with what it knows of the node. */
static int open_span(struct node *node)
{
	const struct node_key *key = &node->key;
	int ret;

	ret = span_open(key->book->log, key->first, key->next, &node->span);
	if (!ret && !span_has(node->span, &node->mark)) {
		span_close(node->span);
		node->span = NULL;
		ret = -ESTALE;
	}
	return ret == -ENOENT ? -ESTALE : ret;
}

/* With the node's lock. Whoever opens an entry will read it, which is one
 * request less if the kernel has it then. */
static int open_first(struct server *server, struct node *node)
{
	int ret = open_span(node);

	if (!ret && !node->pushed && node->key.kind != NODE_RANGE_INDEX &&
	    node->key.next != NODE_TO_THE_END) {
		span_push(node->span, server->session,
			  node_number(&server->tree, node));
		node->pushed = true;
	}
	return ret;
}

static int span_file_open(struct handle *handle, fuse_req_t req,
			  struct fuse_file_info *fi)
{
	struct node *node = handle->node;
	int ret = 0;

	(void)req;
	pthread_mutex_lock(&node->lock);
	if (!node->opens)
		ret = open_first(handle->server, node);
	node->opens += !ret;
	pthread_mutex_unlock(&node->lock);
	fi->noflush = 1;
	if (node->key.next == NODE_TO_THE_END)
		fi->direct_io = handle->server->direct_mmap;
	else
		fi->keep_cache = 1;
	/* Whatever has its name now is to be looked up. */
	if (ret == -ESTALE)
		node_unhash(&handle->server->tree, node);
	return ret;
}

static bool is_end(const struct node *node, uint64_t offset)
{
	struct span_size size;

	span_size(node->span, &size);
	return offset >=
	       (node->key.kind == NODE_RANGE_INDEX
			? size.entries * sizeof(struct maplog_boundary)
			: size.bytes);
}

static void span_file_read(struct handle *handle, fuse_req_t req, size_t size,
			   uint64_t offset, bool nonblocking)
{
	struct node *node = handle->node;
	int ret;

	(void)nonblocking;
	loop_give_way();
	pthread_mutex_lock(&node->lock);
	ret = span_grow(node->span);
	/* Who waits at its end for more is not to wait for ever. */
	if (ret == -ESTALE && is_end(node, offset))
		fuse_reply_err(req, ESTALE);
	else if (node->key.kind == NODE_RANGE_INDEX)
		span_read_index(node->span, req, offset, size);
	else
		span_read(node->span, req, offset, size);
	pthread_mutex_unlock(&node->lock);
}

static void span_file_release(struct handle *handle, fuse_req_t req)
{
	struct node *node = handle->node;

	(void)req;
	pthread_mutex_lock(&node->lock);
	if (!--node->opens) {
		span_close(node->span);
		node->span = NULL;
	}
	pthread_mutex_unlock(&node->lock);
}

const struct handle_ops span_ops = {
	.open = span_file_open,
	.read = span_file_read,
	.release = span_file_release,
	.size = sizeof(struct handle),
};
