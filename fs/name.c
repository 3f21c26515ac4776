/* SPDX-License-Identifier: MIT */
/* Names in the tree: what they stand for, and how they are written. */
#include "name.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "moment.h"

#define SEGMENT_DIGITS 20

static const struct {
	const char *name;
	enum node_kind kind;
} fixed[] = {
	{ "append", NODE_APPEND },     { "batch", NODE_BATCH },
	{ "control", NODE_CONTROL },   { "status", NODE_STATUS },
	{ "head", NODE_HEAD },	       { "follow", NODE_FOLLOW },
	{ "segments", NODE_SEGMENTS }, { "entries", NODE_ENTRIES },
	{ "ranges", NODE_RANGES },     { "since", NODE_SINCE },
};

#define FIXED (sizeof(fixed) / sizeof(*fixed))

const char *name_fixed(size_t n)
{
	return n < FIXED ? fixed[n].name : NULL;
}

/* Reads digits up to @end, or to the end of the text if that is NULL. */
static bool digits(const char *text, const char *end, uint64_t *number)
{
	uint64_t value = 0;

	if (!end)
		end = text + strlen(text);
	if (text == end)
		return false;
	for (; text < end; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (*text < '0' || *text > '9' ||
		    value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*number = value;
	return true;
}

/* One name for one number: no leading zeros. */
static bool canonical(const char *text, const char *end, uint64_t *number)
{
	if (*text == '0' && text[1] && text + 1 != end)
		return false;
	return digits(text, end, number);
}

bool name_number(const char *text, uint64_t *number)
{
	return canonical(text, NULL, number);
}

bool name_is_log(const char *name)
{
	size_t n = strlen(name);

	if (!n || n > NAME_MAX || *name == '.')
		return false;
	/* A name that a terminal or a status line would choke on. */
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)name[i] < ' ' || name[i] == 127)
			return false;
	}
	return true;
}

bool name_in_log(const char *name, enum node_kind *kind, uint64_t *first)
{
	static const char from[] = "follow@";

	*first = 0;
	if (!strncmp(name, from, sizeof(from) - 1)) {
		*kind = NODE_FOLLOW;
		return name_number(name + sizeof(from) - 1, first) &&
		       *first != NODE_TO_THE_END;
	}
	for (size_t i = 0; i < FIXED; i++) {
		if (strcmp(name, fixed[i].name) != 0)
			continue;
		*kind = fixed[i].kind;
		if (*kind == NODE_FOLLOW)
			*first = NODE_TO_THE_END;
		return true;
	}
	return false;
}

bool name_segment(const char *name, enum node_kind *kind, uint64_t *base)
{
	if (strlen(name) != SEGMENT_DIGITS + 4)
		return false;
	if (!strcmp(name + SEGMENT_DIGITS, ".log"))
		*kind = NODE_SEGMENT_DATA;
	else if (!strcmp(name + SEGMENT_DIGITS, ".idx"))
		*kind = NODE_SEGMENT_INDEX;
	else
		return false;
	return digits(name, name + SEGMENT_DIGITS, base);
}

/* Where a name ends that may have ".idx" behind it. */
static const char *end_of(const char *name, bool *index)
{
	const char *end = name + strlen(name);

	*index = end - name > 4 && !strcmp(end - 4, ".idx");
	return *index ? end - 4 : end;
}

bool name_moment(const char *name, uint64_t now, uint64_t *moment, bool *index)
{
	const char *end = end_of(name, index);
	char text[NAME_SIZE];

	if (end - name >= NAME_SIZE)
		return false;
	memcpy(text, name, (size_t)(end - name));
	text[end - name] = 0;
	return !maplog_moment_parse(text, now, moment) && *moment <= now;
}

bool name_range(const char *name, struct name_range *range)
{
	const char *dash = strchr(name, '-');
	const char *end;

	memset(range, 0, sizeof(*range));
	end = end_of(name, &range->index);
	if (!dash || dash >= end)
		return false;
	range->last = dash == name;
	range->open = dash + 1 == end;
	if (range->last)
		return canonical(dash + 1, end, &range->first);
	if (!canonical(name, dash, &range->first))
		return false;
	if (range->open)
		return true;
	return canonical(dash + 1, end, &range->end) &&
	       range->first <= range->end && range->end < UINT64_MAX - 1;
}

static void range_name(const struct node_key *key, char name[NAME_SIZE])
{
	const char *suffix = key->kind == NODE_RANGE_INDEX ? ".idx" : "";

	if (key->next == NODE_TO_THE_END)
		snprintf(name, NAME_SIZE, "%" PRIu64 "-%s", key->first, suffix);
	else
		snprintf(name, NAME_SIZE, "%" PRIu64 "-%" PRIu64 "%s",
			 key->first, key->next - 1, suffix);
}

bool name_of(const struct node_key *key, char name[NAME_SIZE],
	     struct node_key *parent)
{
	*parent = (struct node_key){ .book = key->book };
	switch (key->kind) {
	case NODE_SEGMENT_DATA:
	case NODE_SEGMENT_INDEX:
		parent->kind = NODE_SEGMENTS;
		snprintf(name, NAME_SIZE, "%020" PRIu64 ".%s", key->first,
			 key->kind == NODE_SEGMENT_DATA ? "log" : "idx");
		return true;
	case NODE_ENTRY:
		parent->kind = NODE_ENTRIES;
		snprintf(name, NAME_SIZE, "%" PRIu64, key->first);
		return true;
	case NODE_RANGE:
	case NODE_RANGE_INDEX:
		parent->kind = NODE_RANGES;
		range_name(key, name);
		return true;
	default:
		return false;
	}
}
