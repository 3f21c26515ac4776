/* SPDX-License-Identifier: MIT */
/*
 * The file control: commands, and for each open file its own replies.
 *
 * A command may come in pieces. What it says is done when it is complete; when
 * the file is closed before that, nothing is.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "handle.h"
#include "loop.h"
#include "notify.h"
#include "report.h"
#include "retain.h"

/* Replies that nobody reads are kept up to this many bytes. */
#define REPLIES_MAX 65536

/* Entries checked between two looks at whether somebody still waits. */
#define VERIFY_STEP 4096

struct control_handle {
	struct handle handle;
	char line[COMMAND_LINE_MAX];
	size_t line_size;
	struct command command; /* whose bytes are coming in */
	bool receiving;
	char *bytes;
	uint64_t received;
	char replies[REPLIES_MAX];
	size_t replies_from;
	size_t replies_to;
};

static int control_open(struct handle *handle, fuse_req_t req,
			struct fuse_file_info *fi)
{
	(void)handle;
	(void)req;
	fi->direct_io = 1;
	fi->nonseekable = 1;
	fi->noflush = 1;
	return 0;
}

/* ---- Replies ---- */

static void reply(struct control_handle *file, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void reply(struct control_handle *file, const char *format, ...)
{
	char text[256];
	va_list args;
	size_t size;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	size = n < 0 ? 0 : (size_t)n;
	if (size >= sizeof(text))
		size = sizeof(text) - 1;
	if (file->replies_to + size > sizeof(file->replies))
		file->replies_from = file->replies_to = 0;
	memcpy(file->replies + file->replies_to, text, size);
	file->replies_to += size;
}

static int fail(struct control_handle *file, int error, const char *text)
{
	const char *name = strerrorname_np(-error);

	reply(file, "error %s %s\n", name ? name : "EIO", text);
	return error;
}

static int fail_at(struct control_handle *file, int error, const char *key,
		   uint64_t value)
{
	reply(file, "error %s %s=%" PRIu64 "\n", strerrorname_np(-error), key,
	      value);
	return error;
}

/* What the library's answer means, in words that say what to do. */
static int explain(struct control_handle *file, int error)
{
	struct maplog_counters now;

	maplog_counters(file->handle.book->log, &now);
	switch (error) {
	case -ESTALE:
		return fail_at(file, error, "next", now.next);
	case -ENODATA:
		return fail_at(file, error, "next", now.next);
	case -ENOENT:
		return fail_at(file, error, "first", now.first);
	case -EROFS:
		return fail(file, error, "the log is read-only, see status");
	case -EMSGSIZE:
		return fail(file, error, "larger than max-entry or a segment");
	default:
		return fail(file, error, strerror(-error));
	}
}

/* ---- What commands do ---- */

static struct maplog *log_of(const struct control_handle *file)
{
	return file->handle.book->log;
}

static int reply_next(struct control_handle *file, uint64_t first)
{
	reply(file, "ok first=%" PRIu64 " next=%" PRIu64 "\n", first,
	      first + 1);
	return 0;
}

static int do_append(struct control_handle *file,
		     const struct maplog_entry *entry)
{
	uint64_t first;
	int ret;

	ret = maplog_append(log_of(file), entry, 1, &first);
	return ret ? explain(file, ret) : reply_next(file, first);
}

static int do_append_at(struct control_handle *file,
			const struct maplog_entry *entry)
{
	uint64_t index = file->command.index;
	int ret;

	ret = maplog_append_at(log_of(file), index, entry, 1);
	return ret ? explain(file, ret) : reply_next(file, index);
}

/* Entries from <= i < to are gone, or other ones than before. */
static void forget(struct control_handle *file, uint64_t from, uint64_t to)
{
	notify_gone(file->handle.server, file->handle.book, from, to);
}

static uint64_t generation(const struct control_handle *file)
{
	struct maplog_counters now;

	maplog_counters(log_of(file), &now);
	return now.generation;
}

static int do_overwrite(struct control_handle *file,
			const struct maplog_entry *entry)
{
	uint64_t index = file->command.index;
	int ret;

	ret = maplog_overwrite(log_of(file), index, entry, 1);
	if (ret)
		return explain(file, ret);
	forget(file, index, NODE_TO_THE_END);
	reply(file,
	      "ok first=%" PRIu64 " next=%" PRIu64 " generation=%" PRIu64 "\n",
	      index, index + 1, generation(file));
	return 0;
}

static int do_truncate(struct control_handle *file)
{
	uint64_t index = file->command.index;
	int ret;

	ret = maplog_truncate(log_of(file), index);
	if (ret)
		return explain(file, ret);
	forget(file, index, NODE_TO_THE_END);
	reply(file, "ok next=%" PRIu64 " generation=%" PRIu64 "\n", index,
	      generation(file));
	return 0;
}

/* Entries were dropped from the beginning, if @ret says so. */
static int trimmed(struct control_handle *file, int ret)
{
	struct maplog_counters now;

	if (ret)
		return explain(file, ret);
	maplog_counters(log_of(file), &now);
	forget(file, 0, now.first);
	reply(file, "ok first=%" PRIu64 "\n", now.first);
	return 0;
}

static int do_sync(struct control_handle *file)
{
	uint64_t durable;
	int ret;

	ret = maplog_sync(log_of(file), &durable);
	if (ret)
		return explain(file, ret);
	reply(file, "ok durable=%" PRIu64 "\n", durable);
	return 0;
}

static int do_seal(struct control_handle *file)
{
	uint64_t base;
	int ret;

	ret = maplog_seal(log_of(file), &base);
	if (ret)
		return explain(file, ret);
	reply(file, "ok base=%" PRIu64 "\n", base);
	return 0;
}

static int do_set(struct control_handle *file)
{
	int ret = maplog_set(log_of(file), file->command.key,
			     file->command.value);

	if (ret == -ENOKEY)
		return fail(file, -EINVAL, "no such option; see maplogfs(8)");
	if (ret == -EINVAL || ret == -ERANGE)
		return fail(file, ret,
			    "bad value for this option; see maplogfs.ini(5)");
	if (ret)
		return explain(file, ret);
	reply(file, "ok\n");
	return 0;
}

/* Checks some entries from @index on; *index is then the first one that is not
 * known to be good. */
static int verify_some(struct maplog *log, uint64_t *index, uint64_t end)
{
	uint64_t left = end - *index;
	struct maplog_view view;
	uint32_t good;
	int ret;

	ret = maplog_view(log, *index,
			  left < VERIFY_STEP ? (uint32_t)left : VERIFY_STEP,
			  &view);
	if (ret)
		return ret == -EUCLEAN ? -EBADMSG : ret;
	ret = maplog_view_check(log, &view, &good);
	*index += good;
	maplog_view_release(&view);
	return ret;
}

static int verify(struct control_handle *file, fuse_req_t req,
		  const struct maplog_counters *range)
{
	struct book *book = file->handle.book;
	uint64_t index = range->first;
	int ret = 0;

	while (!ret && index < range->next) {
		__atomic_store_n(&book->verified, index - range->first,
				 __ATOMIC_RELAXED);
		if (fuse_req_interrupted(req))
			return fail(file, -EINTR, "interrupted");
		ret = verify_some(book->log, &index, range->next);
		/* Trimmed meanwhile: what is left begins there. */
		if (ret == -ENOENT) {
			struct maplog_counters now;

			maplog_counters(book->log, &now);
			index = now.first;
			ret = 0;
		}
	}
	/* Truncated meanwhile: what is left is good. */
	if (ret && ret != -ENODATA)
		return fail_at(file, ret, "index", index);
	reply(file, "ok entries=%" PRIu64 "\n", range->next - range->first);
	return 0;
}

static int do_verify(struct control_handle *file, fuse_req_t req)
{
	struct book *book = file->handle.book;
	struct maplog_counters range;
	int ret;

	maplog_counters(book->log, &range);
	__atomic_store_n(&book->to_verify, range.next - range.first,
			 __ATOMIC_RELAXED);
	ret = verify(file, req, &range);
	__atomic_store_n(&book->to_verify, 0, __ATOMIC_RELAXED);
	return ret;
}

static int execute(struct control_handle *file, fuse_req_t req)
{
	const struct maplog_entry entry = {
		.data = file->bytes,
		.bytes = file->command.length,
		.tag = file->command.tag,
	};

	switch (file->command.verb) {
	case COMMAND_APPEND:
		return do_append(file, &entry);
	case COMMAND_APPEND_AT:
		return do_append_at(file, &entry);
	case COMMAND_OVERWRITE:
		return do_overwrite(file, &entry);
	case COMMAND_TRUNCATE:
		return do_truncate(file);
	case COMMAND_TRIM:
		return trimmed(file,
			       maplog_trim(log_of(file), file->command.index));
	case COMMAND_SYNC:
		return do_sync(file);
	case COMMAND_SEAL:
		return do_seal(file);
	case COMMAND_RETAIN:
		return trimmed(file, maplog_retain(log_of(file), NULL));
	case COMMAND_SET:
		return do_set(file);
	case COMMAND_VERIFY:
		return do_verify(file, req);
	case COMMAND_NONE:
		break;
	}
	return 0;
}

/* ---- Taking in what is written ---- */

static void reset(struct control_handle *file)
{
	free(file->bytes);
	file->bytes = NULL;
	file->received = 0;
	file->receiving = false;
	file->line_size = 0;
}

/* Makes ready for the bytes that a command announces. */
static int begin_receiving(struct control_handle *file)
{
	struct maplog_options options;

	maplog_options(log_of(file), &options);
	if (file->command.length > options.max_entry)
		return fail(file, -EMSGSIZE, "larger than max-entry");
	file->bytes = malloc(file->command.length + 1);
	if (!file->bytes)
		return fail(file, -ENOMEM, "no memory");
	file->receiving = true;
	return 0;
}

/* A whole line is there. */
static int take_line(struct control_handle *file, fuse_req_t req)
{
	const bool binary = memchr(file->line, 0, file->line_size);
	int ret;

	file->line[file->line_size] = 0;
	file->line_size = 0;
	if (binary)
		return fail(file, -EINVAL, "a zero byte is in the line");
	ret = command_parse(file->line, &file->command);
	if (ret)
		return fail(file, ret, file->command.wrong);
	if (command_has_bytes(&file->command))
		return begin_receiving(file);
	return execute(file, req);
}

static int take_text(struct control_handle *file, fuse_req_t req,
		     const char *data, size_t size, size_t *taken)
{
	const char *newline = memchr(data, '\n', size);
	size_t length = newline ? (size_t)(newline - data) : size;

	if (file->line_size + length >= sizeof(file->line))
		return fail(file, -EINVAL, "line too long");
	memcpy(file->line + file->line_size, data, length);
	file->line_size += length;
	*taken = length + (newline ? 1 : 0);
	return newline ? take_line(file, req) : 0;
}

static size_t take_bytes(struct control_handle *file, const char *data,
			 size_t size)
{
	uint64_t left = file->command.length - file->received;
	size_t n = size < left ? size : (size_t)left;

	memcpy(file->bytes + file->received, data, n);
	file->received += n;
	return n;
}

static int take(struct control_handle *file, fuse_req_t req, const char *data,
		size_t size)
{
	size_t at = 0;
	int ret = 0;

	while (!ret && at < size) {
		size_t taken = 0;

		if (file->receiving)
			taken = take_bytes(file, data + at, size - at);
		else
			ret = take_text(file, req, data + at, size - at,
					&taken);
		at += taken;
		if (!ret && file->receiving &&
		    file->received == file->command.length) {
			ret = execute(file, req);
			reset(file);
		}
	}
	/* What follows a command that failed is not to be taken for one. */
	if (ret)
		reset(file);
	return ret;
}

static ssize_t control_write(struct handle *handle, fuse_req_t req,
			     const char *data, size_t size)
{
	struct control_handle *file = (struct control_handle *)handle;
	int ret;

	loop_give_way();
	pthread_mutex_lock(&handle->lock);
	ret = take(file, req, data, size);
	pthread_mutex_unlock(&handle->lock);
	return ret ? ret : (ssize_t)size;
}

static void control_read(struct handle *handle, fuse_req_t req, size_t size,
			 uint64_t offset, bool nonblocking)
{
	struct control_handle *file = (struct control_handle *)handle;
	size_t left;

	(void)offset;
	(void)nonblocking;
	pthread_mutex_lock(&handle->lock);
	left = file->replies_to - file->replies_from;
	if (size > left)
		size = left;
	fuse_reply_buf(req, file->replies + file->replies_from, size);
	file->replies_from += size;
	if (file->replies_from == file->replies_to)
		file->replies_from = file->replies_to = 0;
	pthread_mutex_unlock(&handle->lock);
}

static void control_release(struct handle *handle, fuse_req_t req)
{
	struct control_handle *file = (struct control_handle *)handle;

	(void)req;
	if (file->receiving || file->line_size)
		report(LOG_WARNING, "%s: an incomplete command was dropped",
		       handle->book->name);
	reset(file);
}

const struct handle_ops control_ops = {
	.open = control_open,
	.read = control_read,
	.write = control_write,
	.release = control_release,
	.size = sizeof(struct control_handle),
};
