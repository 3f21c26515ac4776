/* SPDX-License-Identifier: MIT */
/* Feeds: input that is cut into entries, as lines, JSON or frames. */
#include "feed.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "format.h"
#include "jsonline.h"

#define READ_BYTES ((size_t)256 << 10)

enum feed_form feed_form(const struct args *args, const char *name)
{
	if (!strcmp(name, "lines"))
		return FEED_LINES;
	if (!strcmp(name, "json"))
		return FEED_JSON;
	if (!strcmp(name, "frames"))
		return FEED_FRAMES;
	args_fail(args, "--as: not lines, json or frames: '%s'", name);
}

/* Says what is wrong with the entry that is to come. */
static int wrong(const struct feed *feed, const char *what)
{
	error_print("%s: %s %" PRIu64 ": %s", feed->name,
		    feed->form == FEED_FRAMES ? "frame" : "line",
		    feed->count + 1, what);
	return -EINVAL;
}

static size_t left(const struct feed *feed)
{
	return feed->input.used - feed->at;
}

static const char *begin(const struct feed *feed)
{
	return feed->input.data + feed->at;
}

static int too_long(const struct feed *feed)
{
	char text[64] = "it is longer than max-entry or segment-size, ";
	size_t n = strlen(text);

	error_size(feed->limit, text + n, sizeof(text) - n);
	return wrong(feed, text);
}

/* A line in the input, with its newline; 0 if there is none yet. */
static size_t find_line(struct feed *feed)
{
	const char *newline = NULL;

	if (left(feed) > feed->scanned)
		newline = memchr(begin(feed) + feed->scanned, '\n',
				 left(feed) - feed->scanned);
	if (newline)
		return (size_t)(newline + 1 - begin(feed));
	feed->scanned = left(feed);
	return feed->ended ? left(feed) : 0;
}

static int cut_line(struct feed *feed, struct feed_entry *entry)
{
	size_t bytes = find_line(feed);

	if ((bytes ? bytes : left(feed)) > feed->limit)
		return too_long(feed);
	if (!bytes)
		return 0;
	*entry = (struct feed_entry){ .data = begin(feed), .bytes = bytes };
	feed->at += bytes;
	return 1;
}

/* An object is longer than the entry: an escape takes six bytes for one. */
static int cut_json(struct feed *feed, struct feed_entry *entry)
{
	size_t bytes = find_line(feed);
	const char *fault;

	if ((bytes ? bytes : left(feed)) > 6 * feed->limit + 4096)
		return too_long(feed);
	if (!bytes)
		return 0;
	feed->data.used = 0;
	fault = jsonline_parse(begin(feed), bytes, &feed->data, &entry->tag);
	if (fault)
		return wrong(feed, fault);
	if (feed->data.used > feed->limit)
		return too_long(feed);
	entry->data = feed->data.data;
	entry->bytes = feed->data.used;
	feed->at += bytes;
	return 1;
}

static int cut_frame(struct feed *feed, struct feed_entry *entry)
{
	struct maplog_frame frame;

	if (left(feed) < sizeof(frame))
		return feed->ended && left(feed)
			       ? wrong(feed, "it ends too early")
			       : 0;
	memcpy(&frame, begin(feed), sizeof(frame));
	if (frame.zero)
		return wrong(feed, "it has not zero behind its length");
	if (frame.length > feed->limit)
		return too_long(feed);
	if (left(feed) - sizeof(frame) < frame.length)
		return feed->ended ? wrong(feed, "it ends too early") : 0;
	*entry = (struct feed_entry){
		.data = begin(feed) + sizeof(frame),
		.bytes = frame.length,
		.tag = frame.tag,
	};
	feed->at += sizeof(frame) + frame.length;
	return 1;
}

int feed_cut(struct feed *feed, struct feed_entry *entry)
{
	int ret;

	if (feed->form == FEED_LINES)
		ret = cut_line(feed, entry);
	else if (feed->form == FEED_JSON)
		ret = cut_json(feed, entry);
	else
		ret = cut_frame(feed, entry);
	if (ret > 0) {
		feed->count++;
		feed->scanned = 0;
	}
	return ret;
}

static void move_to_front(struct feed *feed)
{
	struct text *input = &feed->input;

	if (feed->at)
		memmove(input->data, input->data + feed->at, left(feed));
	input->used -= feed->at;
	feed->at = 0;
}

int feed_read(struct feed *feed)
{
	struct text *input = &feed->input;
	ssize_t n;
	char *to;

	move_to_front(feed);
	to = text_room(input, READ_BYTES);
	n = read(feed->fd, to, READ_BYTES);
	input->used -= READ_BYTES - (n > 0 ? (size_t)n : 0);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	feed->ended = !n;
	feed->bytes += (uint64_t)n;
	return 0;
}

void feed_free(struct feed *feed)
{
	text_free(&feed->input);
	text_free(&feed->data);
}
