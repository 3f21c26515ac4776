/* SPDX-License-Identifier: MIT */
/* Files of text that is written when they are opened: status and metrics. */
#include <stdlib.h>

#include "handle.h"
#include "loop.h"
#include "metrics.h"
#include "status.h"

struct text_handle {
	struct handle handle;
	char *text;
	size_t size;
};

static int make(const struct handle *handle, char **text, size_t *size)
{
	if (handle->node->key.kind == NODE_META_METRICS)
		return metrics_of_server(handle->server, text, size);
	if (handle->book)
		return status_of_book(handle->server, handle->book, text, size);
	return status_of_server(handle->server, text, size);
}

static int text_open(struct handle *handle, fuse_req_t req,
		     struct fuse_file_info *fi)
{
	struct text_handle *file = (struct text_handle *)handle;
	struct node *node = handle->node;
	int ret;

	(void)req;
	/* It looks at all segments. */
	loop_give_way();
	/* Read to its end, whatever size was told before. */
	fi->direct_io = 1;
	fi->noflush = 1;
	ret = make(handle, &file->text, &file->size);
	if (ret)
		return ret;
	/* Some programs send as much as fstat() says, web servers do. It says
	 * what the last open found: two at once may be a digit apart. */
	pthread_mutex_lock(&node->lock);
	node->shown = file->size;
	pthread_mutex_unlock(&node->lock);
	return 0;
}

static void text_read(struct handle *handle, fuse_req_t req, size_t size,
		      uint64_t offset, bool nonblocking)
{
	const struct text_handle *file = (const struct text_handle *)handle;

	(void)nonblocking;
	pthread_mutex_lock(&handle->lock);
	if (offset > file->size)
		offset = file->size;
	if (size > file->size - offset)
		size = file->size - offset;
	fuse_reply_buf(req, file->text + offset, size);
	pthread_mutex_unlock(&handle->lock);
}

static void text_release(struct handle *handle, fuse_req_t req)
{
	(void)req;
	free(((struct text_handle *)handle)->text);
}

const struct handle_ops text_ops = {
	.open = text_open,
	.read = text_read,
	.release = text_release,
	.size = sizeof(struct text_handle),
};
