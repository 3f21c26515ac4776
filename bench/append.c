/* SPDX-License-Identifier: MIT */
/*
 * Appends n entries to a peer, reads all of them back and checks them.
 *
 *	bench-append-PEER as=ROW dir=DIR [n=] [size=] [batch=] [sync=] [read=]
 *			  [latency=1] [segment=]
 *
 * sync=K calls the peer's sync after every K entries; 0 leaves it to the peer.
 * latency=1 also times each durable unit, which costs two looks at the clock.
 * segment= is the size of a segment, for peers that have some.
 */
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "harness.h"
#include "histogram.h"
#include "peer.h"

static struct setup setup;
static uint64_t sync_every;
static bool latency;
static struct histogram units;
static struct maplog_entry *batch;
static uint64_t disk;

static const struct peer *find(const char *name)
{
	const struct peer *peer = peers;

	while (peer->name && strcmp(peer->name, name))
		peer++;
	if (!peer->name)
		die(name, ENOENT);
	return peer;
}

static unsigned make_batch(uint64_t index)
{
	uint64_t left = setup.n - index;
	unsigned n = left < setup.batch ? (unsigned)left : setup.batch;

	for (unsigned i = 0; i < n; i++)
		batch[i].data = payload(index + i);
	return n;
}

/* Appends what makes one durable unit; returns the index behind it. */
static uint64_t append_unit(const struct peer *peer, uint64_t index)
{
	uint64_t end = index + (sync_every ? sync_every : setup.batch);

	while (index < end && index < setup.n) {
		unsigned n = make_batch(index);

		peer->append(batch, n);
		index += n;
	}
	if (sync_every)
		peer->sync();
	return index;
}

static void append_all(const struct peer *peer)
{
	uint64_t begin = clock_ns(), last = begin, now;
	uint64_t index = 0;

	while (index < setup.n) {
		index = append_unit(peer, index);
		if (!latency)
			continue;
		now = clock_ns();
		histogram_add(&units, now - last);
		last = now;
	}
	if (peer->flush)
		peer->flush();
	emit("append", "ns/entry",
	     (double)(clock_ns() - begin) / (double)setup.n);
	if (latency)
		histogram_emit(&units, "unit", "us", 1000);
}

/* Looks every entry up, and touches each. Returns the sum of what it saw. */
static uint64_t read_all(const struct peer *peer, const char *metric,
			 unsigned step)
{
	static struct maplog_entry out[READ_MAX];
	uint64_t begin = clock_ns();
	uint64_t sum = 0;

	for (uint64_t index = 0; index < setup.n; index += step) {
		uint64_t left = setup.n - index;
		unsigned n = left < step ? (unsigned)left : step;

		peer->read(index, n, out);
		for (unsigned i = 0; i < n; i++)
			sum += *(const unsigned char *)out[i].data +
			       out[i].bytes;
	}
	keep(sum);
	emit(metric, "ns/entry",
	     (double)(clock_ns() - begin) / (double)setup.n);
	return sum;
}

static void walk_all(const struct peer *peer, uint64_t sum)
{
	uint64_t begin = clock_ns();

	if (!peer->walk)
		return;
	if (peer->walk() != sum)
		die("the cursor came to something else", 0);
	emit("cursor", "ns/entry",
	     (double)(clock_ns() - begin) / (double)setup.n);
}

static void check_all(const struct peer *peer, unsigned step)
{
	static struct maplog_entry out[READ_MAX];
	uint64_t begin = clock_ns();

	for (uint64_t index = 0; index < setup.n; index += step) {
		uint64_t left = setup.n - index;
		unsigned n = left < step ? (unsigned)left : step;

		peer->read(index, n, out);
		for (unsigned i = 0; i < n; i++) {
			if (out[i].bytes != setup.size)
				die("a size is wrong", 0);
			payload_check(index + i, out[i].data, setup.size);
		}
	}
	emit("check", "ns/entry",
	     (double)(clock_ns() - begin) / (double)setup.n);
}

/* A call that hands out entries in a row, without looking for their ends. */
static void span_all(const struct peer *peer, unsigned step)
{
	uint64_t begin, calls = setup.n / step, sum = 0;
	size_t bytes;

	if (!peer->span || !calls)
		return;
	begin = clock_ns();
	for (uint64_t i = 0; i < calls; i++) {
		const unsigned char *data = peer->span(i * step, step, &bytes);

		sum += *data + bytes;
	}
	keep(sum);
	emit("view", "ns/call", (double)(clock_ns() - begin) / (double)calls);
	if (sum < calls * setup.size)
		die("a view is too short", 0);
}

static int add_file(const char *path, const struct stat *stat, int type,
		    struct FTW *ftw)
{
	if (type == FTW_F)
		disk += (uint64_t)stat->st_blocks * 512;
	return 0;
}

static void measure_disk(void)
{
	must_call(nftw(setup.dir, add_file, 16, FTW_PHYS), "walking");
	emit("disk", "B/entry", (double)disk / (double)setup.n);
}

int main(int argc, char **argv)
{
	const struct peer *peer;
	uint64_t begin;
	unsigned step;

	args_init(argc, argv);
	peer = find(arg_text("as", NULL));
	setup.dir = arg_text("dir", NULL);
	setup.n = arg_number("n", 100000);
	setup.size = arg_number("size", 51);
	setup.batch = (unsigned)arg_number("batch", 10);
	setup.segment = arg_text("segment", "256M");
	sync_every = arg_number("sync", 0);
	latency = arg_number("latency", 0);
	step = (unsigned)arg_number("read", 10);
	args_done();
	if (!setup.n || !setup.batch || step > READ_MAX)
		die("these sizes make no sense", 0);
	if (sync_every && !peer->sync)
		die("this peer cannot be told to sync", 0);

	payload_init(setup.size);
	batch = must_alloc(setup.batch * sizeof(*batch));
	for (unsigned i = 0; i < setup.batch; i++)
		batch[i].bytes = setup.size;
	begin = clock_ns();
	peer->open(peer, &setup);
	emit("open", "ms", (double)(clock_ns() - begin) / 1e6);
	append_all(peer);
	read_all(peer, "read", step);
	walk_all(peer, read_all(peer, "scan", READ_MAX));
	span_all(peer, step);
	check_all(peer, step);
	measure_disk();
	peer->close();
	return 0;
}
