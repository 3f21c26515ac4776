/* SPDX-License-Identifier: MIT */
/*
 * The files follow and follow@I: a stream of entries that waits for new ones.
 *
 * A read that finds nothing is answered later, by the thread that watches the
 * log. If entries that were read, or are to be read next, are truncated or
 * trimmed, one read fails with ESTALE; the stream then goes on with what took
 * their place: no entry is left out, and none comes twice.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "handle.h"
#include "position.h"
#include "uring.h"
#include "watch.h"

/* Entries looked at for one read, at most. */
#define LOOK 4096

struct follow_handle {
	struct handle handle;
	struct watcher watcher;
	struct maplog_position position;
	uint64_t offset; /* bytes of the next entry that were read */
	/* While there are such: where it will be when all of it was read. */
	struct maplog_position behind;
	size_t wanted;		      /* by the read that waits */
	struct fuse_pollhandle *poll; /* to be notified, or NULL */
	/* With the lock of the queue of reads. */
	fuse_req_t waiting; /* a read to be answered, or NULL */
	struct follow_handle *next;
};

/* ---- Reads that wait ---- */

/*
 * All of them. One that is interrupted is looked for here: its handle may be
 * closed by then, for the interruption and the answer can cross.
 */
static struct {
	pthread_mutex_t lock;
	struct follow_handle *first;
} reads = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Return: false if the request was interrupted, and is not added. Once it is,
 * it can be answered at any time. */
static bool reads_add(struct follow_handle *file, fuse_req_t req)
{
	bool interrupted;

	pthread_mutex_lock(&reads.lock);
	interrupted = fuse_req_interrupted(req);
	if (!interrupted) {
		file->waiting = req;
		file->next = reads.first;
		reads.first = file;
	}
	pthread_mutex_unlock(&reads.lock);
	return !interrupted;
}

static bool reads_has(const struct follow_handle *file)
{
	bool waits;

	pthread_mutex_lock(&reads.lock);
	waits = file->waiting;
	pthread_mutex_unlock(&reads.lock);
	return waits;
}

/* Takes out a request, or that of a handle: it is the caller's to answer.
 * Return: NULL if it is not there. */
static fuse_req_t reads_take(fuse_req_t req, const struct follow_handle *file)
{
	struct follow_handle **at = &reads.first;
	fuse_req_t taken = NULL;

	pthread_mutex_lock(&reads.lock);
	while (*at && *at != file && (*at)->waiting != req)
		at = &(*at)->next;
	if (*at) {
		taken = (*at)->waiting;
		(*at)->waiting = NULL;
		*at = (*at)->next;
	}
	pthread_mutex_unlock(&reads.lock);
	return taken;
}

/* ---- Being up to date ---- */

/* Goes on with another entry, because some are gone. */
static int go_on_with(struct follow_handle *file,
		      const struct maplog_position *position)
{
	file->position = *position;
	file->offset = 0;
	return -ESTALE;
}

/* An entry of which a part was read must still be that one. */
static int check_half(struct follow_handle *file)
{
	struct maplog_position now;
	int ret;

	ret = maplog_position_check(file->handle.book->log, &file->behind,
				    &now);
	if (ret)
		return book_reading_error(ret);
	if (now.next < file->behind.next)
		return go_on_with(file, &now);
	file->behind = now;
	file->position.generation = now.generation;
	return 0;
}

static int check_generation(struct follow_handle *file, uint64_t generation)
{
	struct maplog_position now;
	int ret;

	if (file->offset)
		return check_half(file);
	if (!file->position.time) {
		/* Nothing was read, so nothing is lost. */
		file->position.generation = generation;
		return 0;
	}
	ret = maplog_position_check(file->handle.book->log, &file->position,
				    &now);
	if (ret)
		return book_reading_error(ret);
	if (now.next < file->position.next)
		return go_on_with(file, &now);
	file->position = now;
	return 0;
}

/* Looks for truncations. -ESTALE once if one took what was read. */
static int check_history(struct follow_handle *file)
{
	struct maplog *log = file->handle.book->log;
	struct maplog_position first;
	struct maplog_counters now;

	maplog_counters(log, &now);
	if (file->position.next < now.first) {
		maplog_position_set(log, now.first, &first);
		return go_on_with(file, &first);
	}
	if (now.generation == file->position.generation)
		return 0;
	return check_generation(file, now.generation);
}

static bool was_truncated(const struct follow_handle *file)
{
	struct maplog_counters now;

	maplog_counters(file->handle.book->log, &now);
	return now.generation != file->position.generation;
}

/* ---- Reading ---- */

/* How many entries of a view are begun by its first @size bytes. */
static uint32_t entries_for(const struct maplog_view *view, uint64_t size)
{
	uint32_t low = 0;
	uint32_t high = view->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (view->records[middle].end - view->offset < size)
			low = middle + 1;
		else
			high = middle;
	}
	return low < view->count ? low + 1 : view->count;
}

static void shorten(struct maplog_view *view, uint32_t n)
{
	uint32_t end = view->records[n - 1].end;

	if (n < view->count && end >= view->offset &&
	    end - view->offset <= view->bytes) {
		view->count = n;
		view->bytes = end - view->offset;
	}
}

/* Remembers that @size bytes of a view were read from the position on. */
static void advance(struct follow_handle *file, const struct maplog_view *view,
		    uint64_t size)
{
	uint64_t to = file->offset + size;
	struct maplog_view part = *view;
	uint64_t start = 0;

	for (part.count = 0; part.count < view->count; part.count++) {
		uint64_t end = view->records[part.count].end - view->offset;

		if (to < end)
			break;
		start = end;
	}
	if (part.count)
		maplog_position_take(&file->position, &part);
	file->offset = to - start;
	if (!file->offset)
		return;
	part.index += part.count;
	part.records += part.count;
	part.count = 1;
	file->behind = file->position;
	maplog_position_take(&file->behind, &part);
}

/* Sends what there is of a view; empty entries alone are only skipped. */
static int send_view(struct follow_handle *file, fuse_req_t req, size_t size,
		     struct maplog_view *view)
{
	uint64_t left;
	int ret;

	shorten(view, entries_for(view, file->offset + size));
	ret = maplog_view_check(file->handle.book->log, view, NULL);
	if (ret || view->bytes < file->offset)
		return -EIO;
	left = view->bytes - file->offset;
	if (size > left)
		size = left;
	if (size)
		fuse_reply_buf(req, (const char *)view->data + file->offset,
			       size);
	advance(file, view, size);
	return size ? 1 : 0;
}

/* Answers a read if there is something. Return: 1 if it was answered; 0 if
 * there is nothing yet; else an errno to answer with. */
static int try_read(struct follow_handle *file, fuse_req_t req, size_t size)
{
	int ret = check_history(file);

	while (!ret) {
		struct maplog_view view;

		ret = maplog_view(file->handle.book->log, file->position.next,
				  LOOK, &view);
		/* What was found may be of another time than the position. */
		if (was_truncated(file)) {
			if (!ret)
				maplog_view_release(&view);
			ret = check_history(file);
			continue;
		}
		if (ret == -ENODATA)
			return 0;
		/* Trimmed since it was looked at. */
		if (ret == -ENOENT)
			return check_history(file) ? -ESTALE : -EIO;
		if (ret)
			return book_reading_error(ret);
		ret = send_view(file, req, size, &view);
		maplog_view_release(&view);
	}
	return ret;
}

/* With the handle's lock. */
static void wait_for_more(struct follow_handle *file, fuse_req_t req,
			  size_t size)
{
	file->wanted = size;
	if (!reads_add(file, req))
		fuse_reply_err(req, EINTR);
}

static void interrupted(fuse_req_t req, void *arg)
{
	(void)arg;
	if (reads_take(req, NULL))
		fuse_reply_err(req, EINTR);
}

static void follow_read(struct handle *handle, fuse_req_t req, size_t size,
			uint64_t offset, bool nonblocking)
{
	struct follow_handle *file = (struct follow_handle *)handle;
	int ret = -EBUSY;

	(void)offset;
	/* Before the lock: libfuse calls it with a lock of its own held. */
	fuse_req_interrupt_func(req, interrupted, NULL);
	pthread_mutex_lock(&handle->lock);
	/* One reader at a time: two would tear the stream. */
	if (!reads_has(file))
		ret = try_read(file, req, size);
	if (!ret && nonblocking)
		ret = -EAGAIN;
	if (!ret)
		wait_for_more(file, req, size);
	else if (ret < 0)
		fuse_reply_err(req, -ret);
	pthread_mutex_unlock(&handle->lock);
}

/* ---- Waking up ---- */

static bool is_ready(const struct follow_handle *file)
{
	struct maplog_counters now;

	maplog_counters(file->handle.book->log, &now);
	return file->position.next < now.next ||
	       now.generation != file->position.generation;
}

static void answer_waiting(struct follow_handle *file)
{
	fuse_req_t req = reads_take(NULL, file);
	int ret;

	if (!req)
		return;
	ret = try_read(file, req, file->wanted);
	if (!ret)
		wait_for_more(file, req, file->wanted);
	else if (ret < 0)
		fuse_reply_err(req, -ret);
}

static void notify_poll(struct follow_handle *file)
{
	if (!file->poll || !is_ready(file))
		return;
	fuse_lowlevel_notify_poll(file->poll);
	fuse_pollhandle_destroy(file->poll);
	file->poll = NULL;
}

static void tell(struct watcher *watcher)
{
	struct follow_handle *file =
		(void *)((char *)watcher -
			 offsetof(struct follow_handle, watcher));

	pthread_mutex_lock(&file->handle.lock);
	answer_waiting(file);
	notify_poll(file);
	pthread_mutex_unlock(&file->handle.lock);
}

static unsigned follow_poll(struct handle *handle, struct fuse_pollhandle *poll)
{
	struct follow_handle *file = (struct follow_handle *)handle;
	unsigned ready;

	pthread_mutex_lock(&handle->lock);
	if (poll && file->poll)
		fuse_pollhandle_destroy(file->poll);
	if (poll)
		file->poll = poll;
	ready = is_ready(file) ? POLLIN | POLLRDNORM : 0;
	pthread_mutex_unlock(&handle->lock);
	return ready;
}

/* ---- Opening and closing ---- */

static int follow_open(struct handle *handle, fuse_req_t req,
		       struct fuse_file_info *fi)
{
	struct follow_handle *file = (struct follow_handle *)handle;
	uint64_t index = handle->node->key.first;
	struct maplog_counters now;

	(void)req;
	fi->direct_io = 1;
	fi->nonseekable = 1;
	fi->noflush = 1;
	maplog_counters(handle->book->log, &now);
	if (index == NODE_TO_THE_END)
		index = now.next;
	maplog_position_set(handle->book->log, index, &file->position);
	file->watcher.tell = tell;
	watch_add(handle->book->watch, &file->watcher);
	return 0;
}

static void follow_release(struct handle *handle, fuse_req_t req)
{
	struct follow_handle *file = (struct follow_handle *)handle;
	fuse_req_t waiting;

	(void)req;
	watch_remove(handle->book->watch, &file->watcher);
	/* Only when the daemon ends, and the ring has ended before. */
	waiting = reads_take(NULL, file);
	if (waiting && !uring_brought(waiting))
		fuse_reply_err(waiting, ENOTCONN);
	if (file->poll)
		fuse_pollhandle_destroy(file->poll);
}

const struct handle_ops follow_ops = {
	.open = follow_open,
	.read = follow_read,
	.poll = follow_poll,
	.release = follow_release,
	.size = sizeof(struct follow_handle),
};
