/* SPDX-License-Identifier: MIT */
/*
 * Files of the store in the mount: segments/ and head.
 *
 * Where the kernel allows passthrough it reads and maps the store's own file.
 * A file that is longer than what it holds is opened with direct_io besides:
 * then mmap still goes to the store's file, but read(2) comes here and ends
 * where the committed entries do. The mode is chosen by the first open of a
 * node and holds until the last one is closed: the kernel mixes none.
 *
 * Without passthrough, what may still grow is opened with direct_io as well.
 * Were it cached, one reader could see the new size of the file together with
 * the page that held its old end, while another is about to drop that page.
 * For the same reason nothing pushes sizes into the kernel: it would make it
 * forget what a reader has just asked for.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "attr.h"
#include "handle.h"
#include "loop.h"
#include "notify.h"
#include "report.h"
#include "watch.h"

struct segment_handle {
	struct handle handle;
	struct watcher watcher; /* added if the kernel has a copy of head */
};

static enum maplog_file file_of(const struct node_key *key)
{
	return key->kind == NODE_SEGMENT_INDEX ? MAPLOG_INDEX : MAPLOG_DATA;
}

static int open_file(const struct node_key *key, int *fd)
{
	struct maplog_segment segment;
	int ret;

	if (key->kind == NODE_HEAD)
		return maplog_head_open(key->book->log, fd);
	ret = attr_segment(key, &segment);
	if (ret)
		return ret;
	return maplog_segment_open(key->book->log, &segment, file_of(key), fd);
}

/* Whether the store's file ends where the one in the mount does, for good. */
static bool is_exact(const struct node_key *key)
{
	struct maplog_segment segment;

	return key->kind == NODE_HEAD ||
	       (!attr_segment(key, &segment) && segment.exact[file_of(key)]);
}

/* Return: what FUSE calls the file; 0 if the kernel does not read it itself. It
 * is not asked again then: it was a file system on top of others, most likely,
 * and the status is to say what is in force. */
static int pass_through(struct server *server, int fd, fuse_req_t req)
{
	int id;

	if (!__atomic_load_n(&server->passthrough, __ATOMIC_RELAXED))
		return 0;
	id = fuse_passthrough_open(req, fd);
	if (!id) {
		server->no_passthrough = "the kernel refuses it for this store";
		__atomic_store_n(&server->passthrough, false, __ATOMIC_RELEASE);
	}
	return id;
}

/* With the node's lock: the first open decides how the file is served. */
static int open_first(struct server *server, struct node *node, fuse_req_t req)
{
	int ret = open_file(&node->key, &node->fd);

	if (ret)
		return ret;
	node->backing_id = pass_through(server, node->fd, req);
	return 0;
}

static void set_flags(struct server *server, const struct node *node,
		      struct fuse_file_info *fi)
{
	const bool exact = is_exact(&node->key);

	fi->noflush = 1;
	if (node->backing_id > 0) {
		fi->backing_id = node->backing_id;
		fi->direct_io = !exact;
	} else if (exact && node->key.kind != NODE_HEAD) {
		fi->keep_cache = 1;
	} else {
		fi->direct_io = server->direct_mmap;
	}
}

static void tell(struct watcher *watcher)
{
	struct segment_handle *file =
		(void *)((char *)watcher -
			 offsetof(struct segment_handle, watcher));

	notify_stale(file->handle.server, file->handle.node);
}

static int segment_file_open(struct handle *handle, fuse_req_t req,
			     struct fuse_file_info *fi)
{
	struct segment_handle *file = (struct segment_handle *)handle;
	struct node *node = handle->node;
	int ret = 0;

	pthread_mutex_lock(&node->lock);
	if (!node->opens)
		ret = open_first(handle->server, node, req);
	node->opens += !ret;
	if (!ret)
		set_flags(handle->server, node, fi);
	pthread_mutex_unlock(&node->lock);
	file->watcher.tell = tell;
	if (!ret && node->key.kind == NODE_HEAD && !fi->backing_id)
		watch_add(handle->book->watch, &file->watcher);
	return ret;
}

/* How far the file can be read: what is committed now, or was when it ended. */
static int limit(struct handle *handle, uint64_t *end)
{
	struct attr attr;
	int ret;

	ret = attr_get(handle->server, handle->node, &attr);
	*end = (uint64_t)attr.st.st_size;
	return ret;
}

static void reply_from(fuse_req_t req, int fd, size_t size, uint64_t offset)
{
	void *buffer = malloc(size);
	ssize_t n = -1;

	if (buffer)
		n = pread(fd, buffer, size, (off_t)offset);
	if (n < 0)
		fuse_reply_err(req, buffer ? errno : ENOMEM);
	else
		fuse_reply_buf(req, buffer, (size_t)n);
	free(buffer);
}

static void segment_file_read(struct handle *handle, fuse_req_t req,
			      size_t size, uint64_t offset, bool nonblocking)
{
	uint64_t end;
	int ret;

	(void)nonblocking;
	loop_give_way();
	ret = limit(handle, &end);
	if (ret)
		fuse_reply_err(req, -ret);
	else if (offset >= end)
		fuse_reply_buf(req, NULL, 0);
	else
		reply_from(req, handle->node->fd,
			   size < end - offset ? size : end - offset, offset);
}

static void segment_file_release(struct handle *handle, fuse_req_t req)
{
	struct segment_handle *file = (struct segment_handle *)handle;
	struct node *node = handle->node;

	watch_remove(handle->book->watch, &file->watcher);
	pthread_mutex_lock(&node->lock);
	if (!--node->opens) {
		if (node->backing_id > 0 && req)
			(void)fuse_passthrough_close(req, node->backing_id);
		close(node->fd);
		node->backing_id = 0;
		node->fd = -1;
	}
	pthread_mutex_unlock(&node->lock);
}

const struct handle_ops segment_ops = {
	.open = segment_file_open,
	.read = segment_file_read,
	.release = segment_file_release,
	.size = sizeof(struct segment_handle),
};
