/* SPDX-License-Identifier: MIT */
/* Scanning records past the durable mark: which of them are true. */
#include "scan.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "record.h"

/* How much is made readable at a time, at most, before it is touched: at first
 * what is asked for, then twice as much each time. */
#define AHEAD ((uint64_t)4 << 20)

/* Memory of which the bytes from <= i < to were made readable. */
struct reach {
	const uint8_t *at;
	uint64_t size;
	uint64_t from;
	uint64_t to;
	uint64_t ahead;
};

/* A device that cannot be read must be an errno, not a SIGBUS. */
static int reach_for(struct reach *reach, uint64_t from, uint64_t to)
{
	assert(from <= to && to <= reach->size);

	if (from < reach->from || from > reach->to)
		reach->from = reach->to = from;
	while (reach->to < to) {
		uint64_t n = to - reach->to;
		int ret;

		if (n < reach->ahead)
			n = reach->ahead;
		if (n > AHEAD)
			n = AHEAD;
		reach->ahead = 2 * n;
		if (n > reach->size - reach->to)
			n = reach->size - reach->to;
		ret = io_populate(reach->at + reach->to, n, false);
		if (ret)
			return ret;
		reach->to += n;
	}
	return 0;
}

static int check(const struct scan_source *source, struct reach *payload,
		 uint64_t n, bool *good)
{
	/* Copies: whoever may write the file may change it under us. */
	struct maplog_record record = source->records[n];
	uint32_t start = n ? source->records[n - 1].end : 0;
	int ret;

	*good = false;
	if (record.end < start || record.end > source->payload_size)
		return 0;
	ret = reach_for(payload, start, record.end);
	if (ret)
		return ret;
	*good = record_check(source->seed, source->base + n, &record, start,
			     source->payload, source->payload_size);
	return 0;
}

/* Whether record n is the first of its batch. That of a bad record before it
 * can be believed: an entry is only good if the `end` before it is right, and
 * a sector that kept that kept what follows, too. Only where that is 0, for all
 * before it have no payload, a record that is not there has it right. */
static bool begins(const struct scan_source *source, uint64_t n)
{
	assert(n);

	return !record_joins(&source->records[n - 1]);
}

/* Checks record n, having made it and the one before it readable. */
static int check_at(const struct scan_source *source, struct reach *records,
		    struct reach *payload, uint64_t n, bool *good)
{
	const uint64_t size = sizeof(struct maplog_record);
	int ret;

	ret = reach_for(records, n ? (n - 1) * size : 0, (n + 1) * size);
	if (ret)
		return ret;
	return check(source, payload, n, good);
}

int scan_records(const struct scan_source *source, uint64_t from, uint64_t to,
		 struct scan *scan)
{
	struct reach records = { .at = (const void *)source->records,
				 .size = to * sizeof(*source->records) };
	struct reach payload = { .at = source->payload,
				 .size = source->payload_size };
	uint64_t damaged = 0;
	bool whole = true;

	assert(from <= to);

	scan->good = from;
	scan->damaged = 0;
	for (uint64_t n = from; n < to; n++) {
		bool good;
		int ret;

		ret = check_at(source, &records, &payload, n, &good);
		if (ret)
			return ret;
		assert(scan->good <= n);
		/* The first one that is looked at begins one. */
		whole = good && (whole || begins(source, n));
		damaged += !good;
		if (!whole || record_more(&source->records[n]))
			continue;
		scan->good = n + 1;
		scan->damaged += damaged;
		damaged = 0;
	}
	return 0;
}

static uint64_t last_byte(const uint8_t *map, uint64_t from, uint64_t to)
{
	static const uint8_t zeros[4096];

	/* Space is reserved by the mebibyte: most of it is zeros. */
	while (to - from >= sizeof(zeros) &&
	       !memcmp(map + to - sizeof(zeros), zeros, sizeof(zeros)))
		to -= sizeof(zeros);
	while (to > from && !map[to - 1])
		to--;
	return to;
}

/* The next bytes of a file before @end that are no hole; none are those at
 * @end. What cannot be found now is not what is not there. */
static int find_data(int fd, uint64_t at, uint64_t end, uint64_t *from,
		     uint64_t *to)
{
	off_t data = lseek(fd, (off_t)at, SEEK_DATA);
	off_t hole;

	assert(at < end);

	*from = *to = end;
	if (data < 0)
		return errno == ENXIO ? 0 : -errno;
	if ((uint64_t)data >= end)
		return 0;
	hole = lseek(fd, data, SEEK_HOLE);
	if (hole < 0)
		return -errno;
	*from = (uint64_t)data;
	if ((uint64_t)hole < end)
		*to = (uint64_t)hole;
	return 0;
}

int scan_extent(int fd, const uint8_t *map, uint64_t from, uint64_t to,
		uint64_t *extent)
{
	struct reach reach = { .at = map, .size = to };
	uint64_t at = from;

	assert(from <= to);

	*extent = from;
	while (at < to) {
		uint64_t data;
		uint64_t last;
		int ret;

		ret = find_data(fd, at, to, &data, &at);
		/* Not into the hole: it would be filled. */
		reach.size = at;
		if (!ret)
			ret = reach_for(&reach, data, at);
		if (ret)
			return ret;
		last = last_byte(map, data, at);
		if (last > data)
			*extent = last;
	}
	return 0;
}
