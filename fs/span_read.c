/* SPDX-License-Identifier: MIT */
/* Reading spans: answers are made of the bytes where they lie. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "span_private.h"

/* More than this is not worth copying before somebody reads it. */
#define PUSH_MAX (16 << 10)

/* What an answer is made of: bytes in views, which are held until it is sent.
 */
struct answer {
	struct maplog_view *views;
	struct iovec *iov;
	size_t count;
	size_t room;
	size_t bytes;
};

static int answer_add(struct answer *answer, const struct maplog_view *view,
		      const void *data, size_t bytes)
{
	if (answer->count == answer->room) {
		size_t room = answer->room ? answer->room * 2 : 4;
		void *views = reallocarray(answer->views, room,
					   sizeof(*answer->views));
		void *iov;

		if (!views)
			return -ENOMEM;
		answer->views = views;
		iov = reallocarray(answer->iov, room, sizeof(*answer->iov));
		if (!iov)
			return -ENOMEM;
		answer->iov = iov;
		answer->room = room;
	}
	answer->views[answer->count] = *view;
	answer->iov[answer->count].iov_base = (void *)data;
	answer->iov[answer->count++].iov_len = bytes;
	answer->bytes += bytes;
	return 0;
}

static void answer_free(struct answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		maplog_view_release(&answer->views[i]);
	free(answer->views);
	free(answer->iov);
}

/* The piece that has the byte at @offset. */
static const struct piece *piece_at(const struct span *span, uint64_t offset)
{
	size_t low = 0;
	size_t high = span->n_pieces;

	/* Empty pieces begin where the next one does: take the last. */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (span->pieces[middle].at <= offset)
			low = middle;
		else
			high = middle;
	}
	return &span->pieces[low];
}

/* How many entries of a view end at or before @end, an offset in its file. */
static uint32_t entries_before(const struct maplog_view *view, uint64_t end)
{
	uint32_t low = 0;
	uint32_t high = view->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (view->records[middle].end <= end)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Makes a view begin @n entries later; -EIO if there is nothing behind them. */
static int skip(struct maplog_view *view, uint32_t n)
{
	uint32_t start;

	if (!n)
		return 0;
	start = view->records[n - 1].end;
	if (n >= view->count || start < view->offset ||
	    start - view->offset > view->bytes)
		return -EIO;
	view->data = (const char *)view->data + (start - view->offset);
	view->bytes -= start - view->offset;
	view->offset = start;
	view->index += n;
	view->records += n;
	view->count -= n;
	return 0;
}

/* Makes a view end with its first @n entries. */
static void shorten(struct maplog_view *view, uint32_t n)
{
	uint32_t end;

	if (n >= view->count)
		return;
	end = view->records[n - 1].end;
	if (end < view->offset || end - view->offset > view->bytes)
		return;
	view->count = n;
	view->bytes = end - view->offset;
}

/* A view that begins with the entry that has the byte at @offset; *at is where
 * in the span's file that entry begins. */
static int view_at(struct span *span, const struct piece *piece,
		   uint64_t offset, struct maplog_view *view, uint64_t *at)
{
	uint64_t index = piece->first;

	*at = piece->at;
	if (span->hint_at <= offset && span->hint_at >= piece->at &&
	    span->hint_index >= piece->first &&
	    span->hint_index < piece->next) {
		index = span->hint_index;
		*at = span->hint_at;
	}
	while (index < piece->next) {
		uint32_t n;
		int ret;

		ret = span_view(span, index, piece->next - index, view);
		if (ret)
			return ret;
		n = entries_before(view, view->offset + (offset - *at));
		if (n < view->count) {
			uint32_t start = view->offset;

			ret = skip(view, n);
			*at += view->offset - start;
			if (ret)
				maplog_view_release(view);
			return ret;
		}
		index += view->count;
		*at += view->bytes;
		maplog_view_release(view);
	}
	return -EIO;
}

/* Adds the bytes from @offset on, up to @size or the end of a view. */
static int add_bytes(struct span *span, uint64_t offset, size_t size,
		     struct answer *answer)
{
	const struct piece *piece = piece_at(span, offset);
	struct maplog_view view;
	uint64_t skipped;
	uint64_t at;
	int ret;

	ret = view_at(span, piece, offset, &view, &at);
	if (ret)
		return ret;
	span->hint_index = view.index;
	span->hint_at = at;
	skipped = offset - at;
	/* All that end inside, and the one that goes on behind it. */
	shorten(&view,
		entries_before(&view, view.offset + skipped + size - 1) + 1);
	ret = span_check(span, &view);
	if (!ret && view.bytes <= skipped)
		ret = -EIO;
	if (!ret)
		ret = answer_add(
			answer, &view, (const char *)view.data + skipped,
			size < view.bytes - skipped ? size
						    : view.bytes - skipped);
	if (ret)
		maplog_view_release(&view);
	return ret;
}

static int collect(struct span *span, uint64_t offset, size_t size,
		   struct answer *answer)
{
	int ret = 0;

	if (offset >= span->bytes)
		return 0;
	if (size > span->bytes - offset)
		size = span->bytes - offset;
	while (!ret && answer->bytes < size)
		ret = add_bytes(span, offset + answer->bytes,
				size - answer->bytes, answer);
	return book_reading_error(ret);
}

static void copy(const struct answer *answer, void *buffer)
{
	char *to = buffer;

	for (size_t i = 0; i < answer->count; i++) {
		memcpy(to, answer->iov[i].iov_base, answer->iov[i].iov_len);
		to += answer->iov[i].iov_len;
	}
}

/* For segments so small that there are too many for one system call. */
static void reply_copy(fuse_req_t req, const struct answer *answer)
{
	void *buffer = malloc(answer->bytes);

	if (!buffer) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	copy(answer, buffer);
	fuse_reply_buf(req, buffer, answer->bytes);
	free(buffer);
}

void span_read(struct span *span, fuse_req_t req, uint64_t offset, size_t size)
{
	struct answer answer = { .count = 0 };
	int ret = collect(span, offset, size, &answer);

	if (ret)
		fuse_reply_err(req, -ret);
	else if (!answer.count)
		fuse_reply_buf(req, NULL, 0);
	else if (answer.count < IOV_MAX)
		fuse_reply_iov(req, answer.iov, (int)answer.count);
	else
		reply_copy(req, &answer);
	answer_free(&answer);
}

void span_push(struct span *span, struct fuse_session *session, fuse_ino_t ino)
{
	struct answer answer = { .count = 0 };

	if (!span->bytes || span->bytes > PUSH_MAX)
		return;
	if (!collect(span, 0, span->bytes, &answer) && answer.count == 1) {
		struct fuse_bufvec bytes = FUSE_BUFVEC_INIT(answer.bytes);

		bytes.buf[0].mem = answer.iov[0].iov_base;
		(void)fuse_lowlevel_notify_store(session, ino, 0, &bytes, 0);
	}
	answer_free(&answer);
}

ssize_t span_copy(struct span *span, uint64_t offset, void *buffer, size_t size)
{
	struct answer answer = { .count = 0 };
	int ret = collect(span, offset, size, &answer);

	if (!ret)
		copy(&answer, buffer);
	answer_free(&answer);
	return ret ? ret : (ssize_t)answer.bytes;
}
