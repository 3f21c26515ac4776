/* SPDX-License-Identifier: MIT */
/*
 * The file batch: one write(2) of frames is one batch.
 *
 * The kernel may cut a large write(2) in two: a request that is as long as they
 * get and ends inside of a frame is kept until the next one comes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handle.h"

struct batch_handle {
	struct handle handle;
	char *begun; /* the first part of a write that goes on */
	size_t size;
};

static int batch_open(struct handle *handle, fuse_req_t req,
		      struct fuse_file_info *fi)
{
	(void)handle;
	(void)req;
	fi->direct_io = 1;
	fi->nonseekable = 1;
	fi->noflush = 1;
	return 0;
}

static void batch_read(struct handle *handle, fuse_req_t req, size_t size,
		       uint64_t offset, bool nonblocking)
{
	(void)handle;
	(void)size;
	(void)offset;
	(void)nonblocking;
	fuse_reply_buf(req, NULL, 0);
}

/* Finds the next frame in @data; -ENODATA if it is not all there. */
static int next_frame(const char *data, size_t size, struct maplog_frame *frame)
{
	if (size < sizeof(*frame))
		return -ENODATA;
	memcpy(frame, data, sizeof(*frame));
	if (frame->zero)
		return -EINVAL;
	return frame->length <= size - sizeof(*frame) ? 0 : -ENODATA;
}

/* Counts frames, or fills them in where there is an array for them. */
static int parse(const char *data, size_t size, struct maplog_entry *entries,
		 size_t *count)
{
	size_t at = 0;

	*count = 0;
	while (at < size) {
		struct maplog_frame frame;
		int ret;

		ret = next_frame(data + at, size - at, &frame);
		if (ret)
			return ret;
		if (entries)
			entries[*count] = (struct maplog_entry){
				.data = data + at + sizeof(frame),
				.bytes = frame.length,
				.tag = frame.tag,
			};
		++*count;
		at += sizeof(frame) + frame.length;
	}
	return 0;
}

/* Return: 0; -ENODATA if the last frame is not complete; else an errno. */
static int append_frames(struct maplog *log, const char *data, size_t size)
{
	struct maplog_entry *entries;
	size_t count;
	int ret;

	ret = parse(data, size, NULL, &count);
	if (ret)
		return ret;
	entries = calloc(count, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	ret = parse(data, size, entries, &count);
	if (!ret)
		ret = maplog_append(log, entries, count, NULL);
	free(entries);
	return ret;
}

static int join(struct batch_handle *file, const char *data, size_t size)
{
	char *grown = realloc(file->begun, file->size + size);

	if (!grown)
		return -ENOMEM;
	memcpy(grown + file->size, data, size);
	file->begun = grown;
	file->size += size;
	return 0;
}

static void drop(struct batch_handle *file)
{
	free(file->begun);
	file->begun = NULL;
	file->size = 0;
}

/* Whether the kernel may have cut a request of this size out of a larger
 * write: only the longest are, by less than a page for where they begin. */
static bool may_go_on(const struct batch_handle *file, size_t size)
{
	return size + 4096 > file->handle.server->max_write;
}

static int take(struct batch_handle *file, const char *data, size_t size)
{
	struct maplog *log = file->handle.book->log;
	int ret;

	if (file->size) {
		ret = join(file, data, size);
		if (!ret)
			ret = append_frames(log, file->begun, file->size);
		drop(file);
	} else {
		ret = append_frames(log, data, size);
		if (ret == -ENODATA && may_go_on(file, size))
			return join(file, data, size);
	}
	return ret == -ENODATA ? -EINVAL : ret;
}

static ssize_t batch_write(struct handle *handle, fuse_req_t req,
			   const char *data, size_t size)
{
	int ret;

	(void)req;
	if (!size)
		return 0;
	pthread_mutex_lock(&handle->lock);
	ret = take((struct batch_handle *)handle, data, size);
	pthread_mutex_unlock(&handle->lock);
	return ret ? ret : (ssize_t)size;
}

static void batch_release(struct handle *handle, fuse_req_t req)
{
	(void)req;
	drop((struct batch_handle *)handle);
}

const struct handle_ops batch_ops = {
	.open = batch_open,
	.read = batch_read,
	.write = batch_write,
	.release = batch_release,
	.size = sizeof(struct batch_handle),
};
