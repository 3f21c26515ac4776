/* SPDX-License-Identifier: MIT */
/* Retention: dropping old segments, and why those that are there are kept. */
#include "retain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "dir.h"
#include "private.h"
#include "publish.h"

#define BLOCK 512 /* what st_blocks counts */

static uint64_t end_of(const struct maplog_segment *segment)
{
	return segment->base + segment->entries;
}

/* Segments whose files cannot be used are there, too, but of no known size. */
static bool look_at(struct maplog *log, uint64_t index,
		    struct maplog_segment *segment)
{
	segment->id = 0;
	(void)maplog_segment(log, index, segment);
	return segment->id;
}

static uint64_t count_bytes(struct maplog *log)
{
	struct maplog_segment segment = { .active = false };
	uint64_t index = 0;
	uint64_t bytes = 0;

	while (!segment.active && look_at(log, index, &segment)) {
		bytes += segment.bytes;
		index = end_of(&segment);
	}
	return bytes;
}

/* Whether all entries of a segment are older. One that cannot be read is no
 * younger than the next that can. */
static bool is_older(struct maplog *log, struct maplog_segment segment,
		     uint64_t than)
{
	while (!segment.time && !segment.active) {
		if (!look_at(log, end_of(&segment), &segment))
			return false;
	}
	return segment.time && segment.time < than;
}

/* The end of the last segment in a row that may go. */
static uint64_t find_limit(struct maplog *log,
			   const struct maplog_options *options)
{
	uint64_t bytes = options->retain_bytes ? count_bytes(log) : 0;
	uint64_t than = publish_now();
	struct maplog_segment segment;
	uint64_t limit = 0;

	than -= options->retain_age < than ? options->retain_age : than;
	while (look_at(log, limit, &segment) && !segment.active) {
		bool large = options->retain_bytes &&
			     bytes >= segment.bytes + options->retain_bytes;
		bool old = options->retain_age && is_older(log, segment, than);

		if (!large && !old)
			break;
		bytes -= segment.bytes < bytes ? segment.bytes : bytes;
		limit = end_of(&segment);
	}
	return limit;
}

/* The reader that is behind the others. */
static int find_reader(struct maplog *log, struct maplog_reader_info *reader)
{
	struct maplog_reader_info *list;
	size_t count;
	int ret;

	ret = maplog_reader_list(log, &list, &count);
	if (ret)
		return ret;
	for (size_t i = 0; i < count; i++) {
		if (!i || list[i].next < reader->next)
			*reader = list[i];
	}
	free(list);
	return 0;
}

struct usage {
	int dirfd;
	uint64_t bytes;
};

static int add_usage(void *arg, const char *name)
{
	struct usage *usage = arg;
	struct stat st;

	/* Another one may just have gone. */
	if (!fstatat(usage->dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
		usage->bytes += (uint64_t)st.st_blocks * BLOCK;
	return 0;
}

int maplog_retention(struct maplog *log, struct maplog_retention *retention)
{
	struct usage usage = { .dirfd = log->dirfd };
	struct maplog_options options;
	int ret;

	ret = dir_each(log->dirfd, add_usage, &usage);
	maplog_options(log, &options);
	*retention = (struct maplog_retention){
		.disk = usage.bytes,
		.limited = options.retain_bytes || options.retain_age,
	};
	if (!ret && !options.drop_unread)
		ret = find_reader(log, &retention->reader);
	if (!ret && retention->limited)
		retention->limit = find_limit(log, &options);
	return ret;
}

void maplog_retention_reason(const struct maplog_retention *retention,
			     const struct maplog_segment *segment, char *text,
			     size_t size)
{
	const struct maplog_reader_info *reader = &retention->reader;
	uint64_t end = end_of(segment);

	if (segment->active)
		snprintf(text, size, "it is active");
	else if (!retention->limited)
		snprintf(text, size, "there is no limit");
	else if (end > retention->limit)
		snprintf(text, size, "it is within the limits");
	else if (*reader->name && reader->next < end)
		snprintf(text, size, "%s has read up to %" PRIu64, reader->name,
			 reader->next);
	else
		snprintf(text, size, "it is about to be dropped");
}

/* Ends the active segment when its first entry is too old, so that it does not
 * keep that one for as long as it takes to fill up. */
static int seal_old(struct maplog *log, uint64_t age)
{
	uint64_t now = publish_now();
	struct maplog_segment active;
	struct maplog_info info;
	struct maplog_view view;
	const void *data;
	int ret;

	if (!age || !look_at(log, UINT64_MAX, &active) || !active.active)
		return 0;
	ret = active.entries ? maplog_view(log, active.base, 1, &view)
			     : -ENODATA;
	/* Trimmed, truncated or damaged: another time. */
	if (ret)
		return 0;
	ret = maplog_view_entry(&view, 0, &data, &info);
	maplog_view_release(&view);
	if (ret || info.time >= (age < now ? now - age : 0))
		return 0;
	return maplog_seal(log, NULL);
}

/* Where the log may begin: with a whole segment that a reader needs some of. */
static uint64_t find_first(struct maplog *log,
			   const struct maplog_retention *retention)
{
	const struct maplog_reader_info *reader = &retention->reader;
	struct maplog_segment segment;

	if (!*reader->name || reader->next >= retention->limit)
		return retention->limit;
	return look_at(log, reader->next, &segment) ? segment.base : 0;
}

int maplog_retain(struct maplog *log, uint64_t *first)
{
	struct maplog_retention retention;
	struct maplog_counters counters;
	struct maplog_options options;
	int ret;

	maplog_options(log, &options);
	ret = seal_old(log, options.retain_age);
	if (!ret)
		ret = maplog_retention(log, &retention);
	if (ret)
		return ret;
	ret = maplog_trim(log, find_first(log, &retention));
	maplog_counters(log, &counters);
	if (first)
		*first = counters.first;
	return ret;
}
