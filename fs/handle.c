/* SPDX-License-Identifier: MIT */
/* Handles: open files. */
#include "handle.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

static const struct handle_ops *ops_of(enum node_kind kind)
{
	switch (kind) {
	case NODE_META_STATUS:
	case NODE_META_METRICS:
	case NODE_STATUS:
		return &text_ops;
	case NODE_APPEND:
		return &lines_ops;
	case NODE_BATCH:
		return &batch_ops;
	case NODE_CONTROL:
		return &control_ops;
	case NODE_HEAD:
	case NODE_SEGMENT_DATA:
	case NODE_SEGMENT_INDEX:
		return &segment_ops;
	case NODE_FOLLOW:
		return &follow_ops;
	case NODE_ENTRY:
	case NODE_RANGE:
	case NODE_RANGE_INDEX:
		return &span_ops;
	default:
		return NULL;
	}
}

/* The kernel opens a store file with the client's flags: whoever could open it
 * for writing could write into it. So nobody can, root neither. */
static int check_flags(const struct handle_ops *ops, struct book *book,
		       int flags)
{
	bool writing = (flags & O_ACCMODE) != O_RDONLY;

	if (!ops->write)
		return writing || (flags & O_TRUNC) ? -EROFS : 0;
	return writing ? book_writable(book) : 0;
}

static void list(struct handle *handle)
{
	struct server *server = handle->server;

	pthread_mutex_lock(&server->handles_lock);
	handle->next = server->handles;
	handle->link = &server->handles;
	if (handle->next)
		handle->next->link = &handle->next;
	server->handles = handle;
	pthread_mutex_unlock(&server->handles_lock);
}

static void unlist(struct handle *handle)
{
	struct server *server = handle->server;

	pthread_mutex_lock(&server->handles_lock);
	*handle->link = handle->next;
	if (handle->next)
		handle->next->link = handle->link;
	pthread_mutex_unlock(&server->handles_lock);
}

static void free_handle(struct handle *handle)
{
	node_put(&handle->server->tree, handle->node);
	pthread_mutex_destroy(&handle->lock);
	free(handle);
}

int handle_open(struct server *server, struct node *node, fuse_req_t req,
		struct fuse_file_info *fi)
{
	const struct handle_ops *ops = ops_of(node->key.kind);
	struct handle *handle;
	int ret;

	if (!ops)
		return -EISDIR;
	ret = check_flags(ops, node->key.book, fi->flags);
	if (ret)
		return ret;
	/* A log that cannot be read can still say why. */
	if (node->key.book && !node->key.book->log && ops != &text_ops)
		return -EIO;
	handle = calloc(1, ops->size);
	if (!handle)
		return -ENOMEM;
	handle->ops = ops;
	handle->server = server;
	handle->node = node;
	handle->book = node->key.book;
	pthread_mutex_init(&handle->lock, NULL);
	node_hold(&server->tree, node);
	fi->fh = (uintptr_t)handle;
	ret = ops->open(handle, req, fi);
	if (ret)
		free_handle(handle);
	else
		list(handle);
	return ret;
}

void handle_release(struct handle *handle, fuse_req_t req)
{
	unlist(handle);
	/* The client has its answer, and the thread that gave it may not be
	 * done with the handle. */
	pthread_mutex_lock(&handle->lock);
	pthread_mutex_unlock(&handle->lock);
	handle->ops->release(handle, req);
	free_handle(handle);
}

void handle_release_all(struct server *server)
{
	while (server->handles)
		handle_release(server->handles, NULL);
}
