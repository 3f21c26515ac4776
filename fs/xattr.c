/* SPDX-License-Identifier: MIT */
/* Extended attributes: where the bytes of a file are from. */
#include "xattr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "attr.h"

/* What a node is made of. */
struct extent {
	struct node *node;
	uint64_t first;
	uint64_t next;
	uint64_t time; /* of the last entry */
};

struct xattr {
	const char *name;
	int (*get)(const struct extent *extent, char *value);
};

static int put_number(char *value, uint64_t number)
{
	return snprintf(value, XATTR_VALUE_SIZE, "%" PRIu64, number);
}

static struct maplog *log_of(const struct extent *extent)
{
	return extent->node->key.book->log;
}

static int get_first(const struct extent *extent, char *value)
{
	return put_number(value, extent->first);
}

static int get_last(const struct extent *extent, char *value)
{
	if (extent->first == extent->next)
		return -ENODATA;
	return put_number(value, extent->next - 1);
}

/* Views of all its entries, one after the other, checked. */
static int each_view(const struct extent *extent,
		     int (*visit)(void *arg, const struct maplog_view *view),
		     void *arg)
{
	uint64_t index = extent->first;
	int ret = 0;

	while (!ret && index < extent->next) {
		uint64_t left = extent->next - index;
		struct maplog_view view;

		ret = maplog_view(
			log_of(extent), index,
			left < UINT32_MAX ? (uint32_t)left : UINT32_MAX, &view);
		if (ret)
			return book_reading_error(ret);
		ret = maplog_view_check(log_of(extent), &view, NULL);
		if (!ret)
			ret = visit(arg, &view);
		index += view.count;
		maplog_view_release(&view);
	}
	return book_reading_error(ret);
}

static int get_time(const struct extent *extent, char *value)
{
	if (extent->first == extent->next)
		return -ENODATA;
	return put_number(value, extent->time);
}

static int add_crc(void *arg, const struct maplog_view *view)
{
	uint32_t *crc = arg;

	*crc = maplog_crc32c(*crc, view->data, view->bytes);
	return 0;
}

/* Of the bytes of the file, as other programs compute it. */
static int get_crc(const struct extent *extent, char *value)
{
	uint32_t crc = 0;
	int ret;

	ret = each_view(extent, add_crc, &crc);
	return ret ? ret : snprintf(value, XATTR_VALUE_SIZE, "%08x", crc);
}

/* Of the first entry. */
static int get_tag(const struct extent *extent, char *value)
{
	struct maplog_view view;
	int ret;

	if (extent->first == extent->next)
		return -ENODATA;
	ret = maplog_view(log_of(extent), extent->first, 1, &view);
	if (ret)
		return book_reading_error(ret);
	ret = put_number(value, view.records[0].tag);
	maplog_view_release(&view);
	return ret;
}

/* The segment that has all of it, and where. -ENODATA if there is none. */
static int find_place(const struct extent *extent,
		      struct maplog_segment *segment, uint64_t *offset,
		      uint64_t *length)
{
	struct maplog_view first;
	struct maplog_view last;
	int ret;

	if (extent->first == extent->next)
		return -ENODATA;
	ret = maplog_segment(log_of(extent), extent->first, segment);
	if (ret)
		return book_reading_error(ret);
	if (extent->next > segment->base + segment->entries)
		return -ENODATA;
	ret = maplog_view(log_of(extent), extent->first, 1, &first);
	if (ret)
		return book_reading_error(ret);
	*offset = first.offset;
	maplog_view_release(&first);
	ret = maplog_view(log_of(extent), extent->next - 1, 1, &last);
	if (ret)
		return book_reading_error(ret);
	*length = last.offset + last.bytes - *offset;
	maplog_view_release(&last);
	return 0;
}

static int get_segment(const struct extent *extent, char *value)
{
	struct maplog_segment segment;
	uint64_t offset = 0;
	uint64_t length = 0;
	int ret;

	ret = find_place(extent, &segment, &offset, &length);
	if (ret)
		return ret;
	return snprintf(value, XATTR_VALUE_SIZE, "%020" PRIu64 ".log",
			segment.base);
}

static int get_offset(const struct extent *extent, char *value)
{
	struct maplog_segment segment;
	uint64_t offset = 0;
	uint64_t length = 0;
	int ret;

	ret = find_place(extent, &segment, &offset, &length);
	return ret ? ret : put_number(value, offset);
}

static int get_length(const struct extent *extent, char *value)
{
	struct maplog_segment segment;
	uint64_t offset = 0;
	uint64_t length = 0;
	int ret;

	ret = find_place(extent, &segment, &offset, &length);
	return ret ? ret : put_number(value, length);
}

static const struct xattr xattrs[] = {
	{ "user.maplog.first", get_first },
	{ "user.maplog.last", get_last },
	{ "user.maplog.time", get_time },
	{ "user.maplog.crc32c", get_crc },
	{ "user.maplog.tag", get_tag },
	{ "user.maplog.segment", get_segment },
	{ "user.maplog.offset", get_offset },
	{ "user.maplog.length", get_length },
};

#define XATTRS (sizeof(xattrs) / sizeof(*xattrs))

static int find_segment(struct extent *extent)
{
	struct maplog_segment segment;
	int ret;

	ret = attr_segment(&extent->node->key, &segment);
	if (ret)
		return ret;
	extent->first = segment.base;
	extent->next = segment.base + segment.entries;
	extent->time = segment.time;
	return 0;
}

static int find_range(struct extent *extent)
{
	const struct node_key *key = &extent->node->key;
	struct maplog_counters now;
	struct maplog_info info;
	const void *data;
	struct maplog_view view;
	int ret;

	if (!attr_is_current(extent->node))
		return -ESTALE;
	maplog_counters(key->book->log, &now);
	extent->first = key->first;
	extent->next = key->next == NODE_TO_THE_END ? now.next : key->next;
	if (extent->next <= extent->first) {
		extent->next = extent->first;
		return 0;
	}
	ret = maplog_view(key->book->log, extent->next - 1, 1, &view);
	if (ret)
		return ret == -EUCLEAN ? -EIO : -ESTALE;
	ret = maplog_view_entry(&view, 0, &data, &info);
	extent->time = info.time;
	maplog_view_release(&view);
	return ret ? -EIO : 0;
}

static int find_extent(struct node *node, struct extent *extent)
{
	extent->node = node;
	switch (node->key.kind) {
	case NODE_SEGMENT_DATA:
	case NODE_SEGMENT_INDEX:
		return find_segment(extent);
	case NODE_ENTRY:
	case NODE_RANGE:
	case NODE_RANGE_INDEX:
		return find_range(extent);
	default:
		return -ENODATA;
	}
}

int xattr_get(struct node *node, const char *name, char *value)
{
	struct extent extent;
	size_t n = 0;
	int ret;

	while (n < XATTRS && strcmp(xattrs[n].name, name) != 0)
		n++;
	if (n == XATTRS)
		return -ENODATA;
	ret = find_extent(node, &extent);
	return ret ? ret : xattrs[n].get(&extent, value);
}

size_t xattr_list(struct node *node, char *names)
{
	char value[XATTR_VALUE_SIZE];
	struct extent extent;
	size_t used = 0;

	if (find_extent(node, &extent))
		return 0;
	for (size_t n = 0; n < XATTRS; n++) {
		size_t size = strlen(xattrs[n].name) + 1;

		/* The checksum of a large file takes time, and it has one. */
		if (xattrs[n].get != get_crc &&
		    xattrs[n].get(&extent, value) < 0)
			continue;
		memcpy(names + used, xattrs[n].name, size);
		used += size;
	}
	return used;
}
