/* SPDX-License-Identifier: MIT */
/* Short words of the fixture for appending entries and looking at them. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define BATCH_MAX 64

uint64_t append_to(struct maplog *log, const char *text)
{
	const struct maplog_entry entry = { text, strlen(text), 0 };
	uint64_t index;

	ck_assert_int_eq(maplog_append(log, &entry, 1, &index), 0);
	return index;
}

uint64_t append(const char *text)
{
	return append_to(tlog, text);
}

int try_append(const char *text)
{
	const struct maplog_entry entry = { text, strlen(text), 0 };

	return maplog_append(tlog, &entry, 1, NULL);
}

uint64_t append_batch(const char *text, ...)
{
	struct maplog_entry entries[BATCH_MAX];
	uint64_t index;
	size_t n = 0;
	va_list list;

	va_start(list, text);
	for (; text; text = va_arg(list, const char *))
		entries[n++] = (struct maplog_entry){ text, strlen(text), 0 };
	va_end(list);
	ck_assert_int_eq(maplog_append(tlog, entries, n, &index), 0);
	return index;
}

uint64_t append_pattern(size_t bytes)
{
	uint64_t next = counters().next;
	char *data = malloc(bytes + 1);
	const struct maplog_entry entry = { data, bytes, next };
	uint64_t index;

	pattern(data, bytes, next);
	ck_assert_int_eq(maplog_append(tlog, &entry, 1, &index), 0);
	ck_assert_uint_eq(index, next);
	free(data);
	return index;
}

void append_many(size_t n, size_t bytes)
{
	while (n--)
		append_pattern(bytes);
}

void overwrite(uint64_t index, const char *text)
{
	const struct maplog_entry entry = { text, strlen(text), 0 };

	ck_assert_int_eq(maplog_overwrite(tlog, index, &entry, 1), 0);
}

void expect_text_in(struct maplog *log, uint64_t index, const char *text)
{
	struct maplog_info info;
	char data[4096];

	ck_assert_uint_lt(strlen(text), sizeof(data));
	ck_assert_int_eq(maplog_read(log, index, data, sizeof(data) - 1, &info),
			 0);
	ck_assert_uint_eq(info.index, index);
	ck_assert_uint_lt(info.bytes, sizeof(data));
	data[info.bytes] = 0;
	ck_assert_str_eq(data, text);
}

void expect_text(uint64_t index, const char *text)
{
	expect_text_in(tlog, index, text);
}

void expect_pattern(uint64_t index, size_t bytes)
{
	char *data = malloc(bytes + 1);
	char *expected = malloc(bytes + 1);
	struct maplog_info info;

	ck_assert_int_eq(maplog_read(tlog, index, data, bytes, &info), 0);
	ck_assert_uint_eq(info.bytes, bytes);
	ck_assert_uint_eq(info.tag, index);
	pattern(expected, bytes, index);
	ck_assert_int_eq(memcmp(data, expected, bytes), 0);
	free(expected);
	free(data);
}

void expect_patterns(uint64_t first, uint64_t next, size_t bytes)
{
	for (uint64_t index = first; index < next; index++)
		expect_pattern(index, bytes);
}

int read_error(uint64_t index)
{
	char byte;

	return maplog_read(tlog, index, &byte, 1, NULL);
}

struct maplog_counters counters(void)
{
	struct maplog_counters now;

	maplog_counters(tlog, &now);
	return now;
}

void expect_range(uint64_t first, uint64_t next)
{
	struct maplog_counters now = counters();

	ck_assert_uint_eq(now.first, first);
	ck_assert_uint_eq(now.next, next);
}

struct maplog_status status(void)
{
	struct maplog_status now;

	ck_assert_int_eq(maplog_status(tlog, &now), 0);
	return now;
}

struct maplog_segment segment(uint64_t index)
{
	struct maplog_segment found;

	ck_assert_int_eq(maplog_segment(tlog, index, &found), 0);
	return found;
}
