/* SPDX-License-Identifier: MIT */
/*
 * The file append: every line is an entry, its newline kept.
 *
 * The lines of one write(2) are appended together. The rest of a line may come
 * with a later write, and a last line without newline becomes an entry when
 * the last descriptor is closed. Shells close copies of a descriptor after
 * every command, so nothing happens before that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handle.h"
#include "report.h"

/* Lines that are appended together, at most. */
#define LINES_MAX ((size_t)1 << 16)

struct lines_handle {
	struct handle handle;
	char *partial; /* a line that was begun */
	size_t size;
	size_t room;
	bool too_long; /* the line that was begun is, up to its newline */
};

static int lines_open(struct handle *handle, fuse_req_t req,
		      struct fuse_file_info *fi)
{
	(void)handle;
	(void)req;
	fi->direct_io = 1;
	fi->nonseekable = 1;
	fi->noflush = 1;
	return 0;
}

static void lines_read(struct handle *handle, fuse_req_t req, size_t size,
		       uint64_t offset, bool nonblocking)
{
	(void)handle;
	(void)size;
	(void)offset;
	(void)nonblocking;
	fuse_reply_buf(req, NULL, 0);
}

/* All in one batch if it fits in a segment, else in as few as it takes, up to
 * one that cannot be appended; *n is set to how many were. */
static int append_all(struct maplog *log, const struct maplog_entry *entries,
		      size_t *n)
{
	size_t done = 0;
	size_t step = *n;
	int ret = 0;

	while (!ret && done < *n) {
		size_t count = *n - done < step ? *n - done : step;

		ret = maplog_append(log, entries + done, count, NULL);
		if (!ret) {
			done += count;
		} else if ((ret == -E2BIG || ret == -EMSGSIZE) && count > 1) {
			step = count / 2;
			ret = 0;
		}
	}
	*n = done;
	return ret;
}

/* The entry that a begun line and the beginning of @data make together. */
static int join(struct lines_handle *file, const char *data, size_t size)
{
	if (file->room - file->size < size) {
		size_t room = file->size + size;
		char *grown = realloc(file->partial, room);

		if (!grown)
			return -ENOMEM;
		file->partial = grown;
		file->room = room;
	}
	memcpy(file->partial + file->size, data, size);
	file->size += size;
	return 0;
}

static uint64_t longest(const struct lines_handle *file)
{
	struct maplog_options options;

	maplog_options(file->handle.book->log, &options);
	return options.max_entry < options.segment_size ? options.max_entry
							: options.segment_size;
}

/* Keeps the beginning of a line that goes on in a later write. */
static int begin_line(struct lines_handle *file, const char *data, size_t size)
{
	if (file->size + size <= longest(file))
		return join(file, data, size);
	/* Its rest is not to be taken for a line of its own. */
	file->size = 0;
	file->too_long = true;
	return -EMSGSIZE;
}

/* Appends the line that was begun, with @length bytes more. */
static int append_begun(struct lines_handle *file, const char *data,
			size_t length)
{
	struct maplog_entry entry;
	size_t begun = file->size;
	size_t one = 1;
	int ret;

	ret = join(file, data, length);
	if (ret)
		return ret;
	entry = (struct maplog_entry){ .data = file->partial,
				       .bytes = file->size };
	ret = append_all(file->handle.book->log, &entry, &one);
	/* What the log had no room for can be written again. */
	file->size = ret && ret != -EMSGSIZE ? begun : 0;
	return ret;
}

/* Goes on with the line that was begun; returns how much of @data that took,
 * or an errno. */
static ssize_t go_on(struct lines_handle *file, const char *data, size_t size)
{
	const char *newline = memchr(data, '\n', size);
	size_t length = newline ? (size_t)(newline - data) + 1 : size;
	int ret;

	if (file->too_long) {
		file->too_long = !newline;
		return (ssize_t)length;
	}
	ret = newline ? append_begun(file, data, length)
		      : begin_line(file, data, length);
	return ret ? ret : (ssize_t)length;
}

static size_t count_lines(const char *data, size_t size)
{
	const char *end = data + size;
	size_t count = 0;

	while (count < LINES_MAX &&
	       (data = memchr(data, '\n', (size_t)(end - data)))) {
		count++;
		data++;
	}
	return count;
}

/* Appends whole lines; returns how many bytes of @data they were. */
static size_t append_lines(struct maplog *log, const char *data, size_t size,
			   size_t count, int *error)
{
	struct maplog_entry *entries = calloc(count, sizeof(*entries));
	const char *end = data + size;
	const char *at = data;
	size_t taken = 0;

	if (!entries) {
		*error = -ENOMEM;
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		entries[i].data = at;
		entries[i].bytes = (size_t)(newline - at) + 1;
		at = newline + 1;
	}
	*error = append_all(log, entries, &count);
	for (size_t i = 0; i < count; i++)
		taken += entries[i].bytes;
	free(entries);
	return taken;
}

static ssize_t take(struct lines_handle *file, const char *data, size_t size)
{
	size_t taken = 0;
	size_t lines;
	int ret = 0;

	if (file->size || file->too_long) {
		ssize_t n = go_on(file, data, size);

		if (n < 0)
			return n;
		taken = (size_t)n;
	}
	while (!ret && (lines = count_lines(data + taken, size - taken)))
		taken += append_lines(file->handle.book->log, data + taken,
				      size - taken, lines, &ret);
	/* What was taken is in the log: an error comes with the next call,
	 * which begins with what was not. */
	if (ret || taken == size)
		return taken ? (ssize_t)taken : ret;
	if (taken && size - taken > longest(file))
		return (ssize_t)taken;
	ret = begin_line(file, data + taken, size - taken);
	return ret ? ret : (ssize_t)size;
}

static ssize_t lines_write(struct handle *handle, fuse_req_t req,
			   const char *data, size_t size)
{
	ssize_t n;

	(void)req;
	if (!size)
		return 0;
	pthread_mutex_lock(&handle->lock);
	n = take((struct lines_handle *)handle, data, size);
	pthread_mutex_unlock(&handle->lock);
	return n;
}

static void lines_release(struct handle *handle, fuse_req_t req)
{
	struct lines_handle *file = (struct lines_handle *)handle;
	const struct maplog_entry entry = { .data = file->partial,
					    .bytes = file->size };
	int ret = 0;

	(void)req;
	if (file->size)
		ret = maplog_append(handle->book->log, &entry, 1, NULL);
	/* Nobody waits for this answer. */
	if (ret)
		report(LOG_ERR, "%s: a last line without newline is lost: %s",
		       handle->book->name, strerror(-ret));
	free(file->partial);
}

const struct handle_ops lines_ops = {
	.open = lines_open,
	.read = lines_read,
	.write = lines_write,
	.release = lines_release,
	.size = sizeof(struct lines_handle),
};
