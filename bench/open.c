/* SPDX-License-Identifier: MIT */
/*
 * Opens, reads and closes files named by numbers, as entries/N.
 *
 *	bench-open dir=DIR n= count= size= [cpu=]
 *
 * Names are 0 to n-1, of which count are visited, far from each other, and
 * then the same ones again: a file system may remember names. Each file holds
 * its entry, of which at most 100 bytes are read.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "harness.h"
#include "histogram.h"

static void open_one(int dir, uint64_t index, size_t size)
{
	char name[24], bytes[100];
	size_t wanted = size < sizeof(bytes) ? size : sizeof(bytes);
	int fd;

	snprintf(name, sizeof(name), "%lu", index);
	fd = (int)must_call(openat(dir, name, O_RDONLY), "open");
	if (must_call(read(fd, bytes, sizeof(bytes)), "read") != (long)wanted)
		die("an entry has another size", 0);
	payload_check(index, bytes, wanted);
	close(fd);
}

/* Steps of the golden ratio: all over the names, and none of them twice as
 * long as the step has no divisor in common with n. */
static uint64_t find_step(uint64_t n)
{
	uint64_t step = (uint64_t)((double)n * 0.618) | 1;
	uint64_t a = n, b = step;

	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a == 1 ? step : 1;
}

static void visit(int dir, uint64_t n, uint64_t count, size_t size,
		  const char *name)
{
	struct histogram *histogram = must_alloc(sizeof(*histogram));
	uint64_t step = find_step(n), index = 0;

	for (uint64_t i = 0; i < count; i++, index = (index + step) % n) {
		uint64_t begin = clock_ns();

		open_one(dir, index, size);
		histogram_add(histogram, clock_ns() - begin);
	}
	histogram_emit(histogram, name, "us", 1000);
}

int main(int argc, char **argv)
{
	uint64_t n, count, size;
	int dir;

	args_init(argc, argv);
	dir = (int)must_call(
		open(arg_text("dir", NULL), O_DIRECTORY | O_RDONLY), "open");
	n = arg_number("n", 1000);
	count = arg_number("count", n);
	size = arg_number("size", 51);
	pin((int)arg_number("cpu", (uint64_t)-1));
	args_done();
	if (!n || count > n)
		die("there are fewer names than that", 0);

	payload_init(size);
	visit(dir, n, count, size, "first");
	visit(dir, n, count, size, "again");
	return 0;
}
