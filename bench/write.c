/* SPDX-License-Identifier: MIT */
/*
 * Small write(2) calls to a file that is open, each timed.
 *
 *	bench-write file=PATH [bytes=] [count=] [cpu=] [sync=1]
 *
 * What is written is a line, so that it is an entry for `append` of a mount.
 * sync=1 is for a plain file: an fdatasync() after each write.
 */
#include <fcntl.h>
#include <unistd.h>

#include "harness.h"
#include "histogram.h"

int main(int argc, char **argv)
{
	static struct histogram histogram;
	uint64_t bytes, count, begin, all;
	bool sync;
	char *line;
	int fd;

	args_init(argc, argv);
	fd = (int)must_call(open(arg_text("file", NULL), O_WRONLY), "open");
	bytes = arg_number("bytes", 51);
	count = arg_number("count", 10000);
	pin((int)arg_number("cpu", (uint64_t)-1));
	sync = arg_number("sync", 0);
	args_done();

	line = must_alloc(bytes);
	memset(line, 'x', bytes - 1);
	line[bytes - 1] = '\n';
	all = clock_ns();
	for (uint64_t i = 0; i < count; i++) {
		begin = clock_ns();
		if (must_call(write(fd, line, bytes), "write") != (long)bytes)
			die("a write came up short", 0);
		if (sync)
			must_call(fdatasync(fd), "fdatasync");
		histogram_add(&histogram, clock_ns() - begin);
	}
	emit("write", "us", (double)(clock_ns() - all) / (double)count / 1000);
	histogram_emit(&histogram, "", "us", 1000);
	return 0;
}
