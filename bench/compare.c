/* SPDX-License-Identifier: MIT */
/*
 * Compares a file with the entries that should be in it, end to end.
 *
 *	bench-compare file=PATH size= [first=] [n=] [lines=1]
 *
 * n is by default as many as the file holds. Nothing may be left over. With
 * lines=1 entries end with a newline instead of their last byte.
 */
#include <fcntl.h>
#include <unistd.h>

#include "harness.h"

#define CHUNK (UINT64_C(1) << 20)

static size_t fill(int fd, unsigned char *buffer, size_t bytes)
{
	size_t have = 0;
	long ret = 1;

	while (have < bytes && ret) {
		ret = must_call(read(fd, buffer + have, bytes - have), "read");
		have += (size_t)ret;
	}
	return have;
}

int main(int argc, char **argv)
{
	uint64_t size, index, n, lines, seen = 0;
	unsigned char *buffer;
	size_t step, have;
	int fd;

	args_init(argc, argv);
	fd = (int)must_call(open(arg_text("file", NULL), O_RDONLY), "open");
	size = arg_number("size", 51);
	index = arg_number("first", 0);
	n = arg_number("n", 0);
	lines = arg_number("lines", 0);
	args_done();

	payload_init(size);
	step = (CHUNK / size + 1) * size;
	buffer = must_alloc(step);
	while ((have = fill(fd, buffer, step))) {
		if (have % size)
			die("the file ends within an entry", 0);
		for (size_t at = 0; at < have; at += size, seen++) {
			payload_check(index + seen, buffer + at, size - lines);
			if (lines && buffer[at + size - 1] != '\n')
				die("a line does not end", 0);
		}
	}
	if (n && seen != n)
		die("there are more entries or fewer", 0);
	emit("compared", "entries", (double)seen);
	return 0;
}
