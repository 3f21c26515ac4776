/* SPDX-License-Identifier: MIT */
/* Files of text that is written when they are opened: status and metrics. */
#include <stdlib.h>

#include "handle.h"
#include "metrics.h"
#include "status.h"

struct text_handle {
	struct handle handle;
	char *text;
	size_t size;
};

static int text_open(struct handle *handle, fuse_req_t req,
		     struct fuse_file_info *fi)
{
	struct text_handle *file = (struct text_handle *)handle;

	(void)req;
	/* Its size is told by reading it. */
	fi->direct_io = 1;
	fi->noflush = 1;
	if (handle->node->key.kind == NODE_META_METRICS)
		return metrics_of_server(handle->server, &file->text,
					 &file->size);
	if (handle->book)
		return status_of_book(handle->server, handle->book, &file->text,
				      &file->size);
	return status_of_server(handle->server, &file->text, &file->size);
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
