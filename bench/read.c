/* SPDX-License-Identifier: MIT */
/*
 * Reads a file with pread() or by mmap(), in order or at random, twice.
 *
 *	bench-read file=PATH how=pread|mmap order=seq|random size= [count=]
 *		   [drop=PATH] [latency=1] [live=1]
 *
 * The first pass is that of a new descriptor or mapping, so mmap has its page
 * faults in there; the second one has not. What was read is summed up: a
 * reader wants to see its bytes. count= is how many reads a pass makes, by
 * default as many as the file holds. drop= names the file whose pages are to
 * leave the page cache before the first pass: that below a mount. live=1 says
 * that its bytes may change meanwhile.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "histogram.h"

static struct {
	const char *path;
	bool map;
	bool random;
	bool latency;
	bool live;
	size_t size;
	uint64_t count;
	uint64_t places; /* reads of this size that the file holds */
	uint64_t bytes;
} job;

static const char *mapping;
static uint64_t *buffer;
static int fd;

static uint64_t sum_of(const void *data)
{
	const uint64_t *words = data;
	uint64_t sum = 0;

	for (size_t i = 0; i < job.size / sizeof(*words); i++)
		sum += words[i];
	return sum;
}

static uint64_t next_offset(uint64_t i, uint64_t *state)
{
	if (!job.random)
		return i % job.places * job.size;
	return random_below(state, job.places) * job.size;
}

static uint64_t read_one(uint64_t offset)
{
	if (job.map)
		return sum_of(mapping + offset);
	if (must_call(pread(fd, buffer, job.size, (off_t)offset), "pread") !=
	    (long)job.size)
		die("a read came up short", 0);
	return sum_of(buffer);
}

static uint64_t pass(const char *name)
{
	struct histogram *histogram = must_alloc(sizeof(*histogram));
	uint64_t state = 42, sum = 0;
	uint64_t begin = clock_ns(), end;

	for (uint64_t i = 0; i < job.count; i++) {
		uint64_t offset = next_offset(i, &state);
		uint64_t from = job.latency ? clock_ns() : 0;

		sum += read_one(offset);
		if (job.latency)
			histogram_add(histogram, clock_ns() - from);
	}
	end = clock_ns();
	if (job.latency)
		histogram_emit(histogram, name, "us", 1000);
	else if (job.random)
		emit(name, "ns/read",
		     (double)(end - begin) / (double)job.count);
	else
		emit(name, "MiB/s",
		     (double)(job.count * job.size) / 1048576 * 1e9 /
			     (double)(end - begin));
	return sum;
}

/* Also says how much stayed: pages that somebody has mapped cannot go. */
static void drop(const char *path)
{
	int below = (int)must_call(open(path, O_RDONLY), "open");
	size_t pages = (job.bytes + 4095) / 4096, resident = 0;
	unsigned char *there = must_alloc(pages);
	void *map;

	must_call(fdatasync(below), "fdatasync");
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	posix_fadvise(below, 0, 0, POSIX_FADV_DONTNEED);
	map = mmap(NULL, job.bytes, PROT_READ, MAP_SHARED, below, 0);
	if (map == MAP_FAILED)
		die("mmap", 0);
	must_call(mincore(map, job.bytes, there), "mincore");
	for (size_t i = 0; i < pages; i++)
		resident += there[i] & 1;
	emit("still cached", "%", 100.0 * (double)resident / (double)pages);
	munmap(map, job.bytes);
	close(below);
}

static void open_file(void)
{
	struct stat stat;

	fd = (int)must_call(open(job.path, O_RDONLY), job.path);
	must_call(fstat(fd, &stat), "fstat");
	job.bytes = (uint64_t)stat.st_size;
	job.places = job.bytes / job.size;
	if (!job.places)
		die("the file is shorter than a read", 0);
	if (!job.count)
		job.count = job.places;
}

int main(int argc, char **argv)
{
	const char *dropped;
	uint64_t first, again;

	args_init(argc, argv);
	job.path = arg_text("file", NULL);
	job.map = !strcmp(arg_text("how", "pread"), "mmap");
	job.random = !strcmp(arg_text("order", "seq"), "random");
	job.size = arg_number("size", 131072);
	job.count = arg_number("count", 0);
	job.latency = arg_number("latency", 0);
	job.live = arg_number("live", 0);
	dropped = arg_text("drop", "");
	args_done();

	buffer = must_alloc(job.size);
	open_file();
	if (*dropped)
		drop(dropped);
	if (job.map) {
		mapping = mmap(NULL, job.bytes, PROT_READ, MAP_SHARED, fd, 0);
		if (mapping == MAP_FAILED)
			die("mmap", 0);
	}
	first = pass("first");
	again = pass("again");
	/* The same bytes must have come both times. */
	if (first != again && !job.live)
		die("the second pass has read something else", 0);
	return 0;
}
